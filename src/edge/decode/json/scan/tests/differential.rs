//! Random messages, whole and damaged, through a decoder that has seen others: the outcomes are those of the reference.

use super::{Decoder, reference, scanned};
use crate::edge::decode::{DecodeSettings, TopicRole};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const ROLES: [TopicRole; 3] = [TopicRole::Predictions, TopicRole::Labels, TopicRole::Both];

/// One value as it may stand in a message: nearly always one that is single.
fn value() -> impl Strategy<Value = String> + Clone {
    let text = |s: String| serde_json::to_string(&s).unwrap();
    prop_oneof![
        6 => any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| format!("{x:?}")),
        6 => (0_u32..1_000_000).prop_map(|n| format!("{}", f64::from(n) / 100.0)),
        4 => any::<i32>().prop_map(|n| n.to_string()),
        2 => any::<i128>().prop_map(|n| n.to_string()),
        4 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?",
        6 => "[a-z_]{0,20}".prop_map(text),
        2 => ".{0,9}".prop_map(text),
        3 => select(vec!["null", "true", "false"]).prop_map(str::to_owned),
        1 => select(vec!["\"\\u00e9\\n\"", "NaN", "-Infinity", "1e999", "-0", "[]", "[1,2.5]", "[1,\"a\"]", "{}", "{\"a\":[1]}", "tru", "1.", "\"\\ud800\""]).prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        6 => select(vec!["a", "b", "c", "amount_of_the_last_month", "n"]).prop_map(str::to_owned),
        1 => "[a-d]{0,17}",
        1 => ".{0,3}".prop_map(|s: String| serde_json::to_string(&s).unwrap().trim_matches('"').to_owned()),
    ]
}

fn object() -> impl Strategy<Value = Vec<(String, String)>> {
    prop_oneof![
        // most writers have one order
        3 => (proptest::collection::vec(value(), 6), any::<u8>()).prop_map(|(values, left_out)| {
            let names = ["a", "b", "c", "amount_of_the_last_month", "n", "sixteen_bytes"];
            let kept = names.iter().zip(values).enumerate().filter(move |(i, _)| left_out >> i & 1 == 0 || left_out > 99);
            kept.map(|(_, (name, value))| ((*name).to_owned(), value)).collect()
        }),
        1 => proptest::collection::vec((name(), value()), 0..6),
    ]
}

/// A key with its value, or else with the names and values of its object.
type Field = (String, Option<String>, Vec<(String, String)>);

#[derive(Debug, Clone)]
struct Message {
    fields: Vec<Field>,
    style: usize,
}

impl Message {
    fn text(&self) -> String {
        let (comma, colon) = [(",", ":"), (", ", ": "), (" ,\n  ", "\t: ")][self.style];
        let pair = |name: &str, value: &str| format!("\"{name}\"{colon}{value}");
        let fields = self.fields.iter().map(|(name, value, object)| match value {
            Some(value) => pair(name, value),
            None => pair(name, &format!("{{{}}}", object.iter().map(|(n, v)| pair(n, v)).collect::<Vec<_>>().join(comma))),
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(comma))
    }
}

fn message() -> impl Strategy<Value = Message> {
    let id = prop_oneof![4 => "\"[a-f0-9]{1,36}\"", 1 => any::<i64>().prop_map(|n| n.to_string()), 1 => value()];
    let word = |words: &[&str]| prop_oneof![8 => select(words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>()), 1 => value()];
    let time = prop_oneof![
        4 => "\"20[0-9]{2}-(0[1-9]|1[012])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|\\+00:00|\\+01:00)\"",
        2 => (0_i64..4_200_000_000_000).prop_map(|n| n.to_string()),
        1 => value(),
    ];
    let single = |name: &'static str, value: BoxedStrategy<String>| value.prop_map(move |v| (name.to_owned(), Some(v), Vec::new())).boxed();
    let entries = |name: &'static str| object().prop_map(move |o| (name.to_owned(), None, o)).boxed();
    let fields = (
        single("prediction_id", id.boxed()),
        single("model", word(&["fraud", "churn", ""]).boxed()),
        single("version", word(&["v1", "v2"]).boxed()),
        single("timestamp", time.boxed()),
        prop_oneof![8 => entries("features"), 1 => single("features", value().boxed())],
        single("prediction", value().boxed()),
        prop_oneof![single("score", value().boxed()), entries("scores")],
        single("status", word(&["ok", "error"]).boxed()),
        prop_oneof![4 => single("label", value().boxed()), 1 => single("other", value().boxed()), 1 => single("model", value().boxed())],
    );
    let shape = (any::<u16>(), any::<u64>(), 0..3_usize);
    (fields, shape).prop_map(|(f, (left_out, shuffle, style))| {
        let all = [f.0, f.1, f.2, f.3, f.4, f.5, f.6, f.7, f.8];
        // the required ones and the label are seldom left out, and the order is mostly the usual one
        let keep = |i: usize| left_out >> i & 1 == 0 || (i < 5 && left_out >> 9 != 0);
        let mut fields: Vec<_> = all.into_iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, field)| field).collect();
        if shuffle % 4 == 0 {
            fields.sort_by_key(|(name, ..)| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), shuffle));
        }
        Message { fields, style }
    })
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Delete(Index),
    Insert(Index, u8),
    Swap(Index, Index),
    Cut(Index),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = || prop_oneof![3 => select(b"\"\\{}[]:,.-+eE0159ntf \n\t\x00\x7f".to_vec()), 1 => any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, b)| Damage::Flip(at, b)),
        any::<Index>().prop_map(Damage::Delete),
        (any::<Index>(), byte()).prop_map(|(at, b)| Damage::Insert(at, b)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Repeat(a, b)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let n = bytes.len();
    match damage {
        Damage::Flip(at, byte) => bytes[at.index(n)] = *byte,
        Damage::Delete(at) => drop(bytes.remove(at.index(n))),
        Damage::Insert(at, byte) => bytes.insert(at.index(n), *byte),
        Damage::Swap(a, b) => bytes.swap(a.index(n), b.index(n)),
        Damage::Cut(at) => bytes.truncate(at.index(n)),
        Damage::Repeat(from, len) => {
            let from = from.index(n);
            let part = bytes[from..(from + 1 + len.index(40)).min(n)].to_vec();
            bytes.splice(from..from, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whole_messages_decode_as_the_reference_does(messages in proptest::collection::vec(message(), 1..8), role in 0..3_usize) {
        let (mut decoder, settings) = (Decoder::default(), DecodeSettings::default());
        for text in messages.iter().map(Message::text) {
            let bytes = Some(text.as_bytes());
            prop_assert_eq!(scanned(&mut decoder, bytes, ROLES[role], &settings), reference(bytes, ROLES[role], &settings), "{}", text);
        }
    }

    #[test]
    fn damaged_messages_decode_as_the_reference_does(first in message(), damages in proptest::collection::vec(proptest::collection::vec(damage(), 1..4), 1..12), role in 0..3_usize) {
        let (mut decoder, settings) = (Decoder::default(), DecodeSettings { max_features: 6, ..DecodeSettings::default() });
        let whole = first.text().into_bytes();
        scanned(&mut decoder, Some(&whole), ROLES[role], &settings);
        for damages in damages {
            let mut bytes = whole.clone();
            damages.iter().for_each(|damage| apply(&mut bytes, damage));
            let expected = reference(Some(&bytes), ROLES[role], &settings);
            prop_assert_eq!(scanned(&mut decoder, Some(&bytes), ROLES[role], &settings), expected, "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
