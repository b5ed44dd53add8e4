//! The router: it finds the adapter of a request.
//!
//! It decides nothing else and names no adapter: each adapter claims its own paths and answers
//! them, errors included.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;
use valetkey_http::{Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request, Site, unknown_path};

/// First segments that never belong to [`Claim::Rest`], whether an adapter claims them or not.
const RESERVED: [&str; 9] =
    ["oauth2", ".well-known", "gateway", "v1", "console", "media", "healthz", "readyz", "metrics"];

/// Why adapters can't be mounted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// Two adapters claim one path.
    #[error("the adapters {first} and {second} both claim {claim:?}")]
    ClaimedTwice { first: &'static str, second: &'static str, claim: Claim },
    /// No path could ever match the claim.
    #[error("the adapter {adapter} claims {claim:?}, which no path can match")]
    Unmatchable { adapter: &'static str, claim: Claim },
    /// Adapters were mounted before.
    #[error("the adapters are mounted already")]
    Mounted,
}

/// The adapters behind all listeners of a server.
#[derive(Default)]
pub struct Mounts(OnceLock<Table>);

impl std::fmt::Debug for Mounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mounts").finish_non_exhaustive()
    }
}

impl Mounts {
    /// Without adapters yet: every request is answered as busy.
    pub fn new() -> Arc<Mounts> {
        Arc::default()
    }

    /// Mounts the adapters, once and before the first request is accepted.
    ///
    /// # Errors
    /// When two adapters claim the same path, or a claim can match none.
    pub fn mount(&self, adapters: Vec<Box<dyn Adapter>>) -> Result<(), MountError> {
        self.0.set(Table::new(adapters)?).map_err(|_| MountError::Mounted)
    }
}

/// Which adapter gets which path. The lists are short, so a linear search is the fastest.
#[derive(Default)]
struct Table {
    check_paths: Vec<Row>,
    paths: Vec<Row>,
    segments: Vec<Row>,
    root: Option<Arc<dyn Adapter>>,
    root_call: Option<(&'static [&'static str], Arc<dyn Adapter>)>,
    rest: Option<Arc<dyn Adapter>>,
}

type Row = (&'static str, Arc<dyn Adapter>);

impl Table {
    fn new(mut adapters: Vec<Box<dyn Adapter>>) -> Result<Table, MountError> {
        let all: Arc<[PathEntry]> = adapters.iter().flat_map(|adapter| adapter.paths()).collect();
        for adapter in &mut adapters {
            adapter.set_paths(&all);
        }
        let mut table = Table::default();
        for adapter in adapters {
            let adapter: Arc<dyn Adapter> = adapter.into();
            for claim in adapter.claims() {
                table.enter(*claim, &adapter)?;
            }
        }
        Ok(table)
    }

    fn enter(&mut self, claim: Claim, adapter: &Arc<dyn Adapter>) -> Result<(), MountError> {
        let matches_some = match claim {
            Claim::Segment(segment) => !segment.is_empty() && !segment.contains('/'),
            Claim::Path(path) | Claim::CheckPath(path) => path.starts_with('/') && path.len() > 1,
            Claim::Root | Claim::RootCall(_) | Claim::Rest => true,
        };
        if !matches_some {
            return Err(MountError::Unmatchable { adapter: adapter.name(), claim });
        }
        if let Some(first) = self.holder(claim) {
            return Err(MountError::ClaimedTwice { first, second: adapter.name(), claim });
        }
        let adapter = Arc::clone(adapter);
        match claim {
            Claim::Segment(segment) => self.segments.push((segment, adapter)),
            Claim::Path(path) => self.paths.push((path, adapter)),
            Claim::CheckPath(path) => {
                self.check_paths.push((path, Arc::clone(&adapter)));
                self.paths.push((path, adapter));
            }
            Claim::Root => self.root = Some(adapter),
            Claim::RootCall(names) => self.root_call = Some((names, adapter)),
            Claim::Rest => self.rest = Some(adapter),
        }
        Ok(())
    }

    /// The name of the adapter that already has this claim.
    fn holder(&self, claim: Claim) -> Option<&'static str> {
        let adapter = match claim {
            Claim::Segment(segment) => find(&self.segments, segment),
            Claim::Path(path) | Claim::CheckPath(path) => find(&self.paths, path),
            Claim::Root => self.root.as_ref(),
            Claim::RootCall(_) => self.root_call.as_ref().map(|(_, adapter)| adapter),
            Claim::Rest => self.rest.as_ref(),
        };
        adapter.map(|adapter| adapter.name())
    }

    fn route(&self, head: &Head<'_>) -> Option<&Arc<dyn Adapter>> {
        let path = head.path();
        if let Some(adapter) = find(&self.paths, path) {
            return Some(adapter);
        }
        match path.split('/').find(|segment| !segment.is_empty()) {
            None => self.route_root(head),
            Some(first) => find(&self.segments, first).or(match RESERVED.contains(&first) {
                true => None,
                false => self.rest.as_ref(),
            }),
        }
    }

    fn route_root(&self, head: &Head<'_>) -> Option<&Arc<dyn Adapter>> {
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let mut names = head.query().split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        match &self.root_call {
            Some((calls, adapter)) if !reads || names.any(|name| calls.contains(&name)) => Some(adapter),
            _ => self.root.as_ref(),
        }
    }
}

fn find<'a>(rows: &'a [Row], text: &str) -> Option<&'a Arc<dyn Adapter>> {
    rows.iter().find(|(claimed, _)| *claimed == text).map(|(_, adapter)| adapter)
}

/// The server behind one listener.
#[derive(Debug)]
pub struct Frontend {
    mounts: Arc<Mounts>,
    origin: Origin,
}

impl Frontend {
    /// The server behind the listener for requests of this origin.
    pub fn new(mounts: Arc<Mounts>, origin: Origin) -> Arc<Frontend> {
        Arc::new(Frontend { mounts, origin })
    }

    fn route(&self, head: &Head<'_>) -> Option<&Arc<dyn Adapter>> {
        self.mounts.0.get()?.route(head)
    }
}

impl Site for Frontend {
    // One comparison of the path for each of the few rows, before any other work.
    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        find(&self.mounts.0.get()?.check_paths, head.path())?.check_path(head)
    }

    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        find(&self.mounts.0.get()?.check_paths, head.path())?.check_path_with_body(head, body)
    }

    fn handle(&self, request: Request) -> BoxFuture<'static, Reply> {
        let reply = match self.mounts.0.get() {
            Some(table) => match table.route(&request.head()) {
                Some(adapter) => return adapter.handle(request, self.origin),
                None => unknown_path(&request.head()),
            },
            None => Failure::Busy.json(&request.head()),
        };
        Box::pin(std::future::ready(reply))
    }

    fn takes_uploads(&self, head: &Head<'_>) -> bool {
        self.route(head).is_some_and(|adapter| adapter.takes_uploads(head))
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        match self.route(head) {
            Some(adapter) => adapter.failed(head, failure),
            None => failure.json(head),
        }
    }
}

#[cfg(test)]
mod tests;
