//! A monkey at the keyboard: random keys, clicks and sizes on the real screen, while libraries are replaced and the
//! platform fails. Whatever is typed, the program lives, gives the terminal back, and writes nothing that nobody
//! confirmed; what was confirmed is in the journal.
//!
//! The tests type for some seconds. `WORKBENCH_MONKEY=600` types for that many seconds and prints what was done;
//! `WORKBENCH_SEED=N` chooses the seed.

use crate::support::{Chance, Server, Terminal, c_agent, c_text, stderr, workbench};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Keys of the screen and of text fields. Neither `y`, which confirms, nor `q`, which quits.
const LETTERS: &str =
    "abcdefghijklmnoprstuvwxzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /:?[]{}<>=!.,+-~'\"\\*@|";
/// Keys without a letter: enter, escape, tab, backspace, arrows, pages, ends, and some with control.
const OTHERS: [&str; 20] = [
    "\r", "\r", "\r", "\x1b", "\x1b", "\t", "\x1b[Z", "\x7f", "\x1b[A", "\x1b[B", "\x1b[C",
    "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x04", "\x15", "\x14", "\x1bOP",
];
/// What people type in one go, so that runs, outcomes and reviews come up more often than by chance.
const PHRASES: [&str; 8] = ["2", "1n\r", "2x", "2sc", "2AN", "vC", "2   x", "ju"];
/// The same where it may confirm.
const CONFIRMING: [&str; 4] = ["vCy", "2ANy", "2sCy", "uUy"];
const SIZES: [(u16, u16); 7] = [
    (120, 36),
    (80, 24),
    (200, 60),
    (60, 16),
    (30, 8),
    (84, 50),
    (1, 1),
];
const FAULTS: [&str; 6] = [
    "any:500@20%*6",
    "any:429/1s*2",
    "any:drop@10%*5",
    "any:truncate@10%*4",
    "actions:409*2",
    "save_labels:lost*1",
];
/// How long the tests type, unless they are asked for more.
const USUAL: Duration = Duration::from_secs(8);

/// What was done.
#[derive(Debug, Default)]
struct Done {
    keys: usize,
    phrases: usize,
    clicks: usize,
    sizes: usize,
    faults: usize,
    libraries: usize,
}

struct Monkey {
    dir: tempfile::TempDir,
    server: Server,
    screen: Terminal,
    chance: Chance,
    seed: u64,
    /// Libraries that take each other's place.
    builds: Vec<PathBuf>,
    library: PathBuf,
    size: (u16, u16),
    /// The last key was an escape.
    escaped: bool,
    done: Done,
}

/// An agent that answers with this.
fn answering(dir: &Path, stage: &str, folder: &str, outcome: &str) -> PathBuf {
    let folder = dir.join(folder);
    fs::create_dir(&folder).unwrap();
    let defines = [
        c_text("OUTCOME", outcome),
        c_text("STAGE", stage),
        "NEEDS=WB_NEED_LABEL_ROW_WRITE".to_owned(),
    ];
    c_agent(&folder, "noop", &defines.each_ref().map(String::as_str))
}

/// Puts a library in the place of another one, in one step.
fn replace(library: &Path, by: &Path) {
    let new = library.with_extension("new");
    fs::copy(by, &new).unwrap();
    fs::rename(new, library).unwrap();
}

impl Monkey {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
        Self::at(seed, dir, server, "pre-label")
    }

    /// At a server's project, with agents for the stage of this name or UUID.
    fn at(seed: u64, dir: tempfile::TempDir, server: Server, stage: &str) -> Self {
        let seed = std::env::var("WORKBENCH_SEED").map_or(seed, |text| text.parse().unwrap());
        fs::write(dir.path().join("workbench.toml"), "level = \"staging\"\n").unwrap();
        let hostile = r"\u001b[31m\u202e\u6f22\u5b57\u0000".repeat(40);
        let outcomes = [
            r#"{"route":"annotate","priority":0.25,"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#,
            &format!(r#"{{"route":"skip","client_metadata":{{"name":"{hostile}"}}}}"#),
            r#"{"route":"no such pathway"}"#,
        ];
        let builds: Vec<PathBuf> = (outcomes.iter().enumerate())
            .map(|(n, outcome)| answering(dir.path(), stage, &format!("build{n}"), outcome))
            .collect();
        let library = dir.path().join("libagents.so");
        replace(&library, &builds[0]);
        let project = server.project();
        let args = [
            "--project-hash",
            &project,
            "--agents",
            library.to_str().unwrap(),
        ];
        // Whatever the keys would open ends at once.
        let nothing = ["EDITOR", "VISUAL", "BROWSER"].map(|name| (name, "true".to_owned()));
        let env = [&server.env()[..], &nothing].concat();
        let size = SIZES[0];
        let mut screen = Terminal::start(dir.path(), &args, &env, size);
        screen.wait("build #1");
        Self {
            chance: Chance(seed),
            done: Done::default(),
            dir,
            server,
            screen,
            seed,
            builds,
            library,
            size,
            escaped: false,
        }
    }

    /// Types for as long as is asked; `y` too, where that may confirm something.
    fn types(&mut self, confirms: bool) {
        let asked = std::env::var("WORKBENCH_MONKEY").ok();
        let time = asked
            .as_ref()
            .map_or(USUAL, |s| Duration::from_secs(s.parse().unwrap()));
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.act(confirms);
            let lives = self.screen.settle();
            assert!(
                lives,
                "seed {}: it ended, after {:?}:\n{}",
                self.seed,
                self.done,
                self.screen.text()
            );
        }
        if asked.is_some() {
            println!("seed {}: {:?}", self.seed, self.done);
        }
    }

    fn act(&mut self, confirms: bool) {
        match self.chance.below(100) {
            0..15 => {
                // Text fields and questions take letters; now and then they are left first.
                for key in ["\x1b"; 3] {
                    self.screen.keys(key);
                    self.screen.settle();
                }
                let phrase = match confirms && self.chance.below(2) == 0 {
                    true => self.chance.one(&CONFIRMING),
                    false => self.chance.one(&PHRASES),
                };
                for key in phrase.chars() {
                    self.screen.keys(key.encode_utf8(&mut [0; 4]));
                    self.screen.settle();
                }
                self.done.phrases += 1;
            }
            15..80 => {
                for _ in 0..=self.chance.below(6) {
                    let key = self.key(confirms);
                    self.screen.keys(&key);
                    self.done.keys += 1;
                }
            }
            80..93 => self.mouse(),
            93..96 => {
                self.size = SIZES[self.chance.below(SIZES.len())];
                self.screen.resize(self.size.0, self.size.1);
                self.done.sizes += 1;
            }
            96..98 => {
                let faults = match self.chance.below(2) {
                    0 => vec![],
                    _ => vec![self.chance.one(&FAULTS)],
                };
                self.server
                    .post("/local/faults", &json!({"faults": faults}));
                self.done.faults += 1;
            }
            _ => {
                replace(
                    &self.library,
                    &self.builds[self.chance.below(self.builds.len())],
                );
                self.done.libraries += 1;
            }
        }
    }

    fn key(&mut self, confirms: bool) -> String {
        // With an escape before it, one of these begins a sequence that swallows what follows.
        let begins = std::mem::take(&mut self.escaped);
        loop {
            let key = self.any_key(confirms);
            if !(begins && key.starts_with(['[', 'O', ']', 'P', '_', 'X', '^'])) {
                self.escaped = key == "\x1b";
                return key;
            }
        }
    }

    fn any_key(&mut self, confirms: bool) -> String {
        match self.chance.below(4) {
            0 => self.chance.one(&OTHERS).to_owned(),
            1 if confirms && self.chance.below(4) == 0 => "y".to_owned(),
            _ => LETTERS
                .chars()
                .nth(self.chance.below(LETTERS.chars().count()))
                .unwrap()
                .to_string(),
        }
    }

    /// A click, a drag or a turn of the wheel, as terminals report them.
    fn mouse(&mut self) {
        let place = |chance: &mut Chance, size: (u16, u16)| {
            (
                chance.below(usize::from(size.0)) + 1,
                chance.below(usize::from(size.1)) + 1,
            )
        };
        let ((x, y), (to_x, to_y)) = (
            place(&mut self.chance, self.size),
            place(&mut self.chance, self.size),
        );
        let button = [0, 0, 0, 2, 64, 65][self.chance.below(6)];
        let mut report = format!("\x1b[<{button};{x};{y}M");
        if button == 0 && self.chance.below(3) == 0 {
            report.push_str(&format!("\x1b[<32;{to_x};{to_y}M\x1b[<0;{to_x};{to_y}m"));
        } else if button < 64 {
            report.push_str(&format!("\x1b[<{button};{x};{y}m"));
        }
        self.screen.keys(&report);
        self.done.clicks += 1;
    }

    /// Leaves whatever is open, and quits; the terminal is as it was before.
    fn quits(&mut self) {
        self.server.post("/local/faults", &json!({"faults": []}));
        self.screen.resize(120, 36);
        for _ in 0..12 {
            self.screen.keys("\x1b");
            assert!(self.screen.settle(), "seed {}: it ended", self.seed);
        }
        // An escape that is read together with the next key is that key with Alt.
        self.screen.keys("2");
        let (code, text) = self.screen.quit();
        assert_eq!(code, 0, "seed {}:\n{text}", self.seed);
        let raw = String::from_utf8_lossy(&self.screen.raw);
        for (on, off) in [
            ("?1049h", "?1049l"),
            ("?25l", "?25h"),
            ("?1000h", "?1000l"),
            ("?2004h", "?2004l"),
        ] {
            assert!(
                raw.rfind(off) >= raw.rfind(on),
                "seed {}: {on} was left on",
                self.seed
            );
        }
    }

    fn places(&self) -> BTreeMap<String, (Value, Value)> {
        let place = |t: Value| {
            (
                t["data_hash"].to_string(),
                (t["stage"].clone(), t["priority"].clone()),
            )
        };
        self.server.tasks().into_iter().map(place).collect()
    }
}

#[test]
fn random_keys_that_confirm_nothing_write_nothing() {
    let mut monkey = Monkey::new(1);
    let before = monkey.places();
    monkey.types(false);
    monkey.quits();
    let (writes, seed) = (monkey.server.writes(), monkey.seed);
    assert_eq!(writes, 0, "seed {seed}: {:?}", monkey.done);
    assert_eq!(monkey.places(), before, "seed {seed}");
}

#[test]
fn what_random_keys_confirm_is_in_the_journal_and_can_be_taken_back() {
    let mut monkey = Monkey::new(2);
    let before = monkey.places();
    monkey.types(true);
    monkey.quits();
    let seed = monkey.seed;
    let resumed = workbench(monkey.dir.path(), &monkey.server, &["resume"]);
    let code = resumed.status.code();
    assert!(
        matches!(code, Some(0 | 5)),
        "seed {seed}: {}",
        stderr(&resumed)
    );
    let after = monkey.places();
    let changed = before
        .iter()
        .filter(|(data, place)| after[*data] != **place)
        .count() as u64;
    let journal = workbench(monkey.dir.path(), &monkey.server, &["journal", "--json"]);
    let operations = String::from_utf8(journal.stdout).unwrap();
    let operations = operations
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let written: u64 = operations.filter_map(|op: Value| op["done"].as_u64()).sum();
    assert!(
        written >= changed,
        "seed {seed}: {changed} tasks changed, {written} in the journal"
    );
    if std::env::var_os("WORKBENCH_MONKEY").is_some() {
        println!("{changed} tasks changed, {written} in the journal");
    }
}

const STAGE: &str = "44dc0000-0000-4000-8000-000000000002";
const ENDS: [&str; 2] = [
    "7e750000-0000-4000-8000-000000000001",
    "7e750000-0000-4000-8000-000000000002",
];

/// A project as nobody would make it: 300 pathways, stages without tasks, names of 10,000 characters and of none that
/// is seen, letters of both directions, signs of two columns, and escape sequences.
fn odd_project(dir: &Path) -> Server {
    let odd = "a\u{1b}]0;owned\u{7}\u{202e}שלום\u{200b}漢字e\u{301}👩\u{200d}🚒";
    let long = odd.repeat(10_000 / odd.chars().count());
    let unseen = "\u{200b}\u{2060}\u{202e}";
    let end = |n: usize| {
        json!({"uuid": ENDS[n], "nodeType": "DONE", "title": ([&*long, unseen][n]),
        "nodeSubtype": (["COMPLETED", "ARCHIVED"][n])})
    };
    let pathway = |n: usize| {
        let name = format!("{n} {}", [&*long, unseen, odd][n % 3]);
        json!({"uuid": format!("49a70000-0000-4000-8000-{n:012}"), "name": name, "targetNode": ENDS[n % 2]})
    };
    let empty = |n: usize| {
        let uuid = format!("44dc0000-0000-4000-8000-{:012}", 10 + n);
        json!({"uuid": uuid, "nodeType": "AGENT", "title": format!("{n}{odd}"), "pathways": [
            {"uuid": format!("49a70000-0000-4000-8000-{:012}", 1000 + n), "name": "on", "targetNode": ENDS[0]}]})
    };
    let mut nodes = vec![
        json!({"uuid": "44dc0000-0000-4000-8000-000000000001", "nodeType": "START", "toNode": STAGE}),
        json!({"uuid": STAGE, "nodeType": "AGENT", "title": long, "pathways": (0..300).map(pathway).collect::<Vec<_>>()}),
    ];
    nodes.extend((0..12).map(empty).chain((0..2).map(end)));
    let item = |n: usize| json!({"type": "image", "title": format!("{n}{}", [&*long, unseen, odd][n % 3])});
    let world = json!({
        "workflowTemplates": [{"title": long, "graphNodes": nodes}],
        "datasets": [{"title": odd, "items": (0..30).map(item).collect::<Vec<_>>()}],
        "projects": [{"title": long}],
    });
    let file = dir.join("world.json");
    fs::write(&file, world.to_string()).unwrap();
    Server::start(&["--scenario-file", file.to_str().unwrap()])
}

#[test]
fn a_project_with_odd_names_and_hundreds_of_pathways_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let server = odd_project(dir.path());
    let mut monkey = Monkey::at(3, dir, server, STAGE);
    monkey.types(false);
    monkey.quits();
    assert_eq!(monkey.server.writes(), 0, "seed {}", monkey.seed);
    let raw = String::from_utf8_lossy(&monkey.screen.raw);
    assert!(
        !raw.contains("\u{1b}]0;owned") && !raw.contains('\u{202e}'),
        "seed {}",
        monkey.seed
    );
}
