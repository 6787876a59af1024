//! The scanner gives what the reference gives, and takes the usual messages.

mod differential;
mod learning;
mod values;

use super::{Decoder, Scanner, decode};
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::{Event, Scalar};
use std::borrow::Cow;

/// Every outcome of one message as text; numbers in it are told apart by their last bit, and `-0` from `0`.
type Outcomes = Vec<String>;

fn reference(bytes: Option<&[u8]>, role: TopicRole, settings: &DecodeSettings) -> Outcomes {
    let mut all = Vec::new();
    decode(bytes, role, settings, &mut |outcome| all.push(format!("{outcome:?}")));
    all
}

fn scanned(decoder: &mut Decoder, bytes: Option<&[u8]>, role: TopicRole, settings: &DecodeSettings) -> Outcomes {
    let mut all = Vec::new();
    decoder.decode(bytes, role, settings, &mut |outcome| all.push(format!("{outcome:?}")));
    all
}

/// Whether the scanner took the message, which it must read as the reference does.
#[track_caller]
fn takes(scanner: &mut Scanner, message: &str, role: TopicRole) -> bool {
    let settings = DecodeSettings::default();
    let expected = reference(Some(message.as_bytes()), role, &settings);
    let event = scanner.scan(message, role, &settings);
    if let Some(event) = &event {
        assert_eq!([format!("{:?}", Ok::<_, crate::event::RejectReason>(event))].as_slice(), expected, "{message}");
    }
    event.is_some()
}

#[track_caller]
fn taken(scanner: &mut Scanner, message: &str) {
    assert!(takes(scanner, message, TopicRole::Both), "not taken: {message}");
}

#[track_caller]
fn left(message: &str) {
    for role in [TopicRole::Predictions, TopicRole::Labels, TopicRole::Both] {
        assert!(!takes(&mut Scanner::default(), message, role), "taken: {message}");
    }
}

/// A prediction with these features and fields, as compact writers have it.
fn prediction(features: &str, fields: &str) -> String {
    format!(
        r#"{{"prediction_id":"4f0c","model":"fraud","version":"v1","timestamp":"2026-11-22T09:40:00.123Z","features":{{{features}}}{fields}}}"#
    )
}

const USUAL: &str = r#""amount":12.5,"score_of_the_office":0.1234567890123,"n":103,"country":"DE","known":true,"gap":null,"b":-1.5e-7"#;
const ANSWER: &str = r#","prediction":1,"score":0.93,"latency_ms":7.2,"status":"ok""#;

#[test]
fn usual_messages_are_taken() {
    let mut scanner = Scanner::default();
    let compact = prediction(USUAL, ANSWER);
    let spaced = compact.replace("\":", "\": ").replace(',', ", ");
    let pretty = compact.replace("\":", "\" : ").replace(',', ",\r\n\t ").replace('{', "{ ").replace('}', "\n}");
    for message in [&compact, &spaced, &pretty, &format!(" {compact}\n"), &compact] {
        taken(&mut scanner, message);
    }
    for message in [
        prediction("", ANSWER),
        prediction(USUAL, r#","prediction":"cat","scores":{"cat":0.7,"dog":0.3},"status":"error""#),
        prediction(
            USUAL,
            r#","prediction":null,"score":null,"latency_ms":null,"status":"other","more":"text","more":1.5e999"#.trim_end_matches("e999"),
        ),
        prediction(r#""text":"M\u00fcnchen \"\\\ud83d\ude00é\/\n","x":"\\","y":1"#, ANSWER),
        prediction(r#""vector":[0.1, -2,3e2],"x":1"#, ANSWER),
        compact.replace("\"4f0c\"", "17").replace("\"v1\"", "3").replace("\"2026-11-22T09:40:00.123Z\"", "1795340400123"),
        r#"{"prediction_id":"4f0c","label":1,"timestamp":"2026-11-22T09:40:00Z"}"#.to_owned(),
        r#"{"prediction_id":"4f0c","label":"cat","timestamp":1795340400123,"model":""}"#.to_owned(),
        r#"{"timestamp":1795340400123,"label":false,"model":"fraud","prediction_id":-4}"#.to_owned(),
    ] {
        taken(&mut scanner, &message);
        taken(&mut scanner, &message);
    }
}

#[test]
fn what_is_rare_or_wrong_is_left_to_the_reference() {
    let usual = prediction(USUAL, ANSWER);
    for (part, instead) in [
        ("\"DE\"", r#""\ud800""#),
        ("\"DE\"", r#""\x""#),
        ("\"DE\"", "\"\\n\n\""),
        ("\"DE\"", "\"\\"),
        ("\"ok\"", r#""o\u006b""#),
        ("\"DE\"", "\"D\tE\""),
        ("\"DE\"", "NaN"),
        ("\"DE\"", "-Infinity"),
        ("\"DE\"", "1e999"),
        ("\"DE\"", "[1,\"2\"]"),
        ("\"DE\"", "[]"),
        ("\"DE\"", "{}"),
        ("\"DE\"", "01"),
        ("\"DE\"", "1."),
        ("\"DE\"", "+1"),
        ("\"DE\"", "-"),
        ("\"DE\"", "truer"),
        ("\"DE\"", "\"DE\",\"a\\\"b\":1"),
        ("\"DE\"", "\"DE\","),
        ("\"4f0c\"", "\"\""),
        ("\"4f0c\"", "-0"),
        ("\"4f0c\"", "1.0"),
        ("\"2026-11-22T09:40:00.123Z\"", "1795340400123.0"),
        ("\"2026-11-22T09:40:00.123Z\"", "\"2026-11-22\""),
        ("\"2026-11-22T09:40:00.123Z\"", "-5"),
        ("\"status\":", "\"model\":"),
        ("\"status\":\"ok\"", "\"other\":{}"),
        ("\"status\":\"ok\"", "\"prediction\":[1]"),
        ("\"ok\"}", "\"ok\"}}"),
        ("\"ok\"}", "\"ok\""),
        ("\"ok\"}", "\"ok\"]"),
        ("{\"prediction_id\"", "[{\"prediction_id\""),
    ] {
        assert!(usual.contains(part));
        left(&usual.replace(part, instead));
    }
    left("");
    left(" ");
    left("{}");
    left(&usual.replace("4f0c", &"x".repeat(257)));
}

#[test]
fn names_in_another_order_left_out_added_or_repeated_are_read_the_same() {
    let mut scanner = Scanner::default();
    for features in [
        r#""a":1,"b":2,"c":3,"a_name_of_more_than_sixteen_bytes":4,"d":"x""#,
        r#""b":2,"a_name_of_more_than_sixteen_bytes":4"#,
        r#""a":1,"new":2,"c":3"#,
        r#""c":1,"b":2,"a":3"#,
        r#""a":1,"b":2,"a":3,"b":4"#,
        r#""a":1,"a":2"#,
        r#""a" :1,"b":2,"b":3"#,
        r#""a_name_of_more_than_sixteen_":4"#,
        r#""a_name_of_more_than_sixteen_bytes_x":4"#,
        r#""":1,"":2"#,
    ] {
        for fields in [ANSWER, "", ",\"score\":1,\"prediction\":2", ",\"unknown\":1,\"status\":\"ok\",\"unknown\":2"] {
            for model in ["fraud", "other"] {
                taken(&mut scanner, &prediction(features, fields).replace("fraud", model));
            }
        }
    }
}

#[test]
fn more_models_than_are_remembered_are_read_the_same() {
    let mut scanner = Scanner::default();
    for i in 0..2000 {
        let features = format!(r#""f{}":1,"g{}":2,"f{}":3"#, i % 7, i % 3, i % 5);
        taken(&mut scanner, &prediction(&features, ANSWER).replace("fraud", &format!("m{}", i * i % 101)));
    }
}

#[test]
fn bounds_are_those_of_the_reference() {
    let message = prediction(r#""a":1,"b":2,"c":3"#, r#","scores":{"x":1,"y":2}"#);
    let mut decoder = Decoder::default();
    for max_features in [3, 2, 1, 0, 3] {
        for max_bytes in [message.len(), message.len() - 1] {
            let settings = DecodeSettings { max_bytes, max_features, ..DecodeSettings::default() };
            for bytes in [Some(message.as_bytes()), Some(b"".as_slice()), None, Some(b"\xff{}")] {
                let role = TopicRole::Both;
                assert_eq!(scanned(&mut decoder, bytes, role, &settings), reference(bytes, role, &settings));
            }
        }
    }
}

#[test]
fn events_borrow_from_the_message() {
    let message = prediction(r#""x":"text""#, "");
    let mut scanner = Scanner::default();
    for _ in 0..2 {
        let Some(Event::Prediction(p)) = scanner.scan(&message, TopicRole::Both, &DecodeSettings::default()) else { panic!() };
        assert!(matches!((&p.id, &p.model, &p.version), (Cow::Borrowed(_), Cow::Borrowed(_), Cow::Borrowed(_))));
        assert!(matches!(p.features.get("x"), Some(Scalar::Text(Cow::Borrowed("text")))));
    }
}
