//! One HTTP/1 call over a stream: the operator's socket, or TCP. It must never follow a redirect, and
//! never send a token in the clear beyond this machine.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::fail::Fail;
use super::tls;
use crate::lifecycle::socket::{NAME, ShortPath};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A little more than the server's own time limit for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);
/// Far larger than the longest page of a list.
const ANSWER_LIMIT_BYTES: usize = 256 * 1024 * 1024;

/// A request.
#[derive(Debug)]
pub struct Send<'a> {
    pub method: Method,
    pub path: &'a str,
    pub bearer: Option<&'a str>,
    pub body: Vec<u8>,
}

/// A server's address.
#[derive(Debug, Clone)]
pub struct Address {
    is_https: bool,
    host: String,
    port: u16,
    /// The path in front of `/v1`, without a slash at its end.
    prefix: String,
}

impl Address {
    /// Reads a URL, and refuses one that would send a token in the clear.
    pub fn parse(text: &str) -> Result<Address, Fail> {
        let wrong =
            || Fail::new(format!("--server must be an address such as https://graph.example.com, not {}", shown(text)));
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || uri.query().is_some() {
            return Err(wrong());
        }
        if !is_https && !is_loopback(&host) {
            let why = format!("a token would be sent to {host} in the clear");
            return Err(Fail::new(why).hint("use an https:// address, or run this where the server runs (--data DIR)"));
        }
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Ok(Address { is_https, host, port, prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The address in one spelling, for messages and for the file name of its login.
    pub fn text(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.prefix)
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Connects to the socket in a data folder; `None` if no server answers there.
pub async fn connect_socket(folder: &Path) -> Result<Option<UnixStream>, Fail> {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let shown = folder.display();
    let path = match ShortPath::new(folder, NAME) {
        Ok(path) => path,
        Err(error) if error.kind() == NotFound => return Ok(None),
        Err(error) => return Err(Fail::new(format!("the data folder {shown} can't be opened: {error}"))),
    };
    match UnixStream::connect(path.as_path()).await {
        Ok(stream) => Ok(Some(stream)),
        // A killed server leaves its socket behind.
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(None),
        Err(error) => {
            let hint = "the socket is its owner's alone: run this as the user that the server runs as";
            Err(Fail::new(format!("the server's socket in {shown} can't be reached: {error}")).hint(hint))
        }
    }
}

/// Sends over a socket that is connected.
pub async fn over_socket(stream: UnixStream, send: Send<'_>) -> Result<(StatusCode, Bytes), Fail> {
    exchange(stream, "valetkey", send.path, &send).await
}

/// Sends to an address.
pub async fn over_tcp(address: &Address, ca: Option<&Path>, send: Send<'_>) -> Result<(StatusCode, Bytes), Fail> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((address.host.as_str(), address.port)));
    let failed = |why: String| {
        Fail::new(format!("{} can't be reached: {why}", address.text()))
            .hint("check the address, and that the server runs")
    };
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("no connection within {} seconds", CONNECT_TIMEOUT.as_secs()))),
    };
    let path = format!("{}{}", address.prefix, send.path);
    if !address.is_https {
        return exchange(stream, &address.authority(), &path, &send).await;
    }
    let stream = tls::connect(stream, &address.host, ca).await?;
    exchange(stream, &address.authority(), &path, &send).await
}

async fn exchange<S>(stream: S, host: &str, path: &str, send: &Send<'_>) -> Result<(StatusCode, Bytes), Fail>
where
    S: AsyncRead + AsyncWrite + Unpin + std::marker::Send + 'static,
{
    let broken = |error: &dyn std::fmt::Display| {
        Fail::new(format!("the server broke off the call: {error}")).hint("its log may say why")
    };
    let mut request = http::Request::builder()
        .method(send.method.clone())
        .uri(path)
        .header(http::header::HOST, host)
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::USER_AGENT, concat!("valetkey/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = send.bearer {
        request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(send.body.clone())));
    // This fails only for a token that no header can carry.
    let request =
        request.map_err(|_| Fail::new("the token holds characters that no token has").hint("check what was pasted"))?;
    let call = async {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT_BYTES).collect().await.map_err(|e| broken(&e))?;
        drop(sender);
        driver.abort();
        Ok((status, body.to_bytes()))
    };
    let late = || {
        Fail::new(format!("no answer within {} seconds", ANSWER_TIMEOUT.as_secs()))
            .hint("what was asked for may or may not have been done: look before you try again")
    };
    tokio::time::timeout(ANSWER_TIMEOUT, call).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_sent_in_the_clear_beyond_this_machine() {
        for text in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1/",
            "https://example.com",
            "https://10.0.0.1:8443/base/",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        for text in
            ["http://example.com", "http://10.0.0.1:8080", "http://127.0.0.1.example.com", "http://[2001:db8::1]"]
        {
            assert!(Address::parse(text).unwrap_err().message().contains("in the clear"), "{text}");
        }
        for text in ["", "example.com", "ftp://x", "http://", "http://a@127.0.0.1", "http://127.0.0.1/?q", "https://"] {
            assert!(Address::parse(text).unwrap_err().message().contains("--server"), "{text}");
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (text, one) in [
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://example.com", "https://example.com:443"),
            ("https://example.com/base/", "https://example.com:443/base"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(Address::parse(text).unwrap().text(), one);
        }
    }
}
