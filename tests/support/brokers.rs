//! Real brokers for tests, from the system's packages: on loopback, with their own folders, and gone with the test, even one
//! that was killed. Where a package is missing the test is left out, which it reports.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for a broker to start; several start at once on a small machine.
const START: Duration = Duration::from_secs(180);
/// The user of the brokers, and a password that needs escapes in an address.
pub const USER: &str = "tester";
/// As it is.
pub const PASSWORD: &str = "p@ss:w0rd/of+tests";
/// As it stands in an address.
pub const ESCAPED: &str = "p%40ss%3Aw0rd%2Fof%2Btests";

/// Starts a program in a process group of its own, and ends the group when this process has ended or asks for it.
const WRAPPER: &str = r#"set -m; "$@" </dev/null & pid=$!; read -r _; kill -9 -- -$pid 2>/dev/null; wait $pid 2>/dev/null"#;

/// A program that ends with its owner.
struct Process(Option<Child>);

impl Process {
    fn start(program: &str, args: &[String], environment: &[(&str, String)], log: &Path) -> Self {
        let log = fs::File::create(log).unwrap();
        let child = Command::new("bash")
            .args(["-c", WRAPPER, "bash", program])
            .args(args)
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(Some(child))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    RabbitMq,
    Redis,
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            // Debian's own wrapper changes the user.
            Self::RabbitMq => "/usr/lib/rabbitmq/bin/rabbitmq-server",
            Self::Redis => "/usr/bin/redis-server",
        }
    }
}

/// A broker.
pub struct BrokerServer {
    kind: Kind,
    dir: TempDir,
    port: u16,
    tls_port: u16,
    processes: Vec<Process>,
}

/// Reports to a person what was left out, past the capture of the test's output.
pub fn left_out(what: &str) {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let _ = writeln!(std::io::stderr(), "left out: {name}: {what}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl BrokerServer {
    /// Starts one; `None` where it is not installed.
    pub fn start(kind: Kind) -> Option<Self> {
        if !Path::new(kind.program()).exists() {
            left_out(&format!("{} is not installed", kind.program()));
            return None;
        }
        let mut server = Self {
            kind,
            dir: TempDir::new().unwrap(),
            port: free_port(),
            tls_port: free_port(),
            processes: Vec::new(),
        };
        server.start_again();
        Some(server)
    }

    /// Ends it at once, as a power failure does.
    pub fn kill(&mut self) {
        self.processes.clear();
    }

    /// Starts it with what it has on disk, and waits until it takes connections.
    pub fn start_again(&mut self) {
        match self.kind {
            Kind::RabbitMq => self.start_rabbit(),
            Kind::Redis => self.start_redis(),
        }
        let start = Instant::now();
        while !self.answers() {
            let log = fs::read_to_string(self.dir.path().join("out")).unwrap_or_default();
            assert!(start.elapsed() < START, "the broker does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether it answers the first bytes of its protocol.
    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let limit = Some(Duration::from_secs(5));
        stream.set_read_timeout(limit).unwrap();
        let greeting: &[u8] = match self.kind {
            Kind::RabbitMq => b"AMQP\x00\x00\x09\x01",
            Kind::Redis => b"PING\r\n",
        };
        let mut byte = [0];
        stream.write_all(greeting).is_ok() && stream.read(&mut byte).is_ok_and(|n| n == 1)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start_rabbit(&mut self) {
        let dir = self.dir.path();
        let (epmd, distribution) = (free_port(), free_port());
        let tls = match self.path("ca.pem").exists() {
            false => String::new(),
            true => format!(
                "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {dir}/ca.pem\n\
                 ssl_options.certfile = {dir}/cert.pem\nssl_options.keyfile = {dir}/key.pem\n",
                self.tls_port,
                dir = dir.display()
            ),
        };
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\ndefault_user = {USER}\ndefault_pass = {PASSWORD}\n\
             loopback_users.{USER} = false\nlog.console = false\n{tls}",
            self.port
        );
        fs::write(self.path("rabbitmq.conf"), settings).unwrap();
        fs::write(self.path("plugins"), "[].\n").unwrap();
        let text = |name: &str| self.path(name).display().to_string();
        let environment = [
            ("HOME", dir.display().to_string()),
            ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
            ("ERL_EPMD_PORT", epmd.to_string()),
            ("RABBITMQ_NODENAME", "tests@localhost".to_owned()),
            ("RABBITMQ_NODE_PORT", self.port.to_string()),
            ("RABBITMQ_DIST_PORT", distribution.to_string()),
            ("RABBITMQ_MNESIA_BASE", text("data")),
            ("RABBITMQ_LOG_BASE", text("log")),
            ("RABBITMQ_CONFIG_FILE", text("rabbitmq")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", text("plugins")),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-start_epmd false +S 1:1 -kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
            ),
        ];
        let names = ["-port", &epmd.to_string(), "-address", "127.0.0.1"].map(str::to_owned);
        let log = self.path("epmd.out");
        self.processes = vec![Process::start("epmd", &names, &environment, &log)];
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", epmd)).is_err() {
            assert!(start.elapsed() < START, "epmd does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = self.path("out");
        let program = self.kind.program();
        let server = Process::start(program, &[], &environment, &log);
        self.processes.push(server);
    }

    fn start_redis(&mut self) {
        // Redis 7.0 reads its file with the rights of the default user: off it may be, but one without rights loses what was
        // written by transactions and scripts.
        let mut settings = format!(
            "bind 127.0.0.1\nport {}\ndir {dir}\nappendonly yes\nappendfsync always\nsave \"\"\n\
             user default off ~* &* +@all\nuser {USER} on >{PASSWORD} ~* &* +@all\n",
            self.port,
            dir = self.dir.path().display()
        );
        if self.path("ca.pem").exists() {
            settings.push_str(&format!(
                "tls-port {}\ntls-cert-file {dir}/cert.pem\ntls-key-file {dir}/key.pem\n\
                 tls-ca-cert-file {dir}/ca.pem\ntls-auth-clients no\n",
                self.tls_port,
                dir = self.dir.path().display()
            ));
        }
        let file = self.path("redis.conf");
        fs::write(&file, settings).unwrap();
        let log = self.path("out");
        let args = [file.display().to_string()];
        self.processes = vec![Process::start(self.kind.program(), &args, &[], &log)];
    }

    /// Serves TLS too, from the next start on, with this certificate of this authority.
    pub fn with_tls(&mut self, authority: &str, certificate: &str, key: &str) {
        for (name, text) in [
            ("ca.pem", authority),
            ("cert.pem", certificate),
            ("key.pem", key),
        ] {
            fs::write(self.path(name), text).unwrap();
        }
        self.kill();
        self.start_again();
    }

    /// Its address, with user and password.
    pub fn address(&self) -> String {
        self.address_with(ESCAPED)
    }

    /// Its address with another password.
    pub fn address_with(&self, password: &str) -> String {
        match self.kind {
            Kind::RabbitMq => format!("amqp://{USER}:{password}@127.0.0.1:{}//", self.port),
            Kind::Redis => format!("redis://{USER}:{password}@127.0.0.1:{}/0", self.port),
        }
    }

    /// Its address for TLS, which names the authority.
    pub fn tls_address(&self) -> String {
        let ca = self.path("ca.pem").display().to_string();
        match self.kind {
            Kind::RabbitMq => format!(
                "amqps://{USER}:{ESCAPED}@localhost:{}//?cacertfile={ca}",
                self.tls_port
            ),
            Kind::Redis => format!(
                "rediss://{USER}:{ESCAPED}@localhost:{}/0?ssl_ca_certs={ca}",
                self.tls_port
            ),
        }
    }
}
