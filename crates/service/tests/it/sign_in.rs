//! Who lets whom in, and as what.

use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::{PersonToken, SESSION_LIFETIME_MS};
use valetkey_domain::{Reason, Role, Status};

use crate::fixture::{alive, answer, fixture, name, operator, reader};

#[tokio::test]
async fn a_session_lives_a_day_and_is_listed_as_one() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let code = service.create_sign_in_code(&operator(), company.admin_person).await.unwrap().value;
    let done = service.redeem_sign_in_code("trace", code.reveal(), PersonToken::Session).await.unwrap();
    let (token, text) = done.value;
    assert!(token.session);
    let listed = service.list_tokens(&company.person, company.admin_person).await.unwrap();
    let sessions = listed.iter().filter(|l| l.token.session).map(|l| l.token.id).collect::<Vec<_>>();
    assert_eq!(sessions, [token.id], "the other token is for the command line");
    fixture.ground.clock.advance_ms(SESSION_LIFETIME_MS - 1);
    assert_eq!(answer(service, text.reveal(), alive()), "allow");
    fixture.ground.clock.advance_ms(1);
    assert_eq!(answer(service, text.reveal(), alive()), "token_expired");
}

#[tokio::test]
async fn an_admin_lets_in_only_whom_it_added_to_its_business_alone() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let made = service.create_person(&company.person, company.business, name("Bo"), "bo@x.example", Role::Employee);
    let bo = made.await.unwrap().value;
    let code = service.create_sign_in_code(&company.person, bo).await.unwrap().value;
    service.redeem_sign_in_code("trace", code.reveal(), PersonToken::CommandLine).await.unwrap();
    // Another business can't add the address; the operator can, and then bo is nobody's alone.
    let taken = service.create_person(&agency.person, agency.business, name("Bo"), "BO@x.example", Role::Admin).await;
    assert_eq!(taken.unwrap_err().field.as_deref(), Some("email"));
    let operator = operator();
    let made = service.create_person(&operator, agency.business, name("Bo"), "bo@x.example", Role::Admin);
    let second = made.await.unwrap().value;
    let same = reader(service).read(|s| s.person(bo).unwrap().human == s.person(second).unwrap().human).unwrap();
    assert!(same);
    for (call, person) in [(&company.person, bo), (&agency.person, second)] {
        let refused = service.create_sign_in_code(call, person).await.unwrap_err();
        assert_eq!((refused.reason, refused.expected.as_deref()), (Reason::RoleInsufficient, Some("operator")));
    }
    let foreign = service.create_sign_in_code(&company.person, second).await.unwrap_err();
    assert_eq!(foreign.reason, Reason::NotVisible);
}

#[tokio::test]
async fn no_human_is_left_without_an_entry() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let made = service.create_person(&company.person, company.business, name("Bo"), "bo@x.example", Role::Employee);
    let bo = made.await.unwrap().value;
    assert!(reader(service).read(|s| s.human_by_email("bo@x.example").is_some()).unwrap());
    let gone = PersonEdit { status: Some(Status::Deleted), ..PersonEdit::default() };
    service.update_person(&company.person, bo, gone).await.unwrap();
    assert!(reader(service).read(|s| s.human_by_email("bo@x.example").is_none()).unwrap());
    let again = service.create_person(&company.person, company.business, name("Bo"), "bo@x.example", Role::Employee);
    again.await.unwrap();
    // A node that starts now sees the same.
    let other = fixture.ground.node(9).await;
    assert!(reader(&other).read(|s| s.human_by_email("bo@x.example").is_some()).unwrap());
}
