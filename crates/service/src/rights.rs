//! Rights: what each call asks for, as data. Adapters print them in their documents and build their
//! questions from them; the use cases of this crate ask them themselves.
//!
//! Printed into `docs/reference/graph.md`. A row may become stricter, never wider, without a decision page.

use valetkey_authz::Proof;
use valetkey_authz::{Need, Own, Question, Sorts, Target};
use valetkey_domain::task::{TaskSet, Vocabulary};
use valetkey_domain::{AssetId, AssetKind, BusinessId, ScopeSet, UserId};

/// Who may call, beside scope and task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Any caller that passes the other checks.
    Any,
    /// An ADMIN of the caller's business.
    Admin,
    /// An ADMIN of the business that owns the asset.
    OwnerAdmin,
}

/// Which tasks on the asset are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tasks {
    /// No task is needed.
    Nothing,
    /// Any task.
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A right.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    pub who: Who,
    pub sorts: Sorts,
    /// One of these scopes; none if empty.
    pub scopes: &'static [&'static str],
    /// For an ADMIN, one of these scopes is enough too.
    pub admin_scopes: &'static [&'static str],
    /// Sorts of callers that need no scope here.
    pub scope_free: Sorts,
    pub tasks: Tasks,
    /// What is enough when the call is about one's own user: one of these scopes, none if empty.
    pub own: Option<&'static [&'static str]>,
}

/// The start of every row: anybody with a user's token, nothing asked.
pub const OPEN: Right = Right {
    who: Who::Any,
    sorts: Sorts::USERS,
    scopes: &[],
    admin_scopes: &[],
    scope_free: Sorts::NONE,
    tasks: Tasks::Nothing,
    own: None,
};

const BUSINESS: &[&str] = &["business_management"];
const ADS: &[&str] = &["ads_read", "ads_management"];

/// Manage the business: users, apps, assets, tokens.
pub const MANAGE_BUSINESS: Right = Right { who: Who::Admin, scopes: BUSINESS, ..OPEN };
/// The same, or about oneself without any scope.
pub const MANAGE_OR_SELF: Right = Right { own: Some(&[]), ..MANAGE_BUSINESS };
/// Read the business node beyond `id` and `name`.
pub const READ_BUSINESS: Right = Right { scopes: BUSINESS, ..OPEN };
/// Delete an asset: for an ADMIN of its owner.
pub const DELETE_ASSET: Right = Right { who: Who::OwnerAdmin, scopes: BUSINESS, ..OPEN };
/// List the people of a business. A person sees its own entry there, whatever its role.
pub const LIST_PEOPLE: Right = Right { scope_free: Sorts::USER, ..READ_BUSINESS };
/// Make a pixel, or an ad account.
pub const CREATE_ADS_ASSET: Right =
    Right { who: Who::Admin, scopes: &["business_management", "ads_management"], ..OPEN };
/// Make a catalog.
pub const CREATE_CATALOG: Right =
    Right { who: Who::Admin, scopes: &["catalog_management", "business_management"], ..OPEN };
/// Publish, edit and delete posts.
pub const PUBLISH: Right = Right {
    sorts: Sorts::USERS_AND_PAGE,
    scopes: &["pages_manage_posts"],
    tasks: Tasks::OneOf(&["CREATE_CONTENT"]),
    ..OPEN
};
/// Make an unpublished post for ads.
pub const PUBLISH_ADS_POST: Right = Right {
    scopes: &["pages_manage_ads", "pages_manage_posts"],
    tasks: Tasks::OneOf(&["ADVERTISE", "CREATE_CONTENT"]),
    ..PUBLISH
};
/// Hide and show a post.
pub const HIDE_POST: Right = Right {
    scopes: &["pages_manage_posts", "pages_manage_engagement"],
    tasks: Tasks::OneOf(&["CREATE_CONTENT", "MODERATE"]),
    ..PUBLISH
};
/// Read what a Page published.
pub const READ_FEED: Right = Right {
    sorts: Sorts::USERS_AND_PAGE,
    scopes: &["pages_read_engagement"],
    tasks: Tasks::OneOf(&["CREATE_CONTENT", "MODERATE", "MANAGE", "ANALYZE", "ADVERTISE"]),
    ..OPEN
};
/// Read one published post.
pub const READ_POST: Right = Right { scopes: &["pages_read_engagement", "pages_manage_posts"], ..READ_FEED };
/// Read what is not published yet.
pub const READ_SCHEDULED: Right = Right { tasks: Tasks::OneOf(&["CREATE_CONTENT"]), ..READ_POST };
/// Read the posts that are made for ads.
pub const READ_ADS_POSTS: Right =
    Right { scopes: &["pages_read_engagement", "pages_manage_ads"], tasks: Tasks::OneOf(&["ADVERTISE"]), ..READ_FEED };
/// Read a Page in full.
pub const READ_PAGE: Right = Right {
    sorts: Sorts::USERS_AND_PAGE,
    scopes: &[
        "pages_read_engagement",
        "pages_manage_posts",
        "pages_manage_engagement",
        "pages_manage_metadata",
        "pages_manage_ads",
        "pages_manage_cta",
        "pages_manage_instant_articles",
    ],
    tasks: Tasks::Any,
    ..OPEN
};
/// Read what identifies a Page.
pub const READ_PAGE_IDENTITY: Right = Right {
    scopes: &[
        "pages_read_engagement",
        "pages_show_list",
        "pages_manage_posts",
        "pages_manage_engagement",
        "pages_manage_metadata",
        "pages_manage_ads",
        "pages_manage_cta",
        "pages_manage_instant_articles",
        "ads_read",
        "ads_management",
    ],
    admin_scopes: BUSINESS,
    ..READ_PAGE
};
/// Get a Page's own token.
pub const PAGE_TOKEN: Right =
    Right { sorts: Sorts::USERS_AND_PAGE, scopes: &["pages_show_list"], tasks: Tasks::Any, ..OPEN };
/// Change a Page.
pub const MANAGE_PAGE: Right = Right {
    sorts: Sorts::USERS_AND_PAGE,
    scopes: &["pages_manage_metadata"],
    tasks: Tasks::OneOf(&["MANAGE"]),
    ..OPEN
};
/// Read an ad account and all below it.
pub const READ_ADS: Right = Right { scopes: ADS, tasks: Tasks::OneOf(&["ANALYZE"]), ..OPEN };
/// Read what identifies an ad account.
pub const READ_ADS_IDENTITY: Right = Right { scopes: ADS, admin_scopes: BUSINESS, tasks: Tasks::Any, ..OPEN };
/// Make, change and delete campaigns.
pub const WRITE_ADS: Right = Right { scopes: &["ads_management"], tasks: Tasks::OneOf(&["ADVERTISE"]), ..OPEN };
/// Change the ad account itself.
pub const MANAGE_ADS: Right = Right { scopes: &["ads_management"], tasks: Tasks::OneOf(&["MANAGE"]), ..OPEN };
/// Read a catalog.
pub const READ_CATALOG: Right = Right {
    scopes: &["catalog_management", "ads_management", "ads_read", "business_management"],
    tasks: Tasks::Any,
    ..OPEN
};
/// Change a catalog.
pub const MANAGE_CATALOG: Right = Right { scopes: &["catalog_management"], tasks: Tasks::OneOf(&["MANAGE"]), ..OPEN };
/// Read a pixel.
pub const READ_PIXEL: Right =
    Right { scopes: &["ads_read", "ads_management", "business_management"], tasks: Tasks::Any, ..OPEN };
/// Change a pixel.
pub const EDIT_PIXEL: Right = Right { scopes: &["ads_management"], tasks: Tasks::OneOf(&["EDIT"]), ..OPEN };
/// Read an Instagram account.
pub const READ_INSTAGRAM: Right =
    Right { scopes: &["instagram_basic"], admin_scopes: BUSINESS, tasks: Tasks::Any, ..OPEN };
/// Read a WhatsApp account.
pub const READ_WHATSAPP: Right =
    Right { scopes: &["whatsapp_business_management"], admin_scopes: BUSINESS, tasks: Tasks::Any, ..OPEN };
/// Read an asset of a kind that the operator declared.
pub const READ_DECLARED: Right = Right { tasks: Tasks::Any, ..OPEN };

impl Right {
    /// The question about something that belongs to a business.
    pub fn on_business(&self, business: BusinessId) -> Question {
        self.question(Target::Business(business), None)
    }

    /// The same, where `user` may ask about itself.
    pub fn on_user(&self, business: BusinessId, user: UserId) -> Question {
        let mut question = self.on_business(business);
        question.own = self.own.map(|scopes| Own { user, scopes: ScopeSet::of(scopes) });
        question
    }

    /// The question about an asset.
    pub fn on_asset(&self, asset: AssetId, kind: AssetKind) -> Question {
        self.question(Target::Asset(asset), Some(kind))
    }

    /// The question about the caller itself.
    pub fn on_caller(&self) -> Question {
        self.question(Target::Nothing, None)
    }

    fn question(&self, target: Target, kind: Option<AssetKind>) -> Question {
        let need = match (self.who, self.tasks) {
            (Who::Admin, _) => Need::Admin,
            (Who::OwnerAdmin, _) => Need::OwnerAdmin,
            (Who::Any, Tasks::Nothing) => Need::Nothing,
            (Who::Any, Tasks::Any) => Need::AnyTask,
            (Who::Any, Tasks::OneOf(names)) => Need::Tasks(task_set(kind, names)),
        };
        Question {
            target,
            sorts: self.sorts,
            scopes: ScopeSet::of(self.scopes),
            admin_scopes: ScopeSet::of(self.admin_scopes),
            scope_free: self.scope_free,
            need,
            own: None,
            proof: Proof::NotSent,
        }
    }
}

/// The right to list who is assigned to an asset of this kind.
pub fn list_assigned(kind: AssetKind) -> Question {
    let mut scopes = kind.own_scopes().with(ScopeSet::of(BUSINESS));
    scopes = match kind {
        AssetKind::AdAccount | AssetKind::Pixel => scopes.with(ScopeSet::of(&["ads_read"])),
        AssetKind::Page => scopes.with(ScopeSet::of(&["pages_read_engagement"])),
        AssetKind::Catalog
        | AssetKind::InstagramAccount
        | AssetKind::WhatsappAccount
        | AssetKind::App
        | AssetKind::Declared(_) => scopes,
    };
    Question::about(Target::Nothing).scopes(scopes).need(Need::AnyTask).sorts(Sorts::USERS_AND_PAGE)
}

/// The right to change who is assigned to an asset of this kind.
pub fn change_assigned(asset: AssetId, kind: AssetKind) -> Question {
    let scopes = kind.own_scopes().with(ScopeSet::of(BUSINESS));
    let sorts = if kind == AssetKind::Page { Sorts::USERS_AND_PAGE } else { Sorts::USERS };
    Question::about(Target::Asset(asset)).scopes(scopes).need(Need::Admin).sorts(sorts)
}

/// The right to take an assignment away. A page token doesn't have it: it stands for the Page, not for
/// a user that manages assignments.
pub fn unassign(asset: AssetId, kind: AssetKind) -> Question {
    change_assigned(asset, kind).sorts(Sorts::USERS)
}

/// The right to end a share, for ADMINs of the owner and of the partner.
pub fn unshare(asset: AssetId, kind: AssetKind) -> Question {
    unassign(asset, kind)
}

/// The right to share an asset of this kind, or, as its owner, to list the partners it is shared with.
pub fn share(asset: AssetId, kind: AssetKind) -> Question {
    Question { need: Need::OwnerAdmin, ..change_assigned(asset, kind) }
}

fn task_set(kind: Option<AssetKind>, names: &[&str]) -> TaskSet {
    let words = kind.and_then(|k| Vocabulary::of(k, None));
    let bits = names.iter().filter_map(|name| words.and_then(|w| w.parse(name)));
    bits.fold(TaskSet::EMPTY, TaskSet::with)
}
