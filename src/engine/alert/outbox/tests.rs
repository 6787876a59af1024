//! What is owed, offered, settled and dropped.

use super::*;
use crate::engine::alert::{AlertFacts, AlertState};
use crate::engine::metric::WindowFacts;
use crate::engine::verdict::Severity;
use crate::event::ModelKey;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1000);

fn message(incident: &str, receiver: &str, reason: NotifyReason, n: u32) -> Notification {
    let facts = AlertFacts {
        environment: "prod".into(),
        rule: "drift".into(),
        title: "t".into(),
        severity: Severity::Warning,
        model: ModelKey::new("fraud", "v1"),
        segment: None,
        incident: Incident(incident.into()),
        state: AlertState::Firing,
        since: Timestamp(0),
        fired_at: None,
        resolved_at: None,
        window: WindowFacts { start: Timestamp(0), end: Timestamp(1), predictions: 0, labels: 0, whole: true },
        worst: Vec::new(),
        n_breaching: 0,
        n_judged: 0,
        note: None,
        explanation: None,
    };
    Notification {
        id: format!("{incident}-{}-{n}-{receiver}", reason.as_str()).into(),
        receiver: receiver.into(),
        reason,
        body: Body::Alert(facts),
    }
}

fn outbox(messages: &[(&str, &str, NotifyReason)]) -> Outbox {
    let mut outbox = Outbox::default();
    for (n, (incident, receiver, reason)) in messages.iter().enumerate() {
        outbox.push(message(incident, receiver, *reason, n as u32), 100);
    }
    outbox
}

fn due(outbox: &Outbox) -> Vec<String> {
    outbox.due(NOW).iter().map(|(notification, _)| notification.id.to_string()).collect()
}

fn restart(outbox: &Outbox) -> Outbox {
    let restored: Outbox = postcard::from_bytes(&postcard::to_allocvec(outbox).unwrap()).unwrap();
    assert_eq!(&restored, outbox);
    restored
}

const RETRY: Delivery = Delivery::Retry { reason: FailureReason::ServerError, after_ms: None };
use NotifyReason::{Firing, Repeat, Resolved};

#[test]
fn messages_about_one_incident_go_to_one_receiver_in_order() {
    let mut outbox = outbox(&[("a", "slack", Firing), ("a", "pager", Firing), ("b", "slack", Firing)]);
    outbox.mark_in_flight("a-firing-0-slack");
    outbox.push(message("a", "slack", Resolved, 3), 100);
    assert_eq!(due(&outbox), ["a-firing-1-pager", "b-firing-2-slack"]);
    outbox.settle("a-firing-0-slack", "slack", &RETRY, Timestamp(2000));
    assert_eq!(due(&outbox), ["a-firing-1-pager", "b-firing-2-slack"], "the resolution waits for the retry of the firing");
    assert_eq!(outbox.due(Timestamp(2000))[0].1, 1);
    outbox.settle("a-firing-0-slack", "slack", &Delivery::Accepted, NOW);
    assert_eq!(due(&outbox), ["a-firing-1-pager", "b-firing-2-slack", "a-resolved-3-slack"]);
    assert_eq!(outbox.delivered().collect::<Vec<_>>(), [(&"slack".into(), Firing, 1)]);
    assert_eq!(outbox.failed().collect::<Vec<_>>(), [(&"slack".into(), FailureReason::ServerError, 1)]);
}

#[test]
fn what_waits_for_its_time_says_when() {
    let mut outbox = outbox(&[("a", "slack", Firing)]);
    outbox.mark_in_flight("a-firing-0-slack");
    outbox.settle("a-firing-0-slack", "slack", &RETRY, Timestamp(5000));
    outbox.push(message("a", "slack", Resolved, 1), 100);
}

#[test]
fn a_refusal_ends_it_and_is_counted() {
    let mut outbox = outbox(&[("a", "slack", Firing)]);
    outbox.settle("a-firing-0-slack", "slack", &Delivery::Refused(FailureReason::Gone), NOW);
    outbox.settle("a-firing-0-slack", "slack", &Delivery::Accepted, NOW);
    assert!(outbox.is_empty());
    assert_eq!(outbox.refused().collect::<Vec<_>>(), [(&"slack".into(), FailureReason::Gone, 1)]);
    assert_eq!(outbox.delivered().count(), 0, "what is no longer owed is passed over");
}

#[test]
fn a_resolution_of_what_nobody_was_told_goes_with_it() {
    let mut untouched = outbox(&[("a", "slack", Firing), ("a", "slack", Repeat), ("b", "slack", Firing), ("a", "slack", Resolved)]);
    assert_eq!(due(&untouched), ["b-firing-2-slack"]);
    assert_eq!((untouched.len(), untouched.cancelled()), (1, 3));
    untouched.push(message("b", "pager", Resolved, 9), 100);
    assert_eq!(untouched.len(), 2, "another receiver's firing message is its own");

    let mut tried = outbox(&[("a", "slack", Firing)]);
    tried.mark_in_flight("a-firing-0-slack");
    tried.push(message("a", "slack", Resolved, 1), 100);
    assert_eq!((tried.len(), tried.cancelled()), (2, 0));
    let mut failed = outbox(&[("a", "slack", Firing)]);
    failed.mark_in_flight("a-firing-0-slack");
    failed.settle("a-firing-0-slack", "slack", &RETRY, NOW);
    failed.push(message("a", "slack", Resolved, 1), 100);
    assert_eq!((failed.len(), failed.cancelled()), (2, 0));
}

#[test]
fn after_a_restart_everything_is_offered_again_and_nothing_is_taken_for_untold() {
    let mut before = outbox(&[("a", "slack", Firing), ("b", "slack", Firing)]);
    before.mark_in_flight("a-firing-0-slack");
    let mut after = restart(&before);
    assert_eq!(due(&after), ["a-firing-0-slack", "b-firing-1-slack"]);
    // it may have been sent between the snapshot and the crash
    after.push(message("b", "slack", Resolved, 2), 100);
    assert_eq!((after.len(), after.cancelled()), (3, 0));
}

#[test]
fn a_repeat_or_resolution_takes_the_place_of_a_waiting_repeat() {
    let mut outbox = outbox(&[("a", "slack", Firing)]);
    outbox.settle("a-firing-0-slack", "slack", &Delivery::Accepted, NOW);
    outbox.push(message("a", "slack", Repeat, 1), 100);
    outbox.push(message("a", "slack", Repeat, 2), 100);
    assert_eq!(due(&outbox), ["a-repeat-2-slack"]);
    outbox.push(message("a", "slack", Resolved, 3), 100);
    assert_eq!(due(&outbox), ["a-resolved-3-slack"]);
    assert_eq!(outbox.cancelled(), 2);
}

#[test]
fn the_bound_drops_repeats_first_then_the_oldest() {
    let mut outbox = outbox(&[("a", "slack", Firing), ("b", "slack", Firing), ("c", "slack", Repeat)]);
    outbox.mark_in_flight("a-firing-0-slack");
    outbox.push(message("d", "slack", Firing, 3), 3);
    assert_eq!(due(&outbox), ["b-firing-1-slack", "d-firing-3-slack"]);
    outbox.push(message("e", "slack", Firing, 4), 3);
    assert_eq!(due(&outbox), ["d-firing-3-slack", "e-firing-4-slack"]);
    assert_eq!((outbox.len(), outbox.dropped()), (3, 2));
    assert_eq!(&*outbox.oldest().unwrap().id, "a-firing-0-slack");
    outbox.push(message("f", "slack", Firing, 5), 0);
    assert_eq!(outbox.len(), 1, "a bound of nothing still holds one");
}

proptest! {
    /// Every message ends in exactly one counter or is still owed, whatever happens in whatever order.
    #[test]
    fn nothing_is_lost_without_a_count(steps in proptest::collection::vec((0u8..8, 0usize..3, 0usize..2), 1..200)) {
        let mut outbox = Outbox::default();
        let mut pushed = 0;
        for (n, (action, incident, receiver)) in steps.into_iter().enumerate() {
            let (incident, receiver) = (["a", "b", "c"][incident], ["slack", "pager"][receiver]);
            let first = outbox.due(NOW).first().map(|(first, _)| (first.id.clone(), first.receiver.clone()));
            match (action, first) {
                (0..=2, _) => {
                    outbox.push(message(incident, receiver, [Firing, Repeat, Resolved][usize::from(action)], n as u32), 6);
                    pushed += 1;
                }
                (3, Some((id, _))) => outbox.mark_in_flight(&id),
                (4, Some((id, receiver))) => outbox.settle(&id, &receiver, &Delivery::Accepted, NOW),
                (5, Some((id, receiver))) => outbox.settle(&id, &receiver, &Delivery::Refused(FailureReason::Gone), NOW),
                (6, Some((id, receiver))) => outbox.settle(&id, &receiver, &RETRY, NOW),
                (7, _) => outbox = restart(&outbox),
                _ => {}
            }
            let delivered: u64 = outbox.delivered().map(|(_, _, n)| n).sum();
            let refused: u64 = outbox.refused().map(|(_, _, n)| n).sum();
            prop_assert_eq!(outbox.len() as u64 + delivered + refused + outbox.dropped() + outbox.cancelled(), pushed);
            prop_assert!(outbox.len() <= 6);
        }
    }
}
