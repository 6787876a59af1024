//! What driftd costs on this machine: from Kafka, from files, in memory; one model and a thousand.
//!
//! `make bench-pipeline` runs it and writes the tables of docs/PERFORMANCE.md; `cargo bench --bench pipeline -- --only memory --rows 200000` a part of it.
//! Each scene runs in a process of its own, so that none sees the memory of another. Costs are CPU seconds of all threads of the process that is
//! measured; stages take turns in rounds, and the median is told with the range.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to whoever runs it")]

mod broker;
mod daemon;
mod figure;
mod fleet;
mod kafka;
mod lines;
mod measure;
mod memory;
mod page;
mod shards;
mod windows;

#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../traffic/mod.rs"]
mod traffic;

use clap::Parser;
use figure::Figure;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What to measure, and how long.
#[derive(Debug, Clone, Parser)]
#[command(bin_name = "cargo bench --bench pipeline --")]
struct Options {
    /// The scenes.
    #[arg(long, value_delimiter = ',', default_value = "memory,shards,windows,lines,kafka,fleet")]
    only: Vec<Scene>,
    /// Predictions of a log.
    #[arg(long, default_value_t = 200_000)]
    rows: usize,
    /// How often each stage is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Put the tables into docs/PERFORMANCE.md.
    #[arg(long)]
    write: bool,
    /// Measure nothing, and write the messages that are measured as JSON lines, and their reference, to this directory.
    #[arg(long)]
    export: Option<PathBuf>,
    /// Measure nothing, and say where and with what one would, as JSON.
    #[arg(long, hide = true)]
    machine: bool,
    /// Measure one scene in this process, and print its figures as JSON.
    #[arg(long, hide = true)]
    scene: Option<Scene>,
    /// Passed by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scene {
    /// Stages of the engine, in memory.
    Memory,
    /// Two engines on two threads.
    Shards,
    /// Lengths of windows.
    Windows,
    /// JSON lines in files.
    Lines,
    /// Apache Kafka.
    Kafka,
    /// Many models.
    Fleet,
    /// Part of `fleet`: one model in a process of its own.
    #[value(hide = true)]
    One,
    /// What is measured beside other tools.
    #[value(hide = true)]
    Peers,
}

impl Scene {
    fn name(self) -> String {
        use clap::ValueEnum as _;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn title(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Shards => "two shards",
            Self::Windows => "length of windows",
            Self::Lines => "JSON lines",
            Self::Kafka => "Apache Kafka",
            Self::Fleet => "1,000 models",
            Self::One => "one model",
            Self::Peers => "beside other tools",
        }
    }

    fn run(self, options: &Options) -> Vec<Figure> {
        match self {
            Self::Memory => memory::run(options),
            Self::Shards => shards::run(options),
            Self::Windows => windows::run(options),
            Self::Lines => lines::run(options),
            Self::Kafka => kafka::run(options),
            Self::Fleet => fleet::run(1000),
            Self::One => fleet::run(1),
            Self::Peers => vec![lines::once(options), memory::once(options)],
        }
    }
}

fn main() {
    let options = Options::parse();
    if let Some(directory) = &options.export {
        lines::export(directory, options.rows).expect("the directory takes files");
    } else if options.machine {
        print_json(&page::machine());
    } else if let Some(scene) = options.scene {
        print_json(&scene.run(&options));
    } else {
        all(&options);
    }
}

/// Measures what was asked for.
fn all(options: &Options) {
    let mut scenes = options.only.clone();
    if let Some(fleet) = scenes.iter().position(|&scene| scene == Scene::Fleet) {
        scenes.insert(fleet, Scene::One);
    }
    let measure = |&scene: &Scene| {
        eprintln!("{}", scene.title());
        (scene.title(), in_own_process(scene))
    };
    let figures: Vec<_> = scenes.iter().map(measure).collect();
    let Options { rows, rounds, .. } = options;
    let text = page::text(&figures, &format!("cargo bench --bench pipeline -- --rows {rows} --rounds {rounds}"));
    println!("{text}");
    if options.write {
        page::write(&text);
    }
}

fn print_json(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string(value).expect("plain data"));
}

/// Runs a scene in a process of its own, with the options of this one.
fn in_own_process(scene: Scene) -> Vec<Figure> {
    let this = std::env::current_exe().expect("this program has a path");
    let child = Command::new(this).args(std::env::args().skip(1)).args(["--scene", &scene.name()]).stderr(Stdio::inherit()).output();
    let output = child.expect("this program starts");
    assert!(output.status.success(), "{} ended with {}", scene.name(), output.status);
    serde_json::from_slice(&output.stdout).expect("a scene prints its figures")
}
