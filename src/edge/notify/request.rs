//! A message ready to be sent, and why there may be none.

use super::sign::SecretError;
use secrecy::SecretString;
use std::fmt;

/// One HTTP request, always a POST. Prints neither its URL nor its header values nor its body: each may hold a secret.
#[derive(Clone)]
pub struct Request {
    /// Where it goes.
    pub url: SecretString,
    /// Headers besides those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body, as it is signed and sent.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request").field("headers", &names).field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Why a message could not be built; it would not help to try again. Never names a URL or a secret.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template failed.
    #[error("template failed: {0}")]
    Template(#[from] minijinja::Error),
    /// A template rendered nothing where the channel needs text.
    #[error("the template's part {part:?} is empty")]
    Empty {
        /// The part.
        part: &'static str,
    },
    /// The facts have no JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The signing secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The receiver's URL is none.
    #[error("the url is not an http or https url with a host")]
    Url,
    /// A header of the receiver cannot be sent.
    #[error("header {name:?} cannot be sent: it is reserved, or its name or value is not valid")]
    Header {
        /// Its name.
        name: String,
    },
    /// The id cannot be a `webhook-id`.
    #[error("id {id:?} is empty, has a dot or characters that a header cannot carry")]
    Id {
        /// The id.
        id: String,
    },
    /// A retraining was to be asked of a pager.
    #[error("pagerduty takes no retraining requests; give [retrain] the url of a webhook")]
    NotAPipeline,
}
