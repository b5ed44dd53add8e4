//! Checks that the table of rows, the parser and the help agree.

use std::ffi::OsString;

use valetkey_api::{Place, Sort, commands};

use super::input::{Input, Parsed, parse};
use super::rows::{self, Does, GLOBALS};
use super::{mistake, parser, template};

/// A line as a shell splits it; only double quotes are known.
fn split(line: &str) -> Vec<OsString> {
    let mut words = vec![OsString::from("valetkey")];
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.into());
        } else {
            words.extend(part.split_whitespace().map(OsString::from));
        }
    }
    words
}

fn read(line: &str) -> Input {
    match parse(&split(line)) {
        Ok(Parsed::Here(input)) => *input,
        other => panic!("{line}: {other:?}"),
    }
}

/// What is printed instead of a command: help, or a mistake with its advice.
fn printed(line: &str) -> (i32, String) {
    let args = split(line);
    let error = parse(&args).map(|_| panic!("{line} is understood")).unwrap_err();
    let advice = mistake::advice(&error, &args);
    let text = format!("{}{}", error.render(), if error.use_stderr() { advice.join("\n") } else { String::new() });
    (error.exit_code(), text)
}

#[test]
fn the_parser_contradicts_nothing() {
    parser::command().debug_assert();
}

#[test]
fn every_example_is_understood_and_leads_to_its_row() {
    for row in rows::all() {
        let line = row.line.example;
        match parse(&split(line)).unwrap_or_else(|e| panic!("{line}: {e}")) {
            Parsed::Here(input) => assert_eq!(input.row.line.path, row.line.path),
            Parsed::Demo(_) => assert_eq!(row.line.path, "demo"),
            Parsed::Init(_) => assert_eq!(row.line.path, "init"),
            Parsed::Serve(_) => assert_eq!(row.line.path, "serve"),
        }
    }
    // Commands that the program runs itself also have an example in the table.
    for command in commands().filter(|c| c.line.by_program) {
        assert_eq!(read(command.line.example).row.line.path, command.line.path);
    }
}

#[test]
fn names_order_and_options_of_the_table_are_what_the_parser_and_its_help_have() {
    let mut root = parser::command();
    root.build();
    for row in rows::all() {
        let mut found = &mut root;
        for word in row.line.words() {
            found = found.find_subcommand_mut(word).unwrap_or_else(|| panic!("{}", row.line.path));
        }
        let positional: Vec<String> = found.get_positionals().map(|a| a.get_id().to_string()).collect();
        let wanted: Vec<String> = row
            .params
            .iter()
            .filter(|p| p.typed.place == Place::Positional)
            .map(|p| parser::param_id(p.name))
            .collect();
        assert_eq!(positional, wanted, "{}", row.line.path);
        let help = found.render_long_help().to_string();
        for param in row.params {
            let arg = found.get_arguments().find(|a| *a.get_id() == parser::param_id(param.name)).unwrap();
            assert_eq!(arg.is_required_set(), param.required, "{} {}", row.line.path, param.name);
            let shown = match param.typed.place {
                Place::Positional => parser::value_name(param),
                Place::Option => format!("--{}", param.option_name()),
            };
            assert!(help.contains(&shown), "{}: {shown}", row.line.path);
            let first = param.doc.split(['.', ';', ':', ',', '(', '`']).next().unwrap();
            let flat: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(first), "{}: {first}", row.line.path);
        }
        assert_eq!(row.asks(), help.contains("--yes") && row.line.path != "terms accept", "{}", row.line.path);
        assert!(help.contains(&format!("valetkey {}", row.line.example)), "{}", row.line.path);
    }
}

#[test]
fn sentences_name_what_the_row_or_the_answer_has() {
    for row in rows::all() {
        let Does::Call(command) = row.does else { continue };
        let ask = row.line.asks.map_or("", |ask| ask.question);
        for name in template::names(ask) {
            let is_preview = row.line.asks.is_some_and(|ask| ask.preview.is_some());
            assert!(is_preview || row.param(name).is_some(), "{}: {{{name}}}", row.line.path);
        }
        if let Some(preview) = row.line.asks.and_then(|ask| ask.preview) {
            let found = valetkey_api::find(preview).unwrap_or_else(|| panic!("{}: {preview}", row.line.path));
            assert!(!found.writes, "{preview} is called before anybody said yes");
        }
        if command.writes && row.line.says.is_empty() {
            let is_field = matches!(row.line.output, valetkey_api::Output::Field(_) | valetkey_api::Output::Fields);
            assert!(is_field, "{}: nothing is said", row.line.path);
        }
    }
}

#[test]
fn options_count_before_and_after_the_command() {
    for line in [
        "--data d --json token list --user Poster",
        "token --data d list --json --user Poster",
        "token list --user Poster --json --data d",
        "--json token --data=d list --user Poster",
    ] {
        let input = read(line);
        assert_eq!(input.on.data.as_deref(), Some(std::path::Path::new("d")), "{line}");
        assert!(input.on.json && input.text("user") == Some("Poster"), "{line}");
    }
    for line in ["--business Velo business update", "business update --business Velo", "business update Velo"] {
        assert_eq!(read(line).text("business"), Some("Velo"), "{line}");
    }
    for line in ["--business Velo person list", "person --business Velo list", "person list --business Velo"] {
        assert_eq!(read(line).text("business"), Some("Velo"), "{line}");
    }
    for param in GLOBALS {
        let value = if param.sort == Sort::Boolean { "" } else { " x" };
        let option = format!("--{}{value}", param.option_name());
        let seen = |line: String| format!("{:?}", read(&line).on);
        assert_eq!(seen(format!("{option} status")), seen(format!("status {option}")), "{option}");
        assert_ne!(seen("status".to_owned()), seen(format!("status {option}")), "{option}");
    }
    // `serve` and `demo` have some of them as their own options.
    assert!(matches!(parse(&split("--data d serve")), Ok(Parsed::Serve(args)) if args.data.is_some()));
    let init = "--json --data d init --business Velo --admin-email a@b.de";
    assert!(matches!(parse(&split(init)), Ok(Parsed::Init(args)) if args.json && args.data.is_some()));
}

#[test]
fn an_option_that_does_not_fit_is_named() {
    for (line, part) in [
        ("--data a status --data b", "--data is given more than once"),
        ("--business Velo token --business Velo list", "--business is given more than once"),
        ("--server http://127.0.0.1:1 serve", "valetkey serve takes no --server"),
        ("--business Velo status", "valetkey status takes no --business"),
        ("serve --listen nowhere", "--listen must be an address and a port"),
    ] {
        let (code, text) = printed(line);
        assert!(code == 2 && text.contains(part), "{line}: {text}");
    }
}

#[test]
fn a_mistake_names_what_was_meant_and_shows_an_example() {
    for (line, parts) in [
        ("tokens", &["similar subcommands exist:", "'token'"][..]),
        ("token isue", &["a similar subcommand exists: 'issue'"]),
        ("issue", &["Perhaps you mean: valetkey token issue"]),
        ("token.issue", &["Perhaps you mean: valetkey token issue"]),
        ("rename", &["valetkey system-user rename", "valetkey asset rename"]),
        ("token issue Poster", &["<APP>", "--scopes <SCOPES>", "Example: valetkey token issue Poster Publisher"]),
        ("--data d token issue", &["<SYSTEM_USER>", "Example: valetkey token issue Poster"]),
        ("token issue R S --scops a", &["a similar argument exists: '--scopes'"]),
        ("person create Bo --email b@c.de --role BOSS", &["possible values: ADMIN, EMPLOYEE"]),
        ("assignment list", &["--user <USER>", "Example: valetkey assignment list --user Poster"]),
    ] {
        let (code, text) = printed(line);
        assert_eq!(code, 2, "{line}");
        for part in parts {
            assert!(text.contains(part), "{line}: no {part} in:\n{text}");
        }
    }
}

#[test]
fn every_form_of_help_answers() {
    let whole = printed("--help");
    assert_eq!(whole.0, 0);
    for form in ["help", "-h"] {
        assert_eq!(printed(form), whole, "{form}");
    }
    for row in rows::all() {
        let long = printed(&format!("{} --help", row.line.path));
        assert_eq!(long.0, 0, "{}", row.line.path);
        assert_eq!(printed(&format!("help {}", row.line.path)), long);
        if let Some(verb) = row.verb() {
            assert_eq!(printed(&format!("{} help {verb}", row.first())), long);
            assert_eq!(printed(&format!("{} help", row.first())), printed(&format!("{} --help", row.first())));
        }
    }
}

#[test]
fn words_of_the_command_line_become_parameters() {
    for (line, name, values) in [
        ("token issue R S --scopes a,b --scopes c", "scopes", &["a", "b", "c"][..]),
        ("token issue R S --scopes a --days 30", "lifetime_s", &["2592000"]),
        ("token issue R S --scopes a --lifetime-s 60", "lifetime_s", &["60"]),
        ("token issue R S --scopes a --never", "never", &["true"]),
        ("assignment assign B R X,Y Z --json", "tasks", &["X", "Y", "Z"]),
        ("asset list --shared", "reach", &["shared"]),
        ("person update a@b.de --active false", "status", &["DEACTIVATED"]),
        ("person update a@b.de --status active", "status", &["ACTIVE"]),
        ("system-user create R --role employee", "role", &["EMPLOYEE"]),
        ("app update S --scopes a,b --demands-proof false", "allowed_scopes", &["a", "b"]),
        ("app update S --demands-proof false", "demands_proof", &["false"]),
        ("business update --limits meta-full", "limits_preset", &["meta-full"]),
        ("asset create B --kind page --detail a=1,2 --detail b=3", "details", &["a=1,2", "b=3"]),
    ] {
        assert_eq!(read(line).texts(name), values, "{line}");
    }
    for line in [
        "token issue R S",
        "token issue R S --scopes a --days 1 --never",
        "token issue R S --scopes a --days 1 --lifetime-s 5",
        "token list --user R --business B",
        "explain",
        "explain T --token-id 1",
        "explain --token-id 1",
        "explain --asset Bikes",
        "assignment list",
        "assignment list --user R --asset B",
        "asset create B --kind page --unowned --business V",
        "ledger verify --file x --business V",
        "login CODE --status",
        "refusals --limit 1001",
        "share x",
    ] {
        assert_eq!(printed(line).0, 2, "{line}");
    }
}

#[test]
fn the_yes_is_taken_where_something_is_asked() {
    assert!(read("system-user delete R --yes").yes && read("system-user delete R -y").yes);
    assert!(!read("system-user delete R").yes);
    assert!(read("terms accept -y").flag("yes"));
    assert_eq!(printed("system-user rename R S --yes").0, 2);
}

/// The help at a fixed width, independent of the terminal.
fn help_of(path: &[&str]) -> String {
    let mut root = parser::command().term_width(100);
    root.build();
    let found = path.iter().try_fold(&root, |found, word| found.find_subcommand(word)).unwrap();
    found.clone().render_help().to_string()
}

#[test]
fn the_overview_is_as_printed() {
    insta::assert_snapshot!(help_of(&[]), @r#"
    A self-hosted business manager for system users

    Usage: valetkey [OPTIONS] <COMMAND>

    Start
      demo         Run a whole company to look around in
      init         Set up a new server: folder, key, business, first ADMIN
      serve        Run the server
      login        Sign in as a person with a one-time code
      logout       Sign out again: the token is revoked and forgotten
      doctor       Look for what keeps a server from working

    Manage
      business     Businesses, their rules and limits
      person       People, and the codes that let them in
      app          Apps: secrets, connections, installations
      system-user  Software with an identity of its own
      asset        Pages, ad accounts, catalogs and the rest
      assignment   Who may do what on which asset
      share        Assets shared with partners
      token        Issue, list and revoke tokens
      terms        The terms to accept for system users

    Look
      access       Who can do what on which asset, and by which path
      job          What is to be done later, and what failed: list, retry
      ledger       Everything that was changed: list, verify, export
      name         Find the ids that a name stands for
      can          Say whether a user may do a task on an asset, and why
      refusals     List the newest refusals
      whoami       Show who the calling token is
      status       Show version, revision and counts of this node
      explain      Why a call was refused, then and now

    Shell
      completions  Print the completions for a shell
      man          Write the man pages into a folder
      help         Explain a command: valetkey help token issue

    Options:
          --data <DIR>           The data folder: its server is asked, or its store opened while none
                                 runs
          --config <FILE>        The configuration, for the store's address. valetkey.toml is read if it
                                 is there.
          --server <URL>         Ask a server at this address, with a token: VALETKEY_TOKEN, --token, or
                                 the one of login
          --token <TOKEN>        Act with this token. VALETKEY_TOKEN keeps it out of the list of
                                 processes.
          --as-login             Act as the person who signed in, instead of the operator
          --ca <FILE>            Trust these certificates (PEM) when asking an https:// address
          --json                 Print JSON
          --business <BUSINESS>  The business, where there is more than one, by name or id
      -h, --help                 Print help
      -V, --version              Print version

    `valetkey help COMMAND` tells more. Options stand before or after the command. Commands act on the
    server in ./valetkey-data, or on the store itself while none runs; --data DIR names another folder,
    --server URL a server elsewhere.
    "#);
}

#[test]
fn the_help_of_a_command_is_as_printed() {
    insta::assert_snapshot!(help_of(&["app", "rotate-secret"]), @r#"
    Give an app a new secret, shown once; the old one works for a while

    Usage: valetkey app rotate-secret [OPTIONS] <APP>

    Arguments:
      <APP>  The app, by name or id

    Options:
          --overlap-s <N>  How long the old secret still works, in seconds; 0 ends it at once [default:
                           86400]
          --json           Print JSON
      -h, --help           Print help (see more with '--help')

    Where and as whom:
          --data <DIR>     The data folder: its server is asked, or its store opened while none runs
          --config <FILE>  The configuration, for the store's address. valetkey.toml is read if it is
                           there.
          --server <URL>   Ask a server at this address, with a token: VALETKEY_TOKEN, --token, or the
                           one of login
          --token <TOKEN>  Act with this token. VALETKEY_TOKEN keeps it out of the list of processes.
          --as-login       Act as the person who signed in, instead of the operator
          --ca <FILE>      Trust these certificates (PEM) when asking an https:// address

    Example:
      valetkey app rotate-secret Publisher --overlap-s 3600
    "#);
}
