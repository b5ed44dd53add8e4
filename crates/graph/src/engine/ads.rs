//! Campaigns of an ad account.

use serde_json::Value;
use valetkey_domain::campaign::{Campaign, CampaignInput, SHOWN_STATUSES, STATUSES};
use valetkey_domain::{AssetKind, IdKind};
use valetkey_service::authz::Question;
use valetkey_service::content::{ContentQuery, Item};
use valetkey_service::rights;

use super::input::Problem;
use super::pages::{CONTENT_ROWS, Rendered};
use super::{Answer, Cx, Node, Row};
use crate::protocol::envelope::GraphError;
use crate::protocol::{envelope, value};
use crate::schema::{self, Edge};

/// Further parameters of a campaign that are kept as they came.
const KEPT: &[&str] = &[
    "promoted_object",
    "pacing_type",
    "adlabels",
    "is_adset_budget_sharing_enabled",
    "smart_promotion_type",
    "source_campaign_id",
    "is_skadnetwork_attribution",
    "budget_schedule_specs",
];
/// How many reads one answer of a filter may take: 100,000 rows.
const SCAN_LIMIT: usize = 100_000 / CONTENT_ROWS;
/// The most conditions of `filtering`, and the most values of one.
const FILTERS_LIMIT: usize = 20;
const FILTER_VALUES_LIMIT: usize = 1_000;
const KEPT_LIMIT_BYTES: usize = 20_000;

impl Cx<'_> {
    pub async fn create_campaign(&self, node: &Node) -> Result<Answer, Problem> {
        let account = node.asset_id().ok_or_else(envelope::server_fault)?;
        let question = rights::WRITE_ADS.on_asset(account, AssetKind::AdAccount);
        let input = self.campaign_input()?;
        if self.validate_only()? {
            Campaign::create(input)?;
            return Ok(Answer::success(self.service().revision()));
        }
        let done = self.service().create_campaign(self.call, question, account, input).await?;
        let body = self.made(Node::Campaign(done.value)).await?;
        Ok(Answer::made(body, done.revision))
    }

    pub async fn update_campaign(&self, node: &Node, delete: bool) -> Result<Answer, Problem> {
        let Node::Campaign(campaign) = node else {
            return Err(envelope::unsupported_method(self.input.verb.as_str()).into());
        };
        let question = rights::WRITE_ADS.on_asset(campaign.asset, AssetKind::AdAccount);
        let input = if delete {
            CampaignInput { status: Some("DELETED".to_owned()), ..CampaignInput::default() }
        } else {
            self.campaign_input()?
        };
        if delete && campaign.body.status == "DELETED" {
            return Ok(Answer::success(self.service().revision()));
        }
        if self.validate_only()? {
            campaign.body.clone().edit(input)?;
            return Ok(Answer::success(self.service().revision()));
        }
        let done = self.service().update_campaign(self.call, question, campaign.id, input).await?;
        let mut answer = Answer::success(done.revision);
        if !delete && self.field_specs(1, &schema::CAMPAIGN)?.is_some() {
            let body = self.made(Node::Campaign(done.value)).await?;
            if let Value::Object(map) = &mut answer.body {
                map.extend(body);
            }
        }
        Ok(answer)
    }

    fn validate_only(&self) -> Result<bool, Problem> {
        Ok(self.input.list("execution_options")?.is_some_and(|o| o.iter().any(|w| w == "validate_only")))
    }

    fn campaign_input(&self) -> Result<CampaignInput, Problem> {
        let text = |name: &str| self.input.get(name).map(str::to_owned);
        let more = self.input.kept(KEPT, KEPT_LIMIT_BYTES)?;
        // The older parameter holds one word.
        let categories = match self.input.list("special_ad_categories")? {
            Some(words) => Some(words),
            None => self.input.get("special_ad_category").map(|w| vec![w.to_owned()]),
        };
        let stop_at = match self.input.get("stop_time") {
            Some("0") => Some(None),
            Some(_) => Some(self.input.time("stop_time")?),
            None => None,
        };
        Ok(CampaignInput {
            name: self.input.raw("name").map(str::to_owned),
            objective: text("objective"),
            status: text("status"),
            special_ad_categories: categories,
            special_ad_category_country: self.input.list("special_ad_category_country")?,
            buying_type: text("buying_type"),
            bid_strategy: text("bid_strategy"),
            daily_budget: self.input.integer("daily_budget")?,
            lifetime_budget: self.input.integer("lifetime_budget")?,
            spend_cap: self.input.integer("spend_cap")?,
            start_at: self.input.time("start_time")?,
            stop_at,
            more,
        })
    }

    pub async fn list_campaigns(&self, node: &Node, edge: &'static Edge) -> Result<Answer, Problem> {
        let account = node.asset_id().ok_or_else(envelope::server_fault)?;
        let question = node.question(&edge.right);
        // The right is asked before the parameters are read, and again with each read.
        self.ask(node, &edge.right)?;
        let filters = self.filters()?;
        let mut statuses: Vec<&str> = match self.input.list("effective_status")? {
            Some(asked) => only(STATUSES, &asked),
            None => SHOWN_STATUSES.to_vec(),
        };
        let by_status = |f: &&Filter| f.looked == Looked::Status;
        for (i, filter) in filters.iter().filter(by_status).enumerate() {
            // The first filter may ask for statuses that aren't shown by default; further ones
            // narrow.
            let from = if i == 0 && self.input.get("effective_status").is_none() { STATUSES } else { &statuses };
            statuses = filter.statuses(from);
        }
        if statuses.is_empty() {
            return self.write_list(Vec::new(), Some(0), |_| {});
        }
        let statuses = statuses.into_iter().map(str::to_owned).collect();
        let query = self.content_query(account, IdKind::Campaign, statuses, edge)?;
        let query = ContentQuery { since: None, until: None, ..query };
        let rest: Vec<&Filter> = filters.iter().filter(|f| !by_status(f)).collect();
        if rest.is_empty() {
            return self.write_content::<Campaign>(edge, question, query, Node::Campaign).await;
        }
        let page = self.filtered(edge, question, &query, &rest).await?;
        // The store can't apply this filter, so the total is counted by reading the rows.
        let counted = match self.input.get("summary") {
            Some(_) => Some(self.count_filtered(question, &query, &rest).await?),
            None => None,
        };
        self.write_content_page(edge, question, &query, page, counted).await
    }

    /// Reads until a page of matching rows is full. Rows are rendered after each read, so that only
    /// one read of stored rows is in memory.
    async fn filtered(
        &self,
        edge: &'static Edge,
        question: Question,
        query: &ContentQuery,
        filters: &[&Filter],
    ) -> Result<Rendered, Problem> {
        let wanted = query.limit;
        let mut query = ContentQuery { limit: CONTENT_ROWS, ..query.clone() };
        let backwards = query.before.is_some();
        let (mut data, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..SCAN_LIMIT {
            self.work.check()?;
            let access = self.list_access(edge, question)?;
            let found = self.service().list_content::<Campaign>(self.call, question, &query).await?.into_inner();
            self.work.spend(found.rows.len() as u64);
            // A page that is read backwards is filled from its end.
            let next = if backwards { found.rows.first() } else { found.rows.last() }.map(|t| (t.sort_at, t.id));
            let mut rows: Vec<_> = found.rows.into_iter().filter(|t| filters.iter().all(|f| f.matches(t))).collect();
            if backwards {
                rows.reverse();
            }
            let full = keys.len() + rows.len() > wanted;
            rows.truncate(wanted - keys.len());
            keys.extend(rows.iter().map(|t| (t.sort_at, t.id)));
            let rows: Vec<Row> = rows.into_iter().map(|t| access.row(Node::Campaign(t))).collect();
            self.render_rows(edge, &rows, &mut data).await?;
            let Some(place) = next.filter(|_| found.more && !full) else {
                if backwards {
                    data.reverse();
                    keys.reverse();
                }
                return Ok(Rendered { data, keys, more: full });
            };
            *(if backwards { &mut query.before } else { &mut query.after }) = Some(place);
        }
        Err(envelope::reduce_data().into())
    }

    /// Counts all rows that match, without keeping any.
    async fn count_filtered(
        &self,
        question: Question,
        query: &ContentQuery,
        filters: &[&Filter],
    ) -> Result<u64, Problem> {
        let mut query = ContentQuery { after: None, before: None, limit: CONTENT_ROWS, ..query.clone() };
        let mut count = 0;
        for _ in 0..SCAN_LIMIT {
            self.work.check()?;
            let found = self.service().list_content::<Campaign>(self.call, question, &query).await?.into_inner();
            self.work.spend(found.rows.len() as u64);
            count += found.rows.iter().filter(|t| filters.iter().all(|f| f.matches(t))).count() as u64;
            match found.rows.last().filter(|_| found.more) {
                Some(last) => query.after = Some((last.sort_at, last.id)),
                None => return Ok(count),
            }
        }
        Err(envelope::reduce_data().into())
    }

    fn filters(&self) -> Result<Vec<Filter>, Problem> {
        let Some(sent) = self.input.json("filtering")? else { return Ok(Vec::new()) };
        let bad = || envelope::invalid_parameter("filtering", "a JSON array of {field, operator, value}");
        let Value::Array(items) = sent else { return Err(bad().into()) };
        if items.len() > FILTERS_LIMIT {
            return Err(envelope::invalid_parameter("filtering", "at most 20 conditions").into());
        }
        let filters: Vec<Filter> = items.iter().map(Filter::read).collect::<Result<_, _>>()?;
        if filters.iter().any(|f| f.values.len() > FILTER_VALUES_LIMIT) {
            return Err(envelope::invalid_parameter("filtering", "conditions of at most 1000 values each").into());
        }
        Ok(filters)
    }
}

/// The words that are asked for, in any case.
fn only<'s>(words: &[&'s str], asked: &[String]) -> Vec<&'s str> {
    words.iter().copied().filter(|w| asked.iter().any(|a| a.eq_ignore_ascii_case(w))).collect()
}

/// What a condition of `filtering` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    Status,
    Name,
    Objective,
    Id,
    Updated,
    Created,
}

impl Looked {
    /// The names that programs send, with `campaign.` before them or without.
    const NAMES: &[(&str, Looked)] = &[
        ("effective_status", Looked::Status),
        ("delivery_info", Looked::Status),
        ("status", Looked::Status),
        ("configured_status", Looked::Status),
        ("name", Looked::Name),
        ("campaign_name", Looked::Name),
        ("objective", Looked::Objective),
        ("id", Looked::Id),
        ("campaign_id", Looked::Id),
        ("updated_time", Looked::Updated),
        ("created_time", Looked::Created),
    ];
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Contain,
    NotContain,
    StartsWith,
    In,
    NotIn,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    const WORDS: &[(&str, Operator)] = &[
        ("EQUAL", Operator::Equal),
        ("NOT_EQUAL", Operator::NotEqual),
        ("CONTAIN", Operator::Contain),
        ("NOT_CONTAIN", Operator::NotContain),
        ("STARTS_WITH", Operator::StartsWith),
        ("IN", Operator::In),
        ("NOT_IN", Operator::NotIn),
        ("GREATER_THAN", Operator::Greater),
        ("GREATER_THAN_OR_EQUAL", Operator::GreaterOrEqual),
        ("LESS_THAN", Operator::Less),
        ("LESS_THAN_OR_EQUAL", Operator::LessOrEqual),
    ];
    /// Those that a status takes.
    const OF_STATUS: &[Operator] = &[Operator::Equal, Operator::NotEqual, Operator::In, Operator::NotIn];
}

/// One condition of `filtering`.
struct Filter {
    looked: Looked,
    operator: Operator,
    values: Vec<String>,
}

fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, row)| *row)
}

impl Filter {
    /// Reads a condition. One that can't be applied is an error: a list that ignores a filter shows rows
    /// that its caller takes for others.
    fn read(item: &Value) -> Result<Filter, GraphError> {
        let wrong = |expected: &str| envelope::invalid_parameter("filtering", expected);
        let part = |name: &str| item.get(name).and_then(Value::as_str);
        let (Some(field), Some(operator), Some(value)) = (part("field"), part("operator"), item.get("value")) else {
            return Err(wrong("a JSON array of {field, operator, value}"));
        };
        let bare = field.strip_prefix("campaign.").unwrap_or(field);
        let fields = "conditions on id, name, objective, effective_status, updated_time or created_time";
        let looked = named(Looked::NAMES, bare).ok_or_else(|| wrong(fields))?;
        let operators: Vec<&str> = Operator::WORDS
            .iter()
            .filter(|(_, operator)| looked != Looked::Status || Operator::OF_STATUS.contains(operator))
            .map(|(word, _)| *word)
            .collect();
        let operator = operator.to_uppercase();
        let operator = named(Operator::WORDS, &operator).filter(|_| operators.contains(&operator.as_str()));
        let operator = operator.ok_or_else(|| wrong(&format!("on {bare} the operators {}", operators.join(", "))))?;
        let values = match value.as_array() {
            Some(values) => values.iter().map(value::text_of).collect(),
            None => vec![value::text_of(value)],
        };
        Ok(Filter { looked, operator, values })
    }

    /// The statuses that the condition lets through.
    fn statuses<'s>(&self, from: &[&'s str]) -> Vec<&'s str> {
        let named = only(from, &self.values);
        if matches!(self.operator, Operator::NotIn | Operator::NotEqual) {
            return from.iter().copied().filter(|s| !named.contains(s)).collect();
        }
        named
    }

    /// Whether a campaign meets the condition. Statuses are left to the store.
    fn matches(&self, campaign: &Item<Campaign>) -> bool {
        let text = match self.looked {
            Looked::Status => return true,
            Looked::Name => campaign.body.name.as_str().to_owned(),
            Looked::Objective => campaign.body.objective.clone(),
            Looked::Id => campaign.id.to_string(),
            Looked::Updated => (campaign.updated_at / 1000).to_string(),
            Looked::Created => (campaign.created_at / 1000).to_string(),
        };
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        let number = |t: &str| t.parse::<i64>().ok().or_else(|| value::time_ms(t).ok().map(|ms| ms / 1000));
        let compare = || number(&text).zip(number(first)).map(|(a, b)| a.cmp(&b));
        match self.operator {
            Operator::Equal => text == first,
            Operator::NotEqual => text != first,
            Operator::Contain => text.to_lowercase().contains(&first.to_lowercase()),
            Operator::NotContain => !text.to_lowercase().contains(&first.to_lowercase()),
            Operator::StartsWith => text.to_lowercase().starts_with(&first.to_lowercase()),
            Operator::In => self.values.contains(&text),
            Operator::NotIn => !self.values.contains(&text),
            Operator::Greater => compare().is_some_and(std::cmp::Ordering::is_gt),
            Operator::GreaterOrEqual => compare().is_some_and(std::cmp::Ordering::is_ge),
            Operator::Less => compare().is_some_and(std::cmp::Ordering::is_lt),
            Operator::LessOrEqual => compare().is_some_and(std::cmp::Ordering::is_le),
        }
    }
}
