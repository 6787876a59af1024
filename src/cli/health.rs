//! `driftd health`: one request to a probe, for containers that have no other HTTP client.

use anyhow::Context as _;
use std::process::ExitCode;
use std::time::Duration;

/// Asks a probe.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// The probe's address.
    #[arg(long, default_value = "http://127.0.0.1:9464/livez")]
    url: String,
}

/// Exits 0 where the probe answers 200, else 1.
pub fn run(args: &HealthArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let answer = runtime.block_on(client.get(&args.url).send()).with_context(|| format!("no answer from {}", args.url))?;
    anyhow::ensure!(answer.status().is_success(), "{} answers {}", args.url, answer.status());
    Ok(ExitCode::SUCCESS)
}
