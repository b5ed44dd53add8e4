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

/// The part of a counted list that a page shows: from which row, and up to which. `field` says where it
/// begins, for a page with several lists.
pub fn window(visit: &Visit, field: &str, count: usize) -> (usize, usize) {
    let from = visit.query.text(field).and_then(|text| text.parse::<usize>().ok()).filter(|from| *from < count);
    let from = from.unwrap_or_default();
    (from, from.saturating_add(PAGE_SIZE).min(count))
}

/// Where a counted list stands, with the ways to the rest; `None` if it isn't cut.
pub fn pager(visit: &Visit, path: &str, field: &str, count: usize) -> Option<Pager> {
    let (from, to) = window(visit, field, count);
    let range = format!("{} to {} of {}", names::count(from + 1), names::count(to), names::count(count));
    (count > PAGE_SIZE).then(|| ways(visit, path, field, (from, to), range, to < count))
}

/// The same for a list that nobody counted.
pub fn open_pager(visit: &Visit, path: &str, shown: usize, more: bool) -> Option<Pager> {
    let from = from(visit);
    let last = from.saturating_add(shown);
    let range =
        if shown == 0 { "None".to_owned() } else { format!("{} to {}", names::count(from + 1), names::count(last)) };
    (from > 0 || more).then(|| ways(visit, path, "from", (from, last), range, more))
}

fn ways(visit: &Visit, path: &str, field: &str, (from, to): (usize, usize), words: String, more: bool) -> Pager {
    let at = |from: usize| href(visit, path, field, (from > 0).then(|| from.to_string()).as_deref());
    Pager { words, previous: (from > 0).then(|| at(from.saturating_sub(PAGE_SIZE))), next: more.then(|| at(to)) }
}
