//! Asks a model behind an HTTP API for boxes, again while it is busy.
//!
//! `workbench.toml`, under the stage "model": `url = "https://…"`. The key comes from the environment
//! variable `MODEL_KEY` (`key_env` names another one), is sent as a bearer token, and is never logged.

use agent_abi::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When it would have to wait longer, the attempt fails; the workbench makes another one later.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// Where the model listens.
    pub url: String,
    /// Name of the environment variable that holds the key.
    #[serde(default = "key_env")]
    pub key_env: String,
    /// Boxes with a lower score (0 to 1) are left out.
    #[serde(default)]
    pub least_score: f64,
}

fn key_env() -> String {
    "MODEL_KEY".to_owned()
}

/// What the model answers.
#[derive(Deserialize)]
struct Found {
    boxes: Vec<Scored>,
}

/// One box; edges as shares of the picture.
#[derive(Clone, Serialize, Deserialize)]
struct Scored {
    label: String,
    score: f64,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// Connections stay open from task to task.
#[dependency(scope = host)]
pub fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    let limit = Some(Duration::from_secs(20));
    config.timeout_global(limit).build().into()
}

/// Sends the first picture, draws what comes back.
#[stage(
    "model",
    routes = ["annotate"],
    params(url: String, key_env: String = "MODEL_KEY", least_score: f64 = 0.0),
    timeout = "30s",
    idempotent
)]
pub fn model(
    labels: &mut LabelRow,
    frame: Frame<'_>,
    settings: Params<Settings>,
    #[depends(client)] client: &ureq::Agent,
) -> Result<Route> {
    let question = json!({"image": frame.jpeg(85)?.data_url()});
    let found: Found = ask(client, &settings.url, &settings.key_env, &question)?;
    let boxes = checkpoint("boxes", &found.boxes)?;
    let ontology = labels.ontology();
    for scored in boxes.iter().filter(|b| b.score >= settings.least_score) {
        let kind = ontology.object(&scored.label)?;
        let area = kind.bounding_box(scored.x, scored.y, scored.w, scored.h)?;
        labels.add(area.confidence(scored.score)?.manual(false))?;
    }
    Ok(Route::to("annotate"))
}

/// Sends the question with the key that the variable holds, again after a pause while the model is busy (429, 5xx)
/// or its connection breaks.
pub(crate) fn ask<T: DeserializeOwned>(
    client: &ureq::Agent,
    url: &str,
    key_env: &str,
    question: &Value,
) -> Result<T> {
    let Ok(key) = std::env::var(key_env) else {
        bail!("{key_env} is not set; it holds the model's key");
    };
    let mut pause = Duration::from_millis(250);
    loop {
        let request = client
            .post(url)
            .header("Authorization", format!("Bearer {key}"));
        match request.send_json(question) {
            Ok(mut answer) => return answer.body_mut().read_json().context("the model's answer"),
            Err(ureq::Error::StatusCode(code)) if code < 500 && code != 429 => {
                return Err(
                    Error::new(format!("the model refused the request: {code}")).permanent()
                );
            }
            Err(error) if pause > LONGEST_PAUSE => return Err(error).context("asking the model"),
            Err(error) => warn!("the model is not ready ({error}); asking again in {pause:?}"),
        }
        check_cancelled()?;
        std::thread::sleep(pause);
        pause *= 2;
    }
}

/// A model for the tests of those that ask one.
#[cfg(test)]
pub(crate) mod stub {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    /// A model on the loopback that gives these answers, one for each connection; gives head and body of what it
    /// was asked.
    pub fn answering(answers: Vec<(u16, String)>) -> (String, JoinHandle<Vec<(String, String)>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/model", listener.local_addr().unwrap());
        let answer = move |(status, body): (u16, String)| {
            answer(listener.accept().unwrap().0, status, &body)
        };
        (
            url,
            std::thread::spawn(move || answers.into_iter().map(answer).collect()),
        )
    }

    fn answer(stream: TcpStream, status: u16, body: &str) -> (String, String) {
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let line = line.to_lowercase();
            if let Some(n) = line.strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut question = vec![0; length];
        stream.read_exact(&mut question).unwrap();
        let length = body.len();
        let back = format!(
            "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.get_mut().write_all(back.as_bytes()).unwrap();
        (head, String::from_utf8(question).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::stub::answering;
    use super::*;
    use agent_abi::testing::{Run, ontology, task};

    fn run(url: &str, key_env: &str) -> Run {
        task("a.jpg")
            .ontology(ontology().object("Car", "bounding_box"))
            .image(Picture::filled(8, 8, [1, 2, 3]))
            .params(json!({"url": url, "key_env": key_env, "least_score": 0.5}))
            .run::<model>()
    }

    #[test]
    fn the_picture_and_the_key_go_out_until_the_model_is_ready_and_good_boxes_come_back() {
        let boxes = r#"{"boxes":[{"label":"Car","score":0.9,"x":0.1,"y":0.2,"w":0.3,"h":0.4},{"label":"Car","score":0.1,"x":0,"y":0,"w":0.1,"h":0.1}]}"#;
        let (url, heard) = answering(vec![(503, String::new()), (200, boxes.to_owned())]);
        // Cargo sets this variable for every test; its value stands for a key.
        let run = run(&url, "CARGO_PKG_NAME");
        let labels = run.labels();
        assert_eq!(labels.objects().len(), 1);
        assert_eq!(labels.objects()[0].confidence(0), Some(0.9));
        for (head, body) in heard.join().unwrap() {
            assert!(head.contains("authorization: bearer real-agents"), "{head}");
            assert!(body.contains("data:image/jpeg;base64,"), "{body}");
        }
        assert!(run.logs().iter().any(|line| line.message.contains("503")));
        assert!(
            run.logs()
                .iter()
                .all(|line| !line.message.contains("real-agents"))
        );
    }

    #[test]
    fn a_refusal_of_the_model_is_the_agents_failure_and_does_not_show_the_key() {
        let (url, heard) = answering(vec![(403, String::new())]);
        let run = run(&url, "CARGO_PKG_NAME");
        heard.join().unwrap();
        let failure = run.failure().unwrap();
        assert_eq!(
            (&*failure.message, failure.retry),
            ("the model refused the request: 403", false)
        );
    }

    #[test]
    fn a_missing_key_is_named_by_its_variable() {
        let run = run("http://127.0.0.1:1/", "NO_SUCH_VARIABLE_HERE");
        let text = &run.failure().unwrap().message;
        assert_eq!(
            text,
            "NO_SUCH_VARIABLE_HERE is not set; it holds the model's key"
        );
    }
}
