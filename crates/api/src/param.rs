//! The parameters of commands: name, type, and form on the command line. The JSON adapter, the
//! OpenAPI document, the command line, its help and its completions are all made from them. A
//! parameter must never hold a rule about rights.

use serde_json::{Value, json};
use valetkey_domain::Id;

/// A parameter. Rows make it with [`need`] or [`may`] and add what differs from the default.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// The name on the wire.
    pub name: &'static str,
    pub sort: Sort,
    pub required: bool,
    /// What it means, in sentences.
    pub doc: &'static str,
    /// The value that the server uses if it is left out.
    pub default: Option<&'static str>,
    /// The kind of object that the id names. On the command line a name may be typed instead.
    pub noun: Option<Noun>,
    /// Parameters that can't be sent together with this one.
    pub not_beside: &'static [&'static str],
    /// Exactly one of this parameter and that one must be sent.
    pub or: Option<&'static str>,
    /// It may only be sent together with that parameter.
    pub needs: Option<&'static str>,
    /// Whether its value is a secret, which no list of processes should show.
    pub secret: bool,
    /// How it is typed on the command line.
    pub typed: Typed,
}

/// How a parameter is typed on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Typed {
    /// An option such as `--name`, or a positional word.
    pub place: Place,
    /// The option's name, if it differs from the parameter's.
    pub option: Option<&'static str>,
    /// The placeholder of the value in the usage, if it does not follow from the parameter.
    pub value_name: Option<&'static str>,
    /// What the command line sends if nothing is typed, if that is not the server's default.
    pub sends: Option<&'static str>,
    /// The typed word is a file name; the value is the file's text.
    pub from_file: bool,
    /// `-` is typed, and the first line of standard input is sent: for secrets, which a list of processes
    /// would show.
    pub from_input: bool,
    /// The boolean is typed with its value, true or false, not as an option without value.
    pub with_value: bool,
    /// Another option that sets the same parameter.
    pub also: Option<Also>,
}

/// The place of a parameter on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A positional word, in the order of the row.
    Positional,
    /// `--name VALUE`, anywhere.
    Option,
}

/// A second option of the command line for the same parameter.
#[derive(Debug, Clone, Copy)]
pub struct Also {
    pub option: &'static str,
    pub doc: &'static str,
    pub spelling: Spelling,
}

/// How a second option becomes the parameter's value.
#[derive(Debug, Clone, Copy)]
pub enum Spelling {
    /// The option has no value and means this one.
    Is(&'static str),
    /// A whole number from 1 to the limit, times a factor.
    Times { factor: i64, limit: i64 },
    /// `true` means the first value and `false` the second.
    Either(&'static str, &'static str),
}

/// What an id can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    Business,
    Person,
    App,
    SystemUser,
    Asset,
    /// A system user or a person.
    User,
}

impl Noun {
    /// The `sort` values of `name.find`, one for each kind of record that is searched.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Noun::Business => &["business"],
            Noun::Person => &["person"],
            Noun::App => &["app"],
            Noun::SystemUser => &["system_user"],
            Noun::Asset => &["asset"],
            Noun::User => &["system_user", "person"],
        }
    }

    /// Its name in texts.
    pub fn title(self) -> &'static str {
        match self {
            Noun::Business => "business",
            Noun::Person => "person",
            Noun::App => "app",
            Noun::SystemUser => "system user",
            Noun::Asset => "asset",
            Noun::User => "system user or person",
        }
    }

    /// The command that lists them.
    pub fn list(self) -> &'static str {
        match self {
            Noun::Business => "business.list",
            Noun::Person => "person.list",
            Noun::App => "app.list",
            Noun::SystemUser | Noun::User => "system-user.list",
            Noun::Asset => "asset.list",
        }
    }

    /// What may be typed instead of the id.
    pub fn by(self) -> &'static str {
        match self {
            Noun::Person | Noun::User => "by name, e-mail address or id",
            Noun::Business | Noun::App | Noun::SystemUser | Noun::Asset => "by name or id",
        }
    }
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An id, as a string of digits.
    Id,
    Text,
    /// A name of 1 to 200 characters.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    Texts,
    Boolean,
    /// A whole number within these bounds.
    Integer(i64, i64),
    Object,
}

impl Sort {
    /// Completes "must be …".
    pub(crate) fn expected(self) -> String {
        match self {
            Sort::Id => "an id, as a string of 1 to 19 digits".to_owned(),
            Sort::Text => "a string".to_owned(),
            Sort::Name => "a string of 1 to 200 characters".to_owned(),
            Sort::Word(words) => format!("one of {}", words.join(", ")),
            Sort::Texts => "an array of strings".to_owned(),
            Sort::Boolean => "true or false".to_owned(),
            Sort::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Sort::Object => "an object".to_owned(),
        }
    }

    /// Whether a value is of this sort.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Sort::Id => value.as_str().is_some_and(|t| <Id>::parse(t).is_some()),
            Sort::Text | Sort::Name => value.is_string(),
            Sort::Word(words) => value.as_str().is_some_and(|t| words.contains(&t)),
            Sort::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Sort::Boolean => value.is_boolean(),
            Sort::Integer(low, high) => value.as_i64().is_some_and(|n| (low..=high).contains(&n)),
            Sort::Object => value.is_object(),
        }
    }

    /// Whether it holds several values, and may be repeated on the command line.
    pub fn is_list(self) -> bool {
        matches!(self, Sort::Texts | Sort::Object)
    }

    /// A default of a row as JSON.
    pub(crate) fn value(self, text: &str) -> Value {
        match self {
            Sort::Boolean => json!(text == "true"),
            Sort::Integer(..) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
            Sort::Id | Sort::Text | Sort::Name | Sort::Word(_) | Sort::Texts | Sort::Object => json!(text),
        }
    }
}

/// A required parameter: a positional word on the command line.
pub const fn need(name: &'static str, sort: Sort, doc: &'static str) -> Param {
    let place = match sort {
        Sort::Boolean | Sort::Object => Place::Option,
        Sort::Id | Sort::Text | Sort::Name | Sort::Word(_) | Sort::Texts | Sort::Integer(..) => Place::Positional,
    };
    Param { required: true, typed: Typed { place, ..PLAIN }, ..may(name, sort, doc) }
}

/// A parameter that may be left out: an option on the command line.
pub const fn may(name: &'static str, sort: Sort, doc: &'static str) -> Param {
    Param {
        name,
        sort,
        required: false,
        doc,
        default: None,
        noun: None,
        not_beside: &[],
        or: None,
        needs: None,
        secret: false,
        typed: PLAIN,
    }
}

const PLAIN: Typed = Typed {
    place: Place::Option,
    option: None,
    value_name: None,
    sends: None,
    from_file: false,
    from_input: false,
    with_value: false,
    also: None,
};

impl Param {
    /// It is the id of this kind of object; on the command line a name may be typed instead.
    #[must_use]
    pub const fn of(mut self, noun: Noun) -> Param {
        self.noun = Some(noun);
        self
    }

    /// The value if it is left out.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Param {
        self.default = Some(text);
        self
    }

    /// It can't be sent beside these.
    #[must_use]
    pub const fn not_beside(mut self, names: &'static [&'static str]) -> Param {
        self.not_beside = names;
        self
    }

    /// Exactly one of this and that one must be sent.
    #[must_use]
    pub const fn or(mut self, name: &'static str) -> Param {
        self.or = Some(name);
        self
    }

    /// It may only be sent together with that one.
    #[must_use]
    pub const fn needs(mut self, name: &'static str) -> Param {
        self.needs = Some(name);
        self
    }

    /// Its value is a secret.
    #[must_use]
    pub const fn secret(mut self) -> Param {
        self.secret = true;
        self
    }

    /// On the command line it is an option, though it is required.
    #[must_use]
    pub const fn option(mut self) -> Param {
        self.typed.place = Place::Option;
        self
    }

    /// On the command line it is a positional word, though it may be left out.
    #[must_use]
    pub const fn positional(mut self) -> Param {
        self.typed.place = Place::Positional;
        self
    }

    /// On the command line its option has this name, without the hyphens.
    #[must_use]
    pub const fn called(mut self, option: &'static str) -> Param {
        self.typed.option = Some(option);
        self
    }

    /// The placeholder of its value in the usage.
    #[must_use]
    pub const fn shown(mut self, value_name: &'static str) -> Param {
        self.typed.value_name = Some(value_name);
        self
    }

    /// What the command line sends if it is left out there.
    #[must_use]
    pub const fn sends(mut self, text: &'static str) -> Param {
        self.typed.sends = Some(text);
        self
    }

    /// On the command line a file name is typed, and the file's text is sent.
    #[must_use]
    pub const fn from_file(mut self) -> Param {
        self.typed.from_file = true;
        self
    }

    /// On the command line `-` is typed, and the first line of standard input is sent.
    #[must_use]
    pub const fn from_input(mut self) -> Param {
        self.typed.from_input = true;
        self
    }

    /// A boolean that is typed with its value, since leaving it out changes nothing.
    #[must_use]
    pub const fn with_value(mut self) -> Param {
        self.typed.with_value = true;
        self
    }

    /// Another option of the command line that sets it.
    #[must_use]
    pub const fn also(mut self, option: &'static str, spelling: Spelling, doc: &'static str) -> Param {
        self.typed.also = Some(Also { option, doc, spelling });
        self
    }

    /// The name of its option on the command line.
    pub fn option_name(&self) -> String {
        self.typed.option.map_or_else(|| self.name.replace('_', "-"), str::to_owned)
    }

    /// Its description in the documents of the JSON adapter.
    pub fn text(&self) -> String {
        let mut text = self.doc.to_owned();
        if let Some(default) = self.default {
            text += &format!(" Default: {default}.");
        }
        if let Some(or) = self.or {
            text += &format!(" Either this or {or} is required, and not both.");
        }
        if let Some(needs) = self.needs {
            text += &format!(" Only together with {needs}.");
        }
        if !self.not_beside.is_empty() {
            text += &format!(" Not together with {}.", self.not_beside.join(", "));
        }
        text
    }
}

/// How many rows a list gives by default.
pub const LIST_DEFAULT: usize = 100;
/// The most rows of one answer.
pub const LIST_LIMIT: usize = 1_000;

pub(crate) const BUSINESS: Param =
    may("business", Sort::Id, "The business. Left out: the caller's own; for the operator, the only one there is.")
        .of(Noun::Business);
pub(crate) const LIMIT: Param =
    may("limit", Sort::Integer(1, LIST_LIMIT as i64), "The most rows, 1 to 1000.").default("100").sends("1000");
pub(crate) const AFTER: Param =
    may("after", Sort::Id, "Only rows after this id: `next` of the page before.").shown("ID");
pub(crate) const ROLE: Sort = Sort::Word(&["ADMIN", "EMPLOYEE"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_lists_are_what_the_parameter_says() {
        assert_eq!(LIMIT.default, Some(LIST_DEFAULT.to_string().as_str()));
        assert_eq!(LIMIT.typed.sends, Some(LIST_LIMIT.to_string().as_str()));
        assert_eq!(LIMIT.sort.value("100"), serde_json::json!(100));
    }
}
