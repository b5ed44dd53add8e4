//! Posts of a Page: what may be published, when, and how a post changes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::{AppId, UnixMs, UserId};

/// A scheduled post is published at least this far ahead: 10 minutes.
pub const SCHEDULE_MIN_MS: UnixMs = 10 * 60 * 1000;
/// And at most this far: 75 days.
pub const SCHEDULE_MAX_MS: UnixMs = 75 * 24 * 60 * 60 * 1000;
/// The longest message, in bytes.
pub const MESSAGE_LIMIT_BYTES: usize = 63_206;
/// The longest link, in bytes.
pub const LINK_LIMIT_BYTES: usize = 8_192;

/// Where a post stands. Lists filter by the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostState {
    Published,
    Scheduled,
    Unpublished,
}

impl PostState {
    pub fn as_str(self) -> &'static str {
        match self {
            PostState::Published => "published",
            PostState::Scheduled => "scheduled",
            PostState::Unpublished => "unpublished",
        }
    }
}

/// A post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Post {
    pub message: Option<String>,
    pub link: Option<String>,
    pub state: PostState,
    pub scheduled_at: Option<UnixMs>,
    #[serde(default)]
    pub hidden: bool,
    /// Who published it, and through which app.
    pub author: Option<UserId>,
    pub app: Option<AppId>,
    /// Why a scheduled post was not published, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Further accepted parameters, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub more: Map<String, Value>,
}

/// What a caller says about a post; absent leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct PostInput {
    pub message: Option<String>,
    pub link: Option<String>,
    pub published: Option<bool>,
    pub scheduled_at: Option<UnixMs>,
    pub hidden: Option<bool>,
    pub more: Map<String, Value>,
}

impl PostInput {
    fn check_texts(&self) -> Result<(), Refusal> {
        if self.message.as_ref().is_some_and(|m| m.len() > MESSAGE_LIMIT_BYTES) {
            return Err(Refusal::invalid("message", "at most 63206 bytes"));
        }
        if let Some(link) = &self.link {
            let web = link.starts_with("https://") || link.starts_with("http://");
            if !web || link.len() > LINK_LIMIT_BYTES || link.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err(Refusal::invalid("link", "a web address that begins with https:// or http://"));
            }
        }
        Ok(())
    }
}

fn check_schedule(at: UnixMs, now: UnixMs) -> Result<(), Refusal> {
    if (now + SCHEDULE_MIN_MS..=now + SCHEDULE_MAX_MS).contains(&at) {
        return Ok(());
    }
    Err(Refusal::invalid("scheduled_publish_time", "10 minutes to 75 days ahead")
        .with_note("The specified scheduled publish time is invalid."))
}

impl Post {
    /// A new post.
    pub fn create(input: PostInput, author: Option<UserId>, app: Option<AppId>, now: UnixMs) -> Result<Post, Refusal> {
        input.check_texts()?;
        let empty = |text: &Option<String>| text.as_ref().is_none_or(|t| t.trim().is_empty());
        if empty(&input.message) && empty(&input.link) && !input.more.contains_key("attached_media") {
            return Err(Refusal::invalid("message", "a message, a link or attached media").with_value("empty_post"));
        }
        let published = input.published.unwrap_or(true);
        let state = match input.scheduled_at {
            Some(_) if published => {
                return Err(Refusal::invalid("published", "false for a scheduled post")
                    .with_note("The specified scheduled publish time is invalid."));
            }
            Some(at) => {
                check_schedule(at, now)?;
                PostState::Scheduled
            }
            None if published => PostState::Published,
            None => PostState::Unpublished,
        };
        Ok(Post {
            message: input.message,
            link: input.link,
            state,
            scheduled_at: input.scheduled_at,
            hidden: input.hidden.unwrap_or(false),
            author,
            app,
            failed: None,
            more: input.more,
        })
    }

    /// The post with changes.
    pub fn edit(mut self, input: PostInput, now: UnixMs) -> Result<Post, Refusal> {
        input.check_texts()?;
        if let Some(message) = input.message {
            if message.trim().is_empty() && self.link.is_none() {
                return Err(Refusal::invalid("message", "not empty"));
            }
            self.message = Some(message);
        }
        if input.link.is_some() {
            return Err(Refusal::invalid("link", "left as it is; the link of a post can't be changed"));
        }
        if let Some(hidden) = input.hidden {
            self.hidden = hidden;
        }
        if let Some(at) = input.scheduled_at {
            if self.state == PostState::Published {
                return Err(Refusal::invalid(
                    "scheduled_publish_time",
                    "given only for a post that is not published yet",
                ));
            }
            check_schedule(at, now)?;
            self.state = PostState::Scheduled;
            self.scheduled_at = Some(at);
            self.failed = None;
        }
        match input.published {
            Some(true) => {
                self.state = PostState::Published;
                self.scheduled_at = None;
                self.failed = None;
            }
            Some(false) if self.state == PostState::Published => {
                return Err(Refusal::invalid("is_published", "true; a published post can be deleted or hidden"));
            }
            _ => {}
        }
        self.more.extend(input.more);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = 1_790_000_000_000;

    fn message(text: &str) -> PostInput {
        PostInput { message: Some(text.to_owned()), ..PostInput::default() }
    }

    #[test]
    fn a_post_needs_something_to_say() {
        assert!(Post::create(message("  "), None, None, NOW).is_err());
        assert!(Post::create(PostInput::default(), None, None, NOW).is_err());
        assert_eq!(Post::create(message("hi"), None, None, NOW).unwrap().state, PostState::Published);
        let bad = PostInput { link: Some("javascript:alert(1)".into()), ..message("x") };
        assert!(Post::create(bad, None, None, NOW).is_err());
    }

    #[test]
    fn a_schedule_keeps_its_window_and_needs_published_false() {
        for (ahead_ms, published, ok) in [
            (SCHEDULE_MIN_MS - 1, Some(false), false),
            (SCHEDULE_MIN_MS, Some(false), true),
            (SCHEDULE_MAX_MS, Some(false), true),
            (SCHEDULE_MAX_MS + 1, Some(false), false),
            (SCHEDULE_MIN_MS, Some(true), false),
            (SCHEDULE_MIN_MS, None, false),
        ] {
            let input = PostInput { published, scheduled_at: Some(NOW + ahead_ms), ..message("later") };
            assert_eq!(Post::create(input, None, None, NOW).is_ok(), ok, "{ahead_ms} {published:?}");
        }
    }

    #[test]
    fn publishing_is_not_undone() {
        let post = Post::create(message("hi"), None, None, NOW).unwrap();
        let hide = PostInput { published: Some(false), ..PostInput::default() };
        assert!(post.clone().edit(hide, NOW).is_err());
        assert_eq!(post.edit(message("new"), NOW).unwrap().message.as_deref(), Some("new"));
    }
}
