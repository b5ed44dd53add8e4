//! Issuing: a token must never be the way to a wider one.

use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{Reason, ScopeSet};
use valetkey_testkit::company::issue;

use crate::fixture::fixture;

#[tokio::test]
async fn a_narrow_token_of_an_admin_makes_no_wide_one() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let reads = ScopeSet::of(&["ads_read"]);
    let hour = Lifetime::Seconds(3_600);
    let narrow = issue(service, &company.person, company.root, company.app, reads, hour).await.unwrap();
    let wide = |scopes, lifetime| issue(service, &company.person, company.root, company.app, scopes, lifetime);
    let manager = wide(ScopeSet::of(&["business_management"]), hour).await.unwrap();

    for (scopes, lifetime) in [(ScopeSet::all(), hour), (reads, Lifetime::Never)] {
        let refused = issue(service, &narrow.call(), company.root, company.app, scopes, lifetime).await.unwrap_err();
        assert_eq!(refused.reason, Reason::WiderThanCaller);
    }
    let for_another = issue(service, &narrow.call(), company.robot, company.app, reads, hour).await.unwrap_err();
    assert_eq!(for_another.reason, Reason::ScopeMissing);
    issue(service, &narrow.call(), company.root, company.app, reads, hour).await.unwrap();
    // Who may manage the business may do all of that.
    issue(service, &manager.call(), company.root, company.app, ScopeSet::all(), Lifetime::Never).await.unwrap();
}
