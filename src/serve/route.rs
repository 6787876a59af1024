//! Every route in one table. `docs/HTTP.md` is this table as text; a test holds the two together.

use std::fmt::Write;

/// Every route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The list of routes.
    Index,
    /// Liveness.
    Live,
    /// Liveness under the name that some platforms expect.
    Health,
    /// Readiness.
    Ready,
    /// Prometheus.
    Metrics,
    /// Readable summary.
    Status,
}

impl Route {
    /// Every route, in the order they are listed.
    pub const ALL: [Self; 6] = [Self::Index, Self::Live, Self::Health, Self::Ready, Self::Metrics, Self::Status];

    /// Its path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "/",
            Self::Live => "/livez",
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Status => "/status",
        }
    }

    /// Statuses it answers with.
    fn statuses(self) -> &'static str {
        match self {
            Self::Live | Self::Health | Self::Ready => "200, 503",
            Self::Index | Self::Metrics | Self::Status => "200",
        }
    }

    /// What its body is.
    fn body(self) -> &'static str {
        match self {
            Self::Index | Self::Live | Self::Health | Self::Ready => "plain text",
            Self::Metrics => "OpenMetrics 1.0 text",
            Self::Status => "JSON",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Index => "this list",
            Self::Live => "503 when the engine has not turned for 30 s; says nothing about Kafka or receivers",
            Self::Health => "the same as /livez",
            Self::Ready => {
                "503 until the state is read, partitions are known and snapshots reach the disk; ?verbose lists each check and what to do"
            }
            Self::Metrics => "own metrics and the latest readings for Prometheus (docs/METRICS.md)",
            Self::Status => "counts, watermark, models with latest readings, alerts",
        }
    }
}

/// All routes as a Markdown table.
pub fn markdown_table() -> String {
    let mut text = String::from("| route | answers | body | purpose |\n|---|---|---|---|\n");
    for route in Route::ALL {
        writeln!(text, "| `{}` | {} | {} | {} |", route.as_str(), route.statuses(), route.body(), route.purpose())
            .expect("writing to a String does not fail");
    }
    text
}

/// The body of `/`.
pub(super) fn index(version: &str) -> String {
    let mut text = format!("driftd {version}\n\n");
    for route in Route::ALL {
        writeln!(text, "{:<9} {}", route.as_str(), route.purpose()).expect("writing to a String does not fail");
    }
    text
}
