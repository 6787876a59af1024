//! A text feature as columns that can be counted: its length, its words, how many of them are unseen, and its character 3-grams.
//!
//! Invariant: only the first [`MAX_CHARS`] characters of a text are read, so that no event costs more than that.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Characters of a text that are read; a longer one counts as this long.
pub const MAX_CHARS: usize = 10_000;
/// Most words that a vocabulary remembers.
pub const MAX_WORDS: usize = 50_000;
/// Buckets of hashed character 3-grams.
pub const GRAM_BUCKETS: usize = 256;
/// Characters of a gram.
const GRAM: usize = 3;

/// How one text feature is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextReference {
    /// Name of the feature in events.
    pub source: Arc<str>,
    /// Place among the reference's inputs of `<source>#length`: characters.
    pub length: usize,
    /// Place of `<source>#words`: number of words.
    pub words: usize,
    /// Place of `<source>#unseen_words`: share of words that are not in the vocabulary (0 to 1); missing for a text without words.
    pub unseen: usize,
    /// Place of `<source>#ngrams`: character 3-grams by the bucket of their hash; one event counts many.
    pub grams: usize,
    /// The words of the reference.
    pub vocabulary: Vocabulary,
}

/// Words of a reference by their hash, at most [`MAX_WORDS`]: those of most texts (ties: the lesser hash).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Sorted. 32 bits: an unseen word is taken for a seen one in about one of 86,000 cases at most.
    hashes: Vec<u32>,
}

/// What one text says.
#[derive(Debug, Clone, PartialEq)]
pub struct TextFigures {
    /// Characters.
    pub length: f64,
    /// Words.
    pub words: f64,
    /// Share of unseen words; `None` without words.
    pub unseen: Option<f64>,
    /// Character 3-grams by bucket.
    pub grams: Vec<u64>,
}

/// The names of the columns that are made of a text feature: length, words, unseen words, 3-grams.
pub fn derived_names(source: &str) -> [Arc<str>; 4] {
    ["length", "words", "unseen_words", "ngrams"].map(|part| format!("{source}#{part}").into())
}

impl TextReference {
    /// Places of its columns among the inputs.
    pub fn places(&self) -> [usize; 4] {
        [self.length, self.words, self.unseen, self.grams]
    }

    /// What a live text says.
    pub fn figures(&self, text: &str) -> TextFigures {
        figures(text, |word| self.vocabulary.contains(word))
    }
}

impl Vocabulary {
    /// Whether a word of that hash is among them.
    pub fn contains(&self, word: u32) -> bool {
        self.hashes.binary_search(&word).is_ok()
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether it is one that [`WordCounts`] makes.
    pub fn is_sound(&self) -> bool {
        self.hashes.is_sorted_by(|a, b| a < b) && self.hashes.len() <= MAX_WORDS
    }
}

/// In how many texts of a reference each word occurs.
#[derive(Debug, Clone, Default)]
pub struct WordCounts {
    texts: HashMap<u32, u32>,
}

impl WordCounts {
    /// Counts the words of one text, each once.
    pub fn add(&mut self, text: &str) {
        let mut words = words(text);
        words.sort_unstable();
        words.dedup();
        for word in words {
            let count = self.texts.entry(word).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The words to remember.
    pub fn vocabulary(&self) -> Vocabulary {
        let mut by_count: Vec<(u32, u32)> = self.texts.iter().map(|(&word, &count)| (word, count)).collect();
        by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut hashes: Vec<u32> = by_count.into_iter().take(MAX_WORDS).map(|(word, _)| word).collect();
        hashes.sort_unstable();
        Vocabulary { hashes }
    }

    /// What a text of the reference itself says. Its words are looked for in the *other* texts (a word of one text only is unseen there): among its
    /// own words none would ever be unseen, and every fresh text would read as drift. This is the leave-one-out estimate of the share of unseen
    /// words (I. J. Good, Biometrika 40, 1953), which a fresh text of the same source has too.
    pub fn figures(&self, vocabulary: &Vocabulary, text: &str) -> TextFigures {
        figures(text, |word| vocabulary.contains(word) && self.texts.get(&word).is_some_and(|&texts| texts > 1))
    }
}

fn figures(text: &str, is_seen: impl Fn(u32) -> bool) -> TextFigures {
    let text = beginning(text);
    let words = words(text);
    let unseen = words.iter().filter(|&&word| !is_seen(word)).count();
    TextFigures {
        length: text.chars().count() as f64,
        words: words.len() as f64,
        unseen: (!words.is_empty()).then(|| unseen as f64 / words.len() as f64),
        grams: grams(text),
    }
}

/// The part of a text that is read.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// Hashes of the words of a text: runs of letters and digits, in lower case.
fn words(text: &str) -> Vec<u32> {
    let runs = beginning(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    runs.map(|word| (xxh3_64(word.to_lowercase().as_bytes()) >> 32) as u32).collect()
}

/// Character 3-grams in lower case, blanks and marks included, by bucket; a shorter text is one gram, an empty one none.
fn grams(text: &str) -> Vec<u64> {
    let lower = text.to_lowercase();
    let mut starts: Vec<usize> = lower.char_indices().map(|(start, _)| start).collect();
    starts.push(lower.len());
    let mut buckets = vec![0; GRAM_BUCKETS];
    let mut count = |gram: &str| buckets[(xxh3_64(gram.as_bytes()) % GRAM_BUCKETS as u64) as usize] += 1;
    if starts.len() <= GRAM {
        if !lower.is_empty() {
            count(&lower);
        }
    } else {
        starts.windows(GRAM + 1).for_each(|ends| count(&lower[ends[0]..ends[GRAM]]));
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_says() {
        let mut counts = WordCounts::default();
        ["The cat sat", "the dog; the end", ""].iter().for_each(|text| counts.add(text));
        let vocabulary = counts.vocabulary();
        assert_eq!((vocabulary.len(), vocabulary.is_sound()), (5, true));
        let live = |text: &str| figures(text, |word| vocabulary.contains(word));
        for (text, length, words, unseen, n_grams) in [
            ("THE cat", 7.0, 2.0, Some(0.0), 5),
            ("the zebra", 9.0, 2.0, Some(0.5), 7),
            ("ö ä", 3.0, 2.0, Some(1.0), 1),
            ("?!", 2.0, 0.0, None, 1),
            ("", 0.0, 0.0, None, 0),
        ] {
            let got = live(text);
            assert_eq!((got.length, got.words, got.unseen, got.grams.iter().sum::<u64>()), (length, words, unseen, n_grams), "{text}");
        }
    }

    #[test]
    fn within_the_reference_a_word_must_occur_in_another_text() {
        let mut counts = WordCounts::default();
        ["a b b", "a c"].iter().for_each(|text| counts.add(text));
        let vocabulary = counts.vocabulary();
        assert_eq!(counts.figures(&vocabulary, "a b b").unseen, Some(2.0 / 3.0));
        assert_eq!(counts.figures(&vocabulary, "a c").unseen, Some(0.5));
    }

    #[test]
    fn a_long_text_costs_no_more_than_its_beginning() {
        let long = "ä ".repeat(1_000_000);
        let got = figures(&long, |_| true);
        assert_eq!((got.length, got.words), (MAX_CHARS as f64, MAX_CHARS as f64 / 2.0));
        assert_eq!(got.grams.iter().sum::<u64>(), MAX_CHARS as u64 - 2);
    }

    #[test]
    fn a_vocabulary_is_bounded_and_keeps_the_words_of_most_texts() {
        let mut counts = WordCounts::default();
        (0..MAX_WORDS + 100).for_each(|n| counts.add(&format!("common w{n}")));
        let vocabulary = counts.vocabulary();
        assert_eq!(vocabulary.len(), MAX_WORDS);
        assert!(vocabulary.contains(words("Common")[0]));
    }
}
