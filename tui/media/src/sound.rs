//! How loud a sound is over its length. WAV files are read here; other formats need an installed `ffmpeg`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ffmpeg::{FfmpegPaths, file_url};

/// Stretches that are measured: more than any terminal has columns.
const STRETCHES: usize = 1_024;
/// The shortest stretch: so many of them are a second.
const A_SECOND: u32 = 100;
/// Samples a second that ffmpeg gives.
const RATE: u32 = 8_000;
/// Formats that ffmpeg may read: the named file and nothing else.
const FORMATS: &str = "mp3,flac,ogg,aac,mov,matroska,wav,aiff,w64,au,asf,amr";

/// The loudness of a sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waveform {
    /// Its length in milliseconds.
    pub ms: u64,
    /// The loudest sample of each of equal stretches, 0 to 255; at most 1,024, none of an empty sound.
    pub peaks: Vec<u8>,
}

/// Why a sound cannot be shown.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a field's name and the message explain it")]
pub enum SoundError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Not a WAV file, and ffmpeg is not installed.
    #[error(
        "only WAV files are read without ffmpeg, and ffmpeg is not on the PATH; install it (for example: apt-get install ffmpeg)"
    )]
    NeedsFfmpeg,
    /// The sound is damaged, or of a format that nothing here decodes.
    #[error("{path} cannot be decoded: {why}")]
    Damaged { path: PathBuf, why: String },
}

/// Reads a sound to its end.
///
/// # Errors
/// The file cannot be read, is damaged, or needs ffmpeg and that is not installed.
pub fn waveform(path: &Path) -> Result<Waveform, SoundError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    match hound::WavReader::new(BufReader::new(file)) {
        Ok(reader) => wav(path, reader),
        // Not a WAV file, or a rare kind of it.
        Err(_) => with_ffmpeg(path, &FfmpegPaths::default()),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> SoundError {
    let path = path.to_owned();
    SoundError::Io { path, source }
}

fn damaged(path: &Path, why: impl ToString) -> SoundError {
    let (path, why) = (path.to_owned(), why.to_string());
    SoundError::Damaged { path, why }
}

fn wav<R: Read>(path: &Path, mut reader: hound::WavReader<R>) -> Result<Waveform, SoundError> {
    let spec = reader.spec();
    let mut loudness = Loudness::new(spec.sample_rate, spec.channels);
    match spec.sample_format {
        hound::SampleFormat::Float => {
            for sample in reader.samples::<f32>() {
                let sample = sample.map_err(|error| damaged(path, error))?;
                loudness.add(f64::from(sample.abs()));
            }
        }
        hound::SampleFormat::Int => {
            let full = 2f64.powi(i32::from(spec.bits_per_sample.clamp(1, 32)) - 1);
            for sample in reader.samples::<i32>() {
                let sample = sample.map_err(|error| damaged(path, error))?;
                loudness.add(f64::from(sample).abs() / full);
            }
        }
    }
    Ok(loudness.done())
}

/// One channel of 16 bits at a low rate.
fn with_ffmpeg(path: &Path, paths: &FfmpegPaths) -> Result<Waveform, SoundError> {
    let mut child = Command::new(&paths.ffmpeg)
        .args([
            "-nostdin",
            "-v",
            "error",
            "-format_whitelist",
            FORMATS,
            "-i",
        ])
        .arg(file_url(path))
        .args([
            "-vn",
            "-ac",
            "1",
            "-ar",
            &RATE.to_string(),
            "-f",
            "s16le",
            "-",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SoundError::NeedsFfmpeg,
            _ => damaged(path, format!("ffmpeg cannot be started: {error}")),
        })?;
    let mut loudness = Loudness::new(RATE, 1);
    if let Some(out) = child.stdout.take() {
        let mut out = BufReader::new(out);
        let mut sample = [0; 2];
        while out.read_exact(&mut sample).is_ok() {
            loudness.add(f64::from(i16::from_le_bytes(sample)).abs() / 32_768.0);
        }
    }
    let ended = child.wait().is_ok_and(|status| status.success());
    if !ended || loudness.samples == 0 {
        return Err(damaged(path, "ffmpeg gives no samples of it"));
    }
    Ok(loudness.done())
}

/// Peaks of the shortest stretches, measured in one pass.
struct Loudness {
    peaks: Vec<u8>,
    samples: u64,
    a_second: u64,
    a_stretch: u64,
}

impl Loudness {
    fn new(rate: u32, channels: u16) -> Self {
        let channels = u64::from(channels.max(1));
        Self {
            peaks: Vec::new(),
            samples: 0,
            a_second: u64::from(rate.max(1)) * channels,
            a_stretch: u64::from((rate / A_SECOND).max(1)) * channels,
        }
    }

    fn add(&mut self, level: f64) {
        if self.samples.is_multiple_of(self.a_stretch) {
            self.peaks.push(0);
        }
        self.samples += 1;
        if let Some(peak) = self.peaks.last_mut() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
            let level = (level.clamp(0.0, 1.0) * 255.0).round() as u8;
            *peak = level.max(*peak);
        }
    }

    fn done(self) -> Waveform {
        let together = self.peaks.len().div_ceil(STRETCHES).max(1);
        let loudest = |peaks: &[u8]| peaks.iter().copied().max().unwrap_or(0);
        Waveform {
            ms: self.samples * 1_000 / self.a_second,
            peaks: self.peaks.chunks(together).map(loudest).collect(),
        }
    }
}
