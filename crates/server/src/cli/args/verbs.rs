//! The verbs of each noun, with their flags. Nothing is done here.

use std::path::PathBuf;

use clap::{ArgAction, Subcommand};

/// A page of a list.
#[derive(Debug, Clone, clap::Args)]
pub struct Page {
    /// The most rows, up to 1000
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Only rows behind this id
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
}

/// Which business, where there is more than one.
#[derive(Debug, Clone, clap::Args)]
pub struct Of {
    /// The business, by name or id, where there is more than one
    #[arg(long, value_name = "BUSINESS")]
    pub business: Option<String>,
}

/// A role.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum RoleWord {
    #[value(name = "ADMIN", alias = "admin")]
    Admin,
    #[value(name = "EMPLOYEE", alias = "employee")]
    Employee,
}

impl RoleWord {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            RoleWord::Admin => "ADMIN",
            RoleWord::Employee => "EMPLOYEE",
        }
    }
}

/// `valetkey business …`.
#[derive(Debug, Subcommand)]
pub enum BusinessVerb {
    /// Make a business with its first ADMIN
    Create {
        name: String,
        /// The e-mail address of its first ADMIN
        #[arg(long, value_name = "ADDRESS")]
        admin_email: String,
        /// That person's name; the address up to its @ if left out
        #[arg(long, value_name = "NAME")]
        admin_name: Option<String>,
    },
    /// List businesses
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Rename a business, or change its rules and limits
    Update(Box<BusinessUpdate>),
}

/// `valetkey business update`.
#[derive(Debug, clap::Args)]
pub struct BusinessUpdate {
    /// The business, by name or id; the only one if left out
    pub business: Option<String>,
    #[arg(long)]
    pub name: Option<String>,
    /// Hide from an EMPLOYEE what is not assigned to it
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    pub strict_visibility: Option<bool>,
    /// The longest life of a new token, in seconds; 0 takes the limit away
    #[arg(long, value_name = "N")]
    pub token_lifetime_limit_s: Option<i64>,
    /// A set of limits
    #[arg(long, value_name = "PRESET", value_parser = ["default", "meta-limited", "meta-full"])]
    pub limits: Option<String>,
    #[arg(long, value_name = "N")]
    pub admin_system_users_limit: Option<u32>,
    #[arg(long, value_name = "N")]
    pub employee_system_users_limit: Option<u32>,
    #[arg(long, value_name = "N")]
    pub people_limit: Option<u32>,
    #[arg(long, value_name = "N")]
    pub apps_limit: Option<u32>,
    #[arg(long, value_name = "N")]
    pub assets_limit: Option<u32>,
    #[arg(long, value_name = "N")]
    pub tokens_per_system_user_limit: Option<u32>,
}

/// `valetkey person …`.
#[derive(Debug, Subcommand)]
pub enum PersonVerb {
    /// Add a person
    Create {
        name: String,
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        #[arg(long, default_value = "EMPLOYEE", ignore_case = true)]
        role: RoleWord,
        #[command(flatten)]
        of: Of,
    },
    /// List people
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        page: Page,
    },
    /// Change a person's name, role or status
    Update {
        /// The person, by e-mail address or id
        person: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, ignore_case = true)]
        role: Option<RoleWord>,
        /// Whether the person's tokens work
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        active: Option<bool>,
    },
    /// Delete a person; their tokens are dead at once
    Delete {
        /// The person, by e-mail address or id
        person: String,
    },
    /// Make a single-use sign-in code, good for one day
    SignIn {
        /// The person, by e-mail address or id
        person: String,
    },
    /// List the sign-in codes that wait
    SignIns {
        #[command(flatten)]
        of: Of,
    },
}

/// `valetkey app …`.
#[derive(Debug, Subcommand)]
pub enum AppVerb {
    /// Make an app and connect it; its secret is shown once
    Create {
        name: String,
        /// Every call with its tokens must bring appsecret_proof
        #[arg(long)]
        demands_proof: bool,
        #[command(flatten)]
        of: Of,
    },
    /// List apps
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        page: Page,
    },
    /// Change an app's name, its scopes, or whether it demands proof
    Update {
        /// The app, by name or id
        app: String,
        #[arg(long)]
        name: Option<String>,
        /// All scopes that its tokens may carry, separated by commas
        #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
        scopes: Option<Vec<String>>,
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        demands_proof: Option<bool>,
    },
    /// Give an app a new secret, shown once; the old one goes on for a while
    RotateSecret {
        /// The app, by name or id
        app: String,
        /// How long the old secret still works, in seconds; 0 ends it at once
        #[arg(long, value_name = "N", default_value_t = 86_400)]
        overlap_s: i64,
    },
    /// Connect an own app again; its tokens from before stay dead
    Connect {
        /// The app, by name or id
        app: String,
    },
    /// Take an app off its business; its tokens there are dead at once
    Disconnect {
        /// The app, by name or id
        app: String,
    },
    /// Install an app on a system user
    Install {
        /// The app, by name or id
        app: String,
        /// The system user, by name or id
        system_user: String,
    },
    /// Take an app off a system user; its tokens of that app are dead at once
    Uninstall {
        /// The app, by name or id
        app: String,
        /// The system user, by name or id
        system_user: String,
    },
}

/// `valetkey system-user …`.
#[derive(Debug, Subcommand)]
pub enum SystemUserVerb {
    /// Make a system user; needs accepted terms and a connected app
    Create {
        name: String,
        /// ADMIN reaches everything of the business, EMPLOYEE only what is assigned to it
        #[arg(long, default_value = "EMPLOYEE", ignore_case = true)]
        role: RoleWord,
        #[command(flatten)]
        of: Of,
    },
    /// List system users
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        page: Page,
    },
    /// Rename a system user
    Rename {
        /// The system user, by name or id
        system_user: String,
        name: String,
    },
    /// Let a deactivated system user's tokens work again
    Activate {
        /// The system user, by name or id
        system_user: String,
    },
    /// Stop a system user; its tokens are refused at once
    Deactivate {
        /// The system user, by name or id
        system_user: String,
    },
    /// Delete a system user for good; its tokens are dead at once
    Delete {
        /// The system user, by name or id
        system_user: String,
    },
}

/// `valetkey asset …`.
#[derive(Debug, Subcommand)]
pub enum AssetVerb {
    /// Make an asset
    Create {
        name: String,
        /// page, ad_account, catalog, pixel, … (`valetkey asset kinds`)
        #[arg(long)]
        kind: String,
        /// A descriptive field; can be given more than once
        #[arg(long = "detail", value_name = "NAME=VALUE")]
        details: Vec<String>,
        /// Without an owner, for a business to claim
        #[arg(long, conflicts_with = "business")]
        unowned: bool,
        #[command(flatten)]
        of: Of,
    },
    /// List the assets that a business owns
    List {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        kind: Option<String>,
        /// Those that are shared with it instead
        #[arg(long)]
        shared: bool,
        #[command(flatten)]
        page: Page,
    },
    /// Rename an asset
    Rename {
        /// The asset, by name or id
        asset: String,
        name: String,
    },
    /// List the kinds of assets with their tasks
    Kinds,
}

/// `valetkey assignment …`.
#[derive(Debug, Subcommand)]
pub enum AssignmentVerb {
    /// Give a user exactly these tasks on an asset
    Assign {
        /// The asset, by name or id
        asset: String,
        /// The system user or person, by name, e-mail address or id
        user: String,
        /// The tasks, such as CREATE_CONTENT,ANALYZE
        #[arg(required = true, value_delimiter = ',', num_args = 1..)]
        tasks: Vec<String>,
    },
    /// Take an asset away from a user
    Unassign {
        /// The asset, by name or id
        asset: String,
        /// The system user or person, by name, e-mail address or id
        user: String,
    },
    /// List the assets of a user, or the users on an asset
    List {
        /// The system user or person
        #[arg(long, required_unless_present = "asset", conflicts_with = "asset")]
        user: Option<String>,
        /// The asset
        #[arg(long)]
        asset: Option<String>,
        #[command(flatten)]
        page: Page,
    },
}

/// `valetkey share …`.
#[derive(Debug, Subcommand)]
pub enum ShareVerb {
    /// Share an asset with a partner, up to these tasks
    Share {
        /// The asset, by name or id
        asset: String,
        /// The business to share with, by name or id
        partner: String,
        /// The most that its users may do, such as ADVERTISE,ANALYZE
        #[arg(required = true, value_delimiter = ',', num_args = 1..)]
        tasks: Vec<String>,
    },
    /// End a share
    Unshare {
        /// The asset, by name or id
        asset: String,
        /// The partner, by name or id
        partner: String,
    },
    /// List the partners of an asset, or what is shared with a business
    List {
        #[arg(long, conflicts_with = "business")]
        asset: Option<String>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        page: Page,
    },
}

/// `valetkey token …`.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Issue a token; its text is shown once
    Issue {
        /// The system user, by name or id
        system_user: String,
        /// The app, by name or id
        app: String,
        /// What it may be used for, separated by commas (`valetkey token scopes`)
        #[arg(long, required = true, value_delimiter = ',')]
        scopes: Vec<String>,
        /// How long it lives, in days; 60 if nothing is said
        #[arg(long, value_name = "N", conflicts_with_all = ["never", "lifetime_s"], value_parser = clap::value_parser!(i64).range(1..=3660))]
        days: Option<i64>,
        /// It has no end
        #[arg(long, conflicts_with = "lifetime_s")]
        never: bool,
        /// How long it lives, in seconds
        #[arg(long, value_name = "N")]
        lifetime_s: Option<i64>,
        /// Add the scopes that the wanted ones rest on
        #[arg(long)]
        add_dependencies: bool,
    },
    /// List the tokens of a user, or of a whole business, newest first
    List {
        /// The system user or person; the whole business if left out
        #[arg(long, conflicts_with = "business")]
        user: Option<String>,
        /// Leave out what no longer works
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        page: Page,
    },
    /// Show one token: who made it, what it may do, when it was last used
    Show {
        /// Its id, not its text
        id: String,
    },
    /// Revoke a token; no use of it is accepted from then on
    Revoke {
        /// Its id, not its text
        id: String,
        /// Also every token that was issued with it or refreshed from it, and what came from those
        #[arg(long)]
        with_descendants: bool,
    },
    /// Revoke all tokens of a system user, or those for one app
    RevokeAll {
        /// The system user, by name or id
        system_user: String,
        #[arg(long)]
        app: Option<String>,
    },
    /// List the scopes, what they allow, and what they rest on
    Scopes,
}

/// `valetkey terms …`.
#[derive(Debug, Subcommand)]
pub enum TermsVerb {
    /// Show the terms in force
    Show,
    /// Accept the terms in force, as the ADMIN person who signed in
    Accept {
        /// The version that was read; the one in force if left out
        #[arg(long)]
        version: Option<u32>,
        /// Don't ask again
        #[arg(long, short)]
        yes: bool,
    },
    /// Put a new text in force
    Replace {
        /// The file with the text
        file: PathBuf,
    },
}

/// `valetkey ledger …`.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// List entries in order
    List {
        /// Only entries behind this revision
        #[arg(long, value_name = "REVISION", default_value_t = 0)]
        after: u64,
        /// The most entries, up to 1000
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Check that nothing was altered, removed or inserted, and that the store holds what the ledger says
    Verify {
        /// An export to check instead; needs no server and no store
        #[arg(long, value_name = "FILE", conflicts_with = "business")]
        file: Option<PathBuf>,
        /// The hash that the last entry must have, from an earlier check
        #[arg(long, value_name = "HASH")]
        expect: Option<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Write all entries to a file, one JSON object a line
    Export {
        /// The file; replaced in one step, and readable by you alone
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        of: Of,
    },
}
