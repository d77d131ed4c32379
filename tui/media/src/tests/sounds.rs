//! The loudness of sounds.

use crate::{SoundError, waveform};

#[test]
fn a_wave_file_has_its_length_and_its_peaks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sound");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    // Half a second of silence, half a second at half the loudness.
    for n in 0..16_000 {
        writer
            .write_sample(if n < 8_000 { 0i16 } else { -16_384 })
            .unwrap();
    }
    writer.finalize().unwrap();
    let sound = waveform(&path).unwrap();
    assert_eq!((sound.ms, sound.peaks.len()), (1_000, 100));
    assert_eq!(sound.peaks[..50], [0; 50]);
    assert_eq!(sound.peaks[50..], [128; 50]);
}

#[test]
fn a_file_that_is_not_a_sound_and_a_missing_one_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sound.mp3");
    std::fs::write(&path, "not a sound").unwrap();
    let error = waveform(&path).unwrap_err();
    assert!(
        matches!(error, SoundError::NeedsFfmpeg | SoundError::Damaged { .. }),
        "{error:?}"
    );
    let missing = waveform(&dir.path().join("none")).unwrap_err();
    assert!(matches!(missing, SoundError::Io { .. }), "{missing:?}");
}
