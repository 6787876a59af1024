//! What a receiver of signed webhooks does: Standard Webhooks 1.0.0, checked with the shared secret.

use super::installation::SECRET;
use super::receiver::Received;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Panics unless the request is signed with [`SECRET`], recently, and its id is that of its body.
#[track_caller]
pub(crate) fn assert_signed(request: &Received) {
    let header = |name: &str| request.header(name).unwrap_or_else(|| panic!("no header {name}: {:?}", request.headers));
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let age = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().abs_diff(at.parse().unwrap());
    assert!(age < 300, "signed {age} s ago");
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap()).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&request.body);
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).expect("the signature is not that of the body");
    assert_eq!(request.json()["id"], id);
}
