//! Settings that cannot work, and what errors mean: no broker is needed.

use super::super::context::kind_of;
use super::*;
use rdkafka::error::RDKafkaErrorCode as Code;
use secrecy::SecretString;

#[track_caller]
fn refused(change: impl FnOnce(&mut KafkaSettings), words: &[&str]) {
    let mut settings = settings("127.0.0.1:1", &["predictions"], &[]);
    change(&mut settings);
    let message = KafkaSource::start(&settings, Arc::default()).unwrap_err().to_string();
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let set = |key: &'static str, value: &'static str| {
        move |s: &mut KafkaSettings| {
            s.properties.insert(key.to_owned(), value.to_owned());
        }
    };
    refused(set("enable.auto.commit", "true"), &["enable.auto.commit", "must not be set", "state"]);
    refused(set("auto.offset.reset", "latest"), &["auto.offset.reset", "kafka.start"]);
    refused(set("group.id", "x"), &["kafka.group"]);
    refused(set("no.such.property", "x"), &["no.such.property"]);
    refused(set("security.protocol", "carrier pigeon"), &["security.protocol", "carrier pigeon"]);
    refused(|s| s.predictions = vec!["^fraud.*".to_owned()], &["^fraud.*", "patterns"]);
    refused(|s| (s.predictions, s.labels) = (Vec::new(), Vec::new()), &["kafka.predictions"]);
    let secret = |s: &mut KafkaSettings| {
        s.secrets.insert("sasl.password".to_owned(), SecretString::from("hunter2"));
    };
    refused(
        |s| {
            secret(s);
            s.properties.insert("sasl.password".to_owned(), "x".to_owned());
        },
        &["kafka.secrets"],
    );
    let mut settings = settings("127.0.0.1:1", &["predictions"], &[]);
    settings.secrets.insert("security.protocol".to_owned(), SecretString::from("hunter2"));
    let message = KafkaSource::start(&settings, Arc::default()).unwrap_err().to_string();
    assert!(message.contains("security.protocol") && !message.contains("hunter2"), "{message}");
}

#[test]
fn every_error_code_has_a_kind() {
    let table = [
        (Code::AllBrokersDown, ProblemKind::Unreachable),
        (Code::Authentication, ProblemKind::Authentication),
        (Code::SSL, ProblemKind::Tls),
        (Code::GroupAuthorizationFailed, ProblemKind::Authorization),
        (Code::UnknownTopicOrPartition, ProblemKind::TopicMissing),
        (Code::PollExceeded, ProblemKind::PollTooLate),
        (Code::UnknownMemberId, ProblemKind::Other),
    ];
    for (code, kind) in table {
        assert_eq!(kind_of(code), kind);
    }
    for kind in ProblemKind::ALL {
        assert!(kind == ProblemKind::Other || !kind.advice().is_empty());
    }
}
