//! Where a command acts: on the running server of a data folder over its socket, on a server
//! elsewhere with a token, or, if none runs, on the store itself under the folder's lock. The calls
//! are the same for all three.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use valetkey_api::Api;
use valetkey_http::{Request, RequestId};

use super::client::{self, Address, Send};
use super::fail::{Fail, Outcome};
use super::input::On;
use super::kept;
use crate::config::{Config, DATA, Flag};
use crate::lifecycle::{Node, open_service};

/// The variable that holds a token for `--server`.
pub const TOKEN_VARIABLE: &str = "VALETKEY_TOKEN";
/// The default folder of the demo.
const DEMO: &str = "valetkey-data/demo";

enum Adapter {
    Socket(PathBuf),
    Tcp { address: Address, ca: Option<PathBuf> },
    Store { api: Api, node: Box<Node> },
}

/// The connection of one command to the JSON adapter.
pub struct Session {
    adapter: Adapter,
    bearer: Option<String>,
    place: String,
    pub json: bool,
}

/// The answer of a command of the adapter.
#[derive(Debug)]
pub struct Done {
    pub result: Value,
    pub revision: String,
}

/// As whom a session acts if no token was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The operator at a data folder, the signed-in person at an address.
    Usual,
    /// The signed-in person everywhere.
    Login,
    /// Nobody: the call needs no token.
    Nobody,
}

impl Session {
    /// Opens a session as the arguments say.
    pub async fn open(on: &On) -> Result<Session, Fail> {
        Session::open_by(on, if on.as_login { By::Login } else { By::Usual }).await
    }

    /// The same, as the caller in `by`.
    pub async fn open_by(on: &On, by: By) -> Result<Session, Fail> {
        if let Some(server) = &on.server {
            if on.data.is_some() {
                return Err(Fail::new("--server and --data name two places").hint("leave one of them out"));
            }
            let address = Address::parse(server)?;
            let place = address.text();
            let bearer = match (shown_token(on), by) {
                (_, By::Nobody) => None,
                (Some(token), By::Usual) => Some(token),
                _ => Some(kept::load(&kept::Place::Server(place.clone()))?.access_token),
            };
            let adapter = Adapter::Tcp { address, ca: on.ca.clone() };
            return Ok(Session { adapter, bearer, place, json: on.json });
        }
        let config = config(on)?;
        let bearer = match (shown_token(on), by) {
            (_, By::Nobody) => None,
            (Some(token), By::Usual) => Some(token),
            (_, By::Login) => Some(kept::load(&kept::Place::Folder(config.data.clone()))?.access_token),
            (None, By::Usual) => None,
        };
        let place = config.data.display().to_string();
        let adapter = Session::adapter(&config).await?;
        Ok(Session { adapter, bearer, place, json: on.json })
    }

    async fn adapter(config: &Config) -> Result<Adapter, Fail> {
        if client::connect_socket(&config.data).await?.is_some() {
            return Ok(Adapter::Socket(config.data.clone()));
        }
        let (service, node) = open_service(config).await?;
        Ok(Adapter::Store { api: Api::new(service), node: Box::new(node) })
    }

    /// Where it acts, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether it acts as the operator.
    pub fn is_operator(&self) -> bool {
        self.bearer.is_none() && !matches!(self.adapter, Adapter::Tcp { .. })
    }

    /// Calls a command of the adapter.
    pub async fn call(&self, command: &str, params: Value) -> Result<Done, Fail> {
        self.post(&format!("/v1/commands/{command}"), params).await
    }

    /// Posts to a path of the adapter.
    pub async fn post(&self, path: &str, params: Value) -> Result<Done, Fail> {
        let (status, body) = self.send(path, params.to_string().into_bytes()).await?;
        let read: Option<Value> = serde_json::from_slice(&body).ok();
        match read {
            Some(mut body) if status == StatusCode::OK && body.get("result").is_some() => {
                let revision = body.get("revision").and_then(Value::as_str).unwrap_or_default().to_owned();
                Ok(Done { result: body["result"].take(), revision })
            }
            Some(body) if body.get("error").is_some_and(Value::is_object) => Err(Fail::refused(&body["error"])),
            _ => {
                Err(Fail::new(format!("{} answered {status} with something that is no answer of Valetkey", self.place))
                    .hint("check the address"))
            }
        }
    }

    async fn send(&self, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), Fail> {
        let send = Send { method: Method::POST, path, bearer: self.bearer.as_deref(), body };
        match &self.adapter {
            Adapter::Socket(folder) => {
                let stream = client::connect_socket(folder).await?.ok_or_else(|| {
                    Fail::new(format!("the server in {} stopped", folder.display())).hint("run the command again")
                })?;
                client::over_socket(stream, send).await
            }
            Adapter::Tcp { address, ca } => client::over_tcp(address, ca.as_deref(), send).await,
            Adapter::Store { api, .. } => {
                let wrong = |what: &str| Fail::new(format!("the call can't be made: {what}"));
                let uri = path.parse().map_err(|_| wrong("its path"))?;
                let mut request = Request::new(Method::POST, uri);
                request.request_id = RequestId::from_bytes(crate::random::bytes()?);
                request.body = Bytes::from(send.body);
                if let Some(token) = send.bearer {
                    let header = format!("Bearer {token}").parse().map_err(|_| wrong("its token"))?;
                    request.headers.insert(http::header::AUTHORIZATION, header);
                }
                let reply = api.handle(request, true).await;
                Ok((reply.status, reply.body))
            }
        }
    }

    /// Closes the store, if it was opened.
    pub async fn close(self) {
        if let Adapter::Store { api, node } = self.adapter {
            drop(api);
            node.close().await;
        }
    }

    /// All rows of a list that is paged by `after`, page by page.
    pub async fn pages(
        &self,
        command: &str,
        mut params: Value,
        mut each: impl FnMut(&Value) -> Result<(), Fail>,
    ) -> Result<(), Fail> {
        params["limit"] = json!(1000);
        loop {
            let page = self.call(command, params.clone()).await?.result;
            for row in page.get("rows").and_then(Value::as_array).into_iter().flatten() {
                each(row)?;
            }
            match page.get("next") {
                Some(next) if !next.is_null() => params["after"] = next.clone(),
                _ => return Ok(()),
            }
        }
    }
}

/// Runs `act` in a session, which is closed even if `act` fails.
pub async fn within(on: &On, act: impl AsyncFnOnce(&Session) -> Outcome) -> Outcome {
    let session = Session::open(on).await?;
    let outcome = act(&session).await;
    session.close().await;
    outcome
}

/// The token that the arguments or the environment name.
pub fn shown_token(on: &On) -> Option<String> {
    if on.as_login {
        return None;
    }
    on.token.clone().or_else(|| std::env::var(TOKEN_VARIABLE).ok()).filter(|t| !t.trim().is_empty())
}

/// The configuration of the folder that a command acts on.
pub fn config(on: &On) -> Result<Config, Fail> {
    let data = on.data.as_ref().map(|path| path.display().to_string());
    let named = data.is_some() || on.config.is_some();
    let config =
        Config::load(on.config.as_deref(), Flag::of("data", "--data", data)).map_err(|e| Fail::new(e.to_string()))?;
    // If only the demo's folder was set up, it is the one that is meant.
    let demo = Path::new(DEMO);
    if !named && config.data == Path::new(DATA) && !set_up(&config.data) && set_up(demo) {
        return Ok(Config { data: demo.to_owned(), ..Config::default() });
    }
    Ok(config)
}

/// Whether a folder was set up: it has a key, or a server runs in it.
fn set_up(folder: &Path) -> bool {
    folder.join(crate::keys::FILE_NAME).exists() || folder.join(crate::lifecycle::socket::NAME).exists()
}
