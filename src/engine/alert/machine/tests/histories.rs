//! The state machine under random histories: what must hold in every one of them.

use super::*;
use crate::engine::alert::{Body, NotifyReason, Outbox};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// One window of a random history.
#[derive(Debug, Clone)]
struct Seen {
    aspect: Aspect,
    slide: i64,
    value: f64,
    segment: bool,
}

fn history() -> impl Strategy<Value = Vec<Seen>> {
    let value = prop_oneof![3 => Just(HIGH), 1 => Just(BETWEEN), 3 => Just(LOW), 1 => Just(NO_DATA)];
    let seen = (any::<bool>(), -2i64..12, value, any::<bool>()).prop_map(|(inputs, slide, value, segment)| Seen {
        aspect: if inputs { Aspect::Inputs } else { Aspect::Outcomes },
        slide,
        value,
        segment,
    });
    proptest::collection::vec(seen, 1..120)
}

fn play(history: &[Seen], through_bytes: bool) -> (Vec<Observed>, Alerts) {
    let mut rule = concept();
    (rule.retrain, rule.repeat_ms) = (true, Some(7_200_000));
    let mut script = Script::new(vec![rule]);
    let mut start = [0, 1000];
    let mut all = Vec::new();
    for seen in history {
        let start = &mut start[seen.aspect as usize];
        *start += seen.slide * 15;
        script.stream.segment = seen.segment.then(|| "a=b".into());
        all.push(match seen.aspect {
            Aspect::Inputs => script.inputs((*start, *start + 60), seen.value),
            Aspect::Outcomes => script.outcomes((*start, *start + 60), seen.value),
        });
        if through_bytes {
            let bytes = postcard::to_allocvec(&script.alerts).unwrap();
            let restored: Alerts = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(restored, script.alerts);
            script.alerts = restored;
        }
    }
    (all, script.alerts)
}

proptest! {
    #[test]
    fn an_incident_fires_once_and_resolves_once(history in history()) {
        let (all, _) = play(&history, false);
        let mut fired = BTreeSet::new();
        let mut resolved = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let mut outbox = Outbox::default();
        for observed in all {
            for Transition { facts } in &observed.transitions {
                match facts.state {
                    AlertState::Pending => prop_assert!(!fired.contains(&facts.incident)),
                    AlertState::Firing => prop_assert!(fired.insert(facts.incident.clone())),
                    AlertState::Resolved => {
                        prop_assert!(fired.contains(&facts.incident));
                        prop_assert!(resolved.insert(facts.incident.clone()));
                        prop_assert!(!facts.worst.is_empty());
                    }
                }
                prop_assert!(facts.worst.len() <= 10);
            }
            for incident in &observed.retrain {
                prop_assert!(fired.contains(incident) && !resolved.contains(incident));
            }
            for notification in &observed.notifications {
                prop_assert!(ids.insert(notification.id.clone()), "{} twice", notification.id);
                let Body::Alert(facts) = &notification.body else { panic!("alerts only") };
                prop_assert_eq!(facts.state == AlertState::Resolved, notification.reason == NotifyReason::Resolved);
            }
            outbox.push_all(observed.notifications, 50);
            prop_assert!(outbox.len() <= 50);
        }
    }

    #[test]
    fn a_restart_after_every_window_changes_nothing(history in history()) {
        prop_assert_eq!(play(&history, false), play(&history, true));
    }
}
