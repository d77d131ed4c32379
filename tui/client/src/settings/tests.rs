//! Variables, their precedence, and what each mistake reads like.

use super::*;
use crate::key::Key;
use crate::key::tests::{ed25519_pem, locked_pem};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
    let map: HashMap<String, String> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Settings::from_env(Environment {
        var: &|name| map.get(name).cloned(),
        read: &|path| std::fs::read(path),
        ask: &|_| Passphrase::Unavailable,
    })
    .map_err(|e| e.to_string())
}

fn key(settings: &Settings) -> &Key {
    match &settings.credential {
        Credential::Key(key) => key,
        Credential::Token(_) => panic!("a token"),
    }
}

#[test]
fn text_of_a_key_is_enough_and_the_domain_has_a_default() {
    let settings = read(&[("ENCORD_SSH_KEY", &ed25519_pem())]).unwrap();
    assert_eq!(settings.domain, DEFAULT_DOMAIN);
    assert!(key(&settings).id().starts_with("03a107bf"));
    let lower = read(&[("encord_ssh_key", &ed25519_pem())]).unwrap();
    assert_eq!(key(&lower).id(), key(&settings).id());
}

#[test]
fn text_wins_over_the_file_and_empty_text_counts_as_absent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    std::fs::write(&path, ed25519_pem()).unwrap();
    let file = path.to_str().unwrap();
    read(&[("ENCORD_SSH_KEY", ""), ("ENCORD_SSH_KEY_FILE", file)]).unwrap();
    let both = read(&[
        ("ENCORD_SSH_KEY", &ed25519_pem()),
        ("ENCORD_SSH_KEY_FILE", "/nowhere"),
    ]);
    assert!(both.is_ok());
}

#[test]
fn tilde_is_the_home_folder() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("id"), ed25519_pem()).unwrap();
    let home = dir.path().to_str().unwrap();
    read(&[("HOME", home), ("ENCORD_SSH_KEY_FILE", "~/id")]).unwrap();
}

#[test]
fn each_mistake_names_its_cure_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    std::fs::write(&path, "scrap").unwrap();
    let file = path.to_str().unwrap();
    let pem = ed25519_pem();
    for (pairs, word) in [
        (vec![], "set ENCORD_SSH_KEY_FILE"),
        (vec![("ENCORD_SSH_KEY_FILE", "")], "set ENCORD_SSH_KEY_FILE"),
        (
            vec![("ENCORD_SSH_KEY", file)],
            "did you mean ENCORD_SSH_KEY_FILE",
        ),
        (
            vec![("ENCORD_SSH_KEY_FILE", &*pem)],
            "did you mean ENCORD_SSH_KEY?",
        ),
        (
            vec![("ENCORD_SSH_KEY_FILE", "/no/such/key")],
            "no such file",
        ),
        (vec![("ENCORD_SSH_KEY_FILE", file)], "not a private key"),
        (vec![("ENCORD_SSH_KEY", "abc")], "not a private key"),
        (
            vec![
                ("ENCORD_SSH_KEY", &*pem),
                ("ENCORD_DOMAIN", "api.encord.com"),
            ],
            "has no scheme",
        ),
        (
            vec![("ENCORD_SSH_KEY", &*pem), ("ENCORD_DOMAIN", "https://")],
            "has no host",
        ),
        (
            vec![
                ("ENCORD_SSH_KEY", &*pem),
                ("ENCORD_DOMAIN", "https://h/pre/fix"),
            ],
            "more than an origin",
        ),
        (
            vec![
                ("ENCORD_SSH_KEY", &*pem),
                ("ENCORD_DOMAIN", "https://u:geheim@h"),
            ],
            "holds a user name",
        ),
    ] {
        let error = read(&pairs).unwrap_err();
        assert!(error.contains(word), "{error} lacks {word}");
        assert!(
            !error.contains("geheim") && !error.contains("b3BlbnNzaC1r"),
            "{error}"
        );
    }
}

#[test]
fn a_domain_loses_its_trailing_slash_and_nothing_else() {
    let pem = ed25519_pem();
    for (given, kept) in [
        ("https://api.us.encord.com/", "https://api.us.encord.com"),
        ("http://127.0.0.1:41233", "http://127.0.0.1:41233"),
        ("", DEFAULT_DOMAIN),
    ] {
        let settings = read(&[("ENCORD_SSH_KEY", &pem), ("ENCORD_DOMAIN", given)]).unwrap();
        assert_eq!(settings.domain, kept);
    }
}

#[test]
fn debug_shows_no_secret() {
    let mut settings = read(&[("ENCORD_SSH_KEY", &ed25519_pem())]).unwrap();
    settings.credential = Credential::Token(Bearer::new("geheim").unwrap());
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("geheim") && !shown.contains("b3BlbnNzaC1r"),
        "{shown}"
    );
}

/// Reads settings with a key that has a passphrase, and these answers of a person.
fn asked(pairs: &[(&str, &str)], answers: &[&str]) -> (Result<Settings, String>, Vec<u32>) {
    let pem = locked_pem();
    let mut map = HashMap::from([("ENCORD_SSH_KEY", &*pem)]);
    map.extend(pairs.iter().copied());
    let (attempts, left) = (RefCell::new(Vec::new()), Cell::new(answers));
    let settings = Settings::from_env(Environment {
        var: &|name| map.get(name).map(|text| (*text).to_owned()),
        read: &|path| std::fs::read(path),
        ask: &|request| {
            assert_eq!(request.place, "ENCORD_SSH_KEY");
            assert!(request.fingerprint.starts_with("SHA256:lbms"));
            attempts.borrow_mut().push(request.attempt);
            match left.get() {
                [] => Passphrase::Unavailable,
                ["", ..] => Passphrase::Declined,
                [answer, rest @ ..] => {
                    left.set(rest);
                    Passphrase::Entered(Zeroizing::new((*answer).to_owned()))
                }
            }
        },
    });
    let settings = settings.map_err(|error| {
        assert_eq!(wb_core::error::Error::from(&error).kind.exit_code(), 6);
        error.to_string()
    });
    (settings, attempts.into_inner())
}

#[test]
fn a_passphrase_is_asked_for_until_it_fits_three_times_at_most() {
    let (settings, attempts) = asked(&[], &["geheim"]);
    assert!(key(&settings.unwrap()).id().starts_with("03a107bf"));
    assert_eq!(attempts, [1]);
    let (settings, attempts) = asked(&[], &["wrong", "geheim"]);
    assert!(settings.is_ok() && attempts == [1, 2]);
    let (settings, attempts) = asked(&[], &["wrong 1", "wrong 2", "wrong 3", "geheim"]);
    let error = settings.unwrap_err();
    assert!(error.contains("that was entered is wrong"), "{error}");
    assert!(!error.contains("wrong 3"), "{error}");
    assert_eq!(attempts, [1, 2, 3]);
    let (settings, _) = asked(&[], &[""]);
    assert!(settings.unwrap_err().contains("no passphrase was entered"));
}

#[test]
fn a_passphrase_of_the_environment_is_taken_without_asking() {
    let given = |text| asked(&[("ENCORD_SSH_KEY_PASSPHRASE", text)], &[]);
    let (settings, attempts) = given("geheim");
    assert!(settings.is_ok() && attempts.is_empty());
    let (settings, attempts) = given("verraten");
    let error = settings.unwrap_err();
    assert!(
        error.contains("ENCORD_SSH_KEY_PASSPHRASE is not its passphrase"),
        "{error}"
    );
    assert!(
        !error.contains("verraten") && attempts.is_empty(),
        "{error}"
    );
    let (settings, _) = given("");
    let error = settings.unwrap_err();
    for part in ["set ENCORD_SSH_KEY_PASSPHRASE", "in a terminal", "ssh-add"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn a_token_comes_after_keys_and_before_the_agent() {
    let pem = ed25519_pem();
    let all = [
        ("ENCORD_SSH_KEY", &*pem),
        ("ENCORD_BEARER_TOKEN", "t0ken"),
        ("SSH_AUTH_SOCK", "/nowhere/agent"),
    ];
    assert_eq!(read(&all).unwrap().origin, Origin::Text);
    let settings = read(&all[1..]).unwrap();
    assert_eq!(settings.origin, Origin::Token);
    let shown = format!("{settings:?} {}", settings.credential);
    assert!(!shown.contains("t0ken"), "{shown}");
    let error = read(&all[2..]).unwrap_err();
    assert!(error.contains("neither ENCORD_SSH_KEY_FILE nor"), "{error}");
    assert!(
        error.contains("no ssh-agent answers at /nowhere/agent"),
        "{error}"
    );
    let error = read(&[("ENCORD_BEARER_TOKEN", "two\nlines")]).unwrap_err();
    assert!(
        error.contains("ENCORD_BEARER_TOKEN") && !error.contains("lines"),
        "{error}"
    );
}

#[test]
fn what_authenticates_requests_is_named_with_its_origin() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    std::fs::write(&path, ed25519_pem()).unwrap();
    let settings = read(&[("ENCORD_SSH_KEY_FILE", path.to_str().unwrap())]).unwrap();
    let shown = format!("{} from {}", settings.credential, settings.origin);
    let wanted = format!(
        "Ed25519 key SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg me@example.test from \
         ENCORD_SSH_KEY_FILE ({})",
        path.display()
    );
    assert_eq!(shown, wanted);
}
