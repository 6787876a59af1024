//! The receivers of the tests do what they are told: otherwise a delivery test proves nothing.

use crate::support::receiver::{Answer, Receiver};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_millis(500)).no_proxy().build().unwrap()
}

#[tokio::test]
async fn answers_follow_the_script_and_requests_are_recorded() {
    let receiver = Receiver::with_script([Answer::status(500), Answer::too_many(7), Answer::Ok { body: "fine".to_owned() }]);
    receiver.afterwards(Answer::pagerduty_accepted());
    let url = receiver.url("/v2/enqueue?try=1");
    let send = async || client().post(&url).header("Webhook-Id", "id-1").body(r#"{"n":1}"#).send().await.unwrap();

    assert_eq!(send().await.status(), 500);
    let limited = send().await;
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(send().await.text().await.unwrap(), "fine");
    assert_eq!(send().await.status(), 202);

    let received = receiver.wait_for(4, PATIENCE);
    assert_eq!(received.len(), 4);
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/v2/enqueue?try=1"));
    assert_eq!(received[0].header("webhook-id"), Some("id-1"));
    assert_eq!(received[3].json()["n"], 1);
    assert!(received.is_sorted_by_key(|request| request.at));
}

#[tokio::test]
async fn a_reset_is_a_connection_error_and_the_next_request_is_answered() {
    let receiver = Receiver::with_script([Answer::Reset]);
    let error = client().post(receiver.url("/")).body("x").send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
    assert_eq!(client().post(receiver.url("/")).body("y").send().await.unwrap().status(), 200);
    assert_eq!(receiver.received().len(), 2, "the request was recorded before the reset");
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up() {
    let receiver = Receiver::with_script([Answer::Hang]);
    let error = client().post(receiver.url("/")).body("x").send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(receiver.received().len(), 1);
}

#[test]
#[should_panic(expected = "2 requests; got 0")]
fn waiting_for_what_never_comes_panics() {
    Receiver::start().wait_for(2, Duration::from_millis(50));
}
