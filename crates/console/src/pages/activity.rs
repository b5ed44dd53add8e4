//! Activity: the ledger as a readable timeline, and its export.

use jiff::civil::{Date, Time as Clock};
use jiff::tz::Offset;
use valetkey_http::Reply;
use valetkey_service::activity::{
    ActivityDetail, ActivityFilter, ActivityGroup, ActivityLine, ExportFormat, Phrase, Piece as Part, Sort,
};

use crate::failure::Failure;
use crate::shell;
use crate::view::activity::{ActivityPage, Choice, Field, Line, Record};
use crate::view::parts::{Badge, Piece, Sentence, Time, Tone};
use crate::visit::{Visit, page};
use crate::web::reply;

const HERE: &str = "/console/activity";
/// How many lines a page has.
const LINES: usize = 25;
/// How many lines one download has at most: it is made in memory.
const EXPORT_LINES: usize = 8_000;
/// How many records of one entry are written out.
const RECORDS: usize = 3;

/// The timeline.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let now = visit.now();
    let filter = filter(&visit);
    let before = visit.query.text("before").and_then(|text| text.parse().ok());
    let found = visit.service.activity(&visit.call, &filter, before, LINES).await?;
    let chosen = visit.query.text("group").unwrap_or_default();
    let group = |group: ActivityGroup| Choice {
        word: group.as_str().to_owned(),
        label: title(group).to_owned(),
        chosen: group.as_str() == chosen,
    };
    let all = Choice { word: String::new(), label: "Every kind of act".to_owned(), chosen: filter.group.is_none() };
    page(&ActivityPage {
        shell: shell::of(&visit, "Activity", HERE),
        query: visit.query.typed("q"),
        groups: std::iter::once(all).chain(ActivityGroup::ALL.map(group)).collect(),
        since: visit.query.typed("since"),
        until: visit.query.typed("until"),
        verified: verified(&visit, now).await?,
        lines: found.lines.iter().map(|entry| line(entry, now)).collect(),
        next: found.next.map(|next| address(&visit, HERE, Some(next))),
        looked_back: found.looked_back.map(|back| Time::datetime(back.at, now)),
        csv: address(&visit, "/console/activity/export-csv", None),
        jsonl: address(&visit, "/console/activity/export-jsonl", None),
    })
}

/// The same as a file: comma-separated values.
///
/// # Errors
/// The refusal.
pub async fn csv(visit: Visit) -> Result<Reply, Failure> {
    export(&visit, ExportFormat::Csv).await
}

/// The same as a file: one JSON object a line.
///
/// # Errors
/// The refusal.
pub async fn jsonl(visit: Visit) -> Result<Reply, Failure> {
    export(&visit, ExportFormat::JsonLines).await
}

async fn export(visit: &Visit, format: ExportFormat) -> Result<Reply, Failure> {
    let made = visit.service.activity_export(&visit.call, filter(visit), format)?;
    let mut made = made.at_most(EXPORT_LINES);
    let mut body = String::new();
    while let Some(part) = made.next_part().await? {
        body.push_str(&part);
    }
    Ok(reply::download(format.media_type(), &format!("activity.{}", format.extension()), body))
}

fn filter(visit: &Visit) -> ActivityFilter {
    let day = |name: &str| visit.query.text(name).and_then(|text| text.parse::<Date>().ok());
    let start =
        |day: Date| Offset::UTC.to_timestamp(day.to_datetime(Clock::midnight())).ok().map(|at| at.as_millisecond());
    ActivityFilter {
        business: Some(visit.who.business),
        about: visit.query.id("about"),
        group: visit.query.text("group").and_then(ActivityGroup::parse),
        since: day("since").and_then(start),
        // The last day is meant as a whole.
        until: day("until").and_then(|day| start(day.tomorrow().ok()?)),
        text: visit.query.text("q").map(str::to_owned),
        ..ActivityFilter::default()
    }
}

/// An address with the filter kept.
fn address(visit: &Visit, path: &str, before: Option<u64>) -> String {
    let is_kept = |name: &str| ["q", "group", "since", "until", "about"].contains(&name);
    let kept = visit.query.fields().iter().filter(|(name, value)| is_kept(name) && !value.is_empty());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept);
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn title(group: ActivityGroup) -> &'static str {
    match group {
        ActivityGroup::Business => "Business",
        ActivityGroup::People => "People",
        ActivityGroup::SystemUsers => "System users",
        ActivityGroup::Apps => "Apps",
        ActivityGroup::Assets => "Assets",
        ActivityGroup::Access => "Access",
        ActivityGroup::Tokens => "Tokens",
        ActivityGroup::Content => "Content",
        ActivityGroup::Jobs => "Jobs",
    }
}

/// What the last check of the whole chain found.
async fn verified(visit: &Visit, now: i64) -> Result<Option<(Badge, Sentence)>, Failure> {
    let Some(found) = visit.service.last_verification().await? else {
        let text = vec![Piece::plain("The chain is verified once a day, the first time some minutes after a start.")];
        return Ok(Some((Badge::new("Not verified yet", Tone::Plain), text)));
    };
    let (badge, said) = if found.is_ok() {
        (Badge::new("Verified", Tone::Good), "Nothing was altered up to revision ")
    } else {
        (
            Badge::new("Does not verify", Tone::Danger),
            "Something was altered. The operator finds out what with valetkey ledger verify. Checked up to revision ",
        )
    };
    let revision = Piece::plain(format!("{said}{}, ", found.revision));
    Ok(Some((badge, vec![revision, Piece::time(Time::inside(found.at, now)), Piece::plain(".")])))
}

fn line(entry: &ActivityLine, now: i64) -> Line {
    let (records, note) = match &entry.detail {
        ActivityDetail::Known(changes) => {
            // What was made or removed is in the sentence; a table of it would say "nothing" on one side.
            let is_change = |record: &&valetkey_service::activity::RecordChange| {
                record.fields.iter().any(|field| field.before.is_some())
                    && record.fields.iter().any(|field| field.after.is_some())
            };
            let records = changes.records.iter().filter(is_change).take(RECORDS);
            let record = |record: &valetkey_service::activity::RecordChange| Record {
                title: sentence(&record.record, now),
                fields: record
                    .fields
                    .iter()
                    .map(|field| Field {
                        label: field.label,
                        before: field.before.as_ref().map(|phrase| sentence(phrase, now)).unwrap_or_default(),
                        after: field.after.as_ref().map(|phrase| sentence(phrase, now)).unwrap_or_default(),
                    })
                    .collect(),
            };
            (records.map(record).collect(), None)
        }
        ActivityDetail::Gone => (Vec::new(), Some("What changed was erased; the chain still verifies.")),
        ActivityDetail::Unreadable => {
            (Vec::new(), Some("A newer version wrote this; what changed can't be read here."))
        }
    };
    Line {
        revision: entry.revision.to_string(),
        at: Time::relative(entry.at, now),
        sentence: sentence(&entry.sentence, now),
        narrows: entry.narrows,
        records,
        note,
    }
}

fn sentence(phrase: &Phrase, now: i64) -> Sentence {
    let piece = |part: &Part| match part {
        Part::Text(text) => Piece::plain(text.clone()),
        Part::Time(at) => Piece::time(Time::datetime(*at, now)),
        Part::Named(named) => {
            let href = match named.sort {
                Sort::Person => Some(format!("/console/people/{}", named.id)),
                Sort::SystemUser => Some(format!("/console/system-users/{}", named.id)),
                Sort::App => Some(format!("/console/apps/{}", named.id)),
                Sort::Asset => Some(format!("/console/assets/{}", named.id)),
                Sort::Token => Some(format!("/console/tokens/{}", named.id)),
                Sort::Post | Sort::Campaign => Some(format!("/console/content/{}", named.id)),
                Sort::Business | Sort::Job | Sort::Unknown => None,
            };
            match href.filter(|_| named.is_there) {
                Some(href) => Piece::link(named.text(), href),
                None => Piece::strong(named.text()),
            }
        }
    };
    phrase.pieces().iter().map(piece).collect()
}
