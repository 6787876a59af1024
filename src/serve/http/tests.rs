//! The routes over a real socket.

use super::*;
use crate::event::Timestamp;
use crate::serve::view::tests::sample_view;
use crate::serve::{NotReady, ReadyCheck};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    address: SocketAddr,
    views: watch::Sender<Arc<View>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(view: View, heartbeat: Heartbeat) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (views, receiver) = watch::channel(Arc::new(view));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, receiver, heartbeat, async move {
        stopped.await.ok();
    }));
    Server { address, views, stop, task }
}

impl Server {
    /// Sends one request and returns status, head and body.
    async fn request(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let (code, _, body) = self.request("GET", path).await;
        (code, body)
    }
}

#[tokio::test]
async fn every_route_answers_and_nothing_else_does() {
    let server = start(sample_view(), Heartbeat::default()).await;
    for route in Route::ALL {
        assert_eq!(server.get(route.as_str()).await.0, 200, "{route:?}");
        let (code, head, _) = server.request("POST", route.as_str()).await;
        assert_eq!(code, 405, "{route:?}");
        assert!(head.contains("allow: get,head"), "{head}");
    }
    let (code, body) = server.get("/nothing").await;
    assert_eq!(code, 404);
    assert!(body.contains("/metrics"), "{body}");
    let (code, _, body) = server.request("HEAD", "/metrics").await;
    assert_eq!((code, body.as_str()), (200, ""));
}

#[tokio::test]
async fn liveness_is_the_heartbeat_and_nothing_else() {
    let heartbeat = Heartbeat::new(Duration::from_millis(30));
    let server = start(View::starting("test", Timestamp(0)), heartbeat.clone()).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    for path in ["/livez", "/healthz"] {
        let (code, body) = server.get(path).await;
        assert_eq!(code, 503);
        assert!(body.contains("has not turned"), "{body}");
    }
    let beating = tokio::spawn(async move {
        loop {
            heartbeat.beat();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(server.get("/livez").await.0, 200, "not ready, but alive");
    beating.abort();
}

#[tokio::test]
async fn readiness_follows_the_published_view() {
    let server = start(View::starting("test", Timestamp(0)), Heartbeat::default()).await;
    assert_eq!(server.get("/readyz").await, (503, "not ready: state\n".to_owned()));
    let mut view = sample_view();
    server.views.send_replace(Arc::new(view.clone()));
    assert_eq!(server.get("/readyz").await, (200, "ready\n".to_owned()));
    view.not_ready.push(NotReady::new(ReadyCheck::Kafka, "topic predictions does not exist", "create it"));
    server.views.send_replace(Arc::new(view));
    let (code, body) = server.get("/readyz?verbose").await;
    assert_eq!(code, 503);
    assert!(body.contains("[no] kafka: topic predictions does not exist; create it\n"), "{body}");
}

#[tokio::test]
async fn bodies_have_their_types() {
    let server = start(sample_view(), Heartbeat::default()).await;
    let (_, head, body) = server.request("GET", "/metrics").await;
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(body.contains("driftd_events_applied_total 9800\n"), "{body}");
    let (_, head, body) = server.request("GET", "/status").await;
    assert!(head.contains("content-type: application/json"), "{head}");
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["counts"]["received"], 9818);
}

#[tokio::test]
async fn shutdown_ends_the_server_even_with_an_open_connection() {
    let server = start(sample_view(), Heartbeat::default()).await;
    let _idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.get("/livez").await.0, 200);
    server.stop.send(()).unwrap();
    let ended = tokio::time::timeout(DRAIN + Duration::from_secs(3), server.task).await;
    ended.expect("ends within the drain time").unwrap().unwrap();
}
