//! The company of the demo: a bicycle maker and its agency, as plain data.

use serde_json::{Map, Value, json};

pub struct PageSketch {
    pub name: &'static str,
    pub category: &'static str,
    pub about: &'static str,
    pub website: &'static str,
    pub phone: &'static str,
    pub fan_count: u32,
    /// Message and link, the oldest first.
    pub posts: &'static [(&'static str, Option<&'static str>)],
}

pub struct AdAccountSketch {
    pub name: &'static str,
    pub currency: &'static str,
    pub timezone_id: u32,
    pub timezone_name: &'static str,
    pub campaigns: &'static [CampaignSketch],
}

pub struct CampaignSketch {
    pub name: &'static str,
    pub objective: &'static str,
    pub status: &'static str,
    /// In minor units of the currency.
    pub daily_budget: i64,
}

/// What an EMPLOYEE system user may do; Pages and ad accounts by their index in the lists below.
pub struct HelperSketch {
    pub name: &'static str,
    pub description: &'static str,
    pub token_purpose: &'static str,
    pub pages: &'static [(usize, &'static [&'static str])],
    pub ad_accounts: &'static [(usize, &'static [&'static str])],
    pub catalog: &'static [&'static str],
    pub scopes: &'static [&'static str],
}

/// The trace of the demo's set-up in the ledger.
pub const TRACE: &str = "demo";

pub const BUSINESS: &str = "Alder & Pine Cycles";
pub const ADMIN: (&str, &str) = ("Mara Lindqvist", "mara@alderpine.example");
pub const COLLEAGUE: (&str, &str) = ("Jonas Okafor", "jonas@alderpine.example");
/// The first demands no proof, the second does.
pub const APPS: [&str; 2] = ["Workshop Desk", "Ads Bridge"];
pub const CATALOG: &str = "Bicycles and parts";
pub const PIXEL: &str = "Web shop";
pub const ADMIN_SYSTEM_USER: (&str, &str) = ("Head office", "Manages users and assets for the back office.");
/// What its token is for.
pub const ADMIN_TOKEN_PURPOSE: &str = "Back office";

pub const PARTNER: &str = "Tailwind Agency";
pub const PARTNER_ADMIN: (&str, &str) = ("Priya Raman", "priya@tailwind.example");
pub const PARTNER_APP: &str = "Tailwind Planner";
pub const PARTNER_SYSTEM_USER: (&str, &str) = ("Planner", "Works on what clients share with the agency.");

pub const PAGES: [PageSketch; 2] = [
    PageSketch {
        name: "Alder & Pine Cycles",
        category: "Bicycle Shop",
        about: "Steel frames, brazed by hand, made to be repaired.",
        website: "https://alderpine.example/",
        phone: "+49 30 5550142",
        fan_count: 18_420,
        posts: &[
            ("The workshop is open again after the summer break. The coffee is on.", None),
            ("Frame no. 4,000 left the jig today: a Heron tourer in moss green, on its way to Porto.", None),
            (
                "The new Wren is here: 650b wheels, room for mudguards, and a rack that carries the week's shopping.",
                Some("https://alderpine.example/wren"),
            ),
            ("Spare part of the month: bottom brackets for every frame that we have made since 1998.", None),
        ],
    },
    PageSketch {
        name: "Alder & Pine Rides",
        category: "Sports Event",
        about: "Sunday rides for everybody, at the pace of the slowest.",
        website: "https://rides.alderpine.example/",
        phone: "+49 30 5550143",
        fan_count: 3_206,
        posts: &[
            (
                "Sunday, 9 o'clock: 62 km around the lakes, two cake stops.",
                Some("https://rides.alderpine.example/lakes"),
            ),
            ("Thank you to the 41 who came along in the rain. Nobody was left behind, and one saddle was lost.", None),
            ("Route vote: hills or headwind? Tell us until Thursday.", None),
        ],
    },
];

pub const AD_ACCOUNTS: [AdAccountSketch; 2] = [
    AdAccountSketch {
        name: "Alder & Pine Europe",
        currency: "EUR",
        timezone_id: 47,
        timezone_name: "Europe/Berlin",
        campaigns: &[
            CampaignSketch { name: "Wren launch", objective: "OUTCOME_SALES", status: "ACTIVE", daily_budget: 12_000 },
            CampaignSketch {
                name: "Autumn service",
                objective: "OUTCOME_LEADS",
                status: "ACTIVE",
                daily_budget: 3_500,
            },
            CampaignSketch {
                name: "Test rides Berlin",
                objective: "OUTCOME_TRAFFIC",
                status: "PAUSED",
                daily_budget: 2_000,
            },
        ],
    },
    AdAccountSketch {
        name: "Alder & Pine North America",
        currency: "USD",
        timezone_id: 7,
        timezone_name: "America/New_York",
        campaigns: &[
            CampaignSketch {
                name: "Heron in the US",
                objective: "OUTCOME_SALES",
                status: "ACTIVE",
                daily_budget: 9_000,
            },
            CampaignSketch {
                name: "Dealers wanted",
                objective: "OUTCOME_LEADS",
                status: "PAUSED",
                daily_budget: 1_500,
            },
        ],
    },
];

/// The first publishes, the second reports.
pub const HELPERS: [HelperSketch; 2] = [
    HelperSketch {
        name: "Post scheduler",
        description: "Publishes the workshop calendar and answers comments.",
        token_purpose: "Workshop calendar",
        pages: &[(0, &["CREATE_CONTENT", "MODERATE"])],
        ad_accounts: &[],
        catalog: &[],
        scopes: &["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
    },
    HelperSketch {
        name: "Campaign reporter",
        description: "Reads the numbers of campaigns and Pages for the weekly report.",
        token_purpose: "Weekly report",
        pages: &[(1, &["ANALYZE"])],
        ad_accounts: &[(0, &["ANALYZE"])],
        catalog: &["ADVERTISE"],
        scopes: &["ads_read", "pages_show_list", "pages_read_engagement", "read_insights"],
    },
];

/// What the colleague may do on the second Page.
pub const COLLEAGUE_TASKS: &[&str] = &["MANAGE"];
/// A post that waits for its time on the first Page.
pub const SCHEDULED_POST: &str = "Open workshop on Saturday: bring the bicycle that creaks.";

impl PageSketch {
    /// The descriptive fields.
    pub fn details(&self) -> Map<String, Value> {
        fields(json!({
            "category": self.category,
            "about": self.about,
            "website": self.website,
            "phone": self.phone,
            "fan_count": self.fan_count,
            "followers_count": self.fan_count,
        }))
    }
}

impl AdAccountSketch {
    /// The descriptive fields.
    pub fn details(&self) -> Map<String, Value> {
        fields(json!({
            "currency": self.currency,
            "timezone_id": self.timezone_id,
            "timezone_name": self.timezone_name,
        }))
    }
}

pub fn catalog_details() -> Map<String, Value> {
    fields(json!({ "vertical": "commerce" }))
}

fn fields(value: Value) -> Map<String, Value> {
    if let Value::Object(fields) = value { fields } else { Map::new() }
}
