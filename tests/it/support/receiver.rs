//! A loopback HTTP server that stands for Slack, PagerDuty, a webhook or a training pipeline: it records every request and
//! answers as it is told, also badly.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Largest body a receiver takes.
const MAX_BODY_BYTES: usize = 16 << 20;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// 200 with this body.
    Ok { body: String },
    /// This status, these headers, this body.
    Status(u16, Vec<(String, String)>, String),
    /// Never; the connection stays open until the client gives up.
    Hang,
    /// The connection is reset (TCP RST) instead of an answer.
    Reset,
}

impl Answer {
    /// What Slack's incoming webhook says when it took the message.
    pub(crate) fn ok() -> Self {
        Self::Ok { body: "ok".to_owned() }
    }

    /// A bare status.
    pub(crate) fn status(code: u16) -> Self {
        Self::Status(code, Vec::new(), String::new())
    }

    /// 429 with `Retry-After` in seconds.
    pub(crate) fn too_many(retry_after_seconds: u32) -> Self {
        Self::Status(429, vec![("retry-after".to_owned(), retry_after_seconds.to_string())], "rate_limited".to_owned())
    }

    /// What PagerDuty's Events API says when it took the event.
    pub(crate) fn pagerduty_accepted() -> Self {
        let body = r#"{"status":"success","message":"Event processed","dedup_key":"taken"}"#;
        Self::Status(202, vec![("content-type".to_owned(), "application/json".to_owned())], body.to_owned())
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Path with query.
    pub(crate) path: String,
    pub(crate) method: String,
    /// Names in lower case; of a repeated header the last value.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// When the body was complete.
    pub(crate) at: Instant,
}

impl Received {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The server; it stops when dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    inner: Mutex<Inner>,
    arrived: Condvar,
}

struct Inner {
    received: Vec<Received>,
    script: VecDeque<Answer>,
    afterwards: Answer,
}

impl Receiver {
    /// Starts a receiver that answers 200 `ok` to everything.
    pub(crate) fn start() -> Self {
        Self::with_script([])
    }

    /// Starts a receiver that gives these answers, one per request, and then 200 `ok` for ever.
    pub(crate) fn with_script(script: impl IntoIterator<Item = Answer>) -> Self {
        let inner = Inner { received: Vec::new(), script: script.into_iter().collect(), afterwards: Answer::ok() };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), arrived: Condvar::new() });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        // a runtime of its own in a thread of its own: the test may have one itself, or none
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = Resettable(TcpListener::from_std(listener).unwrap());
                let serving = axum::serve(listener, app.into_make_service_with_connect_info::<ResetSwitch>());
                tokio::select! {
                    result = async { serving.await } => result.unwrap(),
                    _ = stopped => {}
                }
            });
            // open connections end here, hanging ones too
            runtime.shutdown_background();
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:port` + `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Adds answers to the end of the script.
    pub(crate) fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().script.extend(answers);
    }

    /// The answer to everything that the script does not cover.
    pub(crate) fn afterwards(&self, answer: Answer) {
        self.lock().afterwards = answer;
    }

    /// Everything received so far, in the order of arrival.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// Waits for this many requests altogether and returns all there are; panics at the timeout.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, timeout: Duration) -> Vec<Received> {
        self.wait_until(&format!("{count} requests"), timeout, |received| received.len() >= count)
    }

    /// Waits until the requests so far satisfy `enough`, returns them; panics with `what` at the timeout.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, timeout: Duration, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let inner = self.lock();
        let (inner, result) = self.shared.arrived.wait_timeout_while(inner, timeout, |inner| !enough(&inner.received)).unwrap();
        let bodies = || inner.received.iter().map(|request| format!("{} {}", request.path, request.text())).collect::<Vec<_>>().join("\n");
        assert!(!result.timed_out(), "not within {timeout:?}: {what}; got {}:\n{}", inner.received.len(), bodies());
        inner.received.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the receiver's thread panicked");
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, ConnectInfo(switch): ConnectInfo<ResetSwitch>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // a client that goes away while it sends has sent nothing
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else { return respond(400, &[], String::new()) };
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let received = Received {
        path: parts.uri.to_string(),
        method: parts.method.to_string(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
        at: Instant::now(),
    };
    let answer = {
        let mut inner = shared.inner.lock().unwrap();
        inner.received.push(received);
        let scripted = inner.script.pop_front();
        scripted.unwrap_or_else(|| inner.afterwards.clone())
    };
    shared.arrived.notify_all();
    match answer {
        Answer::Ok { body } => respond(200, &[], body),
        Answer::Status(code, headers, body) => respond(code, &headers, body),
        Answer::Hang => std::future::pending().await,
        Answer::Reset => {
            switch.0.store(true, Ordering::SeqCst);
            respond(500, &[], "never written: the connection is reset".to_owned())
        }
    }
}

fn respond(code: u16, headers: &[(String, String)], body: String) -> Response {
    let mut response = Response::builder().status(code);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

/// Once set, the connection is reset instead of written to.
#[derive(Debug, Clone)]
struct ResetSwitch(Arc<AtomicBool>);

/// A listener whose connections have a [`ResetSwitch`].
struct Resettable(TcpListener);

struct Connection {
    stream: TcpStream,
    switch: ResetSwitch,
}

impl Listener for Resettable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (Connection { stream, switch: ResetSwitch(Arc::default()) }, peer)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Resettable>> for ResetSwitch {
    fn connect_info(stream: IncomingStream<'_, Resettable>) -> Self {
        stream.io().switch.clone()
    }
}

impl Connection {
    fn reset(&self) -> std::io::Result<()> {
        if !self.switch.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        // closing with a linger of zero makes the kernel send RST
        self.stream.set_zero_linger()?;
        Err(std::io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.reset()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
