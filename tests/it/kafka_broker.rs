//! The broker of the tests is a real one: it takes messages, gives them back, and keeps them over a stop.

use crate::support::kafka::{Broker, unique_name};
use std::collections::BTreeSet;

const N_MESSAGES: usize = 1000;

#[test]
fn what_was_produced_is_consumed_and_outlives_a_stop() {
    let broker = Broker::start();
    let topic = broker.create_unique_topic("round-trip", 2);
    for i in 0..N_MESSAGES {
        broker.produce(&topic, i32::try_from(i % 2).unwrap(), format!("key-{i}"), format!("payload-{i}"));
    }
    broker.flush();
    let before = broker.consume(&topic, N_MESSAGES);
    for partition in 0..2 {
        let offsets: Vec<i64> = before.iter().filter(|message| message.partition == partition).map(|message| message.offset).collect();
        assert_eq!(offsets, (0..500).collect::<Vec<_>>(), "each partition in order and without a gap");
    }
    let payloads: BTreeSet<Vec<u8>> = before.iter().map(|message| message.payload.clone()).collect();
    assert_eq!(payloads, (0..N_MESSAGES).map(|i| format!("payload-{i}").into_bytes()).collect());

    broker.stop();
    assert!(std::net::TcpStream::connect(broker.address()).is_err(), "a stopped broker takes no connection");
    // produced while the broker is away, delivered when it is back
    broker.produce(&topic, 0, "key-late", "payload-late");
    broker.start_again();
    broker.flush();

    let after = broker.consume(&topic, N_MESSAGES + 1);
    let old: Vec<_> = after.iter().filter(|message| message.key != b"key-late").collect();
    assert_eq!(old.len(), N_MESSAGES, "nothing is lost and nothing is twice there");
    assert!(before.iter().all(|message| old.contains(&message)), "same keys, payloads and offsets as before the stop");
}

#[test]
fn a_missing_topic_stays_missing() {
    let broker = Broker::shared();
    let topic = unique_name("never-created");
    let consumer: rdkafka::consumer::BaseConsumer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", broker.address()).set("group.id", &topic).create().unwrap();
    let metadata = rdkafka::consumer::Consumer::fetch_metadata(&consumer, Some(&topic), std::time::Duration::from_secs(20)).unwrap();
    assert_eq!(metadata.topics()[0].partitions().len(), 0);
    assert!(metadata.topics()[0].error().is_some(), "the broker does not create topics by itself");
}

#[test]
fn a_group_that_never_committed_has_no_offset() {
    let broker = Broker::shared();
    let topic = broker.create_unique_topic("committed", 1);
    assert_eq!(broker.committed(&unique_name("group"), &topic, 0), None);
}
