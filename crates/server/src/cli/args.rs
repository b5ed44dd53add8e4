//! The arguments: every command with its flags and the help that people read. Nothing is done here.

mod verbs;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use verbs::*;

const HELP: &str = "\
{about}

{usage-heading} {usage}

Start
  demo         Run a whole company to look around in
  init         Set up a new server: folder, key, business, first ADMIN
  serve        Run the server
  login        Sign in as a person with a one-time code
  logout       Sign out again
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
  terms        The terms that stand before system users

Look
  ledger       Everything that was changed: list, verify, export
  explain      Why a call was refused, then and now
  refusals     The newest refusals
  status       Version, revision and counts of the server

Options:
{options}

`valetkey COMMAND --help` tells more. Commands act on the server in ./valetkey-data, or on the store
itself while none runs; --data DIR names another folder, --server URL a server elsewhere.
";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "valetkey",
    version,
    about = "A self-hosted business manager for system users",
    help_template = HELP,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a whole company to look around in
    Demo(DemoArgs),
    /// Set up a new server: folder, key, business, first ADMIN
    Init(InitArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Sign in as a person with a one-time code
    Login(LoginArgs),
    /// Sign out again: the token is revoked and forgotten
    Logout(On),
    /// Look for what keeps a server from working
    Doctor(DoctorArgs),
    /// Businesses, their rules and limits
    Business(Group<BusinessVerb>),
    /// People, and the codes that let them in
    Person(Group<PersonVerb>),
    /// Apps: secrets, connections, installations
    App(Group<AppVerb>),
    /// Software with an identity of its own
    SystemUser(Group<SystemUserVerb>),
    /// Pages, ad accounts, catalogs and the rest
    Asset(Group<AssetVerb>),
    /// Who may do what on which asset
    Assignment(Group<AssignmentVerb>),
    /// Assets shared with partners
    Share(Group<ShareVerb>),
    /// Issue, list and revoke tokens
    Token(Group<TokenVerb>),
    /// The terms that stand before system users
    Terms(Group<TermsVerb>),
    /// Everything that was changed: list, verify, export
    Ledger(Group<LedgerVerb>),
    /// Why a call was refused, then and now
    Explain(ExplainArgs),
    /// The newest refusals
    Refusals(RefusalsArgs),
    /// Version, revision and counts of the server
    Status(On),
}

/// `valetkey demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where the demo's data lie
    #[arg(long, value_name = "DIR", default_value = "valetkey-data/demo")]
    pub data: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Throw the demo's data away and begin anew
    #[arg(long)]
    pub fresh: bool,
    /// Keep the data in PostgreSQL: postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, value_name = "ADDRESS")]
    pub store: Option<String>,
}

/// `valetkey init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// What the business is called
    #[arg(long, value_name = "NAME")]
    pub business: String,
    /// The name of its first ADMIN; follows from the address if left out
    #[arg(long, value_name = "NAME")]
    pub admin_name: Option<String>,
    /// The e-mail address of its first ADMIN
    #[arg(long, value_name = "ADDRESS")]
    pub admin_email: String,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the data are kept: sqlite, or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `valetkey serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The configuration; valetkey.toml is read if it is there
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the data are kept: sqlite, or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// The port; 0 takes a free one
    #[arg(long)]
    pub port: Option<u16>,
    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Speak plain HTTP on any address: a proxy in front ends TLS
    #[arg(long)]
    pub behind_proxy: bool,
    /// Write log lines as JSON
    #[arg(long)]
    pub json_logs: bool,
    /// Print a commented valetkey.toml with every key, and do nothing else
    #[arg(long)]
    pub print_config: bool,
}

/// Where a command acts, as whom, and how it prints.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct On {
    /// The data folder: its server is asked, or its store opened while none runs
    #[arg(long, value_name = "DIR", global = true, help_heading = "Where and as whom")]
    pub data: Option<PathBuf>,
    /// The configuration, for the store's address; valetkey.toml is read if it is there
    #[arg(long, value_name = "FILE", global = true, help_heading = "Where and as whom")]
    pub config: Option<PathBuf>,
    /// Ask a server at this address, with a token: VALETKEY_TOKEN, --token, or the one of login
    #[arg(long, value_name = "URL", global = true, help_heading = "Where and as whom")]
    pub server: Option<String>,
    /// Act with this token; VALETKEY_TOKEN keeps it out of the list of processes
    #[arg(long, value_name = "TOKEN", global = true, help_heading = "Where and as whom")]
    pub token: Option<String>,
    /// Act as the person who signed in, instead of the operator
    #[arg(long, global = true, help_heading = "Where and as whom")]
    pub as_login: bool,
    /// Trust these certificates (PEM) when asking an https:// address
    #[arg(long, value_name = "FILE", global = true, help_heading = "Where and as whom")]
    pub ca: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A noun with its verbs.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct Group<V: Subcommand> {
    #[command(flatten)]
    pub on: On,
    #[command(subcommand)]
    pub verb: V,
}

/// `valetkey login`.
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// The code, from `valetkey init` or `valetkey person sign-in`; asked for if left out
    pub code: Option<String>,
    /// Say who is signed in, and until when
    #[arg(long, conflicts_with = "code")]
    pub status: bool,
    #[command(flatten)]
    pub on: On,
}

/// `valetkey doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub on: On,
}

/// `valetkey explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The fbtrace_id, or trace, of a refusal
    #[arg(required_unless_present = "token_id", conflicts_with_all = ["token_id", "asset"])]
    pub trace: Option<String>,
    /// Ask anew instead: the id of a token (not its text)
    #[arg(long = "token-id", value_name = "ID", requires = "asset")]
    pub token_id: Option<String>,
    /// The asset that it would act on, by name or id
    #[arg(long, requires = "token_id")]
    pub asset: Option<String>,
    /// The task that it would do; any if left out
    #[arg(long, requires = "token_id")]
    pub task: Option<String>,
    /// The scope that it would need
    #[arg(long, requires = "token_id")]
    pub scope: Option<String>,
    #[command(flatten)]
    pub on: On,
}

/// `valetkey refusals`.
#[derive(Debug, clap::Args)]
pub struct RefusalsArgs {
    /// The most rows, up to 1000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    #[command(flatten)]
    pub on: On,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_contradict_nothing() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_command_and_no_other() {
        let lines: Vec<&str> =
            HELP.lines().filter(|l| l.starts_with("  ")).map(|l| l.split_whitespace().next().unwrap()).collect();
        let command = Args::command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(lines, names, "the help lists the commands in the order in which they stand");
        for sub in command.get_subcommands() {
            let line = HELP.lines().find(|l| l.split_whitespace().next() == Some(sub.get_name())).unwrap();
            let about = sub.get_about().unwrap().to_string();
            assert!(about.starts_with(line.split_once(sub.get_name()).unwrap().1.trim()), "{line} / {about}");
        }
    }

    #[test]
    fn every_command_line_of_the_documents_is_understood() {
        for line in [
            "demo --port 0 --fresh",
            "init --business Velo --admin-email ada@example.com",
            "serve --port 0 --json-logs",
            "login vkeyco_x --data d",
            "login --status --server http://127.0.0.1:1",
            "business create Velo --admin-email a@b.example --json",
            "app create Shop --demands-proof --business 12",
            "app install Shop Robot",
            "system-user create Robot --role employee --data x",
            "assignment assign Bikes Robot CREATE_CONTENT,ANALYZE",
            "assignment assign Bikes Robot CREATE_CONTENT ANALYZE --json",
            "token issue Robot Shop --scopes pages_show_list,ads_read --days 30",
            "token issue Robot Shop --scopes ads_read --never --add-dependencies",
            "terms accept --yes",
            "ledger verify --file x.jsonl",
            "ledger export --out x.jsonl",
            "explain AbcDEF",
            "explain --token-id 1 --asset Bikes --task MANAGE",
            "--version",
        ] {
            let words = std::iter::once("valetkey").chain(line.split(' '));
            match Args::try_parse_from(words) {
                Ok(_) => {}
                Err(e) => assert_eq!(e.kind(), clap::error::ErrorKind::DisplayVersion, "{line}: {e}"),
            }
        }
        for line in [
            "token issue Robot Shop",
            "token issue R S --scopes a --days 1 --never",
            "explain",
            "assignment list",
            "share x",
            "explain T --token-id 1",
        ] {
            let words = std::iter::once("valetkey").chain(line.split(' '));
            assert!(Args::try_parse_from(words).is_err(), "{line}");
        }
    }
}
