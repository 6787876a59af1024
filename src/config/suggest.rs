//! "did you mean": the known name nearest to a misspelled one.

/// The candidate nearest to `word`, where one is near enough to be meant: the same but for case or `-`, one that `word`
/// begins (`url` of `url_file`), or at most one edit in three letters away.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let longest = word.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let plain = candidate.to_lowercase().replace('-', "_");
            let distance = if plain.strip_prefix(&word).is_some_and(|rest| rest.starts_with('_')) { 1 } else { edits(&word, &plain) };
            (distance <= longest.div_ceil(3)).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// `" (did you mean \`x\`?)"`, or nothing.
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// Edits between two texts: insert, delete, replace, swap neighbours (optimal string alignment), each costs 1.
fn edits(a: &str, b: &str) -> usize {
    // a name longer than this is no misspelling, and the table below is quadratic
    const LONGEST: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replace = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let best = replace.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { best.min(table[i - 2][j - 2] + 1) } else { best }
                }
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["size", "slide", "lateness", "idle", "max_future"];
        assert_eq!(nearest("latenes", keys), Some("lateness"));
        assert_eq!(nearest("silde", keys), Some("slide"));
        assert_eq!(nearest("max-future", keys), Some("max_future"));
        assert_eq!(nearest("Size", keys), Some("size"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("routing_key", ["url", "routing_key_file"]), Some("routing_key_file"));
        assert_eq!(nearest("", keys), None);
        assert_eq!(nearest(&"x".repeat(10_000), keys), None);
        assert_eq!(edits("abcd", "abdc"), 1);
    }
}
