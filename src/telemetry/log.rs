//! Logs on standard error, as text for people or as one JSON object a line for machines; times are UTC.
//!
//! Invariant: a filter that would silently mean something else than it says (`inof`) is an error, not a quiet log.

use super::LogFormat;
use std::io::IsTerminal;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A part of the filter that is no directive.
    #[error(
        "invalid log filter {filter:?}: {problem}; write a level (off, error, warn, info, debug, trace) or target=level, separated by commas"
    )]
    Filter {
        /// The whole filter as given.
        filter: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The process logs already.
    #[error("logging was set up before in this process")]
    AlreadySet,
}

/// Sends this process's logs to standard error. `filter` is a tracing filter, e.g. `info,driftd::edge=debug`.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let ansi = format == LogFormat::Text && std::io::stderr().is_terminal();
    subscriber(format, filter, ansi, std::io::stderr)?.try_init().map_err(|_| LogError::AlreadySet)
}

type BoxedSubscriber = Box<dyn Subscriber + Send + Sync>;

fn subscriber<W>(format: LogFormat, filter: &str, ansi: bool, writer: W) -> Result<BoxedSubscriber, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = parse_filter(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(ansi);
    Ok(match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).with_current_span(false).with_span_list(false).finish()),
    })
}

/// Strict: besides what `EnvFilter` refuses, a bare word must be a level. `EnvFilter` takes any other word for the name of a target,
/// so that a misspelt level would switch everything else off.
fn parse_filter(text: &str) -> Result<EnvFilter, LogError> {
    let refuse = |problem: String| LogError::Filter { filter: text.into(), problem };
    if text.trim().is_empty() {
        return Err(refuse("it is empty".into()));
    }
    if !text.contains('[') {
        for part in text.split(',').map(str::trim) {
            if !part.contains('=') && part.parse::<tracing::level_filters::LevelFilter>().is_err() {
                return Err(refuse(format!("{part:?} is no level")));
            }
        }
    }
    EnvFilter::try_new(text).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = subscriber(format, filter, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(topic = "predictions", lag = 7, "behind");
            tracing::debug!("unseen");
        });
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_carry_fields_and_utc_time() {
        let text = logged(LogFormat::Json, "info");
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "behind");
        assert_eq!(line["topic"], "predictions");
        assert_eq!(line["lag"], 7);
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
    }

    #[test]
    fn text_lines_carry_fields_and_obey_the_filter() {
        let text = logged(LogFormat::Text, "info");
        assert!(text.contains("behind") && text.contains("lag=7"), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert_eq!(logged(LogFormat::Text, "warn"), "");
        assert_eq!(logged(LogFormat::Text, "off,driftd=debug").lines().count(), 2);
    }

    #[test]
    fn a_filter_that_says_nothing_is_refused_with_its_text() {
        for filter in ["inof", "info,driftd::edge", "driftd=verbose", "", "a=b=c"] {
            let error = parse_filter(filter).unwrap_err().to_string();
            assert!(error.contains(&format!("{filter:?}")), "{error}");
            assert!(error.contains("target=level"), "{error}");
        }
    }
}
