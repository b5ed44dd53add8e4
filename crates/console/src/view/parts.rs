//! Parts that many pages share: times, sentences made of pieces, badges, forms, lists cut into pages.
//! A part must never hold HTML. `Time` alone writes its own element, from digits and fixed words.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// 0001-01-01T00:00:00Z, in milliseconds since 1970.
const FIRST_MS: i64 = -62_135_596_800_000;
/// 9999-12-30T00:00:00Z, in milliseconds since 1970.
const LAST_MS: i64 = 253_402_128_000_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// "2 minutes ago", "In 9 days"; after 30 days the date. It begins with a capital letter.
    Relative,
    /// The same inside a sentence: "in 9 days".
    Inside,
    /// "4 Mar 2026".
    Date,
    /// "4 Mar 2026, 14:41 UTC".
    DateTime,
}

impl Show {
    /// The word in `data-format`, from which the script writes the time in the viewer's zone.
    fn word(self) -> &'static str {
        match self {
            Show::Relative => "relative",
            Show::Inside => "inside",
            Show::Date => "date",
            Show::DateTime => "datetime",
        }
    }
}

/// A time on a page. Without script it is shown in UTC; with script in the viewer's zone.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// Milliseconds since 1970, UTC.
    pub ms: i64,
    /// When the page is made, for "2 minutes ago". Milliseconds since 1970, UTC.
    pub now_ms: i64,
    /// How it is written.
    pub show: Show,
}

impl Time {
    /// "2 minutes ago" or "In 9 days".
    pub fn relative(ms: i64, now_ms: i64) -> Time {
        Time { ms, now_ms, show: Show::Relative }
    }

    /// "in 9 days", inside a sentence.
    pub fn inside(ms: i64, now_ms: i64) -> Time {
        Time { ms, now_ms, show: Show::Inside }
    }

    /// "4 Mar 2026".
    pub fn date(ms: i64, now_ms: i64) -> Time {
        Time { ms, now_ms, show: Show::Date }
    }

    /// The same time as a distance inside a sentence.
    pub fn inside_now(&self) -> Time {
        Time { show: Show::Inside, ..*self }
    }

    /// "4 Mar 2026, 14:41 UTC".
    pub fn datetime(ms: i64, now_ms: i64) -> Time {
        Time { ms, now_ms, show: Show::DateTime }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = civil(self.ms);
        let machine = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let title = at.strftime("%-d %b %Y, %H:%M:%S UTC");
        write!(f, "<time datetime=\"{machine}\" data-format=\"{}\" title=\"{title}\">", self.show.word())?;
        match self.show {
            Show::Relative => f.write_str(&capital(&distance(self.ms, self.now_ms)))?,
            Show::Inside => f.write_str(&distance(self.ms, self.now_ms))?,
            Show::Date => write!(f, "{}", at.strftime("%-d %b %Y"))?,
            Show::DateTime => write!(f, "{}", at.strftime("%-d %b %Y, %H:%M UTC"))?,
        }
        f.write_str("</time>")
    }
}

// It writes its own element, and nothing in it comes from outside: numbers and fixed words alone.
impl askama::filters::HtmlSafe for Time {}

fn civil(ms: i64) -> DateTime {
    let instant = Timestamp::from_millisecond(ms.clamp(FIRST_MS, LAST_MS)).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::UTC.to_datetime(instant)
}

/// How far a time is from now, in words; beyond 90 days the date.
fn distance(ms: i64, now_ms: i64) -> String {
    let away_ms = ms.saturating_sub(now_ms);
    let size_ms = away_ms.saturating_abs();
    // What lies ahead is rounded, so that a token of 60 days ends "in 60 days" a moment later too.
    let whole = |unit_ms: i64| if away_ms > 0 { (size_ms + unit_ms / 2) / unit_ms } else { size_ms / unit_ms };
    let (count, unit) = match size_ms {
        0..MINUTE_MS => return if away_ms > 0 { "in a moment".into() } else { "just now".into() },
        MINUTE_MS..HOUR_MS => (whole(MINUTE_MS), "minute"),
        HOUR_MS..DAY_MS => (whole(HOUR_MS), "hour"),
        size if size <= 90 * DAY_MS => (whole(DAY_MS), "day"),
        _ => return civil(ms).strftime("%-d %b %Y").to_string(),
    };
    let plural = if count == 1 { "" } else { "s" };
    if away_ms > 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

/// The words with a capital first letter; they are ASCII.
fn capital(words: &str) -> String {
    let (first, rest) = words.split_at_checked(1).unwrap_or((words, ""));
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// What a colour stands for. Words always say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// Something to know.
    Info,
    /// It is well.
    Good,
    /// A person should look.
    Warning,
    /// Something stopped or will stop.
    Danger,
}

impl Tone {
    /// The ending of the style's class.
    pub fn css(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Info => "info",
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Danger => "danger",
        }
    }

    /// The name of the icon that goes with it.
    pub fn icon(self) -> &'static str {
        match self {
            Tone::Plain | Tone::Info => "info",
            Tone::Good => "check",
            Tone::Warning => "triangle-alert",
            Tone::Danger => "circle-x",
        }
    }
}

/// A word or two in a frame, such as "Still refused".
#[derive(Debug, Clone)]
pub struct Badge {
    pub text: String,
    pub tone: Tone,
}

impl Badge {
    /// A badge of these words.
    pub fn new(text: impl Into<String>, tone: Tone) -> Badge {
        Badge { text: text.into(), tone }
    }
}

/// Words that lead somewhere.
#[derive(Debug, Clone)]
pub struct Link {
    pub label: String,
    /// A path of the console.
    pub href: String,
}

impl Link {
    /// A link with these words.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Link {
        Link { label: label.into(), href: href.into() }
    }
}

/// A piece of a sentence.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The words; blanks between pieces are part of them.
    pub text: String,
    /// Half bold: a name in focus.
    pub strong: bool,
    /// A word of the wire, in the monospaced face.
    pub code: bool,
    /// Where the words lead.
    pub href: Option<String>,
    /// A time instead of words.
    pub time: Option<Time>,
}

impl Piece {
    /// Plain words.
    pub fn plain(text: impl Into<String>) -> Piece {
        Piece { text: text.into(), strong: false, code: false, href: None, time: None }
    }

    /// A name in focus.
    pub fn strong(text: impl Into<String>) -> Piece {
        Piece { strong: true, ..Piece::plain(text) }
    }

    /// A word of the wire.
    pub fn code(text: impl Into<String>) -> Piece {
        Piece { code: true, ..Piece::plain(text) }
    }

    /// Words that lead somewhere.
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Piece {
        Piece { href: Some(href.into()), ..Piece::plain(text) }
    }

    /// A time.
    pub fn time(time: Time) -> Piece {
        Piece { time: Some(time), ..Piece::plain("") }
    }
}

/// A sentence of pieces, so that names can stand out and lead somewhere.
pub type Sentence = Vec<Piece>;

/// What is wrong with a field, or with the whole form.
#[derive(Debug, Clone)]
pub struct FieldError {
    /// The `id` of the field, which is also its name; empty for the form as a whole.
    pub field: String,
    /// What is wrong and what would be right, one sentence.
    pub text: String,
}

/// What each form carries besides its fields.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// The one-use id; sent as `form`.
    pub id: String,
    /// The revision on which the page was made; sent as `revision` when a thing is edited.
    pub revision: Option<String>,
    /// What was wrong with what was sent. The page's title then begins with "Error: ".
    pub errors: Vec<FieldError>,
}

impl Form {
    /// What is wrong with a field.
    pub fn error_of(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == field).map(|e| e.text.as_str())
    }
}

/// A field that was typed and is carried along, hidden.
#[derive(Debug, Clone)]
pub struct Kept {
    pub name: String,
    pub value: String,
}

/// Where in a long list the page stands.
#[derive(Debug, Clone)]
pub struct Pager {
    /// For example "1 to 50 of 1,234".
    pub words: String,
    /// The address of the page before.
    pub previous: Option<String>,
    /// The address of the page after.
    pub next: Option<String>,
}

/// A choice of views or filters, drawn as tabs; each is a link.
#[derive(Debug, Clone)]
pub struct Tab {
    pub label: String,
    pub href: String,
    /// For example "7".
    pub count: Option<String>,
    pub current: bool,
}

/// One bar of a small chart, in its own units.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    pub x: usize,
    pub y: u64,
    pub height: u64,
}

/// A small chart of uses a day, the oldest day first.
#[derive(Debug, Clone)]
pub struct Chart {
    pub bars: Vec<Bar>,
    /// The width of the picture in its own units.
    pub width: usize,
    /// The same in words, for who doesn't see it: "1,110 uses in 30 days, 37 a day".
    pub alt: String,
}

impl Chart {
    /// The height of the picture in its own units.
    const HEIGHT: u64 = 24;

    /// A chart of these counts. A day with a use always shows a bar.
    pub fn of(days: &[u64], alt: impl Into<String>) -> Chart {
        let most = days.iter().copied().max().unwrap_or(0).max(1);
        let bar = |(i, count): (usize, &u64)| {
            let height = (count.saturating_mul(Chart::HEIGHT) / most).clamp(2, Chart::HEIGHT);
            Bar { x: i * 4, y: Chart::HEIGHT - height, height }
        };
        let bars = days.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect();
        Chart { bars, width: days.len() * 4, alt: alt.into() }
    }
}

/// Whose page it is, at the head of the pages about one system user.
#[derive(Debug, Clone)]
pub struct UserHead {
    pub id: String,
    pub name: String,
    /// Its page.
    pub href: String,
    /// "Employee" or "Admin".
    pub role: String,
    /// Whether it is an ADMIN.
    pub admin: bool,
    /// False while it is deactivated.
    pub active: bool,
}

/// When and from where something was last used.
#[derive(Debug, Clone)]
pub struct LastUse {
    pub at: Time,
    /// The network address, as text.
    pub from: Option<String>,
    /// What it did: "published a post".
    pub did: Option<String>,
}
