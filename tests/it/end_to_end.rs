//! The main job over a real broker, with the built binary and real HTTP receivers: what was injected into the traffic arrives as an alert, what was
//! measured equals what a few lines of counting say, and what is missing at the start is said and waited for.

use crate::support::installation::{Installation, PATIENCE, SIZE_MS, SLIDE_MS};
use crate::support::kafka::Broker;
use crate::support::oracle::{Window, quality};
use crate::support::receiver::{Answer, Receiver};
use crate::support::signature::assert_signed;
use crate::support::traffic::{Phase, Request, requests, start_before_now, timestamp};
use crate::support::{daemon::http_get, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;

/// Time from a prediction to its label where labels are quick.
const DELAY_MS: i64 = 500;

fn produce(installation: &Installation, broker: &Broker, requests: impl Iterator<Item = Request>) {
    for request in requests {
        installation.predict(broker, &request);
        installation.label(broker, &request, DELAY_MS);
    }
    broker.flush();
}

#[test]
fn from_kafka_to_slack_pagerduty_webhook_and_retraining() {
    let broker = Broker::shared();
    let (slack, pagerduty, webhook, pipeline) = (Receiver::start(), Receiver::start(), Receiver::start(), Receiver::start());
    pagerduty.afterwards(Answer::pagerduty_accepted());
    let mut installation = Installation::new(broker, "story", 2);
    installation.slack("team", &slack);
    installation.pagerduty("on-call", &pagerduty);
    installation.webhook("anything", &webhook);
    installation.retrain(&pipeline);
    let _running = installation.start();
    let start = start_before_now(120);

    // an input drifts: everybody hears which
    produce(&installation, broker, requests(start, 0, 12, Phase::Healthy).chain(requests(start, 12, 28, Phase::AmountDrifts)));
    let told = slack.wait_for(1, PATIENCE)[0].json();
    assert!(told["text"].as_str().unwrap().contains("fraud/v1") && told["text"].as_str().unwrap().contains("amount"), "{told}");
    let trigger = pagerduty.wait_for(1, PATIENCE)[0].json();
    assert_eq!((&trigger["event_action"], &trigger["routing_key"]), (&"trigger".into(), &"key0".into()));
    let event = webhook.wait_for(1, PATIENCE)[0].clone();
    assert_signed(&event);
    let event = event.json();
    assert_eq!(event["type"], "dev.driftd.alert.firing.v1");
    assert_eq!(event["data"]["rule"], "feature-drift");
    let worst = event["data"]["worst"].as_array().unwrap();
    assert!(worst.iter().all(|w| w["subject"] == "feature:amount"), "{event}");
    assert_eq!((&event["data"]["breaching"], &event["data"]["judged"]), (&1.into(), &3.into()), "one of three features: {event}");
    assert_eq!(trigger["dedup_key"], event["data"]["incident"]);

    // it goes back: the same incident is over
    produce(&installation, broker, requests(start, 28, 48, Phase::Healthy));
    let resolve = pagerduty.wait_for(2, PATIENCE)[1].json();
    assert_eq!((&resolve["event_action"], &resolve["dedup_key"]), (&"resolve".into(), &trigger["dedup_key"]));
    assert_eq!(webhook.wait_for(2, PATIENCE)[1].json()["type"], "dev.driftd.alert.resolved.v1");
    slack.wait_for(2, PATIENCE);
    assert_eq!(pipeline.received().len(), 0, "drift of an input alone asks for no retraining");

    // the concept shifts: accuracy falls, and the pipeline is asked, with the data to train on
    produce(&installation, broker, requests(start, 48, 72, Phase::ConceptShifts));
    let asked = pipeline.wait_for(1, PATIENCE)[0].clone();
    assert_signed(&asked);
    let asked = asked.json();
    assert_eq!((&asked["type"], &asked["data"]["rule"]), (&"dev.driftd.retrain.requested.v1".into(), &"model-quality".into()));
    assert_training_data(&installation, broker, &asked["data"], start);
    let fired = pagerduty.wait_for(3, PATIENCE)[2].json();
    assert_eq!((&fired["event_action"], &fired["dedup_key"]), (&"trigger".into(), &asked["data"]["incident"]));
}

/// The offset ranges of a request for a retraining hold the window's predictions and their labels, and nothing else.
fn assert_training_data(installation: &Installation, broker: &Broker, asked: &Value, start: i64) {
    let millis = |key: &str| driftd::event::Timestamp::parse(asked["window"][key].as_str().unwrap()).unwrap().millis();
    let window = millis("start")..millis("end");
    assert_eq!(window.end - window.start, SIZE_MS);
    let expected: BTreeSet<String> = requests(start, 0, 72, Phase::Healthy).filter(|r| window.contains(&r.at_ms)).map(|r| r.id).collect();
    assert_eq!(asked["counts"]["predictions"], expected.len());
    for (kind, topic) in [("predictions", &installation.predictions), ("labels", &installation.labels)] {
        let ranges = asked["data"][kind].as_array().unwrap();
        assert_eq!(ranges.len(), 2, "both partitions: {asked}");
        let log = broker.consume(topic, 72 * 250);
        let mut found = BTreeSet::new();
        for range in ranges {
            assert_eq!(range["topic"], topic.as_str());
            let (first, last) = (range["first"].as_i64().unwrap(), range["last"].as_i64().unwrap());
            let inside = log.iter().filter(|m| m.partition == range["partition"] && (first..=last).contains(&m.offset));
            found.extend(inside.map(|message| String::from_utf8(message.key.clone()).unwrap()));
        }
        assert_eq!(found, expected, "{kind} of {asked}");
    }
}

#[test]
fn labels_that_come_after_their_windows_closed_are_judged_when_they_are_there() {
    let broker = Broker::shared();
    let mut installation = Installation::new(broker, "late-labels", 2);
    installation.set("join", "mature_coverage", 1.0);
    installation.set("window", "idle", "2s");
    let start = start_before_now(120);
    let requests: Vec<Request> = requests(start, 0, 8, Phase::Healthy).chain(requests(start, 8, 20, Phase::ConceptShifts)).collect();
    requests.iter().for_each(|request| installation.predict(broker, request));
    let mut running = installation.start();
    // traffic ends at 20 s: time goes on with the clock and closes what is left
    running.wait_for_reading(start + 22_000, "service", "error_rate");
    assert!(running.measurements().iter().all(|line| line["subject"] != "quality"), "nothing is judged without labels");

    requests.iter().for_each(|request| installation.label(broker, request, 30_000));
    for end in (start + SLIDE_MS..=start + 20_000).step_by(SLIDE_MS as usize) {
        assert_quality(&mut running, &requests, end);
    }
    let metrics = running.wait_for_received(2 * requests.len() as u64);
    assert_eq!(metrics.get("driftd_labels_joined_total"), requests.len() as u64);
}

#[test]
fn labels_that_come_first_wait_for_their_predictions() {
    let broker = Broker::shared();
    let mut installation = Installation::new(broker, "label-first", 2);
    installation.set("join", "mature_coverage", 1.0);
    installation.set("window", "idle", "2s");
    let start = start_before_now(120);
    let requests: Vec<Request> = requests(start, 0, 12, Phase::ConceptShifts).collect();
    requests.iter().for_each(|request| installation.label(broker, request, 0));
    let mut running = installation.start();
    let metrics = running.wait_for_received(requests.len() as u64);
    assert_eq!(metrics.get("driftd_labels_waiting"), requests.len() as u64);

    requests.iter().for_each(|request| installation.predict(broker, request));
    for end in (start + SLIDE_MS..=start + 12_000).step_by(SLIDE_MS as usize) {
        assert_quality(&mut running, &requests, end);
    }
    let metrics = running.wait_for_received(2 * requests.len() as u64);
    assert_eq!((metrics.get("driftd_labels_waiting"), metrics.get("driftd_labels_joined_total")), (0, requests.len() as u64));
}

#[track_caller]
fn assert_quality(running: &mut crate::support::installation::Running, requests: &[Request], end: i64) {
    let window = Window { start: end - SIZE_MS, end };
    let expected = quality(requests, window);
    for (metric, value) in [("accuracy", expected.accuracy), ("precision", expected.precision), ("recall", expected.recall)] {
        let line = running.wait_for_reading(end, "quality", metric);
        let got = line["value"].as_f64().unwrap();
        assert!((got - value).abs() < 1e-12, "{metric} {value} expected: {line}");
        assert_eq!((&line["window"]["predictions"], &line["window"]["labels"]), (&expected.n.into(), &expected.n.into()), "{line}");
    }
}

#[test]
fn a_topic_that_is_missing_is_said_and_waited_for() {
    let broker = Broker::shared();
    let slack = Receiver::start();
    let mut installation = Installation::prepare(broker, "missing", 2);
    installation.slack("team", &slack);
    let running = installation.start();
    let not_ready = wait_until("the missing topics in /readyz", PATIENCE, || {
        let (status, body) = http_get(&running.address, "/readyz?verbose").ok()?;
        (status == 503 && body.contains(&installation.predictions) && body.contains(&installation.labels)).then_some(body)
    });
    assert!(not_ready.contains("create it or correct kafka.predictions"), "{not_ready}");
    assert!(!not_ready.contains("no broker has answered"), "{not_ready}");
    assert_eq!(http_get(&running.address, "/livez").unwrap().0, 200);

    // one of two is not enough
    broker.create_topic(&installation.predictions, 2);
    let start = start_before_now(120);
    let drifting = requests(start, 0, 28, Phase::AmountDrifts);
    drifting.clone().for_each(|request| installation.predict(broker, &request));
    slack.wait_for(1, PATIENCE);
    wait_until("the other topic alone in /readyz", PATIENCE, || {
        let (status, body) = http_get(&running.address, "/readyz?verbose").ok()?;
        (status == 503 && body.contains(&installation.labels) && !body.contains(&installation.predictions)).then_some(())
    });

    broker.create_topic(&installation.labels, 2);
    let mut running = running;
    running.daemon.wait_for_http(&running.address, "/readyz", 200, PATIENCE);
    drifting.for_each(|request| installation.label(broker, &request, DELAY_MS));
    let metrics = running.wait_for_received(2 * 28 * 250);
    assert_eq!(metrics.get("driftd_labels_joined_total"), 28 * 250);
}

#[test]
fn every_event_ends_in_exactly_one_counter() {
    let broker = Broker::shared();
    let mut installation = Installation::new(broker, "balance", 1);
    installation.set("join", "keep", "7d");
    let start = start_before_now(120);
    let first: Vec<Request> = requests(start, 0, 20, Phase::Healthy).collect();
    let n = first.len() as u64;
    produce(&installation, broker, first.iter().cloned());
    let mut running = installation.start();
    running.wait_for_reading(start + 16_000, "service", "error_rate");

    // said again; from before every open window; label without a prediction; broken; from the future
    first.iter().take(10).for_each(|request| installation.predict(broker, request));
    first.iter().take(11).for_each(|request| installation.label(broker, request, DELAY_MS));
    for i in 0..5 {
        let mut late = first[0].clone();
        (late.id, late.at_ms) = (format!("late-{i}"), start - 60_000);
        installation.predict(broker, &late);
        late.id = format!("orphan-{i}");
        installation.label(broker, &late, 60_000);
    }
    for broken in ["{", "[1]", r#"{"model":"fraud"}"#, "null", "\u{7}"] {
        broker.produce(&installation.predictions, 0, "broken", broken);
    }
    let mut future = first[0].clone();
    (future.id, future.at_ms) = ("future".to_owned(), start + 3_600_000);
    installation.predict(broker, &future);

    let metrics = running.wait_for_received(2 * n + 10 + 11 + 5 + 5 + 5 + 1);
    let (predictions, labels) = (&installation.predictions, &installation.labels);
    for (series, expected) in [
        ("driftd_events_applied_total".to_owned(), 2 * n),
        ("driftd_events_duplicate_total".to_owned(), 21),
        ("driftd_events_late_total".to_owned(), 5),
        ("driftd_labels_waiting".to_owned(), 5),
        (r#"driftd_events_rejected_total{reason="not_json"}"#.to_owned(), 2),
        (r#"driftd_events_rejected_total{reason="not_an_object"}"#.to_owned(), 2),
        (r#"driftd_events_rejected_total{reason="missing_id"}"#.to_owned(), 1),
        (r#"driftd_events_rejected_total{reason="timestamp_in_future"}"#.to_owned(), 1),
        (format!(r#"driftd_events_received_total{{topic="{predictions}",kind="prediction"}}"#), n + 10 + 5 + 1),
        (format!(r#"driftd_events_received_total{{topic="{predictions}",kind="unreadable"}}"#), 5),
        (format!(r#"driftd_events_received_total{{topic="{labels}",kind="label"}}"#), n + 11 + 5),
    ] {
        assert_eq!(metrics.get(&series), expected, "{series}");
    }
    assert_eq!(metrics.sum("driftd_events_rejected_total"), 6);
    let status: Value = serde_json::from_str(&http_get(&running.address, "/status").unwrap().1).unwrap();
    assert_eq!(status["counts"]["received"], 2 * n + 37);
    assert!(timestamp(start + 16_000).as_str() <= status["watermark"].as_str().unwrap());
}
