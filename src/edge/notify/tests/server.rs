//! A real HTTP/1.1 server on loopback with a menu of faults; it keeps what it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(super) enum Answers {
    /// Answers with a status, further header lines and a body.
    With(u16, &'static str, &'static str),
    /// Reads the request and says nothing for a minute.
    Hangs,
    /// Sends the head of a 200 and never its body.
    HangsInBody,
    /// Reads the request and breaks the connection.
    Resets,
    /// A 200 with a body that never ends.
    NeverEnds,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// The server; it ends with the test's runtime.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Answers the first requests in the given way, all further ones as the last.
    pub(super) async fn start(menu: Vec<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/S3CR3T-PATH", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let log = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, menu.clone(), log.clone()));
            }
        });
        Self { url, received }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, menu: Vec<Answers>, log: Arc<Mutex<Vec<Received>>>) {
    let Some(request) = read(&mut stream).await else { return };
    let turn = {
        let mut log = log.lock().unwrap();
        log.push(request);
        log.len() - 1
    };
    let answer = match &menu[turn.min(menu.len() - 1)] {
        Answers::With(status, headers, body) => {
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        }
        Answers::HangsInBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
            return;
        }
        Answers::Hangs => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return;
        }
        Answers::Resets => return,
        Answers::NeverEnds => {
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let mut alive = stream.write_all(head).await.is_ok();
            while alive {
                alive = stream.write_all(&[b'o'; 4096]).await.is_ok();
            }
            return;
        }
    };
    // a client that has gone away is the test's business, not the server's
    drop(stream.write_all(answer.as_bytes()).await);
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head_end) = head_end {
            let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap().to_owned();
            let headers: BTreeMap<String, String> =
                lines.filter_map(|l| l.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            let length: usize = headers["content-length"].parse().unwrap();
            if bytes.len() >= head_end + 4 + length {
                return Some(Received { line, headers, body: bytes[head_end + 4..].to_vec() });
            }
        }
        let n = stream.read(&mut chunk).await.ok()?;
        if n == 0 {
            return None;
        }
        bytes.extend_from_slice(&chunk[..n]);
    }
}
