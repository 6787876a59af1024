//! Ranked lists and what was relevant of them. Items are hashes with the seed of the state, as ids are.

use crate::engine::join::{JudgedList, RankedList, RelevantItem, key_of};
use crate::engine::summary::{FoundValues, ListValues};
use crate::event::{Item, MAX_ITEMS, Scalar, number_text};
use crate::stats::{ndcg, precision_at_k, recall_at_k, reciprocal_rank};
use xxhash_rust::xxh3::xxh3_64;

/// The first `k` items of an answer; `None` where it is no list of items.
pub(super) fn ranked_list(answer: &Scalar<'_>, k: usize, seed: u64) -> Option<RankedList> {
    match answer {
        Scalar::List(items) => Some(RankedList(items.iter().take(k).map(|item| key_of(seed, &item.name)).collect())),
        // as another source than a message may have it
        Scalar::Vector(numbers) if numbers.iter().all(|x| x.is_finite() && x.fract() == 0.0) => {
            Some(RankedList(numbers.iter().take(k).map(|x| key_of(seed, &number_text(*x))).collect()))
        }
        _ => None,
    }
}

/// The relevant items of a label, each once (the last of equals counts), by hash; `None` where a gain is none or there are too many.
pub(super) fn relevant_items(items: &[Item<'_>], seed: u64) -> Option<Box<[RelevantItem]>> {
    if items.len() > MAX_ITEMS || items.iter().any(|item| !item.gain.is_finite() || item.gain < 0.0) {
        return None;
    }
    let mut relevant: Vec<RelevantItem> = items.iter().rev().map(|item| (key_of(seed, &item.name), item.gain)).collect();
    relevant.sort_by_key(|(key, _)| *key);
    relevant.dedup_by_key(|(key, _)| *key);
    relevant.retain(|(_, gain)| *gain > 0.0);
    Some(relevant.into())
}

/// What a list is worth: `relevant` are all relevant items, by hash. An item that a list names twice is found once.
pub(super) fn judge(list: &RankedList, relevant: &[RelevantItem], k: usize) -> JudgedList {
    let mut found = vec![false; relevant.len()];
    let gain = |item: &u64| match relevant.binary_search_by_key(item, |(key, _)| *key) {
        Ok(place) if !std::mem::replace(&mut found[place], true) => relevant[place].1,
        _ => 0.0,
    };
    let ranked: Vec<f64> = list.0.iter().take(k).map(gain).collect();
    let gains: Vec<f64> = relevant.iter().map(|(_, gain)| *gain).collect();
    let of_relevant = ndcg(&ranked, &gains, k).ok().zip(recall_at_k(&ranked, gains.len(), k).ok());
    let bytes: Vec<u8> = relevant.iter().flat_map(|(key, gain)| [key.to_le_bytes(), gain.to_bits().to_le_bytes()]).flatten().collect();
    JudgedList {
        label: xxh3_64(&bytes),
        values: ListValues {
            precision: precision_at_k(&ranked, k).unwrap_or(0.0),
            reciprocal_rank: reciprocal_rank(&ranked, k),
            of_relevant: of_relevant.map(|(ndcg, recall)| FoundValues { ndcg, recall }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items<'a>(named: &[(&'a str, f64)]) -> Vec<Item<'a>> {
        named.iter().map(|(name, gain)| Item { name: (*name).into(), gain: *gain }).collect()
    }

    fn list(names: &[&str], k: usize) -> RankedList {
        let named: Vec<(&str, f64)> = names.iter().map(|name| (*name, 1.0)).collect();
        ranked_list(&Scalar::List(items(&named).into()), k, 7).unwrap()
    }

    #[test]
    fn an_item_named_twice_is_found_once_and_the_rest_of_a_long_list_is_forgotten() {
        let relevant = relevant_items(&items(&[("a", 1.0), ("b", 1.0)]), 7).unwrap();
        let values = |names: &[&str]| judge(&list(names, 4), &relevant, 4).values;
        let twice = values(&["a", "a", "a", "x"]);
        assert_eq!((twice.precision, twice.of_relevant.unwrap().recall), (0.25, 0.5));
        let late = values(&["x", "y", "b", "z", "a"]);
        assert_eq!((late.precision, late.reciprocal_rank, late.of_relevant.unwrap().recall), (0.25, 1.0 / 3.0, 0.5));
        let none = values(&[]);
        assert_eq!((none.precision, none.reciprocal_rank), (0.0, 0.0));
        assert_eq!(none.of_relevant, Some(FoundValues { ndcg: 0.0, recall: 0.0 }));
    }

    #[test]
    fn labels_that_say_the_same_are_the_same() {
        let label = |named: &[(&str, f64)]| relevant_items(&items(named), 7);
        assert_eq!(label(&[("a", 2.0), ("b", 1.0)]), label(&[("b", 1.0), ("a", 2.0), ("c", 0.0)]));
        assert_eq!(label(&[("a", 9.0), ("a", 2.0)]), label(&[("a", 2.0)]));
        assert_ne!(label(&[("a", 2.0)]), label(&[("a", 1.0)]));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(label(&[("a", wrong)]), None);
        }
        let names: Vec<String> = (0..=MAX_ITEMS).map(|i| i.to_string()).collect();
        let many: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        assert_eq!(label(&many), None);
        assert_eq!(label(&many[1..]).unwrap().len(), MAX_ITEMS);
    }

    #[test]
    fn integers_are_items_whatever_they_come_as() {
        let texts = list(&["7", "12"], 10);
        assert_eq!(ranked_list(&Scalar::Vector(vec![7.0, 12.0].into()), 10, 7), Some(texts));
        for wrong in [Scalar::Vector(vec![0.5].into()), Scalar::Text("7".into()), Scalar::Number(7.0), Scalar::Structured] {
            assert_eq!(ranked_list(&wrong, 10, 7), None);
        }
    }
}
