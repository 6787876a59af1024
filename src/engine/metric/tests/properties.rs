use super::special::{special_pane, special_reference};
use super::*;
use crate::engine::summary::{ScoreSums, Scores};
use proptest::prelude::*;

/// One request and what became of it.
#[derive(Debug, Clone)]
struct Request {
    value: Seen,
    label: Option<u8>,
    predicted: u8,
    latency: f64,
}

fn requests() -> impl Strategy<Value = Vec<(Request, usize)>> {
    let value = values();
    let request = (value, prop::option::of(0u8..3), 0u8..3, 0.0..500.0f64);
    let request = request.prop_map(|(value, label, predicted, latency)| Request { value, label, predicted, latency });
    prop::collection::vec((request, 0usize..5), 0..60)
}

/// One value: numbers of any size, nothing, or nothing of use.
fn values() -> impl Strategy<Value = Seen> {
    prop_oneof![
        8 => (0i32..12).prop_map(|v| Seen::Number(f64::from(v))),
        4 => (-1e6..1e6f64).prop_map(Seen::Number),
        2 => prop::sample::select(&[1e300, -1.7e308, f64::MAX, 5e-324, -2e-310, f64::MIN_POSITIVE, -0.0][..]).prop_map(Seen::Number),
        1 => Just(Seen::Missing),
        1 => Just(Seen::Invalid),
    ]
}

/// The panes of these requests.
fn panes<'a>(reference: &Reference, numbers: bool, requests: impl Iterator<Item = &'a Request> + Clone) -> (InputPane, OutcomePane) {
    let seen: Vec<Seen> = requests.clone().map(|r| r.value).collect();
    let mut input = InputPane { requests: seen.len() as u64, ..InputPane::default() };
    input.inputs = reference.inputs.iter().map(|f| counts(&f.column, &seen)).collect();
    let predicted: Vec<Seen> = requests.clone().map(|r| Seen::Number(f64::from(r.predicted))).collect();
    input.prediction = reference.outputs.prediction.as_ref().map(|c| counts(c, &predicted));
    let (mut confusion, mut sums) = (Confusion::default(), RegressionSums::new(1.0, 1.0));
    let (mut scores, mut residuals) = (ScoreSums::default(), vec![]);
    let (mut labels, mut delays) = (vec![], vec![]);
    let said: Vec<Seen> = requests.clone().map(|r| Seen::Number(r.latency / 500.0)).collect();
    input.score = reference.outputs.score.as_ref().map(|c| counts(c, &said));
    for request in requests {
        input.add_score(usize::from(request.predicted), score_cell(request.latency / 500.0), request.predicted > 0);
        input.latency.add(request.latency);
        input.duplicates += u64::from(request.predicted == 0);
        input.new_features.add(&format!("f{}", request.latency as u64));
        if request.latency > 400.0 {
            input.skew_seconds.add(request.latency);
        }
        if let Some(label) = request.label {
            confusion.add(label.into(), request.predicted.into());
            sums.add(f64::from(request.predicted) + 0.1, f64::from(label));
            let score = request.latency / 500.0;
            let of_request = if numbers { Scores::None } else { Scores::Classes([score, 1.0 - score, 0.5].into()) };
            scores.tally(&of_request, label.into(), None, true);
            residuals.push(Seen::Number((f64::from(request.predicted) + 0.1) - f64::from(label)));
            labels.push(Seen::Number(f64::from(label)));
            delays.push(request.latency);
        }
    }
    let quality = if numbers { Quality::Numbers(sums) } else { Quality::Classes(confusion) };
    let mut outcome = OutcomePane::new(quality, reference.outputs.label.as_ref().map(|c| counts(c, &labels)));
    outcome.scores = scores;
    outcome.residuals = reference.outputs.residual.as_ref().map(|c| counts(c, &residuals));
    (outcome.expected, outcome.labelled) = (input.requests, labels.len() as u64);
    delays.into_iter().for_each(|d| outcome.delay_seconds.add(d));
    (input, outcome)
}

proptest! {
    #[test]
    fn merged_panes_measure_like_one_pass(
        events in requests(), known in prop::collection::vec(-3i32..12, 1..40), task in prop::sample::select(&Task::ALL[..]),
    ) {
        let known = numbers(&known.into_iter().map(f64::from).collect::<Vec<_>>());
        let answers = categorical(&numbers(&[0.0, 1.0, 2.0]));
        let classes: Vec<Arc<str>> = vec!["0".into(), "1".into(), "2".into()];
        let outputs = OutputReference {
            classes: classes.clone(), prediction: Some(answers.clone()), label: Some(answers),
            residual: Some(numeric(&known)), score: Some(numeric(&numbers(&[0.0, 0.25, 0.5, 1.0]))), ..OutputReference::default()
        };
        let reference = reference(vec![("c", categorical(&known)), ("x", numeric(&known))], outputs);
        let regression = task == Task::Regression;
        let (whole_input, whole_outcome) = panes(&reference, regression, events.iter().map(|(request, _)| request));
        let (mut input, mut outcome) = panes(&reference, regression, [].iter());
        for pane in 0..5 {
            let (i, o) = panes(&reference, regression, events.iter().filter(|(_, p)| *p == pane).map(|(request, _)| request));
            input.merge(&i);
            outcome.merge(&o);
        }
        let stream = stream();
        let ctx = context(&stream, task, &classes, Some(&reference));
        prop_assert_eq!(measure_inputs(&ctx, &input, &SERVICE), measure_inputs(&ctx, &whole_input, &SERVICE));
        let facts = DataFacts::default();
        prop_assert_eq!(measure_data(&ctx, &input, &facts), measure_data(&ctx, &whole_input, &facts));
        prop_assert_eq!(measure_outcomes(&ctx, &outcome), measure_outcomes(&ctx, &whole_outcome));
    }

    /// Five panes in any order, added from the left, from the right and in pairs: the same sums, and those of one pass. Columns of numbers (those at the end
    /// of the range
    /// too), names, vectors and texts, and all inputs together.
    #[test]
    fn merging_is_commutative_and_associative(
        rows in prop::collection::vec((values(), 0usize..5), 0..40), known in prop::collection::vec(values(), 1..20),
        order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let reference = special_reference(&known);
        let whole = special_pane(&reference, rows.iter().map(|(seen, _)| seen));
        let panes: Vec<InputPane> =
            order.iter().map(|place| special_pane(&reference, rows.iter().filter(|(_, p)| p == place).map(|(seen, _)| seen))).collect();
        let sum = |a: &InputPane, b: &InputPane| { let mut sum = a.clone(); sum.merge(b); sum };
        let empty = InputPane::default();
        let left = panes.iter().fold(empty.clone(), |all, pane| sum(&all, pane));
        let right = panes.iter().rev().fold(empty, |all, pane| sum(pane, &all));
        let pairs = sum(&sum(&panes[0], &panes[1]), &sum(&panes[2], &sum(&panes[3], &panes[4])));
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
        prop_assert_eq!(&pairs, &whole);
        prop_assert_eq!(sum(&panes[0], &panes[1]), sum(&panes[1], &panes[0]));
    }

    /// Of a column with everything: each distance of a sample from itself is none, and whatever the values, a reading is a number.
    #[test]
    fn a_column_is_at_no_distance_from_itself(known in prop::collection::vec(values(), 1..40)) {
        let reference = special_reference(&known);
        let pane = special_pane(&reference, known.iter());
        let stream = stream();
        for m in measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &pane, &SERVICE) {
            let Some(value) = m.reading.value() else { continue };
            prop_assert!(value.is_finite() && m.error_bound.is_finite());
            match m.metric {
                Metric::AndersonDarling => prop_assert!(value < 0.0, "{:?}", m),
                // its features come from sums, and are rounded
                Metric::Mmd => prop_assert!(value < 1e-9, "{:?}", m),
                // of other texts and not of its own
                _ if matches!(&m.subject, Subject::Feature(name) if name.starts_with("t#")) => {}
                metric if metric.family() == crate::engine::catalogue::Family::Distance => prop_assert_eq!(value, 0.0, "{:?}", m),
                _ => {}
            }
        }
    }
}
