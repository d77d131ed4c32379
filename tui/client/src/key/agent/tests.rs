//! The choice of a key, and agents that misbehave. Real agents are asked in `tests/agent.rs`.

use super::*;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

/// An agent that gives each of these answers on a connection of its own.
fn scripted(answers: Vec<Vec<u8>>) -> (tempfile::TempDir, PathBuf, JoinHandle<()>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    let serving = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    (dir, socket, serving)
}

fn framed(answer: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    push(&mut framed, answer);
    framed
}

fn public(n: u8) -> PublicKey {
    let signing = ed25519_dalek::SigningKey::from_bytes(&[n; 32]);
    Ed25519PublicKey(*signing.verifying_key().as_bytes()).into()
}

/// The list of these Ed25519 keys and an RSA key.
fn list(keys: &[u8]) -> Vec<u8> {
    let mut answer = vec![IDENTITIES];
    answer.extend(u32::try_from(keys.len() + 1).unwrap().to_be_bytes());
    let mut rsa = Vec::new();
    push(&mut rsa, b"ssh-rsa");
    push(&mut rsa, &[1, 0, 1]);
    push(&mut rsa, &[0x7f; 256]);
    push(&mut answer, &rsa);
    push(&mut answer, b"old");
    for n in keys {
        push(&mut answer, &public(*n).to_bytes().unwrap());
        push(&mut answer, format!("key {n}").as_bytes());
    }
    framed(&answer)
}

fn chosen(keys: &[u8], fingerprint: Option<&str>) -> Result<Key, AgentError> {
    let (_dir, socket, serving) = scripted(vec![list(keys)]);
    let chosen = key(&socket, fingerprint);
    serving.join().unwrap();
    chosen
}

#[test]
fn the_only_ed25519_key_is_taken_and_a_fingerprint_chooses_among_several() {
    let only = chosen(&[1], None).unwrap();
    assert_eq!((only.comment(), only.id().len()), ("key 1", 64));
    let second = public(2).fingerprint(HashAlg::Sha256).to_string();
    let bare = second.strip_prefix("SHA256:").unwrap();
    for wanted in [&*second, bare, &format!("  {second}=\n")] {
        assert_eq!(chosen(&[1, 2, 3], Some(wanted)).unwrap().comment(), "key 2");
    }
    let error = chosen(&[1, 2], None).unwrap_err();
    let AgentError::Several { held } = &error else {
        panic!("{error}");
    };
    assert!(
        held[1].starts_with(&second) && held[1].ends_with("key 2 (Ed25519)"),
        "{held:?}"
    );
    assert!(
        error.to_string().contains("ENCORD_SSH_KEY_FINGERPRINT"),
        "{error}"
    );
    let error = chosen(&[1, 3], Some(&second)).unwrap_err();
    assert!(
        matches!(&error, AgentError::NoSuchKey { held } if held.len() == 2),
        "{error:?}"
    );
    let error = chosen(&[], None).unwrap_err();
    let AgentError::NoKey { held } = &error else {
        panic!("{error}");
    };
    assert!(
        held[0].starts_with("SHA256:") && held[0].ends_with("old (RSA)"),
        "{held:?}"
    );
}

#[test]
fn an_agent_that_is_gone_or_misbehaves_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = dir.path().join("nobody");
    let error = key(&nobody, None).unwrap_err().to_string();
    assert!(
        error.contains("no ssh-agent answers at") && error.contains("nobody"),
        "{error}"
    );
    let huge = u32::MAX.to_be_bytes().to_vec();
    let counted = framed(&[IDENTITIES, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 1]);
    for answer in [framed(&[FAILURE]), framed(&[]), vec![0, 0], huge, counted] {
        let (_dir, socket, serving) = scripted(vec![answer.clone()]);
        let error = key(&socket, None).unwrap_err();
        serving.join().unwrap();
        assert_eq!(error, AgentError::Nonsense, "{answer:?}");
    }
}

#[tokio::test]
async fn a_refused_signature_names_the_key() {
    let (_dir, socket, serving) =
        scripted(vec![list(&[1]), framed(&[FAILURE]), framed(&[SIGNED, 0])]);
    let key = key(&socket, None).unwrap();
    let error = key.sign(b"message").await.unwrap_err();
    assert!(error.to_string().contains(&key.fingerprint()), "{error}");
    assert_eq!(
        key.sign(b"message").await.unwrap_err(),
        AgentError::Nonsense
    );
    serving.join().unwrap();
}
