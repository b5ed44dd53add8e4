//! Tokens by their text: found and revoked. The text is in no answer and in no error.

use serde_json::{Value, json};
use valetkey_domain::Refusal;
use valetkey_service::authz::{Question, Target};
use valetkey_service::found_token::{FoundText, FoundToken};

use crate::command::{Answer, Ctx};
use crate::show;

pub(crate) async fn find(ctx: Ctx) -> Result<Answer, Refusal> {
    let text = ctx.need_text("text")?;
    let found = match ctx.service.find_token_text(&ctx.call, text).await? {
        FoundText::Malformed => return Ok(nothing("malformed", "the text is not a token of this server")),
        FoundText::Unknown => return Ok(nothing("unknown", "no token of the business has this text")),
        FoundText::Token(found) => found,
    };
    let result = ctx.step(Question::about(Target::Nothing), |s| {
        let mut row = show::listed(&**s, &found.listed);
        if let Value::Object(map) = &mut row {
            map.insert("found".into(), json!("token"));
            map.insert("user_role".into(), json!(found.user_role.map(valetkey_domain::Role::as_str)));
            map.insert("app_name".into(), json!(found.app_name));
            map.insert("reach".into(), reach(&found, |kind| show::kind_word(&**s, kind)));
            map.insert("reach_count".into(), json!(found.reach_count));
        }
        row
    })?;
    Ok(Answer::read(result))
}

fn nothing(found: &str, message: &str) -> Answer {
    Answer::read(json!({ "found": found, "message": message }))
}

fn reach(found: &FoundToken, word: impl Fn(valetkey_domain::AssetKind) -> String) -> Value {
    let rows = found.reach.iter().map(|reached| {
        json!({ "asset": reached.asset, "kind": word(reached.kind), "name": reached.name, "tasks": reached.tasks })
    });
    Value::Array(rows.collect())
}

pub(crate) async fn revoke(ctx: Ctx) -> Result<Answer, Refusal> {
    let text = ctx.need_text("text")?;
    let with_descendants = ctx.flag("with_descendants").unwrap_or(false);
    let done = ctx.service.revoke_by_text(&ctx.call, text, with_descendants).await?;
    let (token, count) = done.value;
    let revoked = with_descendants.then_some(count);
    Ok(Answer::wrote(&done, json!({ "token": token, "revoked": revoked })))
}
