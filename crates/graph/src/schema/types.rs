//! The types of the schema tables: kinds of nodes, fields, edges, parameters.
//!
//! It must not name a kind of node.

use valetkey_domain::AssetKind;
use valetkey_service::rights::Right;

/// What a field holds; printed in the documents, and used to read parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// An id as a decimal string.
    Id,
    Text,
    /// A JSON number.
    Number,
    /// A number that Meta writes as a string, such as money in minor units.
    NumberText,
    Boolean,
    /// `2026-01-31T10:00:00+0000`; parameters may be unix seconds as well.
    Time,
    /// Unix seconds as a number.
    UnixTime,
    List,
    Object,
    /// Another node, by the name of its kind; `{…}` picks its fields.
    Node(&'static str),
}

/// The right that reading a field needs, beside seeing the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Shown to every caller that may see the node.
    Identity,
    /// Shown with the kind's right to read.
    Full,
    /// Shown with the kind's right to manage; left out for others.
    Guarded,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
    pub level: Level,
    /// Shown if no fields are asked for: on the node itself, and in rows.
    pub on_node: bool,
    pub in_rows: bool,
    /// Shown in every answer, even if not asked for.
    pub always: bool,
}

impl Field {
    /// A field of level full that is shown only if asked for.
    pub const fn new(name: &'static str, ty: Type) -> Field {
        Field { name, ty, level: Level::Full, on_node: false, in_rows: false, always: false }
    }

    /// Shown to every caller that may see the node.
    pub const fn identity(self) -> Field {
        Field { level: Level::Identity, ..self }
    }

    /// Shown only with the right to manage.
    pub const fn guarded(self) -> Field {
        Field { level: Level::Guarded, ..self }
    }

    /// Shown by default on the node.
    pub const fn node(self) -> Field {
        Field { on_node: true, ..self }
    }

    /// Shown by default in rows.
    pub const fn row(self) -> Field {
        Field { in_rows: true, ..self }
    }

    /// Shown by default on both.
    pub const fn both(self) -> Field {
        Field { on_node: true, in_rows: true, ..self }
    }

    /// Shown in every answer.
    pub const fn always(self) -> Field {
        Field { always: true, in_rows: true, on_node: true, ..self }
    }
}

/// A parameter of a call.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    pub name: &'static str,
    pub ty: Type,
    pub required: bool,
}

/// A parameter that may be left out.
pub const fn param(name: &'static str, ty: Type) -> Param {
    Param { name, ty, required: false }
}

/// A parameter that must be given.
pub const fn required(name: &'static str, ty: Type) -> Param {
    Param { name, ty, required: true }
}

/// The verbs of the Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    /// The word in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Delete => "delete",
        }
    }
}

/// What a call does. The engine matches every variant, so a new one does not compile until it is
/// handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Changes something, or accepts something.
    Write(Write),
    /// A list of records.
    List(Listing),
    /// A list of the posts of a Page.
    Posts(PostList),
    /// The list of the campaigns of an ad account.
    Campaigns,
}

/// What a changing call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    // Nodes.
    UpdateBusiness,
    UpdateSystemUser,
    DeleteSystemUser,
    UpdatePerson,
    DeletePerson,
    UpdateApp,
    UpdatePage,
    UpdateAdAccount,
    UpdateAsset,
    RevokeToken,
    UpdatePost,
    DeletePost,
    UpdateCampaign,
    DeleteCampaign,
    // Edges of a business.
    CreateSystemUser,
    CreateAsset(AssetKind),
    CreateApp,
    DisconnectApp,
    // Edges of a user; `me` goes here too.
    InstallApp,
    UninstallApp,
    IssueToken,
    RevokeTokens,
    DropPermissions,
    // Edges of an asset.
    AssignUser,
    UnassignUser,
    ShareAsset,
    UnshareAsset,
    // Edges of a Page and of an ad account.
    PublishPost,
    CreateCampaign,
    // Edges of an app.
    /// Accepts reports of crashed clients and keeps nothing.
    AcceptAnything,
}

/// What a list of records shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    // Of a business.
    SystemUsers,
    People,
    /// Assets of a kind that the business owns; apps too.
    Owned(AssetKind),
    /// Assets of a kind that are shared with the business.
    Client(AssetKind),
    /// Both.
    Reachable(AssetKind),
    BusinessTokens,
    Agencies,
    Clients,
    // Of a user; `me` goes here too.
    InstalledApps,
    Tokens,
    Assigned(AssetKind),
    /// Assets of every kind that are assigned.
    AssignedAssets,
    MyPages,
    MyAdAccounts,
    MyBusinesses,
    MyBusinessUsers,
    MyPermissions,
    // Of an asset.
    AssignedUsers,
    Partners,
    // Of an app.
    AppPermissions,
    /// A list that is always empty, because its rows are not stored.
    Empty,
}

/// Which posts a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostList {
    Published,
    Scheduled,
    Ads,
}

/// A call that an edge, or the node itself, takes.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The name of the edge; empty for a call on the node itself.
    pub name: &'static str,
    pub verb: Verb,
    pub op: Op,
    /// The kind of the rows, or of the new object; empty if the answer is only `success`.
    pub rows: &'static str,
    pub params: &'static [Param],
    pub right: Right,
    /// One sentence for the documents.
    pub what: &'static str,
}

/// A kind of node.
#[derive(Debug)]
pub struct NodeType {
    /// The name in the Graph, as errors print it.
    pub name: &'static str,
    pub fields: &'static [Field],
    /// Names that programs ask for but that are not stored: accepted, and left out of answers.
    pub absent: &'static str,
    /// Descriptive text fields: stored as content of the asset, and writable by its managers.
    pub kept: &'static str,
    /// The right to see the node and its identity fields.
    pub identity: Right,
    /// The right to read the other fields.
    pub full: Right,
    /// The right to read guarded fields.
    pub guarded: Right,
    /// Calls on the node itself.
    pub calls: &'static [Edge],
    pub edges: &'static [Edge],
}

impl NodeType {
    /// The edge with this name and verb.
    pub fn edge(&self, name: &str, verb: Verb) -> Option<&'static Edge> {
        self.edges.iter().find(|e| e.name == name && e.verb == verb)
    }

    /// The call on the node itself.
    pub fn call(&self, verb: Verb) -> Option<&'static Edge> {
        self.calls.iter().find(|e| e.verb == verb)
    }

    /// The declared field, or one made for a name in `kept` or `absent`.
    pub fn field(&self, name: &str) -> Option<Field> {
        if let Some(field) = self.fields.iter().find(|f| f.name == name) {
            return Some(*field);
        }
        let word = |list: &'static str| list.split_ascii_whitespace().find(|w| *w == name);
        let found = word(self.kept).or_else(|| word(self.absent))?;
        Some(Field::new(found, Type::Text))
    }

    /// Whether a name is a kept descriptive field.
    pub fn keeps(&self, name: &str) -> bool {
        self.kept.split_ascii_whitespace().any(|w| w == name)
    }

    /// Every name that can be asked for: for "did you mean", and for `metadata`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let declared = self.fields.iter().map(|f| f.name);
        declared.chain(self.kept.split_ascii_whitespace()).chain(self.absent.split_ascii_whitespace())
    }
}
