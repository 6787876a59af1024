//! Predictions wait in blocks before they are counted: nobody can tell.

use super::script::{Script, settings};
use super::{SECOND, predicted};
use crate::event::{Event, Features, Scalar, SharedNames, Status};
use proptest::prelude::*;
use std::sync::Arc;

/// What one request is like.
#[derive(Debug, Clone)]
struct Request {
    after_ms: i64,
    late_ms: i64,
    version: bool,
    value: Option<i32>,
    country: u8,
    answer: bool,
    failed: bool,
    labelled: bool,
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let request = (
        (0..400i64, prop_oneof![4 => Just(0), 1 => 0..12_000i64], any::<bool>(), prop::option::weighted(0.9, -40..40)),
        (0u8..4, any::<bool>(), prop::bool::weighted(0.1), any::<bool>()),
    );
    let request = request.prop_map(|((after_ms, late_ms, version, value), (country, answer, failed, labelled))| Request {
        after_ms,
        late_ms,
        version,
        value,
        country,
        answer,
        failed,
        labelled,
    });
    prop::collection::vec(request, 100..400)
}

/// The event of a request, whose names are `shared` with others where it has all of them.
fn event(n: usize, now: i64, request: &Request, shared: Option<&SharedNames>) -> Event<'static> {
    let (version, answer) = (if request.version { "v1" } else { "v2" }, if request.answer { "1" } else { "0" });
    let value = request.value.map_or(Scalar::Null, |value| Scalar::Number(f64::from(value) / 3.0));
    let country = Scalar::Text(format!("c{}", request.country).into());
    let mut event = predicted(&n.to_string(), version, now - request.late_ms, answer, &[("value", value), ("country", country)]);
    if let Event::Prediction(prediction) = &mut event {
        prediction.latency_ms = Scalar::Number(f64::from(request.country) + 0.5);
        if request.failed {
            prediction.status = Status::Failed;
        }
        if let Some(names) = shared {
            prediction.features = Features::shared(Arc::clone(names), prediction.features.values().to_vec());
        }
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn when_predictions_are_counted_and_who_holds_their_names_never_matters(requests in requests(), every in 1usize..40) {
        let run = |every: Option<usize>, shares: bool| {
            let mut settings = settings();
            Arc::make_mut(&mut settings.models[0]).segments = vec!["country".into()];
            let mut script = Script::new(settings);
            let names: SharedNames = ["value", "country"].map(Box::from).into();
            let mut now = 20 * SECOND;
            for (n, request) in requests.iter().enumerate() {
                now += request.after_ms;
                script.event(0, &event(n, now, request, shares.then_some(&names)));
                if request.labelled {
                    script.label(&n.to_string(), now, "1");
                }
                if every.is_some_and(|every| n % every == 0) {
                    script.shard.settled();
                }
            }
            let state = script.shard.settled().clone();
            script.finish();
            (state, script.effects)
        };
        let put_off = run(None, true);
        prop_assert!(put_off.0.counts().applied > 0);
        prop_assert_eq!(&run(Some(1), false), &put_off);
        prop_assert_eq!(&run(Some(every), true), &put_off);
    }
}

#[test]
fn more_models_than_blocks_are_all_counted() {
    let mut settings = settings();
    settings.limits.models = 200;
    let mut script = Script::new(settings);
    for n in 0..2_000 {
        let version = format!("v{}", n % 150);
        script.event(0, &predicted(&n.to_string(), &version, n, "1", &[("value", Scalar::Number(n as f64))]));
    }
    script.finish();
    let measured = |version: &str| script.measurements().filter(|m| *m.model.version == *version).map(|m| m.window.predictions).max();
    assert_eq!([measured("v0"), measured("v149")], [Some(14), Some(13)]);
}
