//! How things are named on pages: kinds, counts, initials, addresses. Every page takes these words from
//! here, so that one thing has one name.

use std::collections::BTreeSet;

use valetkey_domain::noun::token::Token;
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, DeclaredKind, Role, State, UserId};

/// The word for a role.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Employee => "Employee",
    }
}

/// One or two letters that stand for a name.
pub fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let first = |word: &&str| word.chars().find(|c| c.is_alphanumeric());
    let letters: String = match words.as_slice() {
        [] => return "?".to_owned(),
        [only] => only.chars().filter(|c| c.is_alphanumeric()).take(2).collect(),
        [one, .., last] => [first(one), first(last)].into_iter().flatten().collect(),
    };
    letters.to_uppercase()
}

/// A count with its thousands apart: "1,234".
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: "1 token", "3 tokens".
pub fn counted(number: usize, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {more}", count(number)) }
}

/// A list in words: "a", "a and b", "a, b and c".
pub fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The word of a kind in addresses: `page`, `ad_account`, or what the operator declared.
pub fn kind_word(kind: AssetKind, declared: Option<&DeclaredKind>) -> String {
    kind.row().map(|row| row.word.to_owned()).or_else(|| declared.map(|d| d.word.clone())).unwrap_or_default()
}

/// A kind of a word in an address.
pub fn kind_of_word(state: &dyn State, word: &str) -> Option<AssetKind> {
    let declared = || state.declared_kinds().into_iter().find(|kind| kind.word == word).map(|kind| kind.kind);
    AssetKind::parse(word).or_else(declared)
}

/// A kind, as people say it: "Page".
pub fn kind_title(kind: AssetKind, declared: Option<&DeclaredKind>) -> String {
    match kind {
        AssetKind::Page => "Page".to_owned(),
        AssetKind::AdAccount => "Ad account".to_owned(),
        AssetKind::Catalog => "Catalog".to_owned(),
        AssetKind::Pixel => "Pixel".to_owned(),
        AssetKind::InstagramAccount => "Instagram account".to_owned(),
        AssetKind::WhatsappAccount => "WhatsApp account".to_owned(),
        AssetKind::App => "App".to_owned(),
        AssetKind::Declared(_) => declared.map_or_else(|| "Asset".to_owned(), |d| d.title.to_string()),
    }
}

/// The same in the plural; a declared kind has one word only.
pub fn kind_plural(kind: AssetKind, declared: Option<&DeclaredKind>) -> String {
    match kind {
        AssetKind::Page => "Pages".to_owned(),
        AssetKind::AdAccount => "Ad accounts".to_owned(),
        AssetKind::Catalog => "Catalogs".to_owned(),
        AssetKind::Pixel => "Pixels".to_owned(),
        AssetKind::InstagramAccount => "Instagram accounts".to_owned(),
        AssetKind::WhatsappAccount => "WhatsApp accounts".to_owned(),
        AssetKind::App => "Apps".to_owned(),
        AssetKind::Declared(_) => kind_title(kind, declared),
    }
}

/// The icon of a kind.
pub fn kind_icon(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Page => "file-text",
        AssetKind::AdAccount => "megaphone",
        AssetKind::Catalog => "package",
        AssetKind::Pixel => "crosshair",
        AssetKind::InstagramAccount => "image",
        AssetKind::WhatsappAccount => "message-circle",
        AssetKind::App => "boxes",
        AssetKind::Declared(_) => "shapes",
    }
}

/// The page of a system user.
pub fn system_user_href(id: UserId) -> String {
    format!("/console/system-users/{id}")
}

/// The page of a person.
pub fn person_href(id: UserId) -> String {
    format!("/console/people/{id}")
}

/// The page of an asset.
pub fn asset_href(id: AssetId) -> String {
    format!("/console/assets/{id}")
}

/// The page of an app.
pub fn app_href(id: AppId) -> String {
    format!("/console/apps/{id}")
}

/// The page with the assets of a kind.
pub fn kind_href(kind: AssetKind, declared: Option<&DeclaredKind>) -> String {
    format!("/console/assets?kind={}", kind_word(kind, declared))
}

/// What a token is called: what it is for, or its id when nobody said.
pub fn token(token: &Token) -> String {
    let purpose = token.purpose.as_ref().map(|purpose| purpose.as_str().to_owned());
    purpose.unwrap_or_else(|| format!("Token {}", token.id))
}

/// The name of a person or system user, wherever it works; deleted ones keep theirs.
pub fn user(state: &dyn State, id: UserId) -> String {
    let person = state.person(id).map(|person| person.name);
    let name = person.or_else(|| state.system_user(id).map(|user| user.name));
    name.map_or_else(|| id.to_string(), |name| name.to_string())
}

/// Who made something: the operator made what names nobody.
pub fn creator(state: &dyn State, by: Option<UserId>) -> String {
    by.map_or_else(|| "The operator".to_owned(), |id| user(state, id))
}

/// The businesses that an asset of this one is shared with, and those that share one with it.
pub fn partners(state: &dyn State, business: BusinessId) -> BTreeSet<BusinessId> {
    let shared_out = state.owned_assets(business).into_iter().flat_map(|asset| state.partners_of(asset));
    let taken = state.shared_assets(business).into_iter().filter_map(|asset| state.asset(asset)?.business);
    shared_out.chain(taken).filter(|other| *other != business).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_letters_and_numbers_stay_readable() {
        for (name, letters) in
            [("Ada Lovelace", "AL"), ("Alder & Pine Cycles", "AC"), ("Bikes", "BI"), ("…", "?"), ("ß", "SS")]
        {
            assert_eq!(initials(name), letters, "{name}");
        }
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "token", "tokens"), "1 token");
        assert_eq!(and(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
