//! The HTTP layer of all adapters: it listens, reads requests within limits, and passes them to one
//! [`Site`]. It also defines the [`Adapter`] trait. It must never know what a token means, which
//! store there is, or what the Graph looks like, and it must never put a credential into a log
//! line, an error or a `Debug` text.

pub mod access_log;
pub mod adapter;
mod body;
pub mod client_address;
mod connection;
pub mod credential;
mod exchange;
pub mod json;
pub mod limits;
pub mod listener;
pub mod mask;
pub mod params;
mod percent;
mod pieces;
pub mod request_id;
pub mod site;
pub mod stats;
pub mod tls;

pub use adapter::{Adapter, Claim, Origin, PathEntry};
pub use client_address::{Cidr, CidrError, TrustedProxies};
pub use limits::{LimitError, Limits, ParamLimits};
pub use listener::{Drained, ListenConfig, ListenError, Listener};
pub use params::{ParamError, Params, Source, Upload};
pub use request_id::{IdSource, RequestId, SeededIds};
pub use site::{BadRequest, Failure, Head, Late, Reply, Request, Site, json_error, unknown_path};
pub use stats::{Stats, StatsSnapshot};
pub use tls::{Pem, TlsError, TlsReloader};

/// The cancellation handle that [`Listener::serve`] stops on.
pub use tokio_util::sync::CancellationToken;
