//! Standard Webhooks 1.0.0 signatures: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
//!
//! A receiver that checks them knows who sent a message, that nobody changed it, and (by the id) whether it has it already.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Key lengths the specification allows, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a secret cannot be signed with. Says nothing of the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing in it.
    #[error("the signing secret is empty")]
    Empty,
    /// No `whsec_` before the key.
    #[error("the signing secret does not begin with whsec_")]
    NoPrefix,
    /// The key is not base64.
    #[error("the signing secret is not base64 after whsec_")]
    NotBase64,
    /// The key is too short or too long.
    #[error("the signing secret has {0} bytes, but 24 to 64 are allowed")]
    Length(usize),
}

/// The value of `webhook-signature` over a body: one `v1,…` for each of the secrets, which stand apart by white space (two while a secret is rotated).
pub(super) fn signature(secrets: &SecretString, id: &str, unix_seconds: i64, body: &[u8]) -> Result<String, SecretError> {
    let mut signatures = Vec::new();
    for secret in secrets.expose_secret().split_whitespace() {
        let key = key(secret)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| SecretError::Length(key.len()))?;
        mac.update(format!("{id}.{unix_seconds}.").as_bytes());
        mac.update(body);
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    if signatures.is_empty() { Err(SecretError::Empty) } else { Ok(signatures.join(" ")) }
}

fn key(secret: &str) -> Result<Vec<u8>, SecretError> {
    let encoded = secret.strip_prefix("whsec_").ok_or(SecretError::NoPrefix)?;
    let key = STANDARD.decode(encoded).map_err(|_| SecretError::NotBase64)?;
    if KEY_BYTES.contains(&key.len()) { Ok(key) } else { Err(SecretError::Length(key.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // the vector of the specification's reference libraries
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const WANT: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_published_vector_holds() {
        assert_eq!(signature(&SECRET.into(), ID, 1_649_367_553, BODY).unwrap(), WANT);
    }

    #[test]
    fn two_secrets_give_two_signatures() {
        let both = format!("{SECRET} whsec_{}", STANDARD.encode([7; 32]));
        let signed = signature(&both.into(), ID, 1_649_367_553, BODY).unwrap();
        let parts: Vec<&str> = signed.split(' ').collect();
        assert_eq!((parts.len(), parts[0]), (2, WANT));
        assert_ne!(parts[1], WANT);
    }

    #[test]
    fn unusable_secrets_are_refused_without_being_named() {
        let short = format!("whsec_{}", STANDARD.encode([1; 8]));
        for (secret, want) in [
            ("", SecretError::Empty),
            ("plain", SecretError::NoPrefix),
            ("whsec_***", SecretError::NotBase64),
            (short.as_str(), SecretError::Length(8)),
        ] {
            let error = signature(&secret.into(), ID, 0, BODY).unwrap_err();
            assert_eq!(error, want);
            assert!(secret.is_empty() || !error.to_string().contains(secret));
        }
    }
}
