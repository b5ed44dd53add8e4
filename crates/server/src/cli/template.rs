//! Fills the values of a call into the sentences of a row. `Line::says` documents their form.

/// The sentence with the values that `value` knows.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        out += &plain(&rest[..open], value).0;
        let Some(close) = rest[open..].find(']').map(|at| at + open) else {
            rest = &rest[open..];
            break;
        };
        let (part, is_whole) = plain(&rest[open + 1..close], value);
        if is_whole {
            out += &part;
        }
        rest = &rest[close + 1..];
    }
    out += &plain(rest, value).0;
    out
}

/// A part without brackets, and whether every name in it has a value.
fn plain(text: &str, value: &dyn Fn(&str) -> Option<String>) -> (String, bool) {
    let mut out = String::new();
    let mut is_whole = true;
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out += &rest[..open];
        let Some(close) = rest[open..].find('}').map(|at| at + open) else {
            rest = &rest[open..];
            break;
        };
        let (name, otherwise) = match rest[open + 1..close].split_once(':') {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (&rest[open + 1..close], None),
        };
        match value(name).or_else(|| otherwise.map(str::to_owned)) {
            Some(text) => out += &text,
            None => is_whole = false,
        }
        rest = &rest[close + 1..];
    }
    out += rest;
    (out, is_whole)
}

/// The names in a sentence.
#[cfg(test)]
pub fn names(text: &str) -> Vec<&str> {
    text.split('{').skip(1).filter_map(|part| part.split(['}', ':']).next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_takes_its_values_and_leaves_out_what_has_none() {
        let value = |name: &str| match name {
            "app" => Some("Shop".to_owned()),
            "count" => Some("2".to_owned()),
            _ => None,
        };
        for (text, filled) in [
            ("app {app} changed", "app Shop changed"),
            ("revoked[, {count} in all]; done", "revoked, 2 in all; done"),
            ("revoked[, {none} in all]; done", "revoked; done"),
            ("ends: {end:never}", "ends: never"),
            ("{none}", ""),
            ("no [end", "no [end"),
            ("no {end", "no {end"),
        ] {
            assert_eq!(fill(text, &value), filled, "{text}");
        }
        assert_eq!(names("a {b} c[ {d:x}]"), ["b", "d"]);
    }
}
