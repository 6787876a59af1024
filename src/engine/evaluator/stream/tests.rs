//! What is found by looking at what changed, against looking at everything.

use super::*;
use crate::engine::summary::Confusion;
use crate::engine::window::{Quality, StreamKey};
use crate::event::ModelKey;
use proptest::prelude::*;

const JOIN: JoinSettings = JoinSettings {
    horizon_ms: 12,
    keep_ms: 100,
    mature_coverage: 0.75,
    max_predictions: 10,

    max_labels: 10,
    max_bytes: 1 << 20,
    sample: 1.0,
};
const SIZE: i64 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// A pane so far back, with so many predictions and labels.
    Pane(i64, u64, u64),
    /// Time goes on by so much, and windows with it.
    Slide(i64),
    /// Quality is judged where it is mature.
    Judge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0i64..20, 0u64..4, 0u64..4).prop_map(|(back, expected, labelled)| Step::Pane(back, expected, labelled)),
        3 => (1i64..3).prop_map(Step::Slide),
        3 => Just(Step::Judge),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn waiting_windows_are_found_as_by_looking_at_all_of_them(steps in steps()) {
        let (mut panes, mut waiting, mut now) = (StreamPanes::default(), BTreeMap::new(), 100);
        let stream = Arc::new(StreamKey { model: ModelKey::new("m", "v1"), segment: None });
        for step in steps {
            match step {
                Step::Pane(back, expected, labelled) => {
                    let mut pane = OutcomePane::new(Quality::Classes(Confusion::default()), None);
                    (pane.expected, pane.labelled) = (expected, labelled);
                    let (start, outcome) = (Timestamp(now - back), Some(Arc::new(pane.pack())));
                    panes.take(&PaneUpdate { stream: Arc::clone(&stream), start, input: None, outcome });
                }
                Step::Slide(by) => {
                    for end in now + 1..=now + by {
                        let (start, end) = (Timestamp(end - SIZE), Timestamp(end));
                        waiting.insert(end, WindowFacts { start, end, predictions: 1, labels: 0, whole: true });
                        panes.note_change(start);
                    }
                    now += by;
                }
                Step::Judge => {
                    let all = Timestamp(now);
                    let plain: Vec<WindowFacts> = waiting.values().copied().filter(|facts| {
                        let (expected, labelled, _) = panes.coverage(facts.start, facts.end);
                        mature(&JOIN, facts.end, all, expected, labelled)
                    }).collect();
                    let found = panes.take_mature(&waiting, &JOIN, all);
                    prop_assert_eq!(&found, &plain);
                    found.iter().for_each(|facts| { waiting.remove(&facts.end); });
                    let labelled: u64 = panes.outcomes.values().map(|pane| pane.head().labelled).sum();
                    prop_assert_eq!(panes.labelled(), labelled);
                }
            }
        }
    }
}
