//! A wire between store and server that breaks where a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next COMMIT; afterwards the wire is whole again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Break {
    /// It never reaches the server; the connection breaks.
    BeforeCommit = 1,
    /// The server answers it; the answer is swallowed and the connection breaks.
    AfterCommit = 2,
    /// It reaches the server; nothing is ever heard again, and nothing breaks.
    Silence = 3,
    /// The next message, commit or not, never arrives; that connection breaks.
    Anything = 4,
}

pub struct Proxy {
    pub port: u16,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    pub async fn start(target: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Proxy { port, mode }
    }

    pub fn set(&self, mode: Break) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) {
    let mut from_client = [0; 65_536];
    let mut from_server = [0; 65_536];
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Some(count) = read.ok().filter(|n| *n > 0) else { return };
                let bytes = &from_client[..count];
                if mode.compare_exchange(4, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() { return }
                if is_commit(bytes) {
                    match mode.swap(0, Ordering::SeqCst) {
                        1 => return,
                        2 => {
                            server.write_all(bytes).await.unwrap();
                            assert!(server.read(&mut from_server).await.unwrap() > 0);
                            return;
                        }
                        3 => {
                            server.write_all(bytes).await.unwrap();
                            std::future::pending::<()>().await;
                        }
                        _ => {}
                    }
                }
                if server.write_all(bytes).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Some(count) = read.ok().filter(|n| *n > 0) else { return };
                if client.write_all(&from_server[..count]).await.is_err() { return }
            }
        }
    }
}

/// A simple query that says COMMIT and nothing else.
fn is_commit(bytes: &[u8]) -> bool {
    bytes == b"Q\0\0\0\x0bCOMMIT\0"
}
