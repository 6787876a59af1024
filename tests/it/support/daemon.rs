//! The built binary as a process: started, looked at, killed. It never outlives its [`Daemon`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running `driftd`.
pub(crate) struct Daemon {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Starts `driftd` with these arguments.
    pub(crate) fn start<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_driftd")).args(arguments))
    }

    /// Starts `driftd` with these arguments and environment variables.
    pub(crate) fn start_with_env<A: AsRef<std::ffi::OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        variables: impl IntoIterator<Item = (A, A)>,
    ) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_driftd")).args(arguments).envs(variables))
    }

    /// Starts a command and listens to what it prints.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::default();
        let stdout = listen(child.stdout.take().unwrap(), Arc::clone(&lines));
        let stderr = listen(child.stderr.take().unwrap(), Arc::clone(&lines));
        Self { child, lines, readers: vec![stdout, stderr] }
    }

    /// Everything printed so far, standard output and error, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Kills the process with SIGKILL and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends SIGSTOP: the process freezes.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Sends SIGCONT: the process goes on.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        // the shell's own kill: a bare system has no other
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits for the end of the process; panics with its output at the timeout.
    #[track_caller]
    pub(crate) fn wait(&mut self, timeout: Duration) -> ExitStatus {
        let deadline = std::time::Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                for reader in self.readers.drain(..) {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(std::time::Instant::now() < deadline, "driftd still runs after {timeout:?}:\n{}", self.lines().join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for a line that contains `part` and returns it; panics at the timeout or when the process ends without it.
    #[track_caller]
    pub(crate) fn wait_for_line(&mut self, part: &str, timeout: Duration) -> String {
        self.wait_alive(&format!("a line with {part:?}"), timeout, |daemon| {
            let lines = daemon.lines.lock().unwrap();
            lines.iter().find(|line| line.contains(part)).cloned()
        })
    }

    /// Waits until `path` of the HTTP server at `address` answers with `status`; returns the body.
    #[track_caller]
    pub(crate) fn wait_for_http(&mut self, address: &str, path: &str, status: u16, timeout: Duration) -> String {
        self.wait_alive(&format!("{status} from http://{address}{path}"), timeout, |_| match http_get(address, path) {
            Ok((code, body)) if code == status => Some(body),
            _ => None,
        })
    }

    #[track_caller]
    fn wait_alive<T>(&mut self, what: &str, timeout: Duration, mut ready: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = std::time::Instant::now() + timeout;
        loop {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() {
                // what it printed last may still be in the pipes
                self.readers.drain(..).for_each(|reader| reader.join().unwrap());
            }
            if let Some(found) = ready(self) {
                return found;
            }
            let printed = || self.lines().join("\n");
            assert!(ended.is_none(), "driftd ended ({}) before {what}:\n{}", ended.unwrap(), printed());
            assert!(std::time::Instant::now() < deadline, "not within {timeout:?}: {what}; driftd printed:\n{}", printed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failed test")]
    fn drop(&mut self) {
        // fails only for a process that is gone already
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("driftd printed:\n{}", self.lines.lock().map(|lines| lines.join("\n")).unwrap_or_default());
        }
    }
}

/// One HTTP GET on loopback, without a client that retries or pools: status and body.
pub(crate) fn http_get(address: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // HTTP/1.0: the answer ends with the connection and is never chunked
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    Ok((status, body.to_owned()))
}

fn listen(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { return };
            lines.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
        }
    })
}
