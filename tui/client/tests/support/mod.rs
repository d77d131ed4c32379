//! A server that answers by a script: HTTP/1.1 by hand, so that it can also misbehave.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part of this, and may panic

pub mod child;
pub mod tls;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wb_client::{Key, Reader, Settings};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does with a request.
pub enum Reply {
    /// Status, further headers, body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces more than it sends, then closes.
    Cut(Vec<u8>),
    /// Announces a whole body with these headers, sends so many bytes of it, then closes.
    Broken(Vec<(&'static str, String)>, Vec<u8>, usize),
    /// Announces a body with these headers (of a part, where a range is among them), sends so many bytes of it
    /// at a time with a pause after each, and after so many bytes nothing more.
    Trickle(Vec<(&'static str, String)>, Vec<u8>, usize, Duration, usize),
    /// Closes without an answer.
    Drop,
    /// Never answers.
    Silence,
}

impl Reply {
    pub fn json(text: &str) -> Self {
        Self::Full(200, Vec::new(), text.as_bytes().to_vec())
    }

    pub fn status(status: u16, text: &str) -> Self {
        Self::Full(status, Vec::new(), text.as_bytes().to_vec())
    }
}

type Script = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// A running server. It stops with the test's runtime.
pub struct Scripted {
    pub domain: String,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Starts it; the script is given the number of the request, from 0.
    pub async fn start(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("http", script, |stream| async { Some(stream) }).await
    }

    /// Starts it behind whatever `wrap` makes of each connection (TLS), under this scheme.
    pub async fn listen<S, F>(
        scheme: &str,
        script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let domain = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let all = Arc::clone(&seen);
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Relaxed);
                stream.set_nodelay(true).unwrap();
                let (script, all, wrapped) = (Arc::clone(&script), Arc::clone(&all), wrap(stream));
                tokio::spawn(async move {
                    if let Some(stream) = wrapped.await {
                        connection(stream, script, all).await;
                    }
                });
            }
        });
        Self {
            domain,
            connections,
            seen,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.domain.split_once("://").unwrap().1
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.domain, Key::from_seed(&seed())).unwrap();
        settings.timeout = Duration::from_millis(400);
        settings.patience = Duration::from_secs(4);
        settings
    }

    pub fn reader(&self) -> Reader {
        Reader::new(self.settings()).unwrap()
    }
}

pub fn seed() -> [u8; 32] {
    std::array::from_fn(|i| u8::try_from(i).unwrap())
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Request>>>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let reply = script(number, &request);
        match reply {
            Reply::Drop => return,
            Reply::Silence => std::future::pending().await,
            Reply::Cut(body) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    body.len() + 50
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&body).await.unwrap();
                return;
            }
            Reply::Broken(headers, body, sent) => {
                let mut whole = head(200, headers, body.len());
                whole.extend(&body[..sent]);
                stream.write_all(&whole).await.unwrap();
                return;
            }
            Reply::Trickle(headers, body, step, pause, most) => {
                let part = headers.iter().any(|(name, _)| *name == "Content-Range");
                let mut out = head(if part { 206 } else { 200 }, headers, body.len());
                for part in body[..most.min(body.len())].chunks(step) {
                    out.extend(part);
                    if stream.write_all(&out).await.is_err() {
                        return; // given up, as it should be
                    }
                    out.clear();
                    tokio::time::sleep(pause).await;
                }
                if most < body.len() {
                    std::future::pending::<()>().await;
                }
            }
            Reply::Full(status, headers, body) => {
                let mut whole = head(status, headers, body.len());
                whole.extend(body);
                stream.write_all(&whole).await.unwrap();
            }
        }
    }
}

fn head(status: u16, headers: Vec<(&'static str, String)>, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

pub async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |n| n.parse().unwrap());
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(Request {
        method,
        target,
        headers,
        body,
    })
}
