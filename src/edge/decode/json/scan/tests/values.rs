//! Numbers and timestamps, one by one against those who define them.

use crate::edge::decode::json::scan::cursor::Cursor;
use crate::edge::decode::json::scan::number::number;
use crate::edge::decode::json::scan::time::{timestamp, usual};
use crate::event::Timestamp;
use proptest::prelude::*;

/// A small generator: the numbers are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// The number at the beginning of a text, and what is left of it.
fn read(text: &str) -> Option<(f64, Option<&str>, usize)> {
    let mut cursor = Cursor::new(text);
    number(&mut cursor).map(|n| (n.value, n.integer, cursor.rest().len()))
}

/// What the standard library says; what stands behind the number must not matter.
#[track_caller]
fn exact(text: &str) {
    let expected: f64 = text.parse().unwrap();
    for behind in ["", ",", "}  \"more text\""] {
        let whole = format!("{text}{behind}");
        let Some((value, _, left)) = read(&whole) else {
            assert!(expected.is_infinite(), "{text}: not read");
            continue;
        };
        assert_eq!((value.to_bits(), left), (expected.to_bits(), behind.len()), "{text}: {value:?}, expected {expected:?}");
    }
}

#[test]
fn random_numbers_have_the_bits_of_the_standard_parser() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let any = f64::from_bits(random.next());
        let uniform = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let scaled = (uniform - 0.5) * 10_f64.powi((random.next() % 40) as i32 - 20);
        for x in [any, uniform, scaled].into_iter().filter(|x| x.is_finite()) {
            exact(&format!("{x:?}"));
            exact(&format!("{x:e}"));
            exact(&format!("{x:E}"));
            exact(&format!("{x}"));
            exact(&format!("{x:.3}"));
            exact(&format!("{x:.17}"));
        }
        let n = random.next() >> (random.next() % 64);
        exact(&n.to_string());
        exact(&format!("-{n}"));
        exact(&format!("{n}.{}", random.next() >> (random.next() % 64)));
        exact(&format!("0.{:0width$}", n, width = (random.next() % 25) as usize));
        exact(&format!("{}{}", n.max(1), random.next()));
    }
}

#[test]
fn numbers_half_way_between_two_others_round_to_even() {
    for text in [
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992.99999",
        "900719925474099.3",
        "9007199254740995",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "0.500000000000000166533453693773481063544750213623046875",
        "1.00000000000000011102230246251565404236316680908203125",
        "4503599627370496.5",
        "4503599627370497.5",
        "-0",
        "-0.0",
        "0e5",
        "-0e99999999999",
        "0.0000000000000000000000000000000000001",
        "5e-324",
        "2.5e-324",
        "1e-99999999999",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e99999999999",
        "123456789012345678901234567890",
    ] {
        exact(text);
    }
    // every place of the point, around values that are half way at 53 bits
    for digits in [
        "9007199254740993",
        "9007199254740991",
        "1",
        "10000000000000000000",
        "9999999999999999999",
        "4503599627370497500",
        "18014398509481986",
    ] {
        for place in 0..=digits.len() {
            let whole = if place == 0 { "0" } else { &digits[..place] };
            exact(&format!("{whole}.{}0", &digits[place..]));
        }
        for zeros in 0..22 {
            exact(&format!("0.{}{digits}", "0".repeat(zeros)));
        }
    }
}

#[test]
fn what_is_no_number_is_not_read() {
    for text in ["", "-", "+1", ".5", "-.5", "1.", "1.e5", "1.x", "01", "-01", "00", "1e", "1e+", "1E-x", "e5", "x", "\u{0}"] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn integers_keep_their_text_where_it_is_canonical() {
    for (text, integer) in [
        ("0", Some("0")),
        ("-7", Some("-7")),
        ("123456789012345678", Some("123456789012345678")),
        ("1234567890123456789", None),
        ("-0", None),
        ("1.0", None),
        ("1e2", None),
    ] {
        assert_eq!(read(text).unwrap().1, integer, "{text}");
    }
}

#[test]
fn every_day_of_four_centuries_has_its_time() {
    for day in 0..146_097_i64 {
        let time = Timestamp(day * 86_400_000 + day % 86_400 * 1000 + day % 1000);
        let text = time.to_string();
        assert_eq!(usual(text.as_bytes()), Some(time), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn timestamps_are_those_of_the_parser(
        text in "(19|20|99|00)[0-9][0-9]-[01][0-9]-[0-3][0-9][Tt ]?[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,11})?(Z|z|[-+]0[01]:[03]0|)"
    ) {
        prop_assert_eq!(timestamp(&text), Timestamp::parse(&text).ok(), "{}", text);
    }

    #[test]
    fn usual_timestamps_are_those_of_the_parser(
        text in "(19|20)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|\\+00:00)"
    ) {
        if let Some(time) = usual(text.as_bytes()) {
            prop_assert_eq!(Ok(time), Timestamp::parse(&text), "{}", text);
        } else {
            prop_assert!(Timestamp::parse(&text).is_err() || &text[..2] == "19" || text.contains(":60"), "{}", text);
        }
    }
}
