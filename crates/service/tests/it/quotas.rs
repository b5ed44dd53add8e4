//! Quotas of the refusal journal: calls without a token never displace refusals of a business.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use valetkey_service::{Call, Credential};

use crate::fixture::{Fixture, alive, fixture, publish};

const MINUTE_MS: i64 = 60_000;

/// Refusals of both businesses, and their traces.
fn refusals_of_both(fixture: &Fixture) -> Vec<String> {
    let mut traces = Vec::new();
    for (name, company, count) in [("rad", &fixture.company, 40), ("laut", &fixture.agency, 3)] {
        for n in 0..count {
            let trace = format!("{name}-{n}");
            let call = Call::with_token(&company.robot_token.text, &trace);
            fixture.service.ask(&call, publish(company.page)).unwrap_err();
            traces.push(trace);
        }
    }
    traces
}

/// 100,000 refusals without a token, from one address after the other.
async fn flood(fixture: &Fixture, name: &str, address: impl Fn(u32) -> IpAddr) {
    for n in 0..100_000u32 {
        // Every second one sends a text that was never a token.
        let text = if n % 2 == 0 { String::new() } else { format!("vkeysu_{n}") };
        let call = Call::new(Credential::Text(text), format!("{name}-{n}")).with_source(Some(address(n)), None);
        fixture.service.ask(&call, alive()).unwrap_err();
        if n % 5_000 == 4_999 {
            fixture.flush().await;
        }
        if n % 10_000 == 9_999 {
            fixture.ground.clock.advance_ms(MINUTE_MS);
        }
    }
    fixture.flush().await;
}

#[tokio::test]
async fn two_hundred_thousand_anonymous_refusals_leave_every_row_of_a_business() {
    let fixture = fixture().await;
    let traces = refusals_of_both(&fixture);
    fixture.flush().await;
    flood(&fixture, "many", |n| IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + n % 1_000))).await;
    flood(&fixture, "one-net", |n| IpAddr::V6(Ipv6Addr::from(0x2001_0db8_0001_0002_u128 << 64 | u128::from(n)))).await;
    let mut lost = Vec::new();
    for trace in &traces {
        if fixture.service.explain(&Call::operator("x"), trace).await.is_err() {
            lost.push(trace);
        }
    }
    assert!(lost.is_empty(), "{} of {} rows are lost: {lost:?}", lost.len(), traces.len());
    for (company, count) in [(&fixture.company, 40), (&fixture.agency, 3)] {
        let rows = fixture.ground.store.refusals(Some(company.business), 1_000).await.unwrap();
        assert_eq!(rows.len(), count);
    }
}
