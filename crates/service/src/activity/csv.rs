//! Cells of a CSV file: quoted by RFC 4180, and safe to open in a spreadsheet.
//!
//! No cell may begin a formula, whatever people call their objects.

/// One row with its line end.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell, always quoted. A text that a spreadsheet would run gets a quote in front.
fn cell(text: &str) -> String {
    let quote = if is_formula(text) { "'" } else { "" };
    format!("\"{quote}{}\"", text.replace('"', "\"\""))
}

/// Whether a spreadsheet could take a text for a formula: by its first character, or by the first one
/// behind blanks, in any width.
fn is_formula(text: &str) -> bool {
    let starts = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    starts(text) || starts(text.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_quote_is_doubled() {
        for (text, written) in [
            ("Ada", "\"Ada\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("", "\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\rx", "\"'\rx\""),
            ("  =1", "\"'  =1\""),
            ("＝1", "\"'＝1\""),
            ("a=1", "\"a=1\""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
        assert_eq!(row(["a", "=b"]), "\"a\",\"'=b\"\r\n");
    }
}
