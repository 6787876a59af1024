//! What a layout learns: only the speed depends on it, so it is looked at from inside.

use super::prediction;
use crate::edge::decode::json::scan::Scanner;
use crate::edge::decode::json::scan::cursor::Cursor;
use crate::edge::decode::json::scan::layout::{Layout, Layouts};
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::Event;

#[track_caller]
fn learned(before: &[&str], message: &[&str], after: &[&str]) {
    let mut layout = Layout::of(before.iter().copied());
    layout.learn(message.iter().copied());
    assert_eq!(layout.names().collect::<Vec<_>>(), after);
}

#[test]
fn messages_that_leave_some_out_say_in_turn_what_the_whole_is() {
    learned(&[], &["a", "b"], &["a", "b"]);
    learned(&["a", "c"], &["a", "b", "c"], &["a", "b", "c"]);
    learned(&["a", "c", "d"], &["b", "c", "e"], &["b", "a", "c", "e", "d"]);
    learned(&["a", "b", "c"], &["a", "c"], &["a", "b", "c"]);
}

#[test]
fn what_does_not_go_together_is_replaced() {
    learned(&["a", "b", "c"], &["b", "a"], &["b", "a"]);
    learned(&["a", "b", "c"], &["d"], &["d"]);
    let long = "x".repeat(70_000);
    learned(&[&long], &["a", "b"], &["a", "b"]);
}

#[test]
fn a_name_is_found_where_it_is_expected_or_a_little_later() {
    let names: Vec<String> = (0..20).map(|i| format!("name_{i}")).collect();
    let layout = Layout::of(names.iter().map(String::as_str));
    let find = |text: &'static str, from: usize| {
        let mut cursor = Cursor::new(text);
        layout.find(&mut cursor, from).map(|(place, start)| (place, &text[start..start + layout.n_bytes(place)], cursor.at()))
    };
    assert_eq!(find("\"name_3\":1", 3), Some((3, "name_3", 9)));
    assert_eq!(find("\"name_3\": 1, and more text", 0), Some((3, "name_3", 10)));
    assert_eq!(find("\"name_3\":1", 4), None);
    assert_eq!(find("\"name_9\":1", 0), None);
    assert_eq!(find("\"name_1\" :1", 0), None);
    assert_eq!(find("\"name_10\":", 9), Some((10, "name_10", 10)));
    assert_eq!(find("\"name_10\"", 9), None);
    assert_eq!(find("", 20), None);
}

#[test]
fn a_layout_is_learned_at_the_first_miss_and_then_at_every_eighth() {
    let mut layout = Layout::default();
    let due: Vec<usize> = (0..20).filter(|_| layout.missed()).collect();
    assert_eq!(due, [0, 8, 16]);
}

#[test]
fn layouts_are_bounded_and_give_way() {
    let mut layouts = Layouts::default();
    let expected = |layouts: &mut Layouts, i: usize| layouts.of_model(&format!("m{i}")).names().map(str::to_owned).collect::<Vec<_>>();
    for i in 0..32 {
        layouts.missed(&format!("m{i}"), [format!("f{i}").as_str()].into_iter());
    }
    assert_eq!((expected(&mut layouts, 0), expected(&mut layouts, 31)), (vec!["f0".to_owned()], vec!["f31".to_owned()]));
    layouts.missed("m32", ["f32"].into_iter());
    assert!(expected(&mut layouts, 32).is_empty());
    for _ in 0..63 {
        layouts.missed("m32", ["f32"].into_iter());
    }
    assert_eq!(expected(&mut layouts, 32), ["f32"]);
    let left = (0..32).filter(|i| !expected(&mut layouts, *i).is_empty()).count();
    assert_eq!(left, 31);
    // too much to be remembered
    let long = "x".repeat(70_000);
    layouts.missed("m0", [long.as_str()].into_iter());
    assert_eq!(expected(&mut layouts, 0), ["f0"]);
}

#[test]
fn names_are_shared_by_messages_that_have_all_of_them_in_order() {
    let mut scanner = Scanner::default();
    let mut shared = |features: &str| {
        let message = prediction(features, "");
        let event = scanner.scan(&message, TopicRole::Both, &DecodeSettings::default());
        let Some(Event::Prediction(p)) = event else { panic!("{message}") };
        let names: Vec<String> = p.features.iter().map(|(name, _)| name.to_owned()).collect();
        (names.join(" "), p.features.shared_names().cloned())
    };
    assert_eq!(shared(r#""a":1,"b":2,"c":3"#), ("a b c".into(), None), "nobody has seen them before");
    let (_, first) = shared(r#""a":1,"b":2,"c":3"#);
    let (names, again) = shared(r#""a":null,"b":"x","c":[1]"#);
    assert_eq!((names, first.as_ref().zip(again.as_ref()).is_some_and(|(a, b)| std::sync::Arc::ptr_eq(a, b))), ("a b c".into(), true));
    for (features, names) in [
        (r#""a":1,"c":3"#, "a c"),
        (r#""b":1,"c":3"#, "b c"),
        (r#""a":1,"b":2"#, "a b"),
        (r#""a":1,"b":2,"c":3,"d":4"#, "a b c d"),
        (r#""a":1,"c":2,"b":3"#, "a c b"),
        (r#""a":1,"a":2,"b":3,"c":4"#, "a b c"),
        ("", ""),
    ] {
        assert_eq!(shared(features), (names.into(), None), "{features}");
    }
}
