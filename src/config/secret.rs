//! Secrets and URLs. A secret is named by file or by variable, read once, and never printed: no message quotes one, nor anything
//! that stands where the name of one belongs.

use super::Origin;
use super::reader::{Fallback, Section, quoted};
use reqwest::Url;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;

/// Whether secrets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPolicy {
    /// Every secret is read; one that is missing is a problem.
    Required,
    /// None is read (a replay, or a check on a machine without them): there are no channels then, and no secrets of Kafka.
    Unread,
}

/// Where secrets are read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secrets<'a> {
    pub(crate) policy: SecretPolicy,
    pub(crate) base_dir: &'a Path,
    pub(crate) env: &'a BTreeMap<String, String>,
}

/// The keys of one secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecretKeys {
    /// What it is called: `url`.
    pub(crate) name: &'static str,
    /// How it is listed: `secret`, or `URL` where it may also be no secret and stand in the file itself.
    pub(crate) kind: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) file: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) file_doc: &'static str,
    pub(crate) variable_doc: &'static str,
}

/// A URL that may be a secret.
const URL: SecretKeys = SecretKeys {
    name: "url",
    kind: "URL",
    doc: "The URL itself, where it is no secret: `http://127.0.0.1…`, `http://localhost…` only.",
    file: "url_file",
    variable: "url_env",
    file_doc: "File that holds the URL.",
    variable_doc: "Variable of the environment that holds the URL.",
};

/// Which URLs a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlKind {
    /// Slack, webhook, retraining: a secret.
    Secret,
    /// PagerDuty: a public address, the secret is the routing key.
    PagerDuty,
}

/// PagerDuty's endpoint outside the EU.
const PAGERDUTY: &str = "\"https://events.pagerduty.com/v2/enqueue\"";
/// Longest secret, in bytes.
const LONGEST: u64 = 64 * 1024;

impl Secrets<'_> {
    /// The trimmed text of a file of secrets.
    pub(crate) fn read_file(&self, name: &str) -> Result<String, String> {
        if looks_secret(name) {
            return Err("names a file, but the secret itself seems to stand there: move it into a file".to_owned());
        }
        let path = self.base_dir.join(name);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
        match read {
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
            Ok(n) if n as u64 > LONGEST => Err(format!("{} is longer than 64KiB, so hardly a secret", path.display())),
            Ok(_) if text.trim().is_empty() => Err(format!("{} is empty", path.display())),
            Ok(_) => Ok(text.trim().to_owned()),
        }
    }

    fn read_variable(&self, name: &str) -> Result<String, String> {
        match self.env.get(name).map(|value| value.trim()) {
            None => Err(format!("the variable {name} is not set")),
            Some("") => Err(format!("the variable {name} is empty")),
            Some(value) => Ok(value.to_owned()),
        }
    }
}

/// Reads a secret that is named by file or variable, and lets `check` look at it; its message must not quote it.
/// `None`: not there, not read, or refused (and then recorded).
pub(crate) fn secret(
    section: &Section<'_>,
    secrets: &Secrets<'_>,
    keys: SecretKeys,
    check: impl Fn(&str) -> Result<(), String>,
) -> Option<SecretString> {
    let file = section.take(keys.file, "path", Fallback::Nothing, keys.file_doc, |raw| raw.text().and_then(file_name), |text| quoted(text));
    let variable = section.take(
        keys.variable,
        "variable",
        Fallback::Nothing,
        keys.variable_doc,
        |raw| raw.text().and_then(variable_name),
        |text| quoted(text),
    );
    if section.has(keys.file) && section.has(keys.variable) {
        section.refuse(keys.variable, format!("stands beside {}: keep one of them", keys.file));
        return None;
    }
    let (key, origin) = match (&file, &variable) {
        (Some(file), _) => (keys.file, Origin::SecretFile(file.clone())),
        (None, Some(variable)) => (keys.variable, Origin::Environment(variable.clone())),
        (None, None) => return None,
    };
    let list = |value: &str, origin| section.record(keys.name, keys.kind, value.to_owned(), origin, Fallback::Nothing, keys.doc);
    if secrets.policy == SecretPolicy::Unread {
        list("not read", origin);
        return None;
    }
    let read = file.map_or_else(|| secrets.read_variable(&variable.unwrap_or_default()), |file| secrets.read_file(&file));
    match read.and_then(|value| check(&value).map(|()| value)) {
        Ok(value) => {
            list("***", origin);
            Some(SecretString::from(value))
        }
        Err(message) => {
            section.refuse(key, message);
            None
        }
    }
}

/// Reads the URL of a receiver from `url`, `url_file` or `url_env`.
/// `None`: not read, or refused (and then recorded).
pub(crate) fn url(section: &Section<'_>, secrets: &Secrets<'_>, kind: UrlKind) -> Option<SecretString> {
    let insecure = section.flag("insecure_http", false, "Whether the URL may be `http://` beyond this machine.");
    let (fallback, doc) = match kind {
        UrlKind::Secret => (Fallback::Nothing, URL.doc),
        UrlKind::PagerDuty => (Fallback::Text(PAGERDUTY), "PagerDuty's address (EU: `https://events.eu.pagerduty.com/v2/enqueue`)."),
    };
    let named = section.has(URL.file) || section.has(URL.variable);
    let plain = if named && !section.has(URL.name) {
        section.value(URL.name);
        None
    } else {
        section.take(URL.name, "URL", fallback, doc, |raw| raw.text().and_then(|text| plain_url(text, kind)), |text| quoted(text))
    };
    let hidden = secret(section, secrets, SecretKeys { doc, ..URL }, |text| check_url(text, insecure));
    if section.has(URL.name) && named {
        section.refuse(URL.name, "stands beside url_file or url_env: keep one of them");
        return None;
    }
    if !section.has(URL.name) && !named && kind == UrlKind::Secret {
        section.refuse("", "has no URL: name the file or the variable that holds it in url_file or url_env");
    }
    let default = (kind == UrlKind::PagerDuty && !named && !section.has(URL.name)).then(|| PAGERDUTY.trim_matches('"').to_owned());
    hidden.or_else(|| plain.or(default).map(SecretString::from))
}

fn plain_url(text: String, kind: UrlKind) -> Result<String, String> {
    let parsed = Url::parse(&text).ok();
    let loopback = parsed.as_ref().is_some_and(|url| url.scheme() == "http" && is_loopback(url));
    let public = parsed.as_ref().is_some_and(|url| {
        let host = matches!(url.host_str(), Some("events.pagerduty.com" | "events.eu.pagerduty.com"));
        kind == UrlKind::PagerDuty && url.scheme() == "https" && host && url.query().is_none() && url.username().is_empty()
    });
    if loopback || public {
        return Ok(text);
    }
    Err("may be a secret, and secrets do not stand in this file: name a file or a variable that holds it in url_file or url_env".to_owned())
}

/// Whether a URL may be sent to; the message does not quote it.
fn check_url(text: &str, insecure: bool) -> Result<(), String> {
    let Ok(url) = Url::parse(text) else { return Err("what is read there is no URL".to_owned()) };
    match url.scheme() {
        "https" => Ok(()),
        "http" if insecure || is_loopback(&url) => Ok(()),
        "http" => Err("the URL that is read there is not https; set insecure_http = true where that is meant".to_owned()),
        _ => Err("the URL that is read there is neither https nor http".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn file_name(text: String) -> Result<String, String> {
    if looks_secret(&text) {
        return Err("names a file, but the secret itself seems to stand there: move it into a file".to_owned());
    }
    Ok(text)
}

fn variable_name(text: String) -> Result<String, String> {
    let plain = text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if plain && !looks_secret(&text) {
        return Ok(text);
    }
    Err("names a variable of the environment, but no such name stands there (a secret itself must not)".to_owned())
}

/// Whether what should be a name is rather the thing itself: then no message quotes it.
fn looks_secret(text: &str) -> bool {
    let key = text.len() >= 20 && text.bytes().all(|b| b.is_ascii_alphanumeric()) && text.bytes().any(|b| b.is_ascii_digit());
    key || text.contains("://") || text.starts_with("whsec_")
}
