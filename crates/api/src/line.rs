//! The form of a command on the command line: its words, an example, and what is printed of the
//! answer. It must not repeat what the parameters already say.

/// The form of a command on the command line. Rows make it with [`line`] and add what they need.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The words after `valetkey`: a noun and a verb, such as `token issue`, or one word.
    pub path: &'static str,
    /// A whole command line without `valetkey`. A test parses it.
    pub example: &'static str,
    /// What the long help adds to the summary.
    pub help: &'static str,
    pub output: Output,
    /// What is printed after success; empty if the answer itself is printed. See [`Line::says`].
    pub says: &'static str,
    /// What is noted beside the output: a warning, or the next command.
    pub next: &'static str,
    /// What is asked on a terminal before the call, unless `--yes` is typed.
    pub asks: Option<Ask>,
    /// Whether a call without any change is refused before it is sent.
    pub needs_change: bool,
    /// The program has a command of its own at this path, which calls this one.
    pub by_program: bool,
    /// The command that is called instead if `-` is typed in place of the first parameter. It takes the
    /// text from standard input, and the other parameters as they are.
    pub by_text: Option<&'static str>,
}

/// What is printed of the answer. `--json` prints all of it.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// The fields of the answer, one a line; the rows of a list as a table of all their fields.
    Fields,
    /// Only that the command succeeded.
    Done,
    /// This one field, alone on standard output, so that a script can take it.
    Field(&'static str),
    /// The rows of the answer in these columns.
    Table(Columns),
    /// The rows in the first columns if this parameter is sent, otherwise in the second.
    TableIf(&'static str, Columns, Columns),
}

/// Columns of a table: the heading, and the field. A dotted path reaches into an object. Several
/// paths, separated by blanks, share one column.
pub type Columns = &'static [(&'static str, &'static str)];

/// A question before a change that can't be undone.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// What will happen; placeholders as in [`Line::says`].
    pub question: &'static str,
    /// A command that is called first with the same parameters, except those that it doesn't take.
    /// Its answer fills the question. Nothing is asked if the field `asks` of the answer is false.
    pub preview: Option<&'static str>,
}

/// The form of a command on the command line: its path, and a whole example.
pub const fn line(path: &'static str, example: &'static str) -> Line {
    Line {
        path,
        example,
        help: "",
        output: Output::Fields,
        says: "",
        next: "",
        asks: None,
        needs_change: false,
        by_program: false,
        by_text: None,
    }
}

impl Line {
    /// More than the summary, for the long help.
    #[must_use]
    pub const fn help(mut self, text: &'static str) -> Line {
        self.help = text;
        self
    }

    /// Prints this text after success, and nothing else of the answer. `{name}` stands for a field
    /// of the answer, or for a parameter as it was typed; `{name:text}` gives the text if there is
    /// none; a part in square brackets is left out if one of its names has no value.
    #[must_use]
    pub const fn says(mut self, text: &'static str) -> Line {
        self.says = text;
        self.output = Output::Done;
        self
    }

    /// Prints the same text, followed by the fields of the answer.
    #[must_use]
    pub const fn makes(mut self, text: &'static str) -> Line {
        self.says = text;
        self.output = Output::Fields;
        self
    }

    /// Prints only this field to standard output.
    #[must_use]
    pub const fn prints(mut self, field: &'static str) -> Line {
        self.output = Output::Field(field);
        self
    }

    /// Prints the rows of the answer as a table.
    #[must_use]
    pub const fn table(mut self, columns: Columns) -> Line {
        self.output = Output::Table(columns);
        self
    }

    /// Prints the rows in other columns if this parameter is sent.
    #[must_use]
    pub const fn table_if(mut self, param: &'static str, with: Columns, without: Columns) -> Line {
        self.output = Output::TableIf(param, with, without);
        self
    }

    /// Notes this text afterwards, beside the output.
    #[must_use]
    pub const fn next(mut self, text: &'static str) -> Line {
        self.next = text;
        self
    }

    /// Asks this question on a terminal before the call.
    #[must_use]
    pub const fn asks(mut self, question: &'static str) -> Line {
        self.asks = Some(Ask { question, preview: None });
        self
    }

    /// The same, filled with the answer of another command; see [`Ask::preview`].
    #[must_use]
    pub const fn asks_after(mut self, preview: &'static str, question: &'static str) -> Line {
        self.asks = Some(Ask { question, preview: Some(preview) });
        self
    }

    /// Refuses a call that changes nothing.
    #[must_use]
    pub const fn needs_change(mut self) -> Line {
        self.needs_change = true;
        self
    }

    /// Marks that the program has a command of its own at this path, which calls this one.
    #[must_use]
    pub const fn by_program(mut self) -> Line {
        self.by_program = true;
        self
    }

    /// With `-` in place of the first parameter, it is this other command.
    #[must_use]
    pub const fn by_text(mut self, command: &'static str) -> Line {
        self.by_text = Some(command);
        self
    }

    /// The words of the path.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.path.split(' ')
    }
}
