//! The adapters of this server. None of them knows another; only this place names them all. A new
//! adapter is one more line in the list.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use valetkey_api::Api;
use valetkey_console::Console;
use valetkey_gateway::Gateway;
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{Adapter, ParamLimits, Stats};
use valetkey_service::Service;

use crate::operations::Operations;

/// What the adapters need.
#[derive(Debug)]
pub struct Parts {
    pub service: Service,
    /// Without one, links in answers begin with the address that each caller used.
    pub public_url: Option<String>,
    /// The address by which browsers find this server, if there is one that is certain.
    pub browser_url: Option<String>,
    pub params: ParamLimits,
    pub stats: Arc<Stats>,
    /// Fires when the server begins to stop.
    pub stopping: CancellationToken,
}

/// All adapters, in the order in which the welcome page shows them.
pub fn all(parts: Parts) -> Vec<Box<dyn Adapter>> {
    let Parts { service, public_url, browser_url, params, stats, stopping } = parts;
    vec![
        Box::new(Console::new(service.clone(), browser_url.as_deref())),
        Box::new(Graph::new(service.clone(), GraphConfig { public_url }).with_param_limits(params)),
        Box::new(Api::new(service.clone())),
        Box::new(Gateway::new(service.clone())),
        Box::new(Operations::new(service, stats, stopping)),
    ]
}
