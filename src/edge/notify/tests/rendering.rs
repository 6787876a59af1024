//! What is sent: golden bodies, limits, hostile names, replaced templates.

use super::super::{Channel, ChannelSettings, Notifier, RenderError, SetupError, TemplateError, sample};
use super::{notifier, pagerduty, settings, to, webhook};
use crate::engine::alert::{Body, Notification, NotifyReason};
use crate::engine::metric::Subject;
use crate::event::ModelKey;
use proptest::prelude::*;
use serde_json::Value;
use std::path::PathBuf;

const AT: i64 = 1_795_341_700;

fn body(notifier: &Notifier, notification: &Notification, settings: &ChannelSettings) -> Value {
    let request = notifier.render(notification, settings, AT).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

/// Compares with `tests/data/webhooks/<name>.json`; with `DRIFTD_UPDATE_GOLDEN=1` writes it instead.
#[track_caller]
fn check_golden(name: &str, body: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/webhooks").join(format!("{name}.json"));
    if std::env::var_os("DRIFTD_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(body).unwrap() + "\n").unwrap();
    }
    let want: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(body, &want, "{name}: a contract changed; bump its version or revert (DRIFTD_UPDATE_GOLDEN=1 rewrites the file)");
}

#[test]
fn bodies_are_the_golden_ones() {
    let channels = [("slack", Channel::Slack), ("pagerduty", pagerduty()), ("webhook", webhook())];
    let receivers: Vec<_> = channels.into_iter().map(|(name, channel)| settings(name, channel, "http://example.com/x")).collect();
    let notifier = notifier(receivers.clone());
    for receiver in &receivers {
        for reason in NotifyReason::ALL {
            if &*receiver.name == "pagerduty" && reason == NotifyReason::Retrain {
                continue;
            }
            for (kind, notification) in [("", sample::full(reason)), ("-sparse", sample::sparse(reason))] {
                check_golden(&format!("{}-{}{kind}", receiver.name, reason.as_str()), &body(&notifier, &notification, receiver));
            }
        }
    }
}

#[test]
fn one_incident_has_one_pagerduty_key() {
    let receiver = settings("pager", pagerduty(), "http://example.com");
    let notifier = notifier(vec![receiver.clone()]);
    for (reason, action) in [(NotifyReason::Firing, "trigger"), (NotifyReason::Repeat, "trigger"), (NotifyReason::Resolved, "resolve")] {
        let body = body(&notifier, &to("pager", reason), &receiver);
        assert_eq!((&body["event_action"], &body["dedup_key"]), (&action.into(), &"8f3a0c6e51d2b794-3".into()));
    }
    let retrain = notifier.render(&to("pager", NotifyReason::Retrain), &receiver, AT);
    assert!(matches!(retrain, Err(RenderError::NotAPipeline)));
}

#[test]
fn a_retry_signs_anew_but_sends_the_same_id_and_bytes() {
    let receiver = settings("any", webhook(), "http://example.com");
    let notifier = notifier(vec![receiver.clone()]);
    let notification = to("any", NotifyReason::Firing);
    let [first, second] = [AT, AT + 60].map(|at| notifier.render(&notification, &receiver, at).unwrap());
    let header = |request: &super::super::Request, name: &str| request.headers.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(first.body, second.body);
    assert_eq!(header(&first, "webhook-id"), &*notification.id);
    assert_eq!(header(&first, "webhook-id"), header(&second, "webhook-id"));
    assert_eq!(header(&second, "webhook-timestamp"), (AT + 60).to_string());
    assert_ne!(header(&first, "webhook-signature"), header(&second, "webhook-signature"));
    assert_eq!(header(&first, "content-type"), "application/cloudevents+json");
    assert_eq!(header(&first, "X-Team"), "ml-token");
}

#[test]
fn an_id_that_is_no_webhook_id_is_refused() {
    let receiver = settings("any", webhook(), "http://example.com");
    let notifier = notifier(vec![receiver.clone()]);
    for id in ["", "a.b", "a\nb", "ä"] {
        let notification = Notification { id: id.into(), ..to("any", NotifyReason::Firing) };
        assert!(matches!(notifier.render(&notification, &receiver, AT), Err(RenderError::Id { .. })), "{id:?}");
    }
}

#[test]
fn receivers_that_can_never_work_are_refused_without_naming_their_secrets() {
    let header = |name: &str, value: &str| Channel::Webhook { secret: None, headers: [(name.to_owned(), value.to_owned())].into() };
    let bad_secret = Channel::Webhook { secret: Some("whsec_S3CR3T".into()), headers: Default::default() };
    for (channel, url) in [
        (Channel::Slack, "not a url S3CR3T"),
        (Channel::Slack, "ftp://example.com/S3CR3T"),
        (Channel::Slack, "mailto:S3CR3T@example.com"),
        (bad_secret, "https://example.com/S3CR3T"),
        (header("Webhook-Id", "x"), "https://example.com/S3CR3T"),
        (header("X-Ok", "S3CR3T\r\nX-Not: ok"), "https://example.com/S3CR3T"),
        (header("not a name", "x"), "https://example.com/S3CR3T"),
    ] {
        let error = Notifier::new(vec![settings("r", channel, url)], None).unwrap_err();
        assert!(matches!(error, SetupError::Receiver { .. }));
        assert!(!format!("{error} {error:?}").contains("S3CR3T"), "{error}");
    }
    let twice = vec![settings("r", Channel::Slack, "http://a"), settings("r", Channel::Slack, "http://b")];
    assert!(matches!(Notifier::new(twice, None), Err(SetupError::Twice(_))));
}

#[test]
fn only_https_needs_installed_certificates() {
    let with = |url: &str| Notifier::new(vec![settings("r", Channel::Slack, url)], None).map(|_| ());
    assert!(with("http://127.0.0.1:1/x").is_ok());
    assert!(matches!(with("https://example.com/x"), Ok(()) | Err(SetupError::Client(_))));
}

#[test]
fn templates_can_be_replaced_and_mistakes_are_found_at_start() {
    let receiver = settings("slack", Channel::Slack, "http://example.com");
    let blocks = |text: &str| {
        format!("{{% block text %}}{text}{{% endblock %}}")
            + "{% block header %}{% endblock %}{% block body %}{% endblock %}{% block fields %}{% endblock %}{% block context %}{% endblock %}"
    };
    let load = |file: &str, source: &str| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(file), source).unwrap();
        Notifier::new(vec![receiver.clone()], Some(directory.path()))
    };
    let own = load("slack-firing.j2", &blocks("our own words: {{ model|upper }}")).unwrap();
    assert_eq!(body(&own, &to("slack", NotifyReason::Firing), &receiver)["text"], "our own words: FRAUD");

    for (file, source) in [
        ("slack-firing.j2", blocks("{{ modle }}")),
        ("slack-firing.j2", blocks("{{ retrain.reason.deeper }}")),
        ("slack-firing.j2", blocks("{% if %}")),
        ("slack-firing.j2", "{% block text %}only this{% endblock %}".to_owned()),
        ("slack-firing.j2", blocks("{% for i in range(9999) %}{% for j in range(9999) %}{{ i }}{% endfor %}{% endfor %}")),
        ("pagerduty-repeat.j2", "{% block summary %}{{ password }}{% endblock %}".to_owned()),
    ] {
        let error = load(file, &source).unwrap_err();
        assert!(matches!(error, SetupError::Template(TemplateError::Broken { .. })), "{source}: {error}");
        assert!(error.to_string().contains(file), "{error}");
    }
    let error = load("slack-fireing.j2", "").unwrap_err();
    assert!(matches!(error, SetupError::Template(TemplateError::UnknownName { .. })), "{error}");
    assert!(load("README.md", "no template").is_ok());
    let missing = Notifier::new(Vec::new(), Some(std::path::Path::new("/does/not/exist")));
    assert!(matches!(missing, Err(SetupError::Template(TemplateError::Read { .. }))));
}

/// Names nobody should use, and somebody will.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<!channel> <https://evil.example|click> & \"quotes\" 'and' \\ back`ticks`".to_owned()),
        Just("line\nbreak\r\n\n\nparagraph\u{2028}\u{202e}\0\u{1b}[31m".to_owned()),
        Just("{{ title }}{% raw %}".to_owned()),
        Just("&".repeat(10_000)),
        Just("𝄞<".repeat(5_000)),
        Just(String::new()),
        any::<String>(),
        "[<>&\"\\\\\n;]{0,400}",
    ]
}

fn hostile_notification(reason: NotifyReason, texts: &[String], values: &[f64]) -> Notification {
    let mut notification = sample::full(reason);
    let alert = match &mut notification.body {
        Body::Alert(alert) => alert,
        Body::Retrain(facts) => {
            facts.reason = texts[0].as_str().into();
            &mut facts.alert
        }
    };
    alert.model = ModelKey::new(texts[0].as_str(), texts[1].as_str());
    alert.title = texts[2].as_str().into();
    alert.segment = Some(texts[3].as_str().into());
    alert.rule = texts[0].as_str().into();
    alert.environment = texts[1].as_str().into();
    alert.note = Some(texts[2].as_str().into());
    for ((worst, text), value) in alert.worst.iter_mut().zip(texts.iter().cycle()).zip(values.iter().cycle()) {
        worst.subject = if value.is_nan() { Subject::ClassQuality(text.as_str().into()) } else { Subject::Feature(text.as_str().into()) };
        worst.value = *value;
        worst.parts.iter_mut().for_each(|part| (part.name, part.current) = (text.as_str().into(), *value));
    }
    let explanation = alert.explanation.as_mut().unwrap();
    for ((cause, text), value) in explanation.causes.iter_mut().zip(texts.iter().cycle()).zip(values.iter().cycle()) {
        cause.subject = Subject::Feature(text.as_str().into());
        cause.part.iter_mut().for_each(|part| (part.name, part.reference) = (text.as_str().into(), *value));
    }
    for ((share, text), value) in explanation.segments.iter_mut().zip(texts).zip(values.iter().cycle()) {
        (share.segment, share.value, share.rows) = (text.as_str().into(), *value, *value);
    }
    notification
}

fn check_slack(body: &Value) {
    let text_of = |text: &Value, max: usize| {
        let text = text.as_str().unwrap();
        assert!(!text.is_empty() && text.chars().count() <= max, "{} characters", text.chars().count());
        assert!(!text.contains(['<', '>', '\0', '\u{202e}']), "{text:?}");
        assert!(text.match_indices('&').all(|(at, _)| ["&amp;", "&lt;", "&gt;"].iter().any(|e| text[at..].starts_with(e))), "{text:?}");
    };
    text_of(&body["text"], 3_000);
    for block in body["blocks"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "header" => text_of(&block["text"]["text"], 150),
            "section" => {
                let fields = block["fields"].as_array().map_or(&[][..], |fields| fields);
                assert!(fields.len() <= 10 && (block["text"].is_object() || !fields.is_empty()));
                fields.iter().for_each(|field| text_of(&field["text"], 2_000));
                if block["text"].is_object() {
                    text_of(&block["text"]["text"], 3_000);
                }
            }
            "context" => text_of(&block["elements"][0]["text"], 2_000),
            other => panic!("block {other}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_names_break_no_message(
        texts in prop::collection::vec(hostile(), 4),
        values in prop::collection::vec(any::<f64>(), 1..4),
        reason in prop::sample::select(NotifyReason::ALL.to_vec()),
    ) {
        let receivers = [settings("s", Channel::Slack, "http://a"), settings("p", pagerduty(), "http://a"), settings("w", webhook(), "http://a")];
        let notifier = notifier(receivers.to_vec());
        let notification = hostile_notification(reason, &texts, &values);
        check_slack(&body(&notifier, &notification, &receivers[0]));

        if reason != NotifyReason::Retrain {
            let event = notifier.render(&notification, &receivers[1], AT).unwrap().body;
            prop_assert!(event.len() <= 512_000);
            let event: Value = serde_json::from_slice(&event).unwrap();
            prop_assert!(event["payload"]["summary"].as_str().unwrap_or_default().chars().count() <= 1_024);
        }
        let event = body(&notifier, &notification, &receivers[2]);
        prop_assert!(event["source"].as_str().unwrap().bytes().all(|b| b.is_ascii_graphic()));
    }
}
