//! The one page that shows a token. It answers the form that made it; nothing keeps the text.

use valetkey_domain::credential::CredentialText;
use valetkey_domain::noun::app::App;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::Token;
use valetkey_http::Reply;

use super::system_user::HERE;
use super::user::head;
use crate::failure::Failure;
use crate::view::parts::Time;
use crate::view::token::{Snippet, TokenOncePage};
use crate::visit::{Visit, page};
use crate::{names, shell};

/// A token that was just issued. Its text is not in `Debug`.
#[derive(Debug)]
pub struct Issued {
    pub user: SystemUser,
    pub app: App,
    pub token: Token,
    pub text: CredentialText,
    /// What it can do, in few words.
    pub can: String,
}

/// The page.
///
/// # Errors
/// When the template fails.
pub fn show(visit: &Visit, issued: Issued) -> Result<Reply, Failure> {
    let now = visit.now();
    let Issued { user, app, token, text, can } = issued;
    let call = Call::of(&token);
    page(&TokenOncePage {
        shell: shell::of(visit, "Copy the token now", HERE),
        user: head(&user),
        text: text.reveal().to_owned(),
        id: token.id.to_string(),
        purpose: names::token(&token),
        app: app.name.to_string(),
        ends: token.expires_at.map(|end| Time::date(end, now)),
        ends_in: token.expires_at.map(|end| Time::relative(end, now)),
        can,
        scopes: token.scopes.iter().count(),
        snippets_do: call.does.to_owned(),
        snippets: snippets(visit.address.origin(), &app, &call),
        revoke: format!("{}/revoke?token={}", names::system_user_href(user.id), token.id),
    })
}

/// A call that only reads, and that the token may make.
struct Call {
    does: &'static str,
    path: &'static str,
    python: (&'static str, &'static str),
    node: (&'static str, &'static str),
}

impl Call {
    fn of(token: &Token) -> Call {
        let has = |name: &str| token.scopes.names().contains(&name);
        if has("pages_show_list") {
            Call {
                does: "it lists the Pages that this token reaches",
                path: "me/accounts?fields=name,tasks",
                python: ("get_accounts", "[\"name\", \"tasks\"]"),
                node: ("getAccounts", "[\"name\", \"tasks\"]"),
            }
        } else if has("ads_read") || has("ads_management") {
            Call {
                does: "it lists the ad accounts that this token reaches",
                path: "me/adaccounts?fields=name",
                python: ("get_ad_accounts", "[\"name\"]"),
                node: ("getAdAccounts", "[\"name\"]"),
            }
        } else {
            Call {
                does: "it asks who the token is",
                path: "me?fields=id,name",
                python: ("api_get", "[\"id\", \"name\"]"),
                node: ("get", "[\"id\", \"name\"]"),
            }
        }
    }

    fn is_list(&self) -> bool {
        self.path.starts_with("me/")
    }
}

/// The code around the token. An app that demands a proof gets it from the secret that the reader puts
/// in.
fn snippets(origin: &str, app: &App, call: &Call) -> Vec<Snippet> {
    let mut all = vec![curl(origin, app, call), python(origin, app, call)];
    // The Node SDK can't send a proof by itself.
    if !app.demands_proof {
        all.push(node(origin, call));
    }
    all
}

fn curl(origin: &str, app: &App, call: &Call) -> Snippet {
    let after = if app.demands_proof {
        format!(
            "'\nPROOF=$(printf %s \"$TOKEN\" | openssl dgst -sha256 -hmac 'APP_SECRET' | sed 's/.* //')\n\
             curl -H \"Authorization: Bearer $TOKEN\" \\\n  \"{origin}/{}&appsecret_proof=$PROOF\"",
            call.path
        )
    } else {
        format!("'\ncurl -H \"Authorization: Bearer $TOKEN\" \\\n  \"{origin}/{}\"", call.path)
    };
    Snippet { word: "curl", title: "curl", detail: "Any shell", before: "TOKEN='".to_owned(), after, wide: true }
}

fn python(origin: &str, app: &App, call: &Call) -> Snippet {
    let secret = if app.demands_proof { "app_secret=\"APP_SECRET\", " } else { "" };
    let before = format!(
        "from facebook_business.api import FacebookAdsApi\n\
         from facebook_business.session import FacebookSession\n\
         from facebook_business.adobjects.user import User\n\n\
         FacebookSession.GRAPH = \"{origin}\"\n\
         FacebookAdsApi.init({secret}access_token=\n    \""
    );
    let (method, fields) = call.python;
    let after = if call.is_list() {
        format!("\")\n\nfor row in User(\"me\").{method}(fields={fields}):\n    print(row)\n")
    } else {
        format!("\")\n\nprint(User(\"me\").{method}(fields={fields}))\n")
    };
    Snippet { word: "python", title: "Python", detail: "facebook_business", before, after, wide: false }
}

fn node(origin: &str, call: &Call) -> Snippet {
    let before = format!(
        "import sdk from \"facebook-nodejs-business-sdk\";\n\
         const {{ FacebookAdsApi, User }} = sdk;\n\n\
         Object.defineProperty(FacebookAdsApi, \"GRAPH\",\n  {{ get: () => \"{origin}\" }});\n\
         FacebookAdsApi.init(\n  \""
    );
    let (method, fields) = call.node;
    let after = if call.is_list() {
        format!(
            "\");\n\nconst rows = await new User(\"me\").{method}({fields});\n\
             for (const row of rows) console.log(row._data);\n"
        )
    } else {
        format!("\");\n\nconsole.log((await new User(\"me\").{method}({fields}))._data);\n")
    };
    Snippet { word: "node", title: "Node", detail: "facebook-nodejs-business-sdk", before, after, wide: false }
}
