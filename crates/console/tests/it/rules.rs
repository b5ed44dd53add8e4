//! What must hold for every reply of the console: its headers, and how its page is written.

use std::collections::HashSet;

use http::Method;
use valetkey_console::routes;

use crate::fixture::{Answer, ORIGIN};
use crate::html::{self, Part, Tag};

/// What is wrong with a reply; nothing for a good one.
pub fn faults(answer: &Answer, of: &str) -> Vec<String> {
    let mut faults = headers(answer);
    if answer.is_html() {
        faults.extend(page(&answer.html));
    } else if answer.code() == 303 {
        faults.extend(led(answer.location()));
    }
    faults.into_iter().map(|fault| format!("{of}: {fault}")).collect()
}

fn headers(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        if answer.header(name) != value {
            faults.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    let policy = answer.header("content-security-policy");
    let script = format!("script-src {ORIGIN}/console/static/console.js;");
    let style = format!("style-src {ORIGIN}/console/static/console.css;");
    for part in [
        "default-src 'none';",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        script.as_str(),
        style.as_str(),
    ] {
        if !policy.contains(part) {
            faults.push(format!("the policy has no {part}: {policy}"));
        }
    }
    for part in ["unsafe", "data:", "blob:", "*"] {
        if policy.contains(part) {
            faults.push(format!("the policy has {part}: {policy}"));
        }
    }
    if answer.headers.get("content-type").is_none() && !answer.html.is_empty() {
        faults.push("a body without a type".to_owned());
    }
    faults
}

fn led(location: &str) -> Vec<String> {
    let is_own = location.starts_with("/console") && is_route(&Method::GET, location);
    if is_own { Vec::new() } else { vec![format!("leads to {location}, where no page is")] }
}

/// Whether a path, with or without query, is one of the console's.
pub fn is_route(method: &Method, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    routes().iter().filter(|route| route.method == *method).any(|route| {
        let wanted: Vec<&str> = route.path.split('/').collect();
        wanted.len() == parts.len() && wanted.iter().zip(&parts).all(|(wanted, part)| *wanted == "{}" || wanted == part)
    })
}

/// What is wrong with a page.
pub fn page(text: &str) -> Vec<String> {
    let parts = html::read(text);
    let mut faults = Vec::new();
    if !text.starts_with("<!doctype html>") {
        faults.push("no doctype at the beginning".to_owned());
    }
    faults.extend(nesting(&parts));
    faults.extend(code(&parts));
    faults.extend(head(&parts));
    faults.extend(links(&parts));
    faults.extend(ids(&parts));
    faults.extend(names(&parts));
    faults
}

/// Each end tag closes the element that is open, and a paragraph holds no block: a browser would end it.
fn nesting(parts: &[Part]) -> Vec<String> {
    const BLOCKS: [&str; 16] = [
        "p", "div", "ul", "ol", "dl", "table", "section", "form", "h1", "h2", "h3", "pre", "nav", "article", "hr",
        "fieldset",
    ];
    let mut open: Vec<&str> = Vec::new();
    for part in parts {
        match part {
            Part::Open(tag) => {
                if BLOCKS.contains(&tag.name.as_str()) && open.contains(&"p") {
                    return vec![format!("<{}> inside <p>", tag.name)];
                }
                let is_twice = ["a", "button", "label"].contains(&tag.name.as_str())
                    && open.iter().any(|name| ["a", "button"].contains(name) || *name == tag.name);
                if is_twice {
                    return vec![format!("<{}> inside {open:?}", tag.name)];
                }
                if !tag.is_void() {
                    open.push(&tag.name);
                }
            }
            Part::Close(name) => {
                let last = open.pop();
                if last != Some(name.as_str()) {
                    return vec![format!("</{name}> closes {last:?}, in {open:?}")];
                }
            }
            Part::Text(_) => {}
        }
    }
    if open.is_empty() { Vec::new() } else { vec![format!("never closed: {open:?}")] }
}

/// No code and no style in the page itself, and nothing that loads from elsewhere.
fn code(parts: &[Part]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_script = false;
    for part in parts {
        match part {
            Part::Open(tag) => {
                if ["style", "iframe", "object", "embed", "base", "template"].contains(&tag.name.as_str()) {
                    faults.push(format!("<{}>", tag.name));
                }
                in_script = tag.name == "script";
                if in_script && !tag.get("src").unwrap_or_default().starts_with("/console/static/") {
                    faults.push(format!("a script from {:?}", tag.get("src")));
                }
                let is_code = |name: &str| name.starts_with("on") || ["style", "srcdoc", "formaction"].contains(&name);
                faults.extend(tag.attributes.iter().filter(|(name, _)| is_code(name)).map(|(n, v)| format!("{n}={v}")));
            }
            Part::Text(text) if in_script && !text.trim().is_empty() => faults.push("a script in the page".to_owned()),
            Part::Close(_) => in_script = false,
            Part::Text(_) => {}
        }
    }
    faults
}

fn head(parts: &[Part]) -> Vec<String> {
    let mut faults = Vec::new();
    let count = |name: &str| html::tags(parts).filter(|tag| tag.name == name).count();
    for name in ["title", "h1", "main", "html", "body"] {
        if count(name) != 1 {
            faults.push(format!("{} <{name}>", count(name)));
        }
    }
    for name in ["title", "h1"] {
        if text_of(parts, name).trim().is_empty() {
            faults.push(format!("<{name}> is empty"));
        }
    }
    let lang = html::tags(parts).find(|tag| tag.name == "html").and_then(|tag| tag.get("lang"));
    if lang.is_none_or(str::is_empty) {
        faults.push("no lang".to_owned());
    }
    let has = |name: &str, value: &str| html::tags(parts).any(|tag| tag.name == "meta" && tag.get(name) == Some(value));
    if !has("charset", "utf-8") || !has("name", "viewport") {
        faults.push("no charset or viewport".to_owned());
    }
    faults
}

/// The text inside the first element of a name.
fn text_of(parts: &[Part], name: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for part in parts {
        match part {
            Part::Open(tag) if tag.name == name => inside = true,
            Part::Close(closed) if closed == name => return out,
            Part::Text(text) if inside => out.push_str(text),
            Part::Open(_) | Part::Close(_) | Part::Text(_) => {}
        }
    }
    out
}

/// Every link and every form leads to something that exists.
fn links(parts: &[Part]) -> Vec<String> {
    let mut faults = Vec::new();
    let ids: HashSet<&str> = html::tags(parts).filter_map(|tag| tag.get("id")).collect();
    for tag in html::tags(parts) {
        match tag.name.as_str() {
            "form" => {
                let action = tag.get("action").unwrap_or_default();
                let method = match tag.get("method").unwrap_or("get") {
                    "post" => Method::POST,
                    "get" => Method::GET,
                    other => {
                        faults.push(format!("a form by {other}"));
                        continue;
                    }
                };
                if !is_route(&method, action) {
                    faults.push(format!("a form by {method} to {action:?}, which takes none"));
                }
            }
            "a" => faults.extend(link(tag, &ids)),
            "link" | "script" | "img" | "use" | "source" => {
                let from = tag.get("href").or(tag.get("src")).unwrap_or_default();
                if !is_file(from) {
                    faults.push(format!("<{}> loads {from:?}", tag.name));
                }
            }
            _ => {}
        }
    }
    faults
}

fn link(tag: &Tag, ids: &HashSet<&str>) -> Option<String> {
    let href = tag.get("href").unwrap_or_default();
    if let Some(id) = href.strip_prefix('#') {
        return (!ids.contains(id)).then(|| format!("#{id} is not on the page"));
    }
    let is_fine = if href.starts_with("/console") {
        is_route(&Method::GET, href)
    } else {
        let is_apart = tag.get("rel").is_some_and(|rel| rel.contains("noopener") || rel.contains("noreferrer"));
        href.starts_with("https://") && is_apart
    };
    (!is_fine).then(|| format!("a link to {href:?}, where no page is"))
}

/// Whether an address is one of the console's own files. Icons are named inside theirs.
fn is_file(address: &str) -> bool {
    const ICONS: &str = include_str!("../../static/icons.svg");
    let (file, id) = address.split_once('#').unwrap_or((address, ""));
    let path = file.split('?').next().unwrap_or_default();
    match path.strip_prefix("/console/static/") {
        Some("console.css" | "console.js" | "mark.svg") => true,
        Some("icons.svg") => !id.is_empty() && ICONS.contains(&format!("id=\"{id}\"")),
        Some(_) | None => false,
    }
}

/// An id stands once, and what points to one finds it.
fn ids(parts: &[Part]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = HashSet::new();
    for id in html::tags(parts).filter_map(|tag| tag.get("id")) {
        if id.is_empty() || id.contains(char::is_whitespace) || !ids.insert(id) {
            faults.push(format!("the id {id:?} twice, or none"));
        }
    }
    for tag in html::tags(parts) {
        for name in ["for", "aria-describedby", "aria-labelledby", "aria-controls", "popovertarget"] {
            for id in tag.get(name).unwrap_or_default().split_whitespace() {
                if !ids.contains(id) {
                    faults.push(format!("{name}={id:?}, which is not on the page"));
                }
            }
        }
        for name in ["data-copy", "data-live", "data-search"] {
            let id = tag.get(name).map(|target| target.trim_start_matches('#'));
            if id.is_some_and(|id| !ids.contains(id)) {
                faults.push(format!("{name}={id:?}, which is not on the page"));
            }
        }
    }
    faults
}

/// Fields have labels; links, buttons and pictures have names.
fn names(parts: &[Part]) -> Vec<String> {
    let labelled: HashSet<&str> =
        html::tags(parts).filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
    let mut faults = Vec::new();
    let mut labels = 0;
    // Links and buttons that are open, each with its text so far.
    let mut open: Vec<(&Tag, String)> = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => open.iter_mut().for_each(|(_, words)| words.push_str(text)),
            Part::Close(name) => match name.as_str() {
                "label" => labels -= 1,
                "a" | "button" => {
                    let Some((tag, words)) = open.pop() else { continue };
                    if words.trim().is_empty() && tag.get("aria-label").is_none_or(str::is_empty) {
                        faults.push(format!("<{name}> has no words: {:?}", tag.attributes));
                    }
                }
                _ => {}
            },
            Part::Open(tag) => {
                let has_name = tag.has("aria-label") || tag.has("aria-labelledby");
                let is_labelled = labels > 0 || has_name || tag.get("id").is_some_and(|id| labelled.contains(id));
                match tag.name.as_str() {
                    "label" => labels += 1,
                    "a" | "button" => open.push((tag, String::new())),
                    "input" if tag.get("type") == Some("hidden") => {}
                    "input" | "select" | "textarea" if !is_labelled => {
                        faults.push(format!("no label for {:?}", tag.attributes));
                    }
                    "img" if !tag.has("alt") => faults.push("<img> without alt".to_owned()),
                    "svg" if tag.get("aria-hidden") != Some("true") && !(tag.has("role") && has_name) => {
                        faults.push("<svg> without a name".to_owned());
                    }
                    _ => {}
                }
            }
        }
    }
    faults
}
