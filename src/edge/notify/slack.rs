//! Slack incoming webhooks: Block Kit from the parts a template renders.
//!
//! Invariant: whatever the facts say, the body is valid JSON within Slack's limits, because the parts are put into it as text and cut there; a template
//! cannot break it.

use super::templates::{SLACK_PARTS, Templates};
use super::{RenderError, text};
use crate::engine::alert::Notification;
use serde_json::{Value, json};

/// Slack's limits, in characters.
const MAX_TEXT: usize = 3_000;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3_000;
const MAX_FIELD: usize = 2_000;
const MAX_FIELDS: usize = 10;

/// The body for a notification.
pub(super) fn body(templates: &Templates, notification: &Notification) -> Result<Vec<u8>, RenderError> {
    let [text, header, body, fields, context] = templates.parts("slack", SLACK_PARTS, notification)?;
    if text.is_empty() {
        return Err(RenderError::Empty { part: "text" });
    }
    let fields: Vec<Value> = paragraphs(&fields).take(MAX_FIELDS).map(|field| mrkdwn(field, MAX_FIELD)).collect();
    let mut blocks = Vec::new();
    if !header.is_empty() {
        let title = text::cut_escaped(&header.replace('\n', " "), MAX_HEADER);
        blocks.push(json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": true}}));
    }
    if !body.is_empty() {
        blocks.push(json!({"type": "section", "text": mrkdwn(&body, MAX_SECTION)}));
    }
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if !context.is_empty() {
        blocks.push(json!({"type": "context", "elements": [mrkdwn(&context, MAX_FIELD)]}));
    }
    let message = json!({
        "text": text::cut_escaped(&text, MAX_TEXT),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    Ok(message.to_string().into_bytes())
}

/// A text object; `verbatim` keeps Slack from turning names into links and mentions.
fn mrkdwn(text: &str, max: usize) -> Value {
    json!({"type": "mrkdwn", "text": text::cut_escaped(text, max), "verbatim": true})
}

/// The pieces of a text that empty lines separate.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
}
