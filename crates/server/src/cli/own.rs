//! The program's own rows: commands that are not a single call of the JSON adapter. They have the
//! same form as the rows of its table, and are listed with them in help, completions, man pages and
//! the reference.

use valetkey_api::{Line, Noun, Param, Section, Sort, line, may, need};

/// A row of the program's own.
#[derive(Debug)]
pub struct Own {
    pub line: Line,
    pub summary: &'static str,
    pub params: &'static [Param],
    /// Whether it takes the global options, which say where and as whom to act.
    pub has_globals: bool,
    pub section: Section,
    pub run: Run,
}

/// Which code runs a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    Demo,
    Init,
    Serve,
    Login,
    Logout,
    Doctor,
    AcceptTerms,
    ListLedger,
    VerifyLedger,
    ExportLedger,
    Explain,
    Completions,
    Man,
}

/// The shells that completions are made for.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish", "powershell"];

const STORE: Param =
    may("store", Sort::Text, "Where the data are kept: sqlite, or postgres://USER:PASSWORD@HOST/DATABASE.");
const BUSINESS: Param =
    may("business", Sort::Id, "The business whose entries are wanted. Left out: all that can be seen.")
        .of(Noun::Business);
const REVISION: Sort = Sort::Integer(0, i64::MAX);
const PORT: Sort = Sort::Integer(0, u16::MAX as i64);

/// The rows.
pub static ROWS: &[Own] = &[
    Own {
        line: line("demo", "demo --port 0 --fresh"),
        summary: "Run a whole company to look around in",
        params: &[
            may("data", Sort::Text, "Where the demo's data lie.").default("valetkey-data/demo").shown("DIR"),
            may("port", PORT, "The port on 127.0.0.1; 0 takes a free one.").default("8080"),
            may("fresh", Sort::Boolean, "Throw the demo's data away and begin anew."),
            may("store", Sort::Text, "Keep the data in PostgreSQL: postgres://USER:PASSWORD@HOST/DATABASE.")
                .shown("ADDRESS"),
        ],
        has_globals: false,
        section: Section::Start,
        run: Run::Demo,
    },
    Own {
        line: line("init", "init --business Velo --admin-email ada@example.com"),
        summary: "Set up a new server: folder, key, business, first ADMIN",
        params: &[
            need("business", Sort::Name, "What the business is called.").option().shown("NAME"),
            may("admin_name", Sort::Name, "The name of its first ADMIN. Left out: it follows from the address.")
                .shown("NAME"),
            need("admin_email", Sort::Text, "The e-mail address of its first ADMIN.").option().shown("ADDRESS"),
            may("data", Sort::Text, "The folder to make.").shown("DIR"),
            STORE,
            may("json", Sort::Boolean, "Print JSON."),
        ],
        has_globals: false,
        section: Section::Start,
        run: Run::Init,
    },
    Own {
        line: line("serve", "serve --listen 127.0.0.1:8080 --json-logs")
            .help("It runs until it gets SIGTERM or Ctrl-C. SIGHUP reads the certificate again."),
        summary: "Run the server",
        params: &[
            may("config", Sort::Text, "The configuration. valetkey.toml is read if it is there.").shown("FILE"),
            may("data", Sort::Text, "The data folder.").shown("DIR"),
            STORE,
            may("port", PORT, "The port; 0 takes a free one."),
            may("listen", Sort::Text, "The address and port to listen on.").shown("ADDRESS:PORT"),
            may("behind_proxy", Sort::Boolean, "Speak plain HTTP on any address: a proxy in front ends TLS."),
            may("json_logs", Sort::Boolean, "Write log lines as JSON."),
            may("no_reexec", Sort::Boolean, "Do not start once more in the same process to get large memory pages."),
            may("print_config", Sort::Boolean, "Print a commented valetkey.toml with every key, and do nothing else."),
        ],
        has_globals: false,
        section: Section::Start,
        run: Run::Serve,
    },
    Own {
        line: line("login", "login vkeyco_CODE")
            .help("The code is redeemed for a token of two hours, which is kept in a file that only you can read."),
        summary: "Sign in as a person with a one-time code",
        params: &[
            may(
                "code",
                Sort::Text,
                "The code, from `valetkey init` or `valetkey person sign-in`. Left out: it is read from standard input.",
            )
            .positional()
            .secret(),
            may("status", Sort::Boolean, "Say who is signed in, and until when.").not_beside(&["code"]),
        ],
        has_globals: true,
        section: Section::Start,
        run: Run::Login,
    },
    Own {
        line: line("logout", "logout"),
        summary: "Sign out again: the token is revoked and forgotten",
        params: &[],
        has_globals: true,
        section: Section::Start,
        run: Run::Logout,
    },
    Own {
        line: line("doctor", "doctor"),
        summary: "Look for what keeps a server from working",
        params: &[],
        has_globals: true,
        section: Section::Start,
        run: Run::Doctor,
    },
    Own {
        line: line("terms accept", "terms accept --yes")
            .help("Only an ADMIN person can accept them, so the person who signed in does, and never the operator."),
        summary: "Accept the terms in force, as the ADMIN person who signed in",
        params: &[
            may("version", Sort::Integer(1, u32::MAX as i64), "The version that was read. Left out: the one in force."),
            may("yes", Sort::Boolean, "Don't show the terms and ask."),
        ],
        has_globals: true,
        section: Section::Manage,
        run: Run::AcceptTerms,
    },
    Own {
        line: line("ledger list", "ledger list --since 2026-11-24 --about Bikes").help(
            "With --after, and with --json unless something is filtered, it prints the entries as they are, oldest \
             first.",
        ),
        summary: "What was done, newest first, in sentences",
        params: &[
            may("since", Sort::Text, "Only at this time or later: a day, or a time in RFC 3339.").shown("TIME"),
            may("until", Sort::Text, "Only before this time: a day, or a time in RFC 3339.").shown("TIME"),
            may("by", Sort::Text, "Only what this user did, by name, e-mail address or id; or operator.").shown("USER"),
            may("about", Sort::Text, "Only what was done to this user, app, asset or business, by name or id.")
                .shown("OBJECT"),
            may("before", REVISION, "Only before this revision, for the page that follows.").shown("REVISION"),
            may("after", REVISION, "The entries as they are after this revision, oldest first.")
                .shown("REVISION")
                .not_beside(&["since", "until", "by", "about", "before"]),
            may("limit", Sort::Integer(1, 1_000), "The most rows.").default("100"),
            BUSINESS,
        ],
        has_globals: true,
        section: Section::Look,
        run: Run::ListLedger,
    },
    Own {
        line: line("ledger verify", "ledger verify --file ledger.jsonl").help(
            "With access to the store, all of it is checked: the chain of entries, and each record against them. \
             With a token or a file, only the entries are checked.",
        ),
        summary: "Check that nothing was altered, removed or inserted",
        params: &[
            may("file", Sort::Text, "An export to check instead; needs no server and no store.")
                .shown("FILE")
                .not_beside(&["business"]),
            may("expect", Sort::Text, "The hash that the last entry must have, from an earlier check.").shown("HASH"),
            BUSINESS,
        ],
        has_globals: true,
        section: Section::Look,
        run: Run::VerifyLedger,
    },
    Own {
        line: line("ledger export", "ledger export --out ledger.jsonl"),
        summary: "Write all entries to a file, one JSON object a line",
        params: &[
            need("out", Sort::Text, "The file; replaced in one step, and readable by you alone.").option().shown("FILE"),
            BUSINESS,
        ],
        has_globals: true,
        section: Section::Look,
        run: Run::ExportLedger,
    },
    Own {
        line: line("explain", "explain --token-id 123456789 --asset Bikes --task MODERATE"),
        summary: "Why a call was refused, then and now",
        params: &[
            may("trace", Sort::Text, "The fbtrace_id, or trace, of a refusal.").positional().or("token_id"),
            may("token_id", Sort::Id, "Ask anew instead: the id of a token, not its text.").or("trace").needs("asset"),
            may("asset", Sort::Id, "The asset that it would act on.").of(Noun::Asset).needs("token_id"),
            may("task", Sort::Text, "The task that it would do. Left out: any.").needs("token_id"),
            may("scope", Sort::Text, "The scope that it would need.").needs("token_id"),
            may("facts", Sort::Boolean, "Print every fact behind the answer as well."),
        ],
        has_globals: true,
        section: Section::Look,
        run: Run::Explain,
    },
    Own {
        line: line("completions", "completions bash").help(
            "bash: valetkey completions bash > ~/.local/share/bash-completion/completions/valetkey\n\
             zsh: valetkey completions zsh > _valetkey, in a folder of $fpath\n\
             fish: valetkey completions fish > ~/.config/fish/completions/valetkey.fish",
        ),
        summary: "Print the completions for a shell",
        params: &[need("shell", Sort::Word(SHELLS), "The shell.")],
        has_globals: false,
        section: Section::Shell,
        run: Run::Completions,
    },
    Own {
        line: line("man", "man share/man/man1"),
        summary: "Write the man pages into a folder",
        params: &[need("folder", Sort::Text, "The folder; it is made if it is not there.").shown("DIR")],
        has_globals: false,
        section: Section::Shell,
        run: Run::Man,
    },
];
