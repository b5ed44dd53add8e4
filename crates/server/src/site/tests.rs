//! Which adapter answers which path, and in which dialect failures are answered.

use http::header::ALLOW;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use valetkey_http::{BadRequest, Late, ParamLimits};
use valetkey_testkit::ground::Ground;

use super::*;
use crate::adapters::{self, Parts};

/// The adapters of a server over an empty store. The ground has to outlive them.
async fn parts() -> (Ground, Parts) {
    let ground = Ground::in_memory().await;
    let service = ground.node(1).await;
    let (stats, stopping) = (Arc::default(), CancellationToken::new());
    (ground, Parts { service, public_url: None, browser_url: None, params: ParamLimits::default(), stats, stopping })
}

fn frontend(adapters: Vec<Box<dyn Adapter>>) -> Arc<Frontend> {
    let mounts = Mounts::new();
    mounts.mount(adapters).unwrap();
    Frontend::new(mounts, Origin::Network)
}

fn request(method: Method, target: &str) -> Request {
    Request::new(method, target.parse().unwrap())
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

/// An adapter of another dialect: it answers in capitals.
struct Loud(&'static [Claim]);

impl Adapter for Loud {
    fn name(&self) -> &'static str {
        "loud"
    }
    fn claims(&self) -> &'static [Claim] {
        self.0
    }
    fn handle(&self, request: Request, origin: Origin) -> BoxFuture<'static, Reply> {
        let text = format!("{} {origin:?}", request.path()).to_uppercase();
        Box::pin(std::future::ready(Reply::text(StatusCode::OK, text)))
    }
    fn failed(&self, _: &Head<'_>, failure: Failure) -> Reply {
        Reply::text(StatusCode::IM_A_TEAPOT, format!("{failure:?}").to_uppercase())
    }
    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        assert_eq!(head.path(), "/loud/quick", "it is asked about its own path alone");
        head.query().is_empty().then(|| Reply::text(StatusCode::OK, "QUICK"))
    }
    fn paths(&self) -> Vec<PathEntry> {
        let item = json!({ "get": { "summary": "Shout" } });
        vec![PathEntry { path: "/loud", summary: Some("an answer in capitals"), item: Some(item) }]
    }
}

#[tokio::test]
async fn a_further_adapter_is_one_more_line_in_the_list() {
    let (_ground, parts) = parts().await;
    let mut all = adapters::all(parts);
    all.push(Box::new(Loud(&[Claim::Segment("loud"), Claim::CheckPath("/loud/quick")])));
    let frontend = frontend(all);
    let asked = async |target: &str| frontend.handle(request(Method::GET, target)).await;
    assert_eq!(text(&asked("/loud/er").await), "/LOUD/ER NETWORK");
    for failure in [Failure::Busy, Failure::Fault, Failure::Late(Late::Body), Failure::TooLarge { limit_bytes: 7 }] {
        let reply = frontend.failed(&request(Method::GET, "/loud").head(), failure);
        assert_eq!(text(&reply), format!("{failure:?}").to_uppercase());
    }
    let quick = |target: &str| frontend.check_path(&request(Method::GET, target).head());
    assert_eq!(text(&quick("/loud/quick").unwrap()), "QUICK");
    assert!(quick("/loud/quick?wait").is_none() && quick("/loud/er").is_none() && quick("/loud").is_none());
    assert!(text(&asked("/").await).contains("  /loud                        an answer in capitals\n"));
    let document: Value = serde_json::from_slice(&asked("/v1/openapi.json").await.body).unwrap();
    assert_eq!(document["paths"]["/loud"]["get"]["summary"], "Shout");
    assert_eq!(document["paths"]["/v1/check"]["post"]["operationId"], "gateway.check");
    assert!(!document["paths"].as_object().unwrap().contains_key("/healthz"));
}

#[tokio::test]
async fn a_request_over_the_socket_says_so_to_its_adapter() {
    let mounts = Mounts::new();
    mounts.mount(vec![Box::new(Loud(&[Claim::Rest]))]).unwrap();
    let frontend = Frontend::new(mounts, Origin::OperatorSocket);
    assert_eq!(text(&frontend.handle(request(Method::GET, "/x")).await), "/X OPERATORSOCKET");
}

#[test]
fn two_adapters_that_claim_one_path_are_refused_with_both_names() {
    let claims: [&'static [Claim]; 6] = [
        &[Claim::Segment("a")],
        &[Claim::Path("/a")],
        &[Claim::CheckPath("/a")],
        &[Claim::Root],
        &[Claim::RootCall(&["ids"])],
        &[Claim::Rest],
    ];
    let mount = |lists: &[&'static [Claim]]| {
        Mounts::new().mount(lists.iter().map(|list| Box::new(Loud(list)) as Box<dyn Adapter>).collect())
    };
    assert_eq!(mount(&[claims[0], claims[1], claims[3], claims[4], claims[5]]), Ok(()));
    for list in claims {
        let (first, second, claim) = ("loud", "loud", list[0]);
        assert_eq!(mount(&[list, list]), Err(MountError::ClaimedTwice { first, second, claim }));
    }
    let claim = Claim::CheckPath("/a");
    assert_eq!(
        mount(&[claims[1], claims[2]]).unwrap_err().to_string(),
        format!("the adapters loud and loud both claim {claim:?}")
    );
    assert!(mount(&[&[Claim::RootCall(&["ids"])], &[Claim::RootCall(&["batch"])]]).is_err());
}

#[test]
fn a_claim_that_no_path_can_match_is_refused() {
    for list in [&[Claim::Segment("a/b")], &[Claim::Segment("")], &[Claim::Path("a")], &[Claim::CheckPath("/")]] {
        let refused = MountError::Unmatchable { adapter: "loud", claim: list[0] };
        assert_eq!(Mounts::new().mount(vec![Box::new(Loud(list))]), Err(refused));
    }
}

#[tokio::test]
async fn each_path_has_one_adapter() {
    let (_ground, parts) = parts().await;
    let mounts = Mounts::new();
    mounts.mount(adapters::all(parts)).unwrap();
    let table = mounts.0.get().unwrap();
    let adapter = |method: Method, target: &str| {
        table.route(&request(method, target).head()).map_or("none", |adapter| adapter.name())
    };
    for (targets, expected) in [
        (
            "/v26.0/me /v2.3/1 /v99.0/me /v26.0 /v26 /v25.0/act_1/campaigns //me /12 /12_34 /act_7/campaigns /me/accounts",
            "graph",
        ),
        ("/app /search?type=x /debug_token /oauth/access_token /oauth/revoke /?ids=1 /?batch=[] //?a=1&ids=2", "graph"),
        (
            "/foo /foo/bar/baz /oauth /oauth/x /mex /apps /12a /1_ /_1 /vx /wp-login.php /V1/check /v1x /%761/check /x/healthz",
            "graph",
        ),
        ("/v1/check", "gateway"),
        ("/v1/receipts/7 /v1 /v1/ /v1/commands/x /v1/check/ /v1/checks //v1/check", "api"),
        ("/gateway/forward-auth /gateway /gateway/x", "gateway"),
        ("/ /?x=1 /?idsx=1 // /healthz /readyz /metrics /healthz/ /healthz/x", "operations"),
        ("/favicon.ico /robots.txt", "operations"),
        ("/oauth2/token /oauth2 /.well-known/openid-configuration /media/1", "none"),
        ("/console /console/ /console/people /console/x/y", "console"),
    ] {
        for target in targets.split(' ') {
            assert_eq!(adapter(Method::GET, target), expected, "{target}");
            assert_eq!(adapter(Method::HEAD, target), expected, "HEAD {target}");
        }
    }
    for method in [Method::POST, Method::DELETE, Method::OPTIONS, Method::PUT] {
        assert_eq!(adapter(method.clone(), "/"), "graph", "{method}");
    }
}

#[tokio::test]
async fn pages_are_only_read_and_unknown_paths_answer_in_json() {
    let (_ground, parts) = parts().await;
    let frontend = frontend(adapters::all(parts));
    let no = async |method: Method, target: &str| {
        let reply = frontend.handle(request(method, target)).await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status.as_u16(), body["error"]["reason"].as_str().unwrap().to_owned(), reply.headers)
    };
    for target in ["/healthz/x", "/metrics/x", "/oauth2/token", "/media/1", "/gateway/x", "/v1/x"] {
        for method in [Method::GET, Method::HEAD] {
            let (status, reason, _) = no(method, target).await;
            assert_eq!((status, reason.as_str()), (404, "unknown_path"), "{target}");
        }
    }
    for target in ["/healthz", "/readyz", "/metrics", "/favicon.ico"] {
        let (status, reason, headers): (u16, String, HeaderMap) = no(Method::POST, target).await;
        assert_eq!((status, reason.as_str()), (405, "method_not_allowed"), "{target}");
        assert_eq!(headers[ALLOW], "GET, HEAD");
    }
    for target in ["/favicon.ico", "/robots.txt"] {
        let reply = frontend.handle(request(Method::GET, target)).await;
        assert_eq!((reply.status, text(&reply)), (StatusCode::NOT_FOUND, "not found\n"));
    }
}

#[tokio::test]
async fn files_go_to_the_graph_alone() {
    let (_ground, parts) = parts().await;
    let frontend = frontend(adapters::all(parts));
    for (target, wanted) in [
        ("/v26.0/me/photos", true),
        ("/act_1/adimages", true),
        ("/v1/check", false),
        ("/v1/commands/token.issue", false),
        ("/v1/sign-in", false),
        ("/gateway/forward-auth", false),
        ("/console", false),
        ("/healthz", false),
    ] {
        assert_eq!(frontend.takes_uploads(&request(Method::POST, target).head()), wanted, "{target}");
    }
}

#[tokio::test]
async fn a_failure_is_answered_in_the_dialect_that_was_asked() {
    let (_ground, parts) = parts().await;
    let frontend = frontend(adapters::all(parts));
    let every = [
        Failure::BadRequest(BadRequest::BrokenBody),
        Failure::TooLarge { limit_bytes: 5 },
        Failure::Late(Late::Body),
        Failure::Late(Late::Answer),
        Failure::Busy,
        Failure::Fault,
    ];
    for failure in every {
        for (target, word) in [
            ("/v26.0/me/feed", "\"fbtrace_id\""),
            ("/foo", "\"fbtrace_id\""),
            ("/v1/check", "\"trace\""),
            ("/v1/commands/x", "\"trace\""),
            ("/healthz", "\"trace\""),
        ] {
            let reply = frontend.failed(&request(Method::POST, target).head(), failure);
            assert!(text(&reply).contains(word), "{target} {failure:?}: {}", text(&reply));
        }
    }
    let late = |method: Method, target: &str| {
        let reply = frontend.failed(&request(method, target).head(), Failure::Late(Late::Answer));
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        text(&reply).to_owned()
    };
    assert!(late(Method::GET, "/v26.0/me").contains("\"is_transient\":true"));
    // The write may have been applied, and a blind retry could apply it twice, even if it was sent
    // as a GET.
    assert!(late(Method::GET, "/v26.0/me/feed?message=x&method=post").contains("\"is_transient\":false"));
    assert!(late(Method::GET, "/v26.0/me?fields=method").contains("\"is_transient\":true"));
    assert!(late(Method::POST, "/v26.0/me/feed").contains("\"is_transient\":false"));
    assert!(late(Method::POST, "/v1/commands/token.issue").contains("outcome_unknown"));
    assert!(late(Method::GET, "/v1").contains("unavailable"));
}

#[tokio::test]
async fn before_the_adapters_are_mounted_every_path_is_busy() {
    let frontend = Frontend::new(Mounts::new(), Origin::Network);
    let reply = frontend.handle(request(Method::GET, "/v26.0/me")).await;
    assert_eq!((reply.status, text(&reply).contains("\"busy\"")), (StatusCode::SERVICE_UNAVAILABLE, true));
    assert!(frontend.check_path(&request(Method::GET, "/v1/check").head()).is_none());
}
