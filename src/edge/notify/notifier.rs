//! The receivers and their templates: builds each receiver's message. Sending is in `deliver`.
//!
//! Invariant: rendering is pure, a function of notification, settings, templates and the attempt's time; only signature headers depend on that time.

use super::templates::{TemplateError, Templates};
use super::{Channel, ChannelSettings, RenderError, Request, pagerduty, sign, slack, webhook};
use crate::engine::alert::Notification;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest time to open a connection; the receiver's own timeout covers the whole attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Why the notifier could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A template is missing or broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A receiver could never be sent anything.
    #[error("receiver {receiver:?}: {source}")]
    Receiver {
        /// Its name.
        receiver: Arc<str>,
        /// What is wrong.
        source: RenderError,
    },
    /// Two receivers have one name.
    #[error("receiver {0:?} is there twice")]
    Twice(Arc<str>),
    /// TLS could not be set up.
    #[error("cannot set up the http client (are CA certificates installed?): {0}")]
    Client(reqwest::Error),
}

/// Builds and sends the messages of all receivers.
pub struct Notifier {
    pub(super) receivers: BTreeMap<Arc<str>, ChannelSettings>,
    pub(super) client: reqwest::Client,
    templates: Templates,
}

impl Notifier {
    /// A notifier for these receivers. Files in `templates` replace built-in templates of the same name.
    ///
    /// # Errors
    /// When a template, a URL, a header or a signing secret can never work: found here, not with the first alert.
    pub fn new(receivers: Vec<ChannelSettings>, templates: Option<&Path>) -> Result<Self, SetupError> {
        let templates = Templates::load(templates)?;
        let mut by_name = BTreeMap::new();
        for settings in receivers {
            let name = settings.name.clone();
            check(&settings).map_err(|source| SetupError::Receiver { receiver: name.clone(), source })?;
            if by_name.insert(name.clone(), settings).is_some() {
                return Err(SetupError::Twice(name));
            }
        }
        let client = client(by_name.values().any(is_https)).map_err(SetupError::Client)?;
        Ok(Self { receivers: by_name, client, templates })
    }

    /// Names of the receivers.
    pub fn receivers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.receivers.keys()
    }

    /// The request that tells the receiver of `settings` the notification, for an attempt at `unix_seconds`.
    ///
    /// # Errors
    /// When it cannot be built; the same would happen again.
    pub fn render(&self, notification: &Notification, settings: &ChannelSettings, unix_seconds: i64) -> Result<Request, RenderError> {
        check_id(&notification.id)?;
        let json = || vec![("content-type".to_owned(), "application/json".to_owned())];
        let (headers, body) = match &settings.channel {
            Channel::Slack => (json(), slack::body(&self.templates, notification)?),
            Channel::PagerDuty { routing_key } => (json(), pagerduty::body(&self.templates, notification, routing_key)?),
            Channel::Webhook { secret, headers } => {
                let body = super::contract::body(notification)?;
                (webhook::headers(&notification.id, unix_seconds, &body, secret.as_ref(), headers)?, body)
            }
        };
        Ok(Request { url: settings.url.clone(), headers, body })
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("receivers", &self.receivers).finish_non_exhaustive()
    }
}

/// The HTTP client. Without `https` it trusts no certificate and so needs none to be installed (a demonstration in a bare container).
fn client(https: bool) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("driftd/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT);
    if https { builder.build() } else { builder.tls_certs_only([]).build() }
}

fn is_https(settings: &ChannelSettings) -> bool {
    reqwest::Url::parse(settings.url.expose_secret().trim()).is_ok_and(|url| url.scheme() == "https")
}

/// Whether anything could be sent to a receiver at all.
fn check(settings: &ChannelSettings) -> Result<(), RenderError> {
    let url = reqwest::Url::parse(settings.url.expose_secret().trim()).map_err(|_| RenderError::Url)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(RenderError::Url);
    }
    if let Channel::Webhook { secret, headers } = &settings.channel {
        webhook::check_headers(headers)?;
        if let Some(secret) = secret {
            sign::signature(secret, "check", 0, b"")?;
        }
    }
    Ok(())
}

/// A dot would make the signed text ambiguous.
fn check_id(id: &str) -> Result<(), RenderError> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
        Ok(())
    } else {
        Err(RenderError::Id { id: super::text::one_line(id, 100) })
    }
}
