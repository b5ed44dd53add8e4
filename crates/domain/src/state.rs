//! What rules may read: one revision of all authority records.

use crate::credential::Digest;
use crate::noun::app::{App, Connection, Installation};
use crate::noun::asset::Asset;
use crate::noun::assignment::Assignment;
use crate::noun::business::Business;
use crate::noun::human::Human;
use crate::noun::page_token::PageCounter;
use crate::noun::passkey::Passkey;
use crate::noun::person::Person;
use crate::noun::share::Share;
use crate::noun::sign_in::SignInCode;
use crate::noun::system_user::SystemUser;
use crate::noun::terms::Terms;
use crate::noun::token::Token;
use crate::{
    AppId, AssetId, AssetKind, BusinessId, DeclaredKind, HumanId, Id, List, PasskeyId, Record, RecordKey, Status,
    TokenId, UserId,
};

/// One revision of the authority records. Readers get copies, so no lock outlives a call.
///
/// An implementation gives the first nine methods. The others look up a noun by its typed key, or show
/// a list with typed ids; they follow from those nine.
pub trait State {
    /// The record of a key. An app is found under its own key, and not as an asset.
    fn record(&self, key: RecordKey) -> Option<Record>;
    fn token_by_digest(&self, digest: &Digest) -> Option<Token>;
    /// The ids of a list, ascending.
    fn list(&self, list: List) -> Vec<Id>;
    fn declared_kinds(&self) -> Vec<DeclaredKind>;
    fn sign_in_codes(&self) -> Vec<SignInCode>;
    /// Whether any record has this id.
    fn exists(&self, id: Id) -> bool;
    /// The human who signs in with this address, in lower case.
    fn human_by_email(&self, email: &str) -> Option<Human>;
    /// The passkey whose credential id has this SHA-256, whoever it belongs to.
    fn passkey_by_credential(&self, digest: &Digest) -> Option<Passkey>;
    /// People with this address who are not deleted and have no human yet, ascending. Only earlier
    /// versions made such people.
    fn people_without_human(&self, email: &str) -> Vec<UserId>;

    fn human(&self, id: HumanId) -> Option<Human> {
        self.record(RecordKey::Human(id)).and_then(Human::from_record)
    }

    fn passkey(&self, id: PasskeyId) -> Option<Passkey> {
        self.record(RecordKey::Passkey(id)).and_then(Passkey::from_record)
    }

    /// A business that is not deleted.
    fn business(&self, id: BusinessId) -> Option<Business> {
        self.business_ever(id).filter(|business| business.deleted_at.is_none())
    }

    /// The same, deleted or not: for names in histories. No rule may act on it.
    fn business_ever(&self, id: BusinessId) -> Option<Business> {
        self.record(RecordKey::Business(id)).and_then(Business::from_record)
    }

    fn person(&self, id: UserId) -> Option<Person> {
        self.record(RecordKey::Person(id)).and_then(Person::from_record)
    }

    fn system_user(&self, id: UserId) -> Option<SystemUser> {
        self.record(RecordKey::SystemUser(id)).and_then(SystemUser::from_record)
    }

    /// An app that is not deleted.
    fn app(&self, id: AppId) -> Option<App> {
        self.app_ever(id).filter(|app| app.deleted_at.is_none())
    }

    /// The same, deleted or not: for names in histories. No rule may act on it.
    fn app_ever(&self, id: AppId) -> Option<App> {
        self.record(RecordKey::App(id)).and_then(App::from_record)
    }

    fn connection(&self, business: BusinessId, app: AppId) -> Option<Connection> {
        self.record(RecordKey::Connection(business, app)).and_then(Connection::from_record)
    }

    fn installation(&self, system_user: UserId, app: AppId) -> Option<Installation> {
        self.record(RecordKey::Installation(system_user, app)).and_then(Installation::from_record)
    }

    fn declared_kind(&self, kind: AssetKind) -> Option<DeclaredKind> {
        self.record(RecordKey::DeclaredKind(kind)).and_then(DeclaredKind::from_record)
    }

    /// An asset that is not deleted; an app answers as an asset of kind app.
    fn asset(&self, id: AssetId) -> Option<Asset> {
        self.asset_ever(id).filter(|asset| asset.deleted_at.is_none())
    }

    /// The same, deleted or not: for names in histories. No rule may act on it.
    fn asset_ever(&self, id: AssetId) -> Option<Asset> {
        let stored = self.record(RecordKey::Asset(id)).and_then(Asset::from_record);
        stored.or_else(|| self.app_ever(AppId::of(id.any())).map(|app| app.as_asset()))
    }

    fn assignment(&self, user: UserId, asset: AssetId) -> Option<Assignment> {
        self.record(RecordKey::Assignment(user, asset)).and_then(Assignment::from_record)
    }

    fn share(&self, asset: AssetId, partner: BusinessId) -> Option<Share> {
        self.record(RecordKey::Share(asset, partner)).and_then(Share::from_record)
    }

    fn token(&self, id: TokenId) -> Option<Token> {
        self.record(RecordKey::Token(id)).and_then(Token::from_record)
    }

    /// How often the page token of a Page was ended for a parent token; none means never.
    fn page_counter(&self, parent: TokenId, page: AssetId) -> Option<PageCounter> {
        self.record(RecordKey::PageCounter(parent, page)).and_then(PageCounter::from_record)
    }

    /// The same as a number.
    fn times_ended(&self, parent: TokenId, page: AssetId) -> u64 {
        self.page_counter(parent, page).map_or(0, |c| c.counter)
    }

    fn sign_in_code(&self, digest: &Digest) -> Option<SignInCode> {
        self.record(RecordKey::SignInCode(*digest)).and_then(SignInCode::from_record)
    }

    /// The terms in force; ours until the operator replaces them.
    fn terms(&self) -> Terms {
        self.record(RecordKey::Terms).and_then(Terms::from_record).unwrap_or_default()
    }

    /// The business of a person or system user that is not deleted.
    fn business_of(&self, user: UserId) -> Option<BusinessId> {
        let person = self.person(user).filter(|p| p.status != Status::Deleted).map(|p| p.business);
        person.or_else(|| self.system_user(user).filter(|u| u.status != Status::Deleted).map(|u| u.business))
    }

    fn businesses(&self) -> Vec<BusinessId> {
        typed(self.list(List::Businesses))
    }

    fn people(&self, business: BusinessId) -> Vec<UserId> {
        typed(self.list(List::People(business)))
    }

    fn system_users(&self, business: BusinessId) -> Vec<UserId> {
        typed(self.list(List::SystemUsers(business)))
    }

    fn owned_apps(&self, business: BusinessId) -> Vec<AppId> {
        typed(self.list(List::OwnedApps(business)))
    }

    fn connected_apps(&self, business: BusinessId) -> Vec<AppId> {
        typed(self.list(List::ConnectedApps(business)))
    }

    fn owned_assets(&self, business: BusinessId) -> Vec<AssetId> {
        typed(self.list(List::OwnedAssets(business)))
    }

    fn shared_assets(&self, business: BusinessId) -> Vec<AssetId> {
        typed(self.list(List::SharedAssets(business)))
    }

    fn installed_apps(&self, system_user: UserId) -> Vec<AppId> {
        typed(self.list(List::InstalledApps(system_user)))
    }

    fn assets_of(&self, user: UserId) -> Vec<AssetId> {
        typed(self.list(List::AssetsOf(user)))
    }

    fn users_on(&self, asset: AssetId) -> Vec<UserId> {
        typed(self.list(List::UsersOn(asset)))
    }

    fn partners_of(&self, asset: AssetId) -> Vec<BusinessId> {
        typed(self.list(List::PartnersOf(asset)))
    }

    fn tokens_of(&self, user: UserId) -> Vec<TokenId> {
        typed(self.list(List::TokensOf(user)))
    }

    /// Page tokens of a Page that are not revoked.
    fn page_tokens_on(&self, page: AssetId) -> Vec<TokenId> {
        typed(self.list(List::PageTokensOn(page)))
    }

    /// Those of the users of one business.
    fn page_tokens_in(&self, page: AssetId, business: BusinessId) -> Vec<TokenId> {
        typed(self.list(List::PageTokensIn { page, business }))
    }

    /// Those of one user.
    fn page_tokens_of(&self, page: AssetId, user: UserId) -> Vec<TokenId> {
        typed(self.list(List::PageTokensOf { page, user }))
    }

    fn passkeys_of(&self, human: HumanId) -> Vec<PasskeyId> {
        typed(self.list(List::PasskeysOf(human)))
    }

    /// The people that a human is, in one business each; deleted ones are not among them.
    fn entries_of(&self, human: HumanId) -> Vec<UserId> {
        typed(self.list(List::EntriesOf(human)))
    }
}

fn typed<Of>(ids: Vec<Id>) -> Vec<Id<Of>> {
    ids.into_iter().map(Id::of).collect()
}
