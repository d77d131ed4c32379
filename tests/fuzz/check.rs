//! How a fuzz target is run: its stored corpus, damaged forms of the corpus, and what bolero makes up.
//!
//! `cargo test` does all three briefly and always alike. `WB_FUZZ_ROUNDS` asks for more damaged forms
//! and `WB_FUZZ_SEED` for others; `tests/fuzz/long` puts libFuzzer in the place of all three (see
//! `README.md`).

use std::path::PathBuf;

/// Damaged forms of the corpus in a usual test run.
const ROUNDS: u64 = 3000;
/// Inputs that bolero makes up in a usual test run.
pub const MADE_UP: usize = 500;
/// Larger inputs find nothing that smaller ones do not.
const LARGEST: usize = 1 << 16;

/// Declares the test of one target: a function over bytes that must not panic.
macro_rules! target {
    ($name:ident, $run:expr) => {
        #[test]
        fn $name() {
            check::corpus(stringify!($name), $run);
            bolero::check!()
                .with_iterations(check::MADE_UP)
                .for_each(|input: &[u8]| $run(input));
        }
    };
}
pub(crate) use target;

/// Runs a target on its corpus and on damaged forms of it. A failure prints its input.
pub fn corpus(name: &str, run: fn(&[u8])) {
    if std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some() {
        return; // libFuzzer has the corpus, and damages it better
    }
    let seeds = read(name);
    let tried = |input: &[u8]| {
        let blame = Blame(input);
        run(input);
        std::mem::forget(blame);
    };
    tried(b"");
    for seed in &seeds {
        tried(seed);
    }
    let mut dice = Dice(asked("WB_FUZZ_SEED").unwrap_or(1));
    for _ in 0..asked("WB_FUZZ_ROUNDS").unwrap_or(ROUNDS) {
        let mut input = dice.pick(&seeds).clone();
        for _ in 0..=dice.below(4) {
            damage(&mut input, &seeds, &mut dice);
        }
        input.truncate(LARGEST);
        tried(&input);
    }
}

fn read(name: &str) -> Vec<Vec<u8>> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|dir| dir.join("tests/fuzz").is_dir());
    let folder = root.unwrap().join("tests/fuzz/corpus").join(name);
    let listed = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("no corpus in {}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus in {}", folder.display());
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Prints the input of a target that panics.
struct Blame<'a>(&'a [u8]);

impl Drop for Blame<'_> {
    #[allow(clippy::print_stderr)] // the words of a failing test
    fn drop(&mut self) {
        eprintln!(
            "input of {} bytes: b\"{}\"",
            self.0.len(),
            self.0.escape_ascii()
        );
    }
}

/// A small generator of numbers (SplitMix64): the same seed, the same inputs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What parsers trip over.
const TOKENS: [&[u8]; 30] = [
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"-0.0",
    b"18446744073709551616",
    b"9223372036854775807",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xc3\x28",
    "é😀\u{202e}".as_bytes(),
    b"=",
    b"%",
    b"|",
    b"~",
    b"..",
];

fn damage(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let some = input[at..].len().min(1 + dice.below(16));
    match dice.below(10) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..at + some)),
        2 => {
            let again = input[at..at + some].to_vec();
            input.splice(at..at, again);
        }
        3 | 4 => {
            let token = *dice.pick(&TOKENS);
            input.splice(at..at, token.iter().copied());
        }
        5 => {
            let token = *dice.pick(&TOKENS);
            input.splice(at..at + some, token.iter().copied());
        }
        6 => {
            let other = dice.pick(seeds);
            let from = dice.below(other.len() + 1);
            let to = from + dice.below(other.len() - from + 1);
            input.splice(at..at, other[from..to].iter().copied());
        }
        7 => {
            // Another number in the place of one.
            let digit = |byte: &u8| byte.is_ascii_digit();
            if let Some(start) = input[at..].iter().position(digit).map(|n| at + n) {
                let length = input[start..].iter().take_while(|b| digit(b)).count();
                let number = (dice.roll() >> dice.below(64)).to_string();
                input.splice(start..start + length, number.into_bytes());
            }
        }
        8 if at < input.len() => input[at] ^= 1 << dice.below(8),
        _ if at < input.len() => input[at] = dice.roll().to_le_bytes()[0],
        _ => input.push(dice.roll().to_le_bytes()[0]),
    }
}
