//! The real program as a server, with its records: what it holds, and who changed what.

use super::{DEADLINE, PROGRAM};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// `workbench serve` while it lives.
pub struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts a server and waits for its ready line. Its pages are small, so that listings have several.
    pub fn start(args: &[&str]) -> Self {
        let pages: &[&str] = match args.contains(&"--page-size") {
            true => &[],
            false => &["--page-size", "100"],
        };
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .args(args)
            .args(pages)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { child, ready }
    }

    /// A field of the ready line.
    pub fn field(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    /// The project it serves.
    pub fn project(&self) -> String {
        self.field("project_hash")
    }

    /// Credentials for a client.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [
            ("ENCORD_DOMAIN", self.field("domain")),
            ("ENCORD_SSH_KEY_FILE", self.field("ssh_key_file")),
        ]
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A document of the admin endpoint, e.g. `/local/counters`.
    pub fn admin(&self, path: &str) -> Value {
        self.ask("GET", path, "", "")
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Value {
        let domain = self.field("domain");
        let address = domain.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             {headers}Connection: close\r\n\r\n{body}",
            self.field("local_token")
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        };
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
    }

    /// Posts a document to the admin endpoint, e.g. `/local/edit`.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask("POST", path, &head, &body)
    }

    /// Tasks of the main project as the server's own database has them.
    pub fn tasks(&self) -> Vec<Value> {
        self.admin("/local/state")["tasks"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// How many things an endpoint has changed.
    pub fn changed(&self, endpoint: &str) -> u64 {
        self.admin("/local/counters")["endpoints"][endpoint]["changed"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Writing requests that it has seen.
    pub fn writes(&self) -> u64 {
        self.admin("/local/counters")["writes"].as_u64().unwrap()
    }
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
