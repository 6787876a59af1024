//! Drives a schedule into a sink: as fast as possible, or at the pace of the wall clock.

use super::change::Change;
use super::schedule::{Happening, Schedule, What};
use super::sink::Sink;
use crate::event::Timestamp;
use std::time::{Duration, Instant};

/// Time between two looks at the progress bar, in events.
const PROGRESS_EVERY: u64 = 4096;

/// How fast event time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// As fast as the sink takes events; labels that come after the end are written too.
    Fast,
    /// So many times as fast as the wall clock; whoever falls behind catches up. Ends with the scenario: labels that would come later are not sent.
    Timed(f64),
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Played {
    /// Predictions given to the sink.
    pub(super) n_predictions: u64,
    /// Labels given to the sink.
    pub(super) n_labels: u64,
    /// Labels that would have come after the end, or for which there was no room to wait.
    pub(super) n_labels_left_out: u64,
    /// What changed when.
    pub(super) changes: Vec<(Timestamp, Change)>,
}

/// Plays the schedule to its end. `progress` is told the event time now and then.
pub(super) fn play(
    mut schedule: Schedule,
    start: Timestamp,
    sink: &mut dyn Sink,
    pace: Pace,
    progress: &dyn Fn(Timestamp),
) -> anyhow::Result<Played> {
    let mut played = Played::default();
    let (end, began) = (schedule.end(), Instant::now());
    let mut n_events = 0_u64;
    for Happening { at, what } in schedule.by_ref() {
        if let Pace::Timed(speed) = pace {
            if at >= end {
                played.n_labels_left_out += u64::from(matches!(what, What::Label(_)));
                continue;
            }
            let due = Duration::from_secs_f64(at.since(start).max(0) as f64 / 1000.0 / speed);
            if let Some(ahead) = due.checked_sub(began.elapsed()).filter(|ahead| *ahead > Duration::from_millis(2)) {
                std::thread::sleep(ahead);
            }
        }
        match what {
            What::Prediction(message) => {
                sink.prediction(&message)?;
                played.n_predictions += 1;
            }
            What::Label(message) => {
                sink.label(&message)?;
                played.n_labels += 1;
            }
            What::Change(change) => played.changes.push((at, change)),
        }
        n_events += 1;
        if n_events.is_multiple_of(PROGRESS_EVERY) {
            progress(at);
        }
    }
    sink.finish()?;
    played.n_labels_left_out += schedule.n_labels_left_out();
    Ok(played)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::generate::scenario::Scenario;
    use crate::cli::generate::schedule::Message;
    use crate::cli::generate::sink::{Publish, TopicSink};
    use crate::engine::settings::Task;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Memory {
        messages: BTreeMap<String, Vec<Message>>,
        n_flushes: u32,
    }

    impl Publish for &mut Memory {
        fn publish(&mut self, topic: &str, key: &[u8], payload: &[u8]) -> anyhow::Result<()> {
            let message = Message { key: String::from_utf8(key.to_vec())?, line: String::from_utf8(payload.to_vec())? };
            self.messages.entry(topic.to_owned()).or_default().push(message);
            Ok(())
        }

        fn flush(&mut self) -> anyhow::Result<()> {
            self.n_flushes += 1;
            Ok(())
        }
    }

    #[test]
    fn at_a_pace_the_run_takes_its_time_and_ends_with_the_scenario() {
        let text = "rate = 1000\nduration = \"4s\"\nlabel_delay = \"2s\"\n[[step]]\nat = \"1s\"\nchange.errors = { share = 0.5 }";
        let scenario = Scenario::parse(text, Task::Binary).unwrap();
        let start = Timestamp(1_000_000);
        let schedule = Schedule::new(scenario, 3, start).unwrap();
        let mut memory = Memory::default();
        let began = Instant::now();
        let played = play(schedule, start, &mut TopicSink::new(&mut memory, "p", "l"), Pace::Timed(10.0), &|_| {}).unwrap();
        assert!(began.elapsed() >= Duration::from_millis(380), "{:?}", began.elapsed());
        assert_eq!((memory.messages["p"].len() as u64, memory.messages["l"].len() as u64), (played.n_predictions, played.n_labels));
        assert!(played.n_labels_left_out > 0 && memory.n_flushes == 1);
        assert_eq!(played.changes, [(start.plus(1_000), Change::Errors { share: 0.5 })]);
    }
}
