//! Issuing: a token must never be the way to a wider one.

use valetkey_domain::token::Lifetime;
use valetkey_domain::{Reason, ScopeSet};
use valetkey_testkit::company::issue;

use crate::house::house;

#[tokio::test]
async fn a_narrow_token_of_an_admin_makes_no_wide_one() {
    let house = house().await;
    let (service, maker) = (&house.service, &house.maker);
    let reads = ScopeSet::of(&["ads_read"]);
    let hour = Lifetime::Seconds(3_600);
    let narrow = issue(service, &maker.person, maker.root, maker.app, reads, hour).await.unwrap();
    let wide = |scopes, lifetime| issue(service, &maker.person, maker.root, maker.app, scopes, lifetime);
    let manager = wide(ScopeSet::of(&["business_management"]), hour).await.unwrap();

    for (scopes, lifetime) in [(ScopeSet::all(), hour), (reads, Lifetime::Never)] {
        let refused = issue(service, &narrow.call(), maker.root, maker.app, scopes, lifetime).await.unwrap_err();
        assert_eq!(refused.reason, Reason::WiderThanCaller);
    }
    let for_another = issue(service, &narrow.call(), maker.robot, maker.app, reads, hour).await.unwrap_err();
    assert_eq!(for_another.reason, Reason::ScopeMissing);
    issue(service, &narrow.call(), maker.root, maker.app, reads, hour).await.unwrap();
    // Who may manage the business may do all of that.
    issue(service, &manager.call(), maker.root, maker.app, ScopeSet::all(), Lifetime::Never).await.unwrap();
}
