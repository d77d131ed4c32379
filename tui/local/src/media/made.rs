//! Generates text, audio and documents from a number: small, valid, and the same on every machine.

use crate::ids::mix;

/// Samples per second of generated tones.
pub(crate) const WAV_RATE: u32 = 8_000;
/// Samples per second of generated MP3 silence.
pub(crate) const MP3_RATE: u32 = 44_100;
/// Samples in one MP3 frame.
const MP3_FRAME: u32 = 1_152;

const SITES: [&str; 4] = [
    "the north gate",
    "the loading dock",
    "the parking deck",
    "the harbour crossing",
];
const EVENTS: [&str; 6] = [
    "A red car stopped in front of the barrier and turned around.",
    "Two people crossed the road while the light was yellow.",
    "The camera lost focus for a moment; the picture is blurred until the next minute.",
    "A delivery van waited with its engine running.",
    "Headlights of a passing car saturated the lower left corner.",
    "Nothing moved except leaves in the wind.",
];

/// A shift note of some 400 characters.
pub(crate) fn text(n: u64) -> Vec<u8> {
    let pick =
        |salt: u64, from: &[&'static str]| from[(mix(n << 8 | salt) % from.len() as u64) as usize];
    let mut out = format!("Shift note {n}: {}\n\n", pick(0, &SITES));
    for (line, hour) in (0..4).zip([22, 23, 1, 4]) {
        let minute = mix(n << 8 | 16 | line) % 60;
        out.push_str(&format!(
            "{hour:02}:{minute:02}  {}\n",
            pick(line + 1, &EVENTS)
        ));
    }
    out.push_str("\nPlease mark every vehicle and every person in this note.\n");
    out.into_bytes()
}

/// Length of a generated tone in seconds.
pub(crate) fn wav_seconds(n: u64) -> f64 {
    1.0 + (mix(n) % 4) as f64 * 0.5
}

/// Three beeps at a pitch derived from `n`: 16 bit, one channel.
pub(crate) fn wav(n: u64) -> Vec<u8> {
    let samples = (wav_seconds(n) * f64::from(WAV_RATE)) as u32;
    let pitch = 220.0 * f64::from(1 + (mix(n ^ 5) % 5) as u32);
    let bytes = samples * 2;
    let mut out = Vec::with_capacity(44 + bytes as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&WAV_RATE.to_le_bytes());
    out.extend_from_slice(&(WAV_RATE * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&bytes.to_le_bytes());
    for sample in 0..samples {
        let at = f64::from(sample) / f64::from(WAV_RATE);
        let on = (at * 3.0 / wav_seconds(n)).fract() < 0.4;
        let level = if on {
            (at * pitch * std::f64::consts::TAU).sin() * 12_000.0
        } else {
            0.0
        };
        out.extend_from_slice(&(level as i16).to_le_bytes());
    }
    out
}

fn mp3_frames(n: u64) -> u32 {
    let seconds = n.clamp(1, 60) as u32;
    (seconds * MP3_RATE).div_ceil(MP3_FRAME)
}

/// Length of the generated silence in seconds.
pub(crate) fn mp3_seconds(n: u64) -> f64 {
    f64::from(mp3_frames(n) * MP3_FRAME) / f64::from(MP3_RATE)
}

/// Silence: MPEG-1 layer III frames of 128 kbit/s with empty side information.
pub(crate) fn mp3(n: u64) -> Vec<u8> {
    // 144 × 128000 / 44100, rounded down: a frame without padding.
    const LENGTH: usize = 417;
    let mut out = Vec::with_capacity(mp3_frames(n) as usize * LENGTH);
    for _ in 0..mp3_frames(n) {
        let end = out.len() + LENGTH;
        out.extend_from_slice(&[0xff, 0xfb, 0x90, 0xc4]);
        out.resize(end, 0);
    }
    out
}

/// Pages of a generated PDF.
pub(crate) fn pdf_pages(n: u64) -> u32 {
    n.clamp(1, 100) as u32
}

/// A PDF of `n` pages with a line of text on each.
pub(crate) fn pdf(n: u64) -> Vec<u8> {
    let pages = pdf_pages(n);
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!(
            "<</Type/Pages/Count {pages}/Kids[{}]>>",
            (0..pages)
                .map(|p| format!("{} 0 R ", 4 + p * 2))
                .collect::<String>()
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for page in 0..pages {
        let content = format!(
            "BT /F1 18 Tf 72 720 Td (Inspection report, page {} of {pages}) Tj ET",
            page + 1
        );
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>",
            5 + page * 2
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{content}\nendstream",
            content.len()
        ));
    }
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::with_capacity(objects.len());
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj{object}endobj\n", number + 1));
    }
    let table = out.len();
    out.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for place in places {
        out.push_str(&format!("{place:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    out.into_bytes()
}
