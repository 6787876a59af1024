use super::decode;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::{Event, Features, Item, Label, MAX_ITEMS, Prediction, RejectReason, Scalar, Status, Timestamp};
use proptest::prelude::*;

/// Every outcome of one message as text: `#reason`, `P …` or `L …`.
fn outcomes(bytes: Option<&[u8]>, role: TopicRole, settings: &DecodeSettings) -> Vec<String> {
    let mut all = Vec::new();
    decode(bytes, role, settings, &mut |outcome| {
        all.push(match outcome {
            Err(reason) => format!("#{reason}"),
            Ok(Event::Prediction(p)) => show_prediction(&p),
            Ok(Event::Label(l)) => show_label(&l),
        });
    });
    all
}

fn show(value: &Scalar<'_>) -> String {
    match value {
        Scalar::Null => "null".into(),
        Scalar::Bool(b) => b.to_string(),
        Scalar::Number(x) => format!("{x:?}"),
        Scalar::Text(t) => format!("{t:?}"),
        Scalar::NonFinite => "nonfinite".into(),
        Scalar::Structured => "structured".into(),
        Scalar::Vector(numbers) => format!("vector {numbers:?}"),
        Scalar::List(items) => {
            let shown = |item: &Item<'_>| if item.gain == 1.0 { item.name.to_string() } else { format!("{}={:?}", item.name, item.gain) };
            format!("list [{}]", items.iter().map(shown).collect::<Vec<_>>().join(" "))
        }
    }
}

fn show_prediction(p: &Prediction<'_>) -> String {
    let pair = |(k, v): (&str, &Scalar<'_>)| format!("{k}={}", show(v));
    let features = p.features.iter().map(pair).collect::<Vec<_>>().join(",");
    let scores = p.scores.iter().map(|(k, v)| pair((k, v))).collect::<Vec<_>>().join(",");
    let Prediction { id, model, version, timestamp, .. } = p;
    let status = match p.status {
        Status::Ok => "ok",
        Status::Failed => "failed",
        Status::Unrecognised => "unrecognised",
    };
    let (prediction, score, latency) = (show(&p.prediction), show(&p.score), show(&p.latency_ms));
    format!("P {id} {model}/{version} {} [{features}] {prediction} {score} [{scores}] {latency} {status}", timestamp.0)
}

fn show_label(l: &Label<'_>) -> String {
    format!("L {} {} {} {}", l.prediction_id, show(&l.label), l.timestamp.0, l.model.as_deref().unwrap_or("-"))
}

#[track_caller]
fn check(role: TopicRole, message: &str, expected: &[&str]) {
    assert_eq!(outcomes(Some(message.as_bytes()), role, &DecodeSettings::default()), expected, "{message}");
}

/// A prediction with `fields` behind the required ones gives `rest` behind the usual beginning.
#[track_caller]
fn prediction(fields: &str, rest: &str) {
    let message = format!(r#"{{"prediction_id":"a","model":"m","version":"v","timestamp":1700000000000{fields}}}"#);
    check(TopicRole::Predictions, &message, &[&format!("P a m/v 1700000000000 {rest}")]);
}

#[track_caller]
fn feature(value: &str, expected: &str) {
    prediction(&format!(r#","features":{{"x":{value},"y":1}}"#), &format!("[x={expected},y=1.0] null null [] null ok"));
}

#[test]
fn a_whole_prediction() {
    check(
        TopicRole::Predictions,
        r#" {"prediction_id":"p1","model":"fraud","version":"v1","timestamp":"2026-11-22T10:40:00.1239+01:00","features":{"amount":12.5,"country":"DE"},
            "prediction":1,"score":0.93,"scores":{"a":0.2,"b":0.8},"latency_ms":7.2,"status":"ok","unknown":{"deep":[1,{}]}} "#,
        &[r#"P p1 fraud/v1 1795340400123 [amount=12.5,country="DE"] 1.0 0.93 [a=0.2,b=0.8] 7.2 ok"#],
    );
}

#[test]
fn values_of_features() {
    feature("null", "null");
    feature("true", "true");
    feature("-0", "-0.0");
    feature("0.1", "0.1");
    feature("9007199254740993", "9007199254740992.0");
    feature("18446744073709551616", "1.8446744073709552e19");
    feature("-9223372036854775809", "-9.223372036854776e18");
    feature("5e-324", "5e-324");
    feature("1e-400", "0.0");
    feature("1.7976931348623157e308", "1.7976931348623157e308");
    feature("NaN", "nonfinite");
    feature("Infinity", "nonfinite");
    feature(" -Infinity ", "nonfinite");
    feature("1e999", "nonfinite");
    feature("-1E+400", "nonfinite");
    feature(&"9".repeat(400), "nonfinite");
    feature("[1,2]", "vector [1.0, 2.0]");
    feature("[ -1 , 0.5,1e999,NaN ]", "vector [-1.0, 0.5, inf, inf]");
    feature("[]", "structured");
    feature("[[1],2]", "structured");
    feature("[1,\"2\",{\"a\":[1]}]", "structured");
    feature("[1,null]", "structured");
    feature(&format!("[{}]", vec!["1"; 4097].join(",")), "structured");
    feature(r#"{"a":{"b":NaN}}"#, "structured");
    feature(r#""""#, r#""""#);
    feature(r#""NaN""#, r#""NaN""#);
    feature(r#""\u00e9\n\ud83d\ude00""#, r#""é\n😀""#);
    feature("\"\u{7f}\"", "\"\\u{7f}\"");
}

#[test]
fn a_string_is_never_taken_for_a_non_finite_number() {
    let features = "\"a\":NaN,\"b\":\"\u{7f}\",\"c\":\"\u{7f}\u{7f}\",\"d\":\"\\u007f\\u007f\\u007f\",\"e\":\"NaN, Infinity: 1e999\"";
    let shown = r#"a=nonfinite,b="\u{7f}",c="\u{7f}\u{7f}",d="\u{7f}\u{7f}\u{7f}",e="NaN, Infinity: 1e999""#;
    prediction(&format!(",\"features\":{{{features}}}"), &format!("[{shown}] null null [] null ok"));
}

#[test]
fn other_fields() {
    prediction("", "[] null null [] null ok");
    prediction(r#","features":null"#, "[] null null [] null ok");
    prediction(r#","features":{}"#, "[] null null [] null ok");
    prediction(r#","features":{"x":1,"y":2,"x":3}"#, "[y=2.0,x=3.0] null null [] null ok");
    prediction(r#","features":{"x":1},"features":{"y":2}"#, "[y=2.0] null null [] null ok");
    prediction(r#","prediction":"yes","status":"error""#, "[] \"yes\" null [] null failed");
    prediction(r#","prediction":[1],"status":"OK""#, "[] list [1] null [] null unrecognised");
    prediction(r#","status":200"#, "[] null null [] null unrecognised");
    prediction(r#","status":null,"score":NaN,"latency_ms":"7""#, "[] null nonfinite [] \"7\" ok");
    prediction(r#","scores":[0.1,0.9]"#, "[] null structured [] null ok");
    prediction(r#","scores":0.9,"score":0.5"#, "[] null 0.5 [] null ok");
    prediction(r#","scores":{"a":NaN,"b":[]}"#, "[] null null [a=nonfinite,b=structured] null ok");
    prediction(r#","label":1"#, "[] null null [] null ok");
    prediction(r#","other":NaN,"another":"\ud800""#, "[] null null [] null ok");
}

#[test]
fn ids_and_names() {
    let with = |id: &str, model: &str, version: &str| {
        format!(r#"{{"prediction_id":{id},"model":{model},"version":{version},"timestamp":"2023-11-14T22:13:20Z"}}"#)
    };
    let role = TopicRole::Predictions;
    let end = "1700000000000 [] null null [] null ok";
    check(role, &with("7", r#""m""#, "2"), &[&format!("P 7 m/2 {end}")]);
    check(role, &with("-7", r#""m""#, r#""2""#), &[&format!("P -7 m/2 {end}")]);
    check(role, &with("18446744073709551615", r#""m""#, "0"), &[&format!("P 18446744073709551615 m/0 {end}")]);
    check(role, &with("18446744073709551616", r#""m""#, "0"), &["#invalid_id"]);
    check(role, &with("NaN", r#""m""#, "0"), &["#invalid_id"]);
    check(role, &with(r#""\u0061\"""#, r#""\u00fc""#, r#"" ""#), &[&format!("P a\" ü/  {end}")]);
    let longest = "x".repeat(256);
    check(role, &with(&format!("{longest:?}"), r#""m""#, "0"), &[&format!("P {longest} m/0 {end}")]);
    check(role, &with(r#""a""#, r#""m""#, &format!("\"{longest}x\"")), &["#invalid_version"]);
    check(role, &with(r#""a""#, r#""m""#, "NaN"), &["#invalid_version"]);
    check(role, r#"{"prediction_id":"a","mod\u0065l":"m","version":"v","timestamp":1700000000000}"#, &[&format!("P a m/v {end}")]);
    check(role, r#"{"prediction_id":"a","model":"m","model":null,"version":"v","timestamp":0}"#, &["#missing_model"]);
}

#[test]
fn times() {
    let role = TopicRole::Labels;
    let with = |timestamp: &str| format!(r#"{{"prediction_id":"a","label":true,"timestamp":{timestamp}}}"#);
    check(role, &with("315532800000"), &["L a true 315532800000 -"]);
    check(role, &with("315532799999"), &["#timestamp_out_of_range"]);
    check(role, &with("4102444799999"), &["L a true 4102444799999 -"]);
    check(role, &with("4102444800000"), &["#timestamp_out_of_range"]);
    check(role, &with("99999999999999999999"), &["#invalid_timestamp"]);
    check(role, &with("18446744073709551615"), &["#timestamp_out_of_range"]);
    check(role, &with("1.7e12"), &["#invalid_timestamp"]);
    check(role, &with("1e999"), &["#invalid_timestamp"]);
    check(role, &with(r#""1700000000000""#), &["#invalid_timestamp"]);
    check(role, &with(r#""""#), &["#invalid_timestamp"]);
    check(role, &with("null"), &["#missing_timestamp"]);
    check(role, &with(r#""2023-11-15T03:43:20.9999+05:30""#), &["L a true 1700000000999 -"]);
}

#[test]
fn labels_and_roles() {
    let label = r#"{"prediction_id":"a","label":"yes","timestamp":1700000000000,"model":"m"}"#;
    check(TopicRole::Labels, label, &["L a \"yes\" 1700000000000 m"]);
    check(TopicRole::Both, label, &["L a \"yes\" 1700000000000 m"]);
    check(TopicRole::Predictions, label, &["#missing_version"]);
    let both = r#"{"prediction_id":"a","label":"yes","timestamp":1700000000000,"model":"m","version":1,"prediction":0}"#;
    check(TopicRole::Labels, both, &["L a \"yes\" 1700000000000 m"]);
    check(TopicRole::Both, both, &["P a m/1 1700000000000 [] 0.0 null [] null ok"]);
    check(TopicRole::Both, r#"{"prediction_id":"a","label":null,"timestamp":1700000000000}"#, &["#missing_label"]);
    check(TopicRole::Both, r#"{"prediction_id":"a","timestamp":1700000000000}"#, &["#missing_model"]);
    check(TopicRole::Labels, r#"{"prediction_id":"a","label":0,"timestamp":1700000000000,"model":""}"#, &["L a 0.0 1700000000000 -"]);
    check(TopicRole::Labels, r#"{"prediction_id":"a","label":0,"timestamp":1700000000000,"model":1}"#, &["#invalid_model"]);
}

#[test]
fn ranked_lists() {
    let answer = |array: &str, want: &str| prediction(&format!(",\"prediction\":{array}"), &format!("[] {want} null [] null ok"));
    for (array, want) in [
        (r#"["a","b\"","c"]"#, "list [a b\" c]"),
        (r#"["7",7,7.0,-3,1e3]"#, "list [7 7 7 -3 1000]"),
        ("[]", "list []"),
        // 2^53 + 1 is the nearest number, as it is where a label is that number alone
        ("[9007199254740993]", "list [9007199254740992]"),
        (r#"["a",0.5]"#, "structured"),
        (r#"["a",null]"#, "structured"),
        (r#"["a",true,"b"]"#, "structured"),
        (r#"["a",["b"]]"#, "structured"),
        (r#"["a",{"b":1}]"#, "structured"),
        (r#"["a",NaN]"#, "structured"),
        (r#"{"a":1}"#, "structured"),
    ] {
        answer(array, want);
    }
    // elsewhere an array is what it was
    prediction(r#","features":{"x":["a"],"y":[1]},"score":["a"]"#, "[x=structured,y=vector [1.0]] null structured [] null ok");
    let names = |n: usize| (0..n).map(|i| format!("{i}")).collect::<Vec<_>>();
    let first = names(MAX_ITEMS).join(" ");
    answer(&format!("[{}]", names(MAX_ITEMS).join(",")), &format!("list [{first}]"));
    answer(&format!("[{},null]", names(MAX_ITEMS + 5).join(",")), &format!("list [{first}]"));
}

#[test]
fn labels_of_ranked_lists() {
    let label = |value: &str, want: &str| {
        let text = format!(r#"{{"prediction_id":"a","label":{value},"timestamp":1700000000000}}"#);
        let want = if want.starts_with('#') { want.to_owned() } else { format!("L a {want} 1700000000000 -") };
        check(TopicRole::Labels, &text, &[&want]);
    };
    for (value, want) in [
        (r#"["a",7]"#, "list [a 7]"),
        ("[]", "list []"),
        (r#"{"a":3,"b":0.5,"c":1}"#, "list [a=3.0 b=0.5 c]"),
        ("{}", "list []"),
        (r#"{"a":-1}"#, "list [a=-1.0]"),
        (r#"{"a":NaN}"#, "list [a=inf]"),
        (r#"{"a":"3"}"#, "#invalid_label"),
        (r#"{"a":null,"b":1}"#, "#invalid_label"),
        (r#"["a",NaN]"#, "#invalid_label"),
        (r#"[["a"]]"#, "#invalid_label"),
    ] {
        label(value, want);
    }
    let names = |n: usize| (0..n).map(|i| format!("\"{i}\"")).collect::<Vec<_>>();
    let gains = |n: usize| format!("{{{}}}", names(n).iter().map(|name| format!("{name}:2")).collect::<Vec<_>>().join(","));
    label(&format!("[{}]", names(MAX_ITEMS + 1).join(",")), "#invalid_label");
    label(&gains(MAX_ITEMS + 1), "#invalid_label");
    let whole = (0..MAX_ITEMS).map(|i| format!("{i}=2.0")).collect::<Vec<_>>().join(" ");
    label(&gains(MAX_ITEMS), &format!("list [{whole}]"));
}

#[test]
fn batches() {
    let one = |id: &str| format!(r#"{{"prediction_id":{id},"label":1,"timestamp":1700000000000}}"#);
    let role = TopicRole::Labels;
    let batch = format!("[{}, 7,\n{},{},[],{}]", one("1"), one("null"), one(r#""\ud800""#), one("2"));
    check(
        role,
        &batch,
        &["L 1 1.0 1700000000000 -", "#not_an_object", "#missing_id", "#not_json", "#not_an_object", "L 2 1.0 1700000000000 -"],
    );
    check(role, &format!("[{}, NaN, {}]", one("NaN"), one("2")), &["#invalid_id", "#not_an_object", "L 2 1.0 1700000000000 -"]);
    check(role, &format!("[{}, {}]", one("1e999"), one("2")), &["#invalid_id", "L 2 1.0 1700000000000 -"]);
    check(role, &format!("[{}, {}", one("1"), one("2")), &["#not_json"]);
    check(role, &format!("[{}]]", one("1")), &["#not_json"]);
    check(role, "[[{}]]", &["#not_an_object"]);
}

#[test]
fn what_the_tolerant_pass_must_not_let_in() {
    for broken in [
        r#"{NaN:1}"#,
        r#"{"a":NaN NaN}"#,
        r#"{"a":"b"NaN}"#,
        r#"{"a":+Infinity}"#,
        r#"{"a":-NaN}"#,
        r#"{"a":01e999}"#,
        r#"{"a":1.e999}"#,
        r#"{"a":NaNa}"#,
        r#"{"a":NaN,}"#,
        r#"{"a":NaN"#,
        r#"{"a":"\"#,
        r#"{"a":NaN,"b":"\"#,
        "[NaN",
        "NaN NaN",
        r#"{"a":Infinity5}"#,
    ] {
        check(TopicRole::Both, broken, &["#not_json"]);
    }
}

#[test]
fn bounds() {
    let mut settings = DecodeSettings { max_bytes: 200, max_features: 2, ..DecodeSettings::default() };
    let role = TopicRole::Predictions;
    let message = r#"{"prediction_id":"a","model":"m","version":"v","timestamp":1700000000000,"features":{"a":1,"b":2}}"#;
    assert_eq!(outcomes(Some(message.as_bytes()), role, &settings).len(), 1);
    assert_eq!(outcomes(Some(format!("{message:200}").as_bytes()), role, &settings), outcomes(Some(message.as_bytes()), role, &settings));
    assert_eq!(outcomes(Some(format!("{message:201}").as_bytes()), role, &settings), ["#too_large"]);
    settings.max_features = 1;
    assert_eq!(outcomes(Some(message.as_bytes()), role, &settings), ["#too_complex"]);
    let scores = message.replace(r#""features":{"a":1,"b":2}"#, r#""scores":{"a":1,"b":[[],{}]}"#);
    assert_eq!(outcomes(Some(scores.as_bytes()), role, &settings), ["#too_complex"]);
    assert_eq!(outcomes(None, role, &settings), ["#empty"]);
    assert_eq!(outcomes(Some(b""), role, &settings), ["#empty"]);
    assert_eq!(outcomes(Some(b" \n"), role, &settings), ["#not_json"]);
}

#[test]
fn depth_does_not_overflow_the_stack() {
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    for nested in [deep("[", "]", 400_000), format!("{}1{}", "{\"a\":".repeat(150_000), "}".repeat(150_000))] {
        feature(&nested, "structured");
        prediction(&format!(",\"other\":{nested}"), "[] null null [] null ok");
        prediction(&format!(",\"scores\":{{\"a\":{nested}}}"), "[] null null [a=structured] null ok");
    }
    check(TopicRole::Both, &deep("[", "]", 500_000), &["#not_an_object"]);
    check(TopicRole::Both, &"[".repeat(1_000_000), &["#not_json"]);
    check(TopicRole::Both, &"{\"features\":".repeat(80_000), &["#not_json"]);
}

#[test]
fn many_repeated_features_keep_their_last_values() {
    let fields: Vec<String> = (0..600).map(|i| format!("\"f{}\":{i}", i % 200)).collect();
    let message =
        format!(r#"{{"prediction_id":"a","model":"m","version":"v","timestamp":1700000000000,"features":{{{}}}}}"#, fields.join(","));
    decode(Some(message.as_bytes()), TopicRole::Both, &DecodeSettings::default(), &mut |outcome| {
        let Ok(Event::Prediction(p)) = outcome else { panic!("{outcome:?}") };
        let expected: Features<'_> = (0..200).map(|i| (format!("f{i}").into(), Scalar::Number(f64::from(400 + i)))).collect();
        assert_eq!(p.features, expected);
    });
}

#[derive(serde::Deserialize)]
struct Broken {
    name: String,
    topic: String,
    line: Option<String>,
    line_hex: Option<String>,
    reason: String,
}

#[test]
fn every_broken_line_is_rejected_under_its_reason() {
    let kinds: Vec<Broken> = serde_json::from_str(include_str!("../../../../tests/data/broken/events.json")).unwrap();
    assert!(kinds.len() >= 30);
    for kind in kinds {
        let bytes = match (&kind.line, &kind.line_hex) {
            (Some(line), None) => line.clone().into_bytes(),
            (None, Some(hex)) => (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect(),
            _ => panic!("{}: either line or line_hex", kind.name),
        };
        let role = if kind.topic == "labels" { TopicRole::Labels } else { TopicRole::Predictions };
        assert!(!bytes.contains(&b'\n'), "{}", kind.name);
        assert!(RejectReason::ALL.iter().any(|r| r.as_str() == kind.reason), "{}", kind.name);
        assert_eq!(outcomes(Some(&bytes), role, &DecodeSettings::default()), [format!("#{}", kind.reason)], "{}", kind.name);
    }
}

/// JSON values as text, with a bare non-finite number here and there if `broken`.
fn any_value(broken: bool) -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| format!("{x:?}")),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u128>().prop_map(|n| n.to_string()),
    ];
    let odd = if broken { vec!["NaN", "Infinity", "-Infinity", "1e999", "-1e400"] } else { vec!["null", "true"] };
    let leaf = prop_oneof![
        4 => number,
        2 => ".{0,8}".prop_map(|s: String| serde_json::to_string(&s).unwrap()),
        2 => proptest::sample::select(odd).prop_map(str::to_owned),
        1 => "[\u{7f}\\\\\"{}:, ]{0,6}".prop_map(|s: String| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(" , "))),
            proptest::collection::vec(inner, 0..4).prop_map(|v| {
                let fields: Vec<_> = v.iter().enumerate().map(|(i, v)| format!("\"k{i}\" : {v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn message_of(features: &[String]) -> String {
    let fields: Vec<_> = features.iter().enumerate().map(|(i, v)| format!("\"f{i}\":{v}")).collect();
    format!(r#"{{"prediction_id":"a","model":"m","version":"v","timestamp":1700000000000,"features":{{{}}}}}"#, fields.join(","))
}

fn shown_features(text: &str) -> Vec<String> {
    let mut shown = Vec::new();
    decode(Some(text.as_bytes()), TopicRole::Predictions, &DecodeSettings::default(), &mut |outcome| match outcome {
        Ok(Event::Prediction(p)) => shown.extend(p.features.iter().map(|(name, value)| format!("{name}={}", show(value)))),
        other => panic!("{other:?}"),
    });
    shown
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_give_at_least_one_outcome(bytes in proptest::collection::vec(any::<u8>(), 0..200), role in 0..3) {
        let role = [TopicRole::Predictions, TopicRole::Labels, TopicRole::Both][role as usize];
        prop_assert!(!outcomes(Some(&bytes), role, &DecodeSettings::default()).is_empty());
    }

    #[test]
    fn arbitrary_json_like_text_gives_at_least_one_outcome(text in "[\\[\\]{}\",:\\\\ N1e9aInfity.+-]{0,80}") {
        prop_assert!(!outcomes(Some(text.as_bytes()), TopicRole::Both, &DecodeSettings::default()).is_empty());
    }

    #[test]
    fn damaged_messages_give_one_outcome(features in proptest::collection::vec(any_value(true), 0..4), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = message_of(&features).into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(!(at == 0 && byte == b'['));
        bytes[at] = byte;
        prop_assert_eq!(outcomes(Some(&bytes), TopicRole::Both, &DecodeSettings::default()).len(), 1);
    }

    #[test]
    fn numbers_equal_the_standard_parser(bits in any::<u64>(), digits in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][-+]?[0-9]{1,3})?") {
        let shortest = f64::from_bits(bits);
        for text in [digits, format!("{shortest:?}"), format!("{shortest:e}")] {
            let Ok(expected) = text.parse::<f64>() else { continue };
            if text.contains("inf") || text.contains("NaN") { continue }
            let want = if expected.is_finite() { format!("{expected:?}") } else { "nonfinite".into() };
            prop_assert_eq!(shown_features(&message_of(std::slice::from_ref(&text))), [format!("f0={want}")], "{}", text);
        }
    }

    #[test]
    fn valid_json_is_left_alone_by_the_tolerant_pass(features in proptest::collection::vec(any_value(false), 0..5)) {
        let message = message_of(&features);
        prop_assert!(super::tolerant::rewrite(&message).is_none());
        // one non-finite value behind them forces the tolerant pass: it reads the others the same
        let mut strict = shown_features(&message);
        strict.push(format!("f{}=nonfinite", features.len()));
        let mut with_nan = features.clone();
        with_nan.push("NaN".into());
        prop_assert_eq!(shown_features(&message_of(&with_nan)), strict);
    }

    #[test]
    fn non_finite_values_cost_only_themselves(features in proptest::collection::vec(any_value(true), 1..6)) {
        let shown = shown_features(&message_of(&features));
        prop_assert_eq!(shown.len(), features.len());
        for (i, value) in features.iter().enumerate() {
            let alone = shown_features(&message_of(std::slice::from_ref(value)));
            prop_assert_eq!(shown[i].split_once('=').unwrap().1, alone[0].split_once('=').unwrap().1);
        }
    }
}

#[test]
fn events_borrow_from_the_message() {
    let message = r#"{"prediction_id":"a","model":"m","version":"v","timestamp":1700000000000,"features":{"x":"text"}}"#;
    decode(Some(message.as_bytes()), TopicRole::Both, &DecodeSettings::default(), &mut |outcome| {
        let Ok(Event::Prediction(p)) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(p.id, std::borrow::Cow::Borrowed(_)));
        assert!(matches!(p.features.get("x"), Some(Scalar::Text(std::borrow::Cow::Borrowed("text")))));
        assert_eq!(p.timestamp, Timestamp(1_700_000_000_000));
    });
}
