//! An explanation in plain sentences: `amount: nulls rose from 0.1 % to 31 %`.
//!
//! Invariant: a sentence says only what was measured. Names are cut; who puts a sentence into a message escapes it.

use super::figure::{metric_name, number, percent, reading_and_bound};
use super::text;
use crate::engine::alert::{Cause, CauseKind, Moved, SegmentShare, Worst};
use crate::engine::metric::{Part, Subject};
use crate::engine::reference::Direction;

/// Longest name of a column, a bin or a segment in a sentence, in characters.
const NAME: usize = 60;

/// What became of one column.
pub(super) fn cause(cause: &Cause) -> String {
    let what = match cause.kind {
        CauseKind::NullSurge { reference, current } => rose("nulls", reference, current),
        CauseKind::InvalidSurge { reference, current } => rose("unusable values", reference, current),
        CauseKind::NewValues { rate } => format!("{} of the values are unknown to the reference", percent(rate)),
        CauseKind::Stuck => "all values are the same".to_owned(),
        CauseKind::Moved(movement) => {
            let way = match movement.direction {
                Direction::Up => "values moved up",
                Direction::Down => "values moved down",
                Direction::BothWays => "values moved both ways",
                Direction::Shares => "shares moved",
            };
            let shown = |(before, now): (f64, f64)| (number(before), number(now));
            let means = movement.means.map(shown).filter(|(before, now)| before != now);
            means.map_or_else(|| way.to_owned(), |(before, now)| format!("{way}, on average from {before} to {now}"))
        }
    };
    // that it is new was said
    let part = cause.part.as_ref().filter(|part| !(matches!(cause.kind, CauseKind::NewValues { .. }) && &*part.name == "(new)"));
    let part = part.map(|part| format!(": {}", of_part(part))).unwrap_or_default();
    format!("{}: {what}{part}", column(&cause.subject))
}

/// Whether the prediction moved too.
pub(super) fn prediction(moved: &Moved) -> String {
    let (value, bound) = reading_and_bound(moved.metric, moved.value, moved.threshold);
    let metric = metric_name(moved.metric);
    if moved.moved {
        format!("The prediction has moved too ({metric} {value}, above {bound}).")
    } else {
        format!("The prediction has not moved ({metric} {value}, bound {bound}).")
    }
}

/// Where the worst reading comes from; `None` without segments.
pub(super) fn segments(segments: &[SegmentShare], worst: Option<&Worst>) -> Option<String> {
    let (worst, false) = (worst?, segments.is_empty()) else { return None };
    let named = |share: &SegmentShare| {
        let (value, _) = reading_and_bound(worst.metric, share.value, worst.threshold);
        format!("{} ({value}, {} of the rows)", text::one_line(&share.segment, NAME), percent(share.rows))
    };
    let list: Vec<String> = segments.iter().map(named).collect();
    Some(format!("Segments that add most: {}.", list.join(", ")))
}

fn rose(what: &str, reference: Option<f64>, current: f64) -> String {
    match reference {
        Some(reference) => format!("{what} rose from {} to {}", percent(reference), percent(current)),
        None => format!("{what} are {}", percent(current)),
    }
}

fn of_part(part: &Part) -> String {
    format!("{} holds {} instead of {}", text::one_line(&part.name, NAME), percent(part.current), percent(part.reference))
}

fn column(subject: &Subject) -> String {
    match subject {
        Subject::Feature(name) => text::one_line(name, NAME),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference::Movement;

    #[test]
    fn causes_in_words() {
        let amount = || Subject::Feature("amount".into());
        let part = |name: &str, reference, current| Some(Part { name: name.into(), reference, current, contribution: 0.1 });
        let moved = |direction, means| CauseKind::Moved(Movement { direction, means });
        for (kind, part, want) in [
            (CauseKind::NullSurge { reference: Some(0.001), current: 0.312 }, None, "amount: nulls rose from 0.1 % to 31 %"),
            (CauseKind::NullSurge { reference: None, current: 1.0 }, None, "amount: nulls are 100 %"),
            (CauseKind::InvalidSurge { reference: Some(0.0), current: 0.02 }, None, "amount: unusable values rose from 0 % to 2 %"),
            (CauseKind::NewValues { rate: 0.12 }, part("(new)", 0.0, 0.12), "amount: 12 % of the values are unknown to the reference"),
            (
                CauseKind::NewValues { rate: 0.125 },
                part("above 90", 0.001, 0.126),
                "amount: 12 % of the values are unknown to the reference: above 90 holds 13 % instead of 0.1 %",
            ),
            (CauseKind::Stuck, None, "amount: all values are the same"),
            (
                moved(Direction::Up, Some((50.0, 63.26))),
                part("above 90", 0.1, 0.41),
                "amount: values moved up, on average from 50 to 63.3: above 90 holds 41 % instead of 10 %",
            ),
            (moved(Direction::BothWays, Some((50.0, 50.01))), None, "amount: values moved both ways"),
            (moved(Direction::Shares, None), part("DE", 0.5, 0.7), "amount: shares moved: DE holds 70 % instead of 50 %"),
        ] {
            assert_eq!(cause(&Cause { subject: amount(), kind, part }), want);
        }
    }
}
