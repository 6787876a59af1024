//! The HTTP server: routes over the last published view.
//!
//! Invariant: read-only, no request body is taken, and a response never waits for the engine.

use super::connection::BoundedListener;
use super::{Heartbeat, ProcessFacts, Route, Status, View, metrics, readiness, render_metrics, route};
use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longest time that open requests get after the shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Serves `views` on `listener` until `shutdown` ends; then finishes open requests, for 5 s at most.
///
/// Errors are those of the listener.
pub async fn serve(
    listener: TcpListener,
    views: watch::Receiver<Arc<View>>,
    heartbeat: Heartbeat,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop, mut stopped) = watch::channel(false);
    let signal = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    let server = axum::serve(BoundedListener::new(listener), router(views, heartbeat)).with_graceful_shutdown(signal);
    let drained = async move {
        // an error means that the server itself ended and dropped the sender
        if stopped.wait_for(|stop| *stop).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        result = server => result,
        () = drained => Ok(()),
    }
}

#[derive(Debug, Clone)]
struct Shared {
    views: watch::Receiver<Arc<View>>,
    heartbeat: Heartbeat,
}

impl Shared {
    fn view(&self) -> Arc<View> {
        self.views.borrow().clone()
    }
}

fn router(views: watch::Receiver<Arc<View>>, heartbeat: Heartbeat) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        router = router.route(
            route.as_str(),
            match route {
                Route::Index => get(index),
                Route::Live | Route::Health => get(live),
                Route::Ready => get(ready),
                Route::Metrics => get(exposition),
                Route::Status => get(status),
            },
        );
    }
    router.fallback(not_found).layer(DefaultBodyLimit::max(0)).with_state(Shared { views, heartbeat })
}

async fn index(State(shared): State<Shared>) -> Response {
    respond(StatusCode::OK, TEXT, route::index(shared.view().version))
}

async fn live(State(shared): State<Shared>) -> Response {
    if shared.heartbeat.is_alive() {
        return respond(StatusCode::OK, TEXT, "alive\n".to_owned());
    }
    let body = format!("the engine has not turned for {} s; restart the process and keep its log\n", shared.heartbeat.age().as_secs());
    respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, body)
}

async fn ready(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let view = shared.view();
    let verbose = query.is_some_and(|q| q.split('&').any(|part| part == "verbose" || part.starts_with("verbose=")));
    let code = if view.not_ready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(code, TEXT, readiness::report(&view, verbose))
}

async fn exposition(State(shared): State<Shared>) -> Response {
    let view = shared.view();
    rendered(metrics::CONTENT_TYPE, move || Ok(render_metrics(&view, &ProcessFacts::read()))).await
}

async fn status(State(shared): State<Shared>) -> Response {
    let view = shared.view();
    rendered(JSON, move || serde_json::to_string_pretty(&Status::from(&*view)).map(|text| text + "\n")).await
}

/// A full view takes some milliseconds to write, too long for the reactor.
async fn rendered(content_type: &'static str, render: impl FnOnce() -> serde_json::Result<String> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(render).await {
        Ok(Ok(body)) => respond(StatusCode::OK, content_type, body),
        Ok(Err(error)) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("cannot write the response: {error}\n")),
        Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("cannot write the response: {error}\n")),
    }
}

async fn not_found(State(shared): State<Shared>) -> Response {
    respond(StatusCode::NOT_FOUND, TEXT, format!("no such route\n\n{}", route::index(shared.view().version)))
}

fn respond(code: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (code, headers, body).into_response()
}

#[cfg(test)]
mod tests;
