//! Lists that are shown a page at a time: where a page begins, and the ways to its neighbours. Filters
//! stay in the address, so that each state of a list can be linked.

use crate::names;
use crate::view::parts::Pager;
use crate::visit::Visit;

/// How many rows stand on one page.
pub const PAGE_SIZE: usize = 50;

/// At which row the page begins.
pub fn from(visit: &Visit) -> usize {
    visit.query.text("from").and_then(|text| text.parse::<usize>().ok()).unwrap_or_default()
}

/// The address of this list with one field changed, or taken away; it begins at the first row again.
pub fn href(visit: &Visit, path: &str, field: &str, value: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, kept) in visit.query.fields() {
        if name != field && name != "from" && name != "done" && !kept.is_empty() {
            query.append_pair(name, kept);
        }
    }
    if let Some(value) = value {
        query.append_pair(field, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Where a cut list stands. `total` is left out when nobody counted; `None` if the list isn't cut.
pub fn pager(visit: &Visit, path: &str, shown: usize, more: bool, total: Option<usize>) -> Option<Pager> {
    let from = from(visit);
    if from == 0 && !more {
        return None;
    }
    let last = from + shown;
    let range =
        if shown == 0 { "None".to_owned() } else { format!("{} to {}", names::count(from + 1), names::count(last)) };
    let at = |from: usize| href(visit, path, "from", (from > 0).then(|| from.to_string()).as_deref());
    Some(Pager {
        words: total.map_or_else(|| range.clone(), |total| format!("{range} of {}", names::count(total))),
        previous: (from > 0).then(|| at(from.saturating_sub(PAGE_SIZE))),
        next: more.then(|| at(last)),
    })
}
