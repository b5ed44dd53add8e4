//! The refusals of late about one thing, in short, for the page of that thing.

use valetkey_service::explain::{Answer, RefusalFilter, RefusalLine};

use crate::failure::Failure;
use crate::view::asset::RefusedRow;
use crate::view::parts::{Badge, Time, Tone};
use crate::visit::Visit;

/// How many are looked through for those that are wanted.
const LOOKED_AT: usize = 200;
/// How many stand on a page.
const SHOWN: usize = 5;

/// The newest refusals that a filter leaves and that are wanted. Only ADMINs may read them.
///
/// # Errors
/// The refusal.
pub async fn rows(
    visit: &Visit,
    filter: RefusalFilter,
    wanted: impl Fn(&RefusalLine) -> bool,
) -> Result<Vec<RefusedRow>, Failure> {
    let filter = RefusalFilter { is_grouped: true, ..filter };
    let found = visit.service.refusals_page(&visit.call, &filter, None, LOOKED_AT).await?;
    let now = visit.now();
    Ok(found.rows.iter().filter(|line| wanted(line)).take(SHOWN).map(|line| row(line, now)).collect())
}

fn row(line: &RefusalLine, now: i64) -> RefusedRow {
    let judged = if line.now == Answer::Passes {
        Badge::new("Would pass", Tone::Good)
    } else if matches!(line.now, Answer::Refused(_)) {
        Badge::new("Still refused", Tone::Danger)
    } else {
        Badge::new("Not asked again", Tone::Plain)
    };
    RefusedRow {
        at: Time::relative(line.at, now),
        what: line.said.short.clone(),
        why: line.said.because.clone(),
        now: judged,
        href: format!("/console/refusals/{}", line.trace),
    }
}
