//! A kind of asset with all its words: for lists of assets, their pages, and sentences about them.
//! Nothing here may say what somebody may do; it only names it.

use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, DeclaredKind, TaskSet, kind};
use valetkey_service::{Facts, Service};

use crate::view::parts::Link;
use crate::{names, words};

/// Every kind, the declared ones last.
pub fn all(facts: &Facts<'_>) -> Vec<Kind> {
    let built_in = kind::TABLE.iter().map(|row| Kind { kind: row.kind, declared: None });
    let declared = facts.declared_kinds().into_iter().map(|kind| Kind { kind: kind.kind, declared: Some(kind) });
    built_in.chain(declared).collect()
}

/// Whether an id is one of an asset of this kind. Declared kinds share one sort of id, so there the
/// record says it.
pub fn is_of(facts: &Facts<'_>, id: AssetId, kind: AssetKind) -> bool {
    id.kind() == Some(kind.id_kind())
        && (kind.declared_number().is_none() || facts.asset(id).is_some_and(|asset| asset.kind == kind))
}

/// A kind, with its declaration if the operator declared it.
#[derive(Debug, Clone)]
pub struct Kind {
    pub kind: AssetKind,
    declared: Option<DeclaredKind>,
}

impl Kind {
    /// A kind that exists. Inside a step use [`Kind::on`]: a step must not call the service.
    pub fn of(service: &Service, kind: AssetKind) -> Kind {
        Kind { kind, declared: service.declared_kind(kind) }
    }

    /// The same inside a step, on its own revision.
    pub fn on(facts: &Facts<'_>, kind: AssetKind) -> Kind {
        Kind { kind, declared: facts.declared_kind(kind) }
    }

    /// The kind of a word in an address.
    pub fn of_word(service: &Service, word: &str) -> Option<Kind> {
        if let Some(kind) = AssetKind::parse(word) {
            return Some(Kind { kind, declared: None });
        }
        let declared = service.declared_kinds().into_iter().find(|kind| kind.word == word)?;
        Some(Kind { kind: declared.kind, declared: Some(declared) })
    }

    /// Its declaration.
    pub fn declared(&self) -> Option<&DeclaredKind> {
        self.declared.as_ref()
    }

    /// "Ad account".
    pub fn title(&self) -> String {
        names::kind_title(self.kind, self.declared())
    }

    /// "Ad accounts".
    pub fn plural(&self) -> String {
        names::kind_plural(self.kind, self.declared())
    }

    /// "ad account", inside a sentence.
    pub fn one(&self) -> String {
        self.kind.row().map_or_else(|| self.title(), |row| row.title.to_owned())
    }

    /// Its word in addresses.
    pub fn word(&self) -> String {
        names::kind_word(self.kind, self.declared())
    }

    /// The address of its list.
    pub fn href(&self) -> String {
        names::kind_href(self.kind, self.declared())
    }

    /// Its list.
    pub fn list(&self) -> Link {
        Link::new(self.plural(), self.href())
    }

    /// Its icon.
    pub fn icon(&self) -> &'static str {
        names::kind_icon(self.kind)
    }

    /// The labels of a set of tasks.
    pub fn labels(&self, tasks: TaskSet) -> Vec<String> {
        let vocabulary = Vocabulary::of(self.kind, self.declared());
        let names = vocabulary.map(|words| words.names(tasks)).unwrap_or_default();
        names.into_iter().map(|name| words::task(self.kind, name).label).collect()
    }

    /// The labels of tasks by their names on the wire.
    pub fn labels_of(&self, names: &[String]) -> Vec<String> {
        names.iter().map(|name| words::task(self.kind, name).label).collect()
    }

    /// The label of the task at a position of the kind's vocabulary.
    pub fn label_at(&self, position: u8) -> Option<String> {
        let vocabulary = Vocabulary::of(self.kind, self.declared())?;
        let name = *vocabulary.all_names().get(usize::from(position))?;
        Some(words::task(self.kind, name).label)
    }

    /// What assets of this kind are for.
    pub fn about(&self) -> &'static str {
        match self.kind {
            AssetKind::Page => {
                "A Page is what a business shows to the public. Software publishes posts on it and answers comments."
            }
            AssetKind::AdAccount => {
                "An ad account holds campaigns and pays for them. Software makes campaigns in it and reads their numbers."
            }
            AssetKind::Catalog => "A catalog holds what a business sells. Software keeps its products up to date.",
            AssetKind::Pixel => {
                "A pixel collects what visitors of a website do. Software sends events to it and reads them."
            }
            AssetKind::InstagramAccount => {
                "An Instagram account shows pictures and videos. Software publishes in it and answers comments."
            }
            AssetKind::WhatsappAccount => {
                "A WhatsApp account holds phone numbers and templates. Software sends messages with it."
            }
            AssetKind::App => "An app stands for a program of the business.",
            AssetKind::Declared(_) => {
                "The operator of this server declared this kind. Software asks the server what it may do with each one."
            }
        }
    }
}
