//! Three businesses with everything that a page can be about, and a browser that talks to the console.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use valetkey_console::{Console, RouteEntry, Who, routes};
use valetkey_domain::post::PostInput;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::{IssueRequest, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{AppId, AssetId, AssetKind, ContentId, Purpose, Role, ScopeSet, TokenId, UserId};
use valetkey_http::{Adapter as _, Origin, Reply, Request, RequestId};
use valetkey_service::{Call, Service, rights};
use valetkey_testkit::clock::TestClock;
pub use valetkey_testkit::company::{Company, company, name};
use valetkey_testkit::ground::Ground;

/// The address of the console in these tests.
pub const ORIGIN: &str = "http://localhost:8080";
/// The name of the session's cookie there.
pub const COOKIE: &str = "valetkey-8080";
/// The trace of a refusal that is in the journal.
pub const REFUSED: &str = "Arefusal00000000000001";
/// Names that stand nowhere but in the first business.
pub const OWN_NAMES: [&str; 9] = [
    "Alder Cycles",
    "Wilhelmina Dray",
    "Zora Quill",
    "Nightjar Reports",
    "Kestrel Desk",
    "Heron Page",
    "Ibis Ads",
    "Nightly job",
    "alder.example",
];

/// An answer, with the trace of its request.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
    pub trace: String,
}

impl Answer {
    pub fn of(reply: Reply, trace: String) -> Answer {
        let html = String::from_utf8(reply.body.to_vec()).expect("every reply is UTF-8");
        Answer { status: reply.status, headers: reply.headers, html, trace }
    }

    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    pub fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }

    /// The page without what every request has of its own.
    pub fn without_trace(&self) -> String {
        self.html.replace(&self.trace, "TRACE")
    }
}

/// A session of a person.
#[derive(Debug, Clone)]
pub struct Session {
    pub text: String,
    pub token: TokenId,
}

/// Fields of a form.
pub type Fields = Vec<(String, String)>;

/// Fields of a form from literals.
pub fn fields(list: &[(&str, &str)]) -> Fields {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub struct World {
    pub console: Console,
    pub service: Service,
    pub clock: Arc<TestClock>,
    pub ground: Ground,
    /// The business that most tests look at.
    pub company: Company,
    /// It shares an asset with the first, and the other way round.
    pub partner: Company,
    /// It has nothing to do with the others.
    pub stranger: Company,
    /// An EMPLOYEE person of the first.
    pub worker: UserId,
    /// An EMPLOYEE system user of the first, with a token.
    pub robot: UserId,
    pub robot_token: TokenId,
    pub robot_text: String,
    pub app: AppId,
    pub page: AssetId,
    pub post: ContentId,
    /// The session of the first business's ADMIN person.
    pub admin: Session,
    requests: AtomicU64,
}

impl World {
    pub async fn new() -> World {
        World::on(Ground::new().await).await
    }

    /// Over the memory store, for tests that need many worlds.
    pub async fn in_memory() -> World {
        World::on(Ground::in_memory().await).await
    }

    async fn on(ground: Ground) -> World {
        let service = ground.node(7).await;
        let kinds = [(AssetKind::Page, "Heron Page"), (AssetKind::AdAccount, "Ibis Ads")];
        let company = company(&service, "Alder Cycles", "ada@alder.example", &kinds).await;
        let partner = other(&service, "Tern Agency", "tia@tern.example", "Plover Page").await;
        let stranger = other(&service, "Gull Works", "gil@gull.example", "Gull Page").await;
        let (by, business, page) = (company.person.clone(), company.business, company.assets[0]);
        let edit = PersonEdit { name: Some(name("Wilhelmina Dray")), ..PersonEdit::default() };
        service.update_person(&by, company.admin_person, edit).await.unwrap();
        let made = service.create_person(&by, business, name("Zora Quill"), "zora@alder.example", Role::Employee).await;
        let worker = made.unwrap().value;
        let about = Purpose::parse("Counts bicycles").ok();
        let made = service.create_system_user(&by, business, name("Nightjar Reports"), Role::Employee, about).await;
        let robot = made.unwrap().value;
        let (app, _) = service.create_app(&by, business, name("Kestrel Desk"), false).await.unwrap().value;
        service.install_app(&by, robot, app).await.unwrap();
        for (user, task) in [(robot, "CREATE_CONTENT"), (worker, "ANALYZE")] {
            service.assign(&by, page, user, vec![task.to_owned()]).await.unwrap();
        }
        let ask = IssueRequest {
            system_user: robot,
            app,
            scopes: ScopeSet::all(),
            lifetime: Lifetime::Seconds(SIXTY_DAYS_S),
            add_dependencies: true,
            purpose: Purpose::parse("Nightly job").ok(),
        };
        let (token, text) = service.issue_token(&by, ask).await.unwrap().value;
        service.share(&by, page, partner.business, vec!["ANALYZE".to_owned()]).await.unwrap();
        let back = vec!["CREATE_CONTENT".to_owned()];
        service.share(&partner.person, partner.assets[0], business, back).await.unwrap();
        let input = PostInput { message: Some("Spring is here".to_owned()), ..PostInput::default() };
        let question = rights::PUBLISH.on_asset(page, AssetKind::Page);
        let post = service.create_post(&Call::with_token(text.reveal(), "seed"), question, page, input).await;
        let refused = Call::with_token(&company.employee_token.text, REFUSED);
        assert!(service.ask(&refused, rights::MANAGE_BUSINESS.on_business(business)).is_err());
        let admin = session_of(&service, company.admin_person).await;
        World {
            console: Console::new(service.clone(), Some(ORIGIN)),
            clock: Arc::clone(&ground.clock),
            worker,
            robot,
            robot_token: token.id,
            robot_text: text.reveal().to_owned(),
            app,
            page,
            post: post.unwrap().value.id,
            admin,
            requests: AtomicU64::new(1),
            service,
            ground,
            company,
            partner,
            stranger,
        }
    }

    /// Signs somebody in as a browser would be.
    pub async fn sign_in(&self, person: UserId) -> Session {
        session_of(&self.service, person).await
    }

    /// How far the ledger is.
    pub async fn head(&self) -> u64 {
        self.ground.store.head().await.unwrap().revision
    }

    /// A request as a browser on a page of the console sends it.
    pub fn request(&self, method: Method, path: &str, cookie: Option<&str>, fields: &Fields) -> Request {
        let is_read = method == Method::GET || method == Method::HEAD;
        let mut request = Request::new(method, path.parse().unwrap_or_else(|e| panic!("{path}: {e}")));
        let number = u128::from(self.requests.fetch_add(1, Ordering::Relaxed));
        // The id has many digits, so that it is found in a page by its text alone.
        request.request_id = RequestId::from_bytes(((number << 80) | (0x1234_5678_9ABC_DEF0_u128 << 8)).to_be_bytes());
        request.headers.insert("host", HeaderValue::from_static("localhost:8080"));
        if let Some(text) = cookie {
            request.headers.insert("cookie", format!("{COOKIE}={text}").parse().unwrap());
        }
        if !is_read {
            request.headers.insert("origin", HeaderValue::from_static(ORIGIN));
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers.insert("content-type", kind);
            let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            request.body = body.into();
        }
        request
    }

    pub async fn send(&self, request: Request) -> Answer {
        let trace = request.request_id.as_str().to_owned();
        Answer::of(self.console.handle(request, Origin::Network).await, trace)
    }

    /// Opens a page; `None` is a browser without a cookie.
    pub async fn open(&self, cookie: Option<&str>, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, cookie, &Fields::new())).await
    }

    /// Opens a page as the ADMIN of the first business.
    pub async fn get(&self, path: &str) -> Answer {
        self.open(Some(&self.admin.text), path).await
    }

    /// Sends a form.
    pub async fn submit(&self, cookie: Option<&str>, path: &str, fields: &Fields) -> Answer {
        self.send(self.request(Method::POST, path, cookie, fields)).await
    }

    /// Sends a form as the ADMIN of the first business.
    pub async fn post(&self, path: &str, fields: &Fields) -> Answer {
        self.submit(Some(&self.admin.text), path, fields).await
    }

    /// What the open parts of paths are filled with.
    pub fn ids(&self) -> Ids {
        Ids {
            user: self.robot.to_string(),
            person: self.worker.to_string(),
            app: self.app.to_string(),
            asset: self.page.to_string(),
            token: self.robot_token.to_string(),
            content: self.post.to_string(),
            partner: self.partner.business.to_string(),
            trace: REFUSED.to_owned(),
            other: self.company.business.to_string(),
        }
    }

    /// Every secret text that works or worked here.
    pub fn secrets(&self) -> Vec<String> {
        let texts = [&self.company.employee_token.text, &self.company.admin_token.text, &self.company.secret];
        let mut all: Vec<String> = texts.into_iter().cloned().collect();
        all.extend([self.robot_text.clone(), self.admin.text.clone()]);
        all.extend(self.company.person.text().map(str::to_owned));
        all
    }
}

async fn other(service: &Service, title: &str, email: &str, page: &str) -> Company {
    company(service, title, email, &[(AssetKind::Page, page)]).await
}

/// A session, through the code that the operator hands over.
pub async fn session_of(service: &Service, person: UserId) -> Session {
    let code = service.create_sign_in_code(&Call::operator("code"), person).await.unwrap().value;
    let done = service.redeem_sign_in_code("code", code.reveal(), PersonToken::Session).await.unwrap();
    let (token, text) = done.value;
    Session { text: text.reveal().to_owned(), token: token.id }
}

/// What stands for the open part of a path, by the word before it.
#[derive(Debug, Clone)]
pub struct Ids {
    pub user: String,
    pub person: String,
    pub app: String,
    pub asset: String,
    pub token: String,
    pub content: String,
    pub partner: String,
    pub trace: String,
    pub other: String,
}

impl Ids {
    /// The same with each id replaced.
    pub fn map(&self, with: impl Fn(&str) -> String) -> Ids {
        Ids {
            user: with(&self.user),
            person: with(&self.person),
            app: with(&self.app),
            asset: with(&self.asset),
            token: with(&self.token),
            content: with(&self.content),
            partner: with(&self.partner),
            trace: with(&self.trace),
            other: with(&self.other),
        }
    }

    /// All of them.
    pub fn all(&self) -> [&str; 9] {
        [
            &self.user,
            &self.person,
            &self.app,
            &self.asset,
            &self.token,
            &self.content,
            &self.partner,
            &self.trace,
            &self.other,
        ]
    }

    /// The path of a route.
    pub fn path(&self, pattern: &str) -> String {
        let Some((before, after)) = pattern.split_once("{}") else { return pattern.to_owned() };
        let word = before.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let id = match word {
            "system-users" => &self.user,
            "people" => &self.person,
            "apps" => &self.app,
            "assets" => &self.asset,
            "tokens" => &self.token,
            "content" => &self.content,
            "partners" => &self.partner,
            "refusals" => &self.trace,
            _ => &self.other,
        };
        format!("{before}{id}{after}")
    }

    /// The path with the query that the page needs to show anything.
    pub fn address(&self, pattern: &str) -> String {
        let query = match pattern {
            "/console/assets" | "/console/assets/new" => "?kind=page".to_owned(),
            "/console/partners/{}/end" => format!("?asset={}", self.asset),
            _ => String::new(),
        };
        format!("{}{query}", self.path(pattern))
    }
}

/// The routes of a method.
pub fn all_of(method: Method) -> Vec<RouteEntry> {
    routes().into_iter().filter(|route| route.method == method).collect()
}

/// Those of them for which somebody must be signed in.
pub fn signed_of(method: Method) -> Vec<RouteEntry> {
    all_of(method).into_iter().filter(|route| route.who != Who::Anyone).collect()
}

/// Id that was never issued, of the same kind as this one: its millisecond was before any other.
pub fn never_issued(id: &str) -> String {
    match id.parse::<u64>() {
        Ok(number) => (number - (1_000_000 << 22)).to_string(),
        // A trace.
        Err(_) => id.replace("refusal", "nothing"),
    }
}
