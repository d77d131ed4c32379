//! How each error reads as a [`Error`]: whose it is, what to do, whether another attempt makes sense.

use super::{At, BadCertificate, ClientError, Obstacle};
use crate::key::agent::AgentError;
use crate::settings::SettingsError;
use wb_core::error::{Error, ErrorKind};
use wb_core::limits;

/// A clock that is further off than this is worth a word.
const SKEW: i64 = 60;

impl ClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            // A limit of this machine: neither the key nor the way to the platform is at error.
            Self::Unreachable { .. } | Self::Settings(SettingsError::File { .. })
                if limits::reached(&self.to_string()).is_some() =>
            {
                ErrorKind::Settings
            }
            // Without a usable key nobody is logged in.
            Self::Settings(
                SettingsError::NoKey
                | SettingsError::PathAsKey
                | SettingsError::KeyAsPath
                | SettingsError::NoFile { .. }
                | SettingsError::File { .. }
                | SettingsError::Key { .. }
                | SettingsError::Agent(_)
                | SettingsError::Token,
            )
            | Self::Unsigned(_) => ErrorKind::Access,
            Self::Settings(_)
            | Self::NoProject { .. }
            | Self::NotWorkflow { .. }
            | Self::Cache { .. } => ErrorKind::Settings,
            Self::ReadOnly => ErrorKind::Refused,
            Self::Unauthenticated { .. } | Self::Forbidden { .. } => ErrorKind::Access,
            Self::StillLimited { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Download {
                answered: false, ..
            }
            | Self::Upload {
                answered: false, ..
            } => ErrorKind::Network,
            Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::TooMuch { .. }
            | Self::Failing { .. }
            | Self::Nonsense { .. }
            | Self::Download { .. }
            | Self::Upload { .. } => ErrorKind::Upstream,
            Self::Bug(_) => ErrorKind::Bug,
        }
    }

    fn worth_another_attempt(&self) -> bool {
        match self {
            Self::StillLimited { .. } | Self::Lost { .. } | Self::Failing { .. } => true,
            Self::Upload { answered, .. } => !answered,
            Self::Unreachable { why, .. } => why.may_pass(),
            Self::Download { retry, .. } => *retry,
            _ => false,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Settings(SettingsError::Agent(why)) | Self::Unsigned(why) => agent(why),
            Self::Unauthenticated { message, at } => unauthenticated(message, at),
            Self::Forbidden { message, at } => forbidden(message, at),
            Self::NoProject { at, .. } => vec![
                "check --project-hash: the project's page on the platform has it in its address"
                    .to_owned(),
                wrong_region(at),
            ],
            Self::NotFound { at, .. } => vec![not_there(at.request()), wrong_region(at)],
            Self::StillLimited { asked, .. } => {
                let ask = asked.map(|a| format!(" (the platform asked for {} s)", a.as_secs()));
                vec![format!(
                    "try again later{}, or send less: --rate N/s",
                    ask.unwrap_or_default()
                )]
            }
            Self::Unreachable { why, at } => {
                let mut hints = unreachable(why, at);
                hints.extend(through_proxy(at));
                hints
            }
            Self::Lost { at, .. } => {
                let look = "look at the task upstream before it is run again".to_owned();
                std::iter::once(look).chain(through_proxy(at)).collect()
            }
            Self::Failing { message, at, .. } => failing(message, at),
            Self::Nonsense { at, .. } => {
                let what = format!(
                    "is ENCORD_DOMAIN ({}) an Encord API, with no proxy or login page in between?",
                    at.domain()
                );
                std::iter::once(what).chain(through_proxy(at)).collect()
            }
            Self::ReadOnly => vec!["leave out --read-only".to_owned()],
            Self::NotWorkflow { .. } => {
                vec!["choose a project with a workflow and an agent stage".to_owned()]
            }
            Self::Cache { .. } => {
                vec!["make room, or make the folder writable".to_owned()]
            }
            Self::Download { answered, .. } => vec![in_store(*answered).to_owned()],
            Self::TooLarge { .. } | Self::TooMuch { .. } => {
                vec!["use a smaller --task-batch-size".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// What is named by a request that finds nothing.
fn not_there(request: &str) -> String {
    if request.contains("/workflow/stages/") {
        return "the stage, or the whole project, is not there any more: was it deleted, or its workflow changed? `workbench stages` lists what is there".to_owned();
    }
    format!("check the identity in {request}")
}

fn unauthenticated(message: &str, at: &At) -> Vec<String> {
    let mut hints = in_between(message);
    if let Some(skew) = at.skew().filter(|skew| skew.abs() > SKEW) {
        let side = if skew > 0 { "behind" } else { "ahead of" };
        hints.push(format!(
            "this machine's clock is {} s {side} the platform's: set it, signatures carry the time",
            skew.abs()
        ));
    }
    hints.push(wrong_region(at));
    let identity = at.identity();
    match &identity.public_line {
        None => hints.push(format!(
            "else request a new token: they expire (this one is the {})",
            identity.long
        )),
        Some(_) if is_local(at) => {
            hints.push(format!("the request was signed by the {}", identity.long));
        }
        Some(line) => {
            hints.push(format!(
                "else the key is not registered: it is the {}",
                identity.long
            ));
            hints.push(format!(
                "add its public half under Settings > Public keys: {line}"
            ));
        }
    }
    hints
}

/// What to do about an ssh-agent that is of no use: the keys to choose from, or how to give it one.
fn agent(why: &AgentError) -> Vec<String> {
    let held = |held: &[String]| {
        let line = |line: &String| format!("in the agent: {}", super::clean(line));
        held.iter().map(line).collect::<Vec<_>>()
    };
    let load =
        "load your key with `ssh-add ~/.ssh/id_ed25519`, or set ENCORD_SSH_KEY_FILE to its path";
    match why {
        AgentError::Several { held: keys } | AgentError::NoSuchKey { held: keys } => {
            let choose = "set ENCORD_SSH_KEY_FINGERPRINT to the fingerprint of the key that Encord has";
            std::iter::once(choose.to_owned()).chain(held(keys)).collect()
        }
        AgentError::NoKey { held: keys } => {
            let locked = "a locked agent shows no keys; `ssh-add -X` unlocks it";
            let locked = keys.is_empty().then(|| locked.to_owned());
            let load = std::iter::once(load.to_owned());
            load.chain(locked).chain(held(keys)).collect()
        }
        AgentError::Refused { .. } | AgentError::Silent => vec![
            "is the agent locked (`ssh-add -X` unlocks it), was the key removed (`ssh-add -l` lists them), or does \
             it need a confirmation?"
                .to_owned(),
        ],
        AgentError::Unreachable { .. } | AgentError::Nonsense => vec![load.to_owned()],
    }
}

/// What to do about a file that does not come.
const fn in_store(answered: bool) -> &'static str {
    if answered {
        "check the item on the platform, and that no login page or proxy answers in place of its store"
    } else {
        "check the network and the proxy to the store of the files, and run the task again"
    }
}

fn forbidden(message: &str, at: &At) -> Vec<String> {
    let mut hints = in_between(message);
    if !hints.is_empty() {
        hints.extend(through_proxy(at));
    }
    hints.push(wrong_region(at));
    if !is_local(at) {
        hints.push(format!(
            "else check the project hash, and that the owner of the {} has a role in the project that may do this",
            at.identity().long
        ));
    }
    hints
}

fn failing(message: &str, at: &At) -> Vec<String> {
    let mut hints = in_between(message);
    hints.extend(through_proxy(at));
    hints.push(format!(
        "the platform failed: try again later; its support finds the request by trace {}",
        at.trace()
    ));
    hints
}

/// A platform refuses in JSON; a web page is somebody else's.
fn in_between(message: &str) -> Vec<String> {
    let page = super::is_web_page(message);
    let text =
        "a web page answered, not the API: a proxy, a firewall or a login page stands in between";
    Vec::from_iter(page.then(|| text.to_owned()))
}

/// Names the proxy that the request went through.
fn through_proxy(at: &At) -> Option<String> {
    let host = at.host().split(':').next().unwrap_or_default();
    at.proxy().map(|proxy| {
        format!(
            "requests to {host} go through the proxy {proxy}; if {host} can be reached without it, set NO_PROXY={host}"
        )
    })
}

fn unreachable(why: &Obstacle, at: &At) -> Vec<String> {
    let certificate = |bad: &BadCertificate| {
        match bad {
        BadCertificate::UnknownIssuer => {
            "a proxy or server of your own? REQUESTS_CA_BUNDLE or SSL_CERT_FILE takes the certificate of its authority (PEM), SSL_CERT_DIR a folder of them".to_owned()
        }
        BadCertificate::SelfSigned => {
            "a server of your own? Sign a certificate for it (CA:FALSE, with its name) by an authority of your own, and give that one by REQUESTS_CA_BUNDLE or SSL_CERT_FILE".to_owned()
        }
        BadCertificate::Expired | BadCertificate::NotYet => {
            "is this machine's clock right? If so, whoever runs the host must renew it".to_owned()
        }
        BadCertificate::OtherName(_) | BadCertificate::Other(_) => format!(
            "is ENCORD_DOMAIN ({}) right, and does nobody stand in between?",
            at.domain()
        ),
    }
    };
    vec![match why {
        Obstacle::Certificate(bad) => certificate(bad),
        Obstacle::NoTls => format!(
            "is ENCORD_DOMAIN ({}) right? A server without TLS begins with http://",
            at.domain()
        ),
        Obstacle::Proxy(_) => {
            "check HTTPS_PROXY (with user and password where it requires them) and NO_PROXY".to_owned()
        }
        Obstacle::Name => format!(
            "check the spelling of ENCORD_DOMAIN ({}), the network, and HTTPS_PROXY",
            at.domain()
        ),
        Obstacle::Refused if at.proxy().is_some() => {
            "is the proxy running, and is its address right?".to_owned()
        }
        why if why.is_slow() => {
            "the server, or something in between, is overloaded or stuck: check the network and try again later"
                .to_owned()
        }
        Obstacle::Refused => format!(
            "is the server of ENCORD_DOMAIN ({}) running? A local one is started by: workbench serve",
            at.domain()
        ),
        _ => format!(
            "check the network, HTTPS_PROXY and ENCORD_DOMAIN ({})",
            at.domain()
        ),
    }]
}

/// Whether a server on this machine was asked, as `workbench serve` is one.
fn is_local(at: &At) -> bool {
    let host = reqwest::Url::parse(at.domain()).ok();
    let host = host.as_ref().and_then(reqwest::Url::host_str);
    host.is_some_and(|h| h == "localhost" || h == "[::1]" || h.starts_with("127."))
}

/// Another region has other keys and other projects, and so has each local server.
fn wrong_region(at: &At) -> String {
    if is_local(at) {
        return format!(
            "{} is on this machine, and a local server has only its own key and projects: take ENCORD_DOMAIN, \
             ENCORD_SSH_KEY_FILE and --project-hash from the one line that it printed when it started",
            at.domain()
        );
    }
    let other = if at.domain().contains("api.us.encord.com") {
        "https://api.encord.com"
    } else {
        "https://api.us.encord.com"
    };
    format!(
        "a wrong region looks like a wrong key: this was {}; try ENCORD_DOMAIN={other}",
        at.domain()
    )
}

impl From<&ClientError> for Error {
    fn from(error: &ClientError) -> Self {
        let mut failure = Self::new(error.kind(), error.to_string());
        failure.hints = error.hints();
        failure.retry = error.worth_another_attempt();
        failure.cause = error.at().map(ToString::to_string);
        failure
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::at;

    fn hints(error: ClientError) -> String {
        Error::from(error).hints.join("\n")
    }

    #[test]
    fn a_wrong_key_speaks_of_region_clock_and_key() {
        let message = "unknown key".to_owned();
        let failure = Error::from(ClientError::Unauthenticated { message, at: at() });
        assert_eq!(failure.kind, ErrorKind::Access);
        let text = failure.hints.join("\n");
        assert!(
            text.contains("ENCORD_DOMAIN=https://api.us.encord.com"),
            "{text}"
        );
        assert!(text.contains("clock is 400 s behind"), "{text}");
        assert!(
            text.contains("SHA256:") && text.contains("from ENCORD_SSH_KEY"),
            "{text}"
        );
        assert!(
            text.contains("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+"),
            "{text}"
        );
        let cause = failure.into_facts().cause.unwrap();
        assert!(cause.contains("GET /v2/public/projects/x") && cause.contains("trace 0123"));
    }

    #[test]
    fn a_refusal_by_a_web_page_is_somebody_elses() {
        let message = "a web page titled \"Blocked\"".to_owned();
        let text = hints(ClientError::Forbidden { message, at: at() });
        assert!(text.starts_with("a web page answered"), "{text}");
        assert!(text.contains("Ed25519 key SHA256:"), "{text}");
    }

    #[test]
    fn each_obstacle_has_its_own_cure() {
        let cure = |why| hints(ClientError::Unreachable { why, at: at() });
        let bad = |bad| cure(Obstacle::Certificate(bad));
        assert!(bad(BadCertificate::UnknownIssuer).contains("SSL_CERT_FILE"));
        assert!(bad(BadCertificate::Expired).contains("clock"));
        assert!(bad(BadCertificate::OtherName(Vec::new())).contains("ENCORD_DOMAIN"));
        assert!(cure(Obstacle::Name).contains("spelling"));
        assert!(cure(Obstacle::Refused).contains("workbench serve"));
        assert!(cure(Obstacle::Proxy(String::new())).contains("NO_PROXY"));
        assert!(cure(Obstacle::NoTls).contains("http://"));
    }
    #[test]
    fn a_stage_that_is_gone_half_way_is_named_in_words() {
        let text = not_there("GET /v2/public/projects/x/workflow/stages/y/tasks");
        assert!(
            text.contains("not there any more") && !text.contains("/v2/"),
            "{text}"
        );
        assert!(not_there("GET /v2/public/storage/items/z").contains("items/z"));
    }
}
