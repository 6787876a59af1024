//! A broker inside this process, over loopback TCP: librdkafka's mock cluster, for the demo and for tests.
//!
//! What it does not do: it keeps at most 5 MiB or 100,000 messages of a partition (older ones are dropped), honours no static membership, has no
//! compaction, TLS or authentication, and lets a group wait 3 s before its first assignment.

use rdkafka::mocking::MockCluster;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::JoinHandle;

/// Why the embedded broker did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("embedded broker: {0}")]
pub struct EmbeddedError(String);

/// The embedded broker. It ends when this is dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    bootstrap_servers: String,
    commands: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// A command and where to answer.
type Order = (Command, SyncSender<Result<(), EmbeddedError>>);

#[derive(Debug)]
enum Command {
    CreateTopic(String, i32),
    Down,
    Up,
}

impl EmbeddedBroker {
    /// Starts one broker on a free port of the loopback interface.
    pub fn start() -> Result<Self, EmbeddedError> {
        let (commands, received) = mpsc::channel();
        let (started, bootstrap) = mpsc::sync_channel(1);
        // the cluster may not move between threads, so one owns it
        let thread = std::thread::Builder::new()
            .name("embedded-broker".to_owned())
            .spawn(move || serve(&received, &started))
            .map_err(|error| EmbeddedError(error.to_string()))?;
        let bootstrap_servers = bootstrap.recv().map_err(|_| EmbeddedError("its thread ended".to_owned()))??;
        Ok(Self { bootstrap_servers, commands: Some(commands), thread: Some(thread) })
    }

    /// `host:port` for clients.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Creates a topic.
    pub fn create_topic(&self, name: &str, n_partitions: i32) -> Result<(), EmbeddedError> {
        self.ask(Command::CreateTopic(name.to_owned(), n_partitions))
    }

    /// Cuts all connections and accepts no new ones. Messages and committed offsets stay.
    pub fn broker_down(&self) -> Result<(), EmbeddedError> {
        self.ask(Command::Down)
    }

    /// Accepts connections again.
    pub fn broker_up(&self) -> Result<(), EmbeddedError> {
        self.ask(Command::Up)
    }

    fn ask(&self, command: Command) -> Result<(), EmbeddedError> {
        let ended = || EmbeddedError("its thread ended".to_owned());
        let (reply, answer) = mpsc::sync_channel(1);
        self.commands.as_ref().ok_or_else(ended)?.send((command, reply)).map_err(|_| ended())?;
        answer.recv().map_err(|_| ended())?
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // a panic of that thread has been printed; there is nothing left to stop
            let _panicked = thread.join();
        }
    }
}

fn serve(commands: &Receiver<Order>, started: &SyncSender<Result<String, EmbeddedError>>) {
    let cluster = match MockCluster::new(1) {
        Ok(cluster) => cluster,
        Err(error) => {
            let _nobody_waits = started.send(Err(EmbeddedError(error.to_string())));
            return;
        }
    };
    let _nobody_waits = started.send(Ok(cluster.bootstrap_servers()));
    for (command, reply) in commands {
        let done = match command {
            Command::CreateTopic(name, n_partitions) => cluster.create_topic(&name, n_partitions, 1),
            Command::Down => cluster.broker_down(-1),
            Command::Up => cluster.broker_up(-1),
        };
        let _nobody_waits = reply.send(done.map_err(|error| EmbeddedError(error.to_string())));
    }
}
