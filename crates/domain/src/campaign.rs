//! Campaigns of an ad account: objective, budget and status, and how they may change.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::{Name, UnixMs};

/// Objectives for new campaigns, then the older ones that programs still send.
pub static OBJECTIVES: &[&str] = &[
    "OUTCOME_AWARENESS",
    "OUTCOME_TRAFFIC",
    "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS",
    "OUTCOME_APP_PROMOTION",
    "OUTCOME_SALES",
    "APP_INSTALLS",
    "BRAND_AWARENESS",
    "CONVERSIONS",
    "EVENT_RESPONSES",
    "LEAD_GENERATION",
    "LINK_CLICKS",
    "LOCAL_AWARENESS",
    "MESSAGES",
    "OFFER_CLAIMS",
    "PAGE_LIKES",
    "POST_ENGAGEMENT",
    "PRODUCT_CATALOG_SALES",
    "REACH",
    "STORE_VISITS",
    "VIDEO_VIEWS",
];
/// What a campaign may be set to.
pub static STATUSES: &[&str] = &["ACTIVE", "PAUSED", "DELETED", "ARCHIVED"];
/// What lists show when no status is asked for.
pub static SHOWN_STATUSES: &[&str] = &["ACTIVE", "PAUSED"];
pub static SPECIAL_CATEGORIES: &[&str] = &[
    "NONE",
    "EMPLOYMENT",
    "HOUSING",
    "CREDIT",
    "FINANCIAL_PRODUCTS_SERVICES",
    "ISSUES_ELECTIONS_POLITICS",
    "ONLINE_GAMBLING_AND_GAMING",
];
pub static BID_STRATEGIES: &[&str] =
    &["LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP", "LOWEST_COST_WITH_MIN_ROAS"];
pub static BUYING_TYPES: &[&str] = &["AUCTION", "RESERVED"];
/// The number that takes a campaign's spend cap away.
pub const NO_SPEND_CAP: i64 = 922_337_203_685_478;
/// The smallest daily budget, in minor units of the currency.
pub const MIN_DAILY_BUDGET: i64 = 100;

/// A campaign. Money is in minor units of the account's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    pub name: Name,
    pub objective: String,
    pub status: String,
    pub special_ad_categories: Vec<String>,
    #[serde(default)]
    pub special_ad_category_country: Vec<String>,
    pub buying_type: String,
    pub bid_strategy: Option<String>,
    pub daily_budget: Option<i64>,
    pub lifetime_budget: Option<i64>,
    pub spend_cap: Option<i64>,
    pub start_at: Option<UnixMs>,
    pub stop_at: Option<UnixMs>,
    /// Further accepted parameters, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub more: Map<String, Value>,
}

/// What a caller says about a campaign; absent leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct CampaignInput {
    pub name: Option<String>,
    pub objective: Option<String>,
    pub status: Option<String>,
    pub special_ad_categories: Option<Vec<String>>,
    pub special_ad_category_country: Option<Vec<String>>,
    pub buying_type: Option<String>,
    pub bid_strategy: Option<String>,
    pub daily_budget: Option<i64>,
    pub lifetime_budget: Option<i64>,
    pub spend_cap: Option<i64>,
    pub start_at: Option<UnixMs>,
    /// `Some(None)` takes the end away.
    pub stop_at: Option<Option<UnixMs>>,
    pub more: Map<String, Value>,
}

impl Campaign {
    /// A new campaign.
    pub fn create(input: CampaignInput) -> Result<Campaign, Refusal> {
        let name = parse_name(input.name.as_deref().ok_or_else(|| Refusal::required("name"))?)?;
        let objective =
            one_of("objective", input.objective.as_deref().ok_or_else(|| Refusal::required("objective"))?, OBJECTIVES)?;
        let categories =
            input.special_ad_categories.as_ref().ok_or_else(|| Refusal::required("special_ad_categories"))?;
        let campaign = Campaign {
            name,
            objective,
            status: one_of("status", input.status.as_deref().unwrap_or("PAUSED"), &STATUSES[..2])?,
            special_ad_categories: check_categories(categories)?,
            special_ad_category_country: input.special_ad_category_country.unwrap_or_default(),
            buying_type: one_of("buying_type", input.buying_type.as_deref().unwrap_or("AUCTION"), BUYING_TYPES)?,
            bid_strategy: input
                .bid_strategy
                .as_deref()
                .map(|s| one_of("bid_strategy", s, BID_STRATEGIES))
                .transpose()?,
            daily_budget: input.daily_budget.filter(|b| *b != 0),
            lifetime_budget: input.lifetime_budget.filter(|b| *b != 0),
            spend_cap: input.spend_cap.filter(|c| *c != NO_SPEND_CAP),
            start_at: input.start_at,
            stop_at: input.stop_at.flatten(),
            more: input.more,
        };
        campaign.check()?;
        Ok(campaign)
    }

    /// The campaign with changes.
    pub fn edit(mut self, input: CampaignInput) -> Result<Campaign, Refusal> {
        if self.status == "DELETED" {
            return Err(Refusal::invalid("status", "left alone; a deleted campaign can't be changed"));
        }
        if let Some(name) = &input.name {
            self.name = parse_name(name)?;
        }
        if let Some(status) = &input.status {
            self.status = one_of("status", status, STATUSES)?;
        }
        if let Some(objective) = &input.objective {
            self.objective = one_of("objective", objective, OBJECTIVES)?;
        }
        if let Some(categories) = &input.special_ad_categories {
            self.special_ad_categories = check_categories(categories)?;
        }
        if let Some(countries) = input.special_ad_category_country {
            self.special_ad_category_country = countries;
        }
        if let Some(strategy) = &input.bid_strategy {
            self.bid_strategy = Some(one_of("bid_strategy", strategy, BID_STRATEGIES)?);
        }
        if let Some(buying_type) = &input.buying_type {
            let wanted = one_of("buying_type", buying_type, BUYING_TYPES)?;
            if wanted != self.buying_type {
                return Err(Refusal::invalid("buying_type", "left as it was when the campaign was made"));
            }
        }
        self.change_budget(input.daily_budget, input.lifetime_budget)?;
        if let Some(cap) = input.spend_cap {
            self.spend_cap = Some(cap).filter(|c| *c != NO_SPEND_CAP);
        }
        self.start_at = input.start_at.or(self.start_at);
        if let Some(stop) = input.stop_at {
            self.stop_at = stop;
        }
        self.more.extend(input.more);
        self.check()?;
        Ok(self)
    }

    /// Amounts may change; the kind of budget stays, as on Meta.
    fn change_budget(&mut self, daily: Option<i64>, lifetime: Option<i64>) -> Result<(), Refusal> {
        let (daily, lifetime) = (daily.filter(|b| *b != 0), lifetime.filter(|b| *b != 0));
        if daily.is_some() && self.lifetime_budget.is_some() {
            return Err(Refusal::invalid("daily_budget", "left out: this campaign has a lifetime budget"));
        }
        if lifetime.is_some() && self.daily_budget.is_some() {
            return Err(Refusal::invalid("lifetime_budget", "left out: this campaign has a daily budget"));
        }
        self.daily_budget = daily.or(self.daily_budget);
        self.lifetime_budget = lifetime.or(self.lifetime_budget);
        Ok(())
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.daily_budget.is_some() && self.lifetime_budget.is_some() {
            return Err(Refusal::invalid("lifetime_budget", "left out when there is a daily budget"));
        }
        for (field, budget) in [("daily_budget", self.daily_budget), ("lifetime_budget", self.lifetime_budget)] {
            if budget.is_some_and(|b| b < MIN_DAILY_BUDGET) {
                return Err(Refusal::invalid(field, "at least 100 minor units").with_value("budget_too_low"));
            }
        }
        if self.lifetime_budget.is_some() && self.stop_at.is_none() {
            return Err(Refusal::invalid("stop_time", "given with a lifetime budget"));
        }
        if self.spend_cap.is_some_and(|c| c < MIN_DAILY_BUDGET) {
            return Err(Refusal::invalid("spend_cap", "at least 100 minor units"));
        }
        if let (Some(start), Some(stop)) = (self.start_at, self.stop_at)
            && stop <= start
        {
            return Err(Refusal::invalid("stop_time", "later than start_time"));
        }
        Ok(())
    }
}

fn parse_name(text: &str) -> Result<Name, Refusal> {
    Name::parse(text).map_err(|e| Refusal::invalid("name", e.message()).with_value("name"))
}

fn one_of(field: &str, value: &str, allowed: &[&str]) -> Result<String, Refusal> {
    if allowed.contains(&value) {
        return Ok(value.to_owned());
    }
    Err(Refusal::not_one_of(field, allowed.iter().map(|s| (*s).to_owned()).collect()))
}

/// `[]` and `["NONE"]` both mean none; `NONE` beside another word is a contradiction.
fn check_categories(words: &[String]) -> Result<Vec<String>, Refusal> {
    let mut out = Vec::new();
    for word in words.iter().filter(|w| !w.is_empty()) {
        let word = one_of("special_ad_categories", word, SPECIAL_CATEGORIES)?;
        if word != "NONE" && !out.contains(&word) {
            out.push(word);
        }
    }
    if !out.is_empty() && words.iter().any(|w| w == "NONE") {
        return Err(Refusal::invalid("special_ad_categories", "NONE alone, or the other categories without it"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> CampaignInput {
        CampaignInput {
            name: Some("Spring".into()),
            objective: Some("OUTCOME_TRAFFIC".into()),
            special_ad_categories: Some(vec![]),
            ..CampaignInput::default()
        }
    }

    #[test]
    fn what_a_new_campaign_needs() {
        assert_eq!(Campaign::create(input()).unwrap().status, "PAUSED");
        let cases: Vec<(&str, CampaignInput)> = vec![
            ("no name", CampaignInput { name: None, ..input() }),
            ("no objective", CampaignInput { objective: None, ..input() }),
            ("unknown objective", CampaignInput { objective: Some("SELL".into()), ..input() }),
            ("no categories", CampaignInput { special_ad_categories: None, ..input() }),
            (
                "NONE and another",
                CampaignInput { special_ad_categories: Some(vec!["NONE".into(), "CREDIT".into()]), ..input() },
            ),
            ("two budgets", CampaignInput { daily_budget: Some(1000), lifetime_budget: Some(1000), ..input() }),
            ("tiny budget", CampaignInput { daily_budget: Some(1), ..input() }),
            ("lifetime without end", CampaignInput { lifetime_budget: Some(1000), ..input() }),
            ("born deleted", CampaignInput { status: Some("DELETED".into()), ..input() }),
            ("ends before it starts", CampaignInput { start_at: Some(5), stop_at: Some(Some(4)), ..input() }),
        ];
        for (why, case) in cases {
            assert!(Campaign::create(case).is_err(), "{why}");
        }
    }

    #[test]
    fn the_kind_of_budget_stays_and_deleted_is_final() {
        let daily = Campaign::create(CampaignInput { daily_budget: Some(1000), ..input() }).unwrap();
        assert!(daily.clone().edit(CampaignInput { lifetime_budget: Some(2000), ..CampaignInput::default() }).is_err());
        let more = daily.edit(CampaignInput { daily_budget: Some(2000), ..CampaignInput::default() }).unwrap();
        assert_eq!(more.daily_budget, Some(2000));
        let gone = more.edit(CampaignInput { status: Some("DELETED".into()), ..CampaignInput::default() }).unwrap();
        assert!(gone.edit(CampaignInput { status: Some("ACTIVE".into()), ..CampaignInput::default() }).is_err());
    }
}
