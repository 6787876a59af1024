//! Whether the rules that others inhibit are there, and whether the inhibitions come to an end.

use crate::config::suggest;
use crate::engine::verdict::Rule;

/// Everything that is wrong with what the rules inhibit, one sentence each. `rules`: all that there are, of every file.
pub(in crate::config) fn check_inhibitions(rules: &[Rule]) -> Vec<String> {
    let mut problems = Vec::new();
    for rule in rules {
        for name in &rule.inhibits {
            if *name == rule.name {
                problems.push(format!("rule {name:?} inhibits itself"));
            } else if !rules.iter().any(|other| other.name == *name) {
                let near = suggest::hint(name, rules.iter().map(|other| other.name.as_ref()));
                problems.push(format!("rule {:?} inhibits {name:?}, and there is no such rule{near}", rule.name));
            }
        }
    }
    problems.extend(circle(rules).map(|names| format!("rules inhibit each other in a circle: {}", names.join(", "))));
    problems
}

/// The rules that stand in a circle of inhibitions, or lead into and out of one; `None`: each can be asked after its inhibitors.
fn circle(rules: &[Rule]) -> Option<Vec<&str>> {
    let mut left: Vec<&Rule> = rules.iter().collect();
    loop {
        let before = left.len();
        let inhibits_one_left =
            |rule: &Rule| rule.inhibits.iter().any(|name| *name != rule.name && left.iter().any(|other| other.name == *name));
        let inhibited = |rule: &Rule| left.iter().any(|other| other.name != rule.name && other.inhibits.contains(&rule.name));
        // what inhibits nothing any more, or is inhibited by nothing, is in no circle
        left = left.iter().copied().filter(|rule| inhibits_one_left(rule) && inhibited(rule)).collect();
        if left.len() == before {
            return (!left.is_empty()).then(|| left.iter().map(|rule| rule.name.as_ref()).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verdict::tests::rule;

    #[track_caller]
    fn check(inhibits: &[(&str, &[&str])], expected: &[&str]) {
        let made = |&(name, others): &(&str, &[&str])| Rule {
            inhibits: others.iter().map(|&other| other.into()).collect(),
            ..rule(name, Vec::new())
        };
        let rules: Vec<_> = inhibits.iter().map(made).collect();
        assert_eq!(check_inhibitions(&rules), expected);
    }

    #[test]
    fn names_and_circles() {
        check(&[("nulls", &["drift"]), ("drift", &[])], &[]);
        check(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])], &[]);
        check(
            &[("nulls", &["drfit"]), ("drift", &[])],
            &["rule \"nulls\" inhibits \"drfit\", and there is no such rule, did you mean `drift`?"],
        );
        check(&[("a", &["a"])], &["rule \"a\" inhibits itself"]);
        check(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])], &["rules inhibit each other in a circle: a, b, c"]);
    }
}
