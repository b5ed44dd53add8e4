//! `ids=`: several nodes, or one edge of each, in one call.
//!
//! All guards are read by one statement, and each id is decided on its own. The first refusal in
//! the order of the ids is the answer; nothing about the other ids may be shown then.

use serde_json::{Map, Value};
use valetkey_domain::Reason;
use valetkey_service::authz::Question;
use valetkey_service::rights::Right;

use super::input::{Input, Problem};
use super::{Answer, Cx, Named, VISIBLE};
use crate::protocol::envelope::{self, MAX_IDS};
use crate::refusal::missing_object;
use crate::schema::Level;

impl Cx<'_> {
    /// `GET /?ids=a,b`, and `GET /{edge}?ids=a,b`: one bad id fails all.
    pub async fn ids(&self, edge: Option<&str>) -> Result<Answer, Problem> {
        self.live()?;
        let ids = self.input.list("ids")?.unwrap_or_default();
        if ids.is_empty() {
            return Err(envelope::parameter_required("ids").into());
        }
        if ids.len() > MAX_IDS {
            return Err(envelope::too_many_ids(ids.len()).into());
        }
        let mut texts: Vec<&str> = Vec::with_capacity(ids.len());
        for text in &ids {
            if !texts.contains(&text.as_str()) {
                texts.push(text);
            }
        }
        let mut named = Vec::with_capacity(texts.len());
        for (text, found) in texts.iter().zip(self.named(&texts).await?) {
            named.push(match *text {
                "me" => self.me().await?,
                _ => self.named_or_alias(text, found).map_err(|problem| alias_of(problem, text))?,
            });
        }
        let nodes = ids.len() as u64;
        match edge {
            None => self.nodes(&texts, &named, nodes).await,
            Some(edge) => self.edges(&texts, &named, edge, nodes).await,
        }
    }

    /// Several nodes: a decision for each, and one statement for the bodies.
    async fn nodes(&self, texts: &[&str], named: &[Named], nodes: u64) -> Result<Answer, Problem> {
        let level = named.iter().filter_map(Named::kind).map(|kind| self.wanted(kind)).max().unwrap_or(Level::Identity);
        let rights: Vec<(Named, Right)> =
            named.iter().map(|named| (*named, named.kind().map_or(VISIBLE, |kind| kind.identity))).collect();
        let rows = self.load_all(&rights, level).await;
        // The first refusal in the order of the ids is the answer, and names its id.
        let mut rows = rows.map_err(|problem| self.first_refused(&rights, texts, problem))?;
        self.add_details(rows.iter_mut().flatten()).await?;
        let mut out = Map::new();
        for (text, row) in texts.iter().zip(rows) {
            let row = row.ok_or_else(|| alias_of(missing_object(self.input.verb, text).into(), text))?;
            let input = self.input_for(text, None, nodes);
            let cx = Cx { input: &input, ..*self };
            out.insert((*text).to_owned(), Value::Object(cx.read_node(&row).await?));
        }
        Ok(Answer::of(Value::Object(out)))
    }

    /// The error for the first id that is refused, as the caller wrote that id.
    fn first_refused(&self, rights: &[(Named, Right)], texts: &[&str], problem: Problem) -> Problem {
        let questions: Vec<Question> = rights.iter().map(|(named, right)| named.question(right)).collect();
        let answers = self.service.may_each(self.call, &questions);
        let at = answers.iter().position(Option::is_none).unwrap_or_default();
        alias_of(problem, texts.get(at).copied().unwrap_or_default())
    }

    async fn edges(&self, texts: &[&str], named: &[Named], name: &str, nodes: u64) -> Result<Answer, Problem> {
        let mut out = Map::new();
        for (text, named) in texts.iter().zip(named) {
            let input = self.input_for(text, Some(name), nodes);
            let cx = Cx { input: &input, ..*self };
            let answer = cx.on_edge(named, name).await.map_err(|problem| alias_of(problem, text))?;
            out.insert((*text).to_owned(), answer.body);
        }
        Ok(Answer::of(Value::Object(out)))
    }

    /// The call for one of several ids, as if it were sent alone, so that its links continue its
    /// own list.
    fn input_for(&self, id: &str, edge: Option<&str>, nodes: u64) -> Input {
        let version = self.input.version;
        Input {
            path: edge.map_or_else(|| format!("/{version}/{id}"), |edge| format!("/{version}/{id}/{edge}")),
            segments: std::iter::once(id).chain(edge).map(str::to_owned).collect(),
            pairs: self
                .input
                .pairs
                .iter()
                .filter(|(name, _)| name != "ids" && !name.starts_with("ids["))
                .cloned()
                .collect(),
            nodes,
            ..self.input.clone()
        }
    }
}

/// In a list of ids, an object that does not exist answers like an unknown alias.
fn alias_of(problem: Problem, text: &str) -> Problem {
    let hidden = match &problem {
        Problem::Refusal(refusal) => refusal.reason == Reason::NotVisible,
        Problem::Graph(error) => error.code == 100 && error.subcode == Some(33),
    };
    if hidden { envelope::alias(text).into() } else { problem }
}
