//! The access matrix on `decide`. `cargo nextest run -p valetkey-authz matrix --no-capture` prints it.

use valetkey_authz::decide;
use valetkey_authz::tables::{Ids, NOW, Situation, situations, summary};

#[test]
fn kind_by_task_by_relation_by_role() {
    let asset = Ids::of_tables().asset;
    let mut letters = Vec::new();
    let mut above = String::new();
    for at in situations() {
        let title = format!("{} · {} · {}: rows assigned, columns asked", at.word, at.relation, at.role);
        if title != above {
            println!("{title}");
            above = title;
        }
        let mut line = String::new();
        for asked in &at.tasks {
            let got = Situation::letter(&decide(&at.view, &at.question(asked, asset), NOW));
            let Situation { word, relation, role, held, .. } = &at;
            assert_eq!(got, at.wanted(asked), "{word} {relation} {role}: has {held}, asked for {asked}");
            letters.push((at.clone(), got));
            line.push(got);
        }
        println!("  {line}  {}", at.held);
    }
    insta::assert_snapshot!(summary(letters.into_iter()), @r"
    kind, relation, role: allowed / task missing / not assigned / not visible
    page, none, admin: 0 / 0 / 0 / 289
    page, none, employee: 0 / 0 / 0 / 289
    page, owned, admin: 289 / 0 / 0 / 0
    page, owned, employee: 0 / 0 / 289 / 0
    page, owned+assigned, admin: 289 / 0 / 0 / 0
    page, owned+assigned, employee: 34 / 255 / 0 / 0
    page, shared-ANALYZE+assigned, admin: 17 / 272 / 0 / 0
    page, shared-ANALYZE+assigned, employee: 3 / 48 / 238 / 0
    page, shared-in-full, admin: 289 / 0 / 0 / 0
    page, shared-in-full, employee: 0 / 0 / 289 / 0
    page, shared-in-full+assigned, admin: 289 / 0 / 0 / 0
    page, shared-in-full+assigned, employee: 34 / 255 / 0 / 0
    ad_account, none, admin: 0 / 0 / 0 / 25
    ad_account, none, employee: 0 / 0 / 0 / 25
    ad_account, owned, admin: 25 / 0 / 0 / 0
    ad_account, owned, employee: 0 / 0 / 25 / 0
    ad_account, owned+assigned, admin: 25 / 0 / 0 / 0
    ad_account, owned+assigned, employee: 10 / 15 / 0 / 0
    ad_account, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    ad_account, shared-ANALYZE+assigned, employee: 3 / 12 / 10 / 0
    ad_account, shared-in-full, admin: 25 / 0 / 0 / 0
    ad_account, shared-in-full, employee: 0 / 0 / 25 / 0
    ad_account, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    ad_account, shared-in-full+assigned, employee: 10 / 15 / 0 / 0
    catalog, none, admin: 0 / 0 / 0 / 16
    catalog, none, employee: 0 / 0 / 0 / 16
    catalog, owned, admin: 16 / 0 / 0 / 0
    catalog, owned, employee: 0 / 0 / 16 / 0
    catalog, owned+assigned, admin: 16 / 0 / 0 / 0
    catalog, owned+assigned, employee: 7 / 9 / 0 / 0
    catalog, shared-ANALYZE+assigned, admin: 4 / 12 / 0 / 0
    catalog, shared-ANALYZE+assigned, employee: 2 / 6 / 8 / 0
    catalog, shared-in-full, admin: 16 / 0 / 0 / 0
    catalog, shared-in-full, employee: 0 / 0 / 16 / 0
    catalog, shared-in-full+assigned, admin: 16 / 0 / 0 / 0
    catalog, shared-in-full+assigned, employee: 7 / 9 / 0 / 0
    pixel, none, admin: 0 / 0 / 0 / 25
    pixel, none, employee: 0 / 0 / 0 / 25
    pixel, owned, admin: 25 / 0 / 0 / 0
    pixel, owned, employee: 0 / 0 / 25 / 0
    pixel, owned+assigned, admin: 25 / 0 / 0 / 0
    pixel, owned+assigned, employee: 6 / 19 / 0 / 0
    pixel, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    pixel, shared-ANALYZE+assigned, employee: 2 / 8 / 15 / 0
    pixel, shared-in-full, admin: 25 / 0 / 0 / 0
    pixel, shared-in-full, employee: 0 / 0 / 25 / 0
    pixel, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    pixel, shared-in-full+assigned, employee: 6 / 19 / 0 / 0
    instagram_account, none, admin: 0 / 0 / 0 / 25
    instagram_account, none, employee: 0 / 0 / 0 / 25
    instagram_account, owned, admin: 25 / 0 / 0 / 0
    instagram_account, owned, employee: 0 / 0 / 25 / 0
    instagram_account, owned+assigned, admin: 25 / 0 / 0 / 0
    instagram_account, owned+assigned, employee: 6 / 19 / 0 / 0
    instagram_account, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    instagram_account, shared-ANALYZE+assigned, employee: 2 / 8 / 15 / 0
    instagram_account, shared-in-full, admin: 25 / 0 / 0 / 0
    instagram_account, shared-in-full, employee: 0 / 0 / 25 / 0
    instagram_account, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    instagram_account, shared-in-full+assigned, employee: 6 / 19 / 0 / 0
    whatsapp_account, none, admin: 0 / 0 / 0 / 100
    whatsapp_account, none, employee: 0 / 0 / 0 / 100
    whatsapp_account, owned, admin: 100 / 0 / 0 / 0
    whatsapp_account, owned, employee: 0 / 0 / 100 / 0
    whatsapp_account, owned+assigned, admin: 100 / 0 / 0 / 0
    whatsapp_account, owned+assigned, employee: 19 / 81 / 0 / 0
    whatsapp_account, shared-ANALYZE+assigned, admin: 10 / 90 / 0 / 0
    whatsapp_account, shared-ANALYZE+assigned, employee: 2 / 18 / 80 / 0
    whatsapp_account, shared-in-full, admin: 100 / 0 / 0 / 0
    whatsapp_account, shared-in-full, employee: 0 / 0 / 100 / 0
    whatsapp_account, shared-in-full+assigned, admin: 100 / 0 / 0 / 0
    whatsapp_account, shared-in-full+assigned, employee: 19 / 81 / 0 / 0
    app, none, admin: 0 / 0 / 0 / 16
    app, none, employee: 0 / 0 / 0 / 16
    app, owned, admin: 16 / 0 / 0 / 0
    app, owned, employee: 0 / 0 / 16 / 0
    app, owned+assigned, admin: 16 / 0 / 0 / 0
    app, owned+assigned, employee: 7 / 9 / 0 / 0
    app, shared-ANALYZE+assigned, admin: 4 / 12 / 0 / 0
    app, shared-ANALYZE+assigned, employee: 2 / 6 / 8 / 0
    app, shared-in-full, admin: 16 / 0 / 0 / 0
    app, shared-in-full, employee: 0 / 0 / 16 / 0
    app, shared-in-full+assigned, admin: 16 / 0 / 0 / 0
    app, shared-in-full+assigned, employee: 7 / 9 / 0 / 0
    warehouse, none, admin: 0 / 0 / 0 / 9
    warehouse, none, employee: 0 / 0 / 0 / 9
    warehouse, owned, admin: 9 / 0 / 0 / 0
    warehouse, owned, employee: 0 / 0 / 9 / 0
    warehouse, owned+assigned, admin: 9 / 0 / 0 / 0
    warehouse, owned+assigned, employee: 5 / 4 / 0 / 0
    warehouse, shared-ANALYZE+assigned, admin: 3 / 6 / 0 / 0
    warehouse, shared-ANALYZE+assigned, employee: 2 / 4 / 3 / 0
    warehouse, shared-in-full, admin: 9 / 0 / 0 / 0
    warehouse, shared-in-full, employee: 0 / 0 / 9 / 0
    warehouse, shared-in-full+assigned, admin: 9 / 0 / 0 / 0
    warehouse, shared-in-full+assigned, employee: 5 / 4 / 0 / 0
    6060 cells
    ");
}
