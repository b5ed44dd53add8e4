//! A small reader of HTML, enough for what the console writes: elements, attributes, texts, forms. It
//! is strict where browsers repair, because a repair hides a mistake in a template.

/// A part of a page, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Open(Tag),
    Close(String),
    Text(String),
}

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// Written as `<x/>`.
    pub closed: bool,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether no end tag belongs to it.
    pub fn is_void(&self) -> bool {
        const VOID: [&str; 8] = ["meta", "link", "input", "br", "hr", "img", "wbr", "col"];
        self.closed || VOID.contains(&self.name.as_str())
    }
}

/// Reads a page.
///
/// # Panics
/// On what no template of ours writes.
pub fn read(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            parts.push(Part::Text(decoded(&rest[..at])));
        }
        rest = &rest[at + 1..];
        if rest.starts_with('!') {
            assert!(rest[1..].to_ascii_lowercase().starts_with("doctype"), "a comment or worse: {rest:.60}");
            rest = after(rest, '>');
        } else if let Some(name) = rest.strip_prefix('/') {
            let end = name.find('>').unwrap_or_else(|| panic!("an end tag without end: {rest:.60}"));
            parts.push(Part::Close(name[..end].trim().to_owned()));
            rest = &name[end + 1..];
        } else {
            let (tag, left) = start_tag(rest);
            parts.push(Part::Open(tag));
            rest = left;
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(decoded(rest)));
    }
    parts
}

fn after(text: &str, end: char) -> &str {
    let at = text.find(end).unwrap_or_else(|| panic!("no {end} in {text:.60}"));
    &text[at + 1..]
}

/// Reads a start tag after its `<`.
fn start_tag(text: &str) -> (Tag, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(text.len());
    let name = text[..end].to_owned();
    assert!(!name.is_empty(), "a bare < in a page: {text:.60}");
    let mut tag = Tag { name, attributes: Vec::new(), closed: false };
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start();
        if let Some(left) = rest.strip_prefix('>') {
            return (tag, left);
        }
        if let Some(left) = rest.strip_prefix("/>") {
            tag.closed = true;
            return (tag, left);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/' | '"' | '\'' | '<'));
        let end = end.unwrap_or_else(|| panic!("a tag without end: {text:.80}"));
        assert!(end > 0, "no attribute in <{} at {rest:.60}", tag.name);
        let key = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix('=') {
            let quoted = quoted.strip_prefix('"').unwrap_or_else(|| panic!("{key} has no quotes: {text:.80}"));
            let end = quoted.find('"').unwrap_or_else(|| panic!("{key} has no end: {text:.80}"));
            assert!(!quoted[..end].contains('<'), "{key} holds a bare <: {text:.120}");
            value = decoded(&quoted[..end]);
            rest = &quoted[end + 1..];
        }
        assert!(!tag.has(&key), "{key} twice in <{}", tag.name);
        tag.attributes.push((key, value));
    }
}

/// The text behind character references.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(';').filter(|end| *end <= 8);
        let end = end.unwrap_or_else(|| panic!("a bare & in a page: {rest:.40}"));
        let known = match &rest[..end] {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "nbsp" => '\u{a0}',
            number => {
                let digits = number.strip_prefix('#').unwrap_or_else(|| panic!("&{number}; is not known"));
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                char::from_u32(code.unwrap()).unwrap()
            }
        };
        out.push(known);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

/// The tags of a page.
pub fn tags(parts: &[Part]) -> impl Iterator<Item = &Tag> {
    parts.iter().filter_map(|part| match part {
        Part::Open(tag) => Some(tag),
        Part::Close(_) | Part::Text(_) => None,
    })
}

/// All texts of a page, and the values of its fields: what a person reads there.
pub fn words(page: &str) -> String {
    let mut out = String::new();
    for part in read(page) {
        match part {
            Part::Text(text) => out.push_str(&text),
            Part::Open(tag) => {
                if let Some(value) = tag.get("value") {
                    out.push('\n');
                    out.push_str(value);
                    out.push('\n');
                }
            }
            Part::Close(_) => {}
        }
    }
    out
}

/// A form as a browser would send it.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub method: String,
    pub action: String,
    /// The fields with what they hold; of boxes those that are ticked, without buttons.
    pub fields: Vec<(String, String)>,
    /// Boxes that are not ticked.
    pub unticked: Vec<(String, String)>,
    /// The names of fields that somebody types into, with their types.
    pub typed: Vec<(String, String)>,
    /// Buttons: name and value, both empty for a plain one.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// A value of the form.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Types into a field, or chooses one of several.
    pub fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(key, _)| key != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// Ticks a box that is on the page.
    ///
    /// # Panics
    /// If there is no such box.
    pub fn tick(&mut self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        assert!(self.unticked.contains(&pair), "no box {pair:?} to tick in {:?}", self.unticked);
        self.fields.push(pair);
    }

    /// Unticks one.
    ///
    /// # Panics
    /// If it isn't ticked.
    pub fn untick(&mut self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        assert!(self.fields.contains(&pair), "no box {pair:?} is ticked in {:?}", self.fields);
        self.fields.retain(|field| *field != pair);
    }

    /// What is sent when this button is pressed.
    ///
    /// # Panics
    /// If there is no such button.
    pub fn press(&self, name: &str, value: &str) -> Vec<(String, String)> {
        let pair = (name.to_owned(), value.to_owned());
        assert!(self.buttons.contains(&pair), "no button {pair:?} in {:?}", self.buttons);
        let mut sent = self.fields.clone();
        sent.push(pair);
        sent
    }
}

/// The forms of a page.
pub fn forms(page: &str) -> Vec<Form> {
    let parts = read(page);
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    // The name of the select or text area that is open, with what was read of it.
    let mut list: Option<(String, Option<String>)> = None;
    let mut area: Option<(String, String)> = None;
    for part in &parts {
        match part {
            Part::Open(tag) if tag.name == "form" => {
                assert!(!open, "a form inside a form");
                open = true;
                let text = |name: &str| tag.get(name).unwrap_or_default().to_owned();
                forms.push(Form { method: text("method"), action: text("action"), ..Form::default() });
            }
            Part::Close(name) if name == "form" => open = false,
            Part::Open(tag) if tag.name == "select" => list = Some((tag.get("name").unwrap().to_owned(), None)),
            Part::Open(tag) if tag.name == "option" => {
                let value = tag.get("value").unwrap_or_default().to_owned();
                if let Some((_, chosen)) = &mut list
                    && (chosen.is_none() || tag.has("selected"))
                {
                    *chosen = Some(value);
                }
            }
            Part::Close(name) if name == "select" => {
                if let (Some((name, Some(value))), Some(form)) = (list.take(), forms.last_mut().filter(|_| open)) {
                    form.fields.push((name, value));
                }
            }
            Part::Open(tag) if tag.name == "textarea" => {
                area = Some((tag.get("name").unwrap().to_owned(), String::new()));
            }
            Part::Text(text) => {
                if let Some((_, typed)) = &mut area {
                    typed.push_str(text);
                }
            }
            Part::Close(name) if name == "textarea" => {
                if let (Some(field), Some(form)) = (area.take(), forms.last_mut().filter(|_| open)) {
                    form.typed.push((field.0.clone(), "textarea".to_owned()));
                    form.fields.push(field);
                }
            }
            Part::Open(tag) => {
                if let Some(form) = forms.last_mut().filter(|_| open) {
                    field(form, tag);
                }
            }
            Part::Close(_) => {}
        }
    }
    forms
}

fn field(form: &mut Form, tag: &Tag) {
    let text = |name: &str| tag.get(name).unwrap_or_default().to_owned();
    let pair = (text("name"), text("value"));
    match (tag.name.as_str(), tag.get("type").unwrap_or("text")) {
        ("button", "submit") => form.buttons.push(pair),
        ("input", "submit") => form.buttons.push(pair),
        ("input", _) if tag.has("disabled") || pair.0.is_empty() => {}
        ("input", "checkbox" | "radio") if tag.has("checked") => {
            form.fields.push((pair.0, tag.get("value").unwrap_or("on").to_owned()));
        }
        ("input", "checkbox" | "radio") => form.unticked.push(pair),
        ("input", "hidden") => form.fields.push(pair),
        ("input", kind) => {
            form.typed.push((pair.0.clone(), kind.to_owned()));
            form.fields.push(pair);
        }
        _ => {}
    }
}

/// The form of a page that is sent to this path.
///
/// # Panics
/// If there is none.
pub fn form_to(page: &str, action: &str) -> Form {
    let all = forms(page);
    let found = all.iter().find(|form| form.action == action);
    found.cloned().unwrap_or_else(|| panic!("no form to {action} on: {}", words(page)))
}

/// The text at the beginning of the element with this id.
pub fn text_of_id(page: &str, id: &str) -> Option<String> {
    let parts = read(page);
    let at = parts.iter().position(|part| matches!(part, Part::Open(tag) if tag.get("id") == Some(id)))?;
    match parts.get(at + 1) {
        Some(Part::Text(text)) => Some(text.trim().to_owned()),
        Some(Part::Open(_) | Part::Close(_)) | None => None,
    }
}
