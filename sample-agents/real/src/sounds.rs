//! Marks where somebody speaks in a recording: stretches that are louder than the rest, as ranges of one object.
//!
//! Reads WAV files with 16 bits per sample; `workbench.toml`, under the stage "sounds": `loud = 0.05`.

use agent_abi::prelude::*;
use serde::Deserialize;

/// Milliseconds that are judged together.
const WINDOW: u64 = 50;
/// Silence up to this many milliseconds does not end a stretch.
const PAUSE: u64 = 300;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// Mean amplitude from which a window counts as loud, 0 to 1.
    #[serde(default = "loud")]
    pub loud: f64,
}

const fn loud() -> f64 {
    0.05
}

/// Draws the ranges, or sends a silent recording past the annotators.
#[stage("sounds", routes = ["done", "silent"], params(loud: f64 = 0.05), idempotent)]
pub fn sounds(labels: &mut LabelRow, file: AssetPath, settings: Params<Settings>) -> Result<Route> {
    let bytes = file.read()?;
    let wave = Wave::read(&bytes).context("reading the recording")?;
    let ontology = labels.ontology();
    let mut stretches = stretches(&wave, settings.loud).into_iter();
    let Some((from, to)) = stretches.next() else {
        return Ok(Route::to("silent").priority(0.0));
    };
    let first = ontology.object("Voice")?.range(from, to)?;
    let voice = stretches.try_fold(first, |voice, (from, to)| voice.and_range(from, to))?;
    labels.add(voice.manual(false))?;
    Ok(Route::to("done"))
}

/// Loud stretches in milliseconds, both ends included.
fn stretches(wave: &Wave<'_>, loud: f64) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for (n, amplitude) in wave.windows(WINDOW).enumerate() {
        let from = n as u64 * WINDOW;
        match found.last_mut() {
            _ if amplitude < loud => {}
            Some((_, end)) if from <= *end + PAUSE => *end = from + WINDOW - 1,
            _ => found.push((from, from + WINDOW - 1)),
        }
    }
    found
}

/// The samples of a WAV file.
struct Wave<'f> {
    /// Of all channels, one after the other.
    samples: &'f [u8],
    /// Per millisecond, all channels.
    bytes_per_ms: usize,
}

impl<'f> Wave<'f> {
    fn read(file: &'f [u8]) -> Result<Self> {
        let number = |at: usize| -> Result<usize> {
            let bytes = file.get(at..at + 4).context("the file is cut short")?;
            Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
        };
        if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
            bail!("not a WAV file");
        }
        let (mut at, mut rate) = (12, None);
        loop {
            let (name, length) = (file.get(at..at + 4), number(at + 4)?);
            let body = at + 8;
            match name {
                Some(b"fmt ") if file.get(body + 14) != Some(&16) => {
                    bail!("not 16 bits per sample")
                }
                Some(b"fmt ") => rate = Some(number(body + 8)?),
                Some(b"data") => {
                    let end = file.len().min(body + length);
                    let bytes_per_second = rate.context("samples before their format")?;
                    return Ok(Self {
                        samples: &file[body..end],
                        bytes_per_ms: (bytes_per_second / 1000).max(2),
                    });
                }
                _ => {}
            }
            at = body + length + length % 2;
        }
    }

    /// Mean amplitude of each window, 0 to 1.
    fn windows(&self, ms: u64) -> impl Iterator<Item = f64> {
        self.samples
            .chunks(self.bytes_per_ms * ms as usize)
            .map(|window| {
                let samples = window
                    .chunks_exact(2)
                    .map(|s| i16::from_le_bytes([s[0], s[1]]));
                let sum: f64 = samples
                    .map(|s| f64::from(s.unsigned_abs()) / 32_768.0)
                    .sum();
                sum / (window.len() / 2).max(1) as f64
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{Run, ontology, task};

    /// A mono recording, 8,000 samples a second: stretches of (milliseconds, amplitude).
    fn wav(stretches: &[(usize, i16)]) -> Vec<u8> {
        let samples: Vec<u8> = stretches
            .iter()
            .flat_map(|(ms, amplitude)| std::iter::repeat_n(amplitude.to_le_bytes(), ms * 8))
            .flatten()
            .collect();
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        for number in [8_000_u32, 16_000] {
            file.extend(number.to_le_bytes());
        }
        file.extend(b"\x02\0\x10\0data");
        file.extend((samples.len() as u32).to_le_bytes());
        file.extend(samples);
        file
    }

    fn run(file: &[u8]) -> Run {
        let kinds = ontology().object("Voice", "audio");
        task("call.wav")
            .audio()
            .file(file)
            .ontology(kinds)
            .params(json!({}))
            .run::<sounds>()
    }

    #[test]
    fn loud_stretches_are_ranges_of_one_voice_and_short_pauses_belong_to_it() {
        let run = run(&wav(&[
            (500, 0),
            (200, 9_000),
            (100, 0),
            (200, 9_000),
            (1_000, 0),
            (50, 9_000),
        ]));
        assert_eq!(run.route(), Some("done"));
        let labels = run.labels();
        let found: Vec<_> = labels.objects().iter().map(|o| o.ranges()).collect();
        assert_eq!(found, [[(500, 999), (2_000, 2_049)]]);
    }

    #[test]
    fn a_silent_recording_is_not_labelled() {
        let run = run(&wav(&[(500, 10)]));
        assert_eq!((run.route(), run.changed_labels()), (Some("silent"), false));
    }

    #[test]
    fn what_is_not_a_recording_is_refused() {
        let run = run(b"ID3\x04");
        assert_eq!(run.failure().unwrap().chain, ["not a WAV file"]);
    }
}
