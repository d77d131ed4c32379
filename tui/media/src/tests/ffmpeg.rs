//! Other codecs: the error without ffmpeg, the frame numbers with it. Tests that need the real ffmpeg
//! are ignored by default; the others run against a fake from the fixtures.

use super::*;
use std::process::Command;

#[test]
fn without_ffmpeg_the_error_names_the_codec_and_the_remedy() {
    let cases = [
        ("hevc.mp4", "HEVC"),
        ("h264.mkv", "Matroska"),
        ("vp8.webm", "WebM"),
        ("mpeg4.avi", "AVI"),
        ("yuv444.mp4", "4:4:4"),
    ];
    for (name, codec) in cases {
        let error = open_alone(&fixture(name), "video").unwrap_err();
        assert!(
            matches!(error, MediaError::NeedsFfmpeg { .. }),
            "{name}: {error}"
        );
        let message = error.to_string();
        assert!(
            message.contains(codec) && message.contains("install ffmpeg"),
            "{message}"
        );
    }
}

#[test]
fn lossless_video_is_detected_at_its_first_frame() {
    let mut source = video("lossless.mp4");
    let error = source.frame(0).unwrap_err();
    assert!(matches!(error, MediaError::NeedsFfmpeg { .. }), "{error}");
    assert!(error.to_string().contains("lossless"), "{error}");
}

/// A source whose ffmpeg is the fake; `mode` is how it misbehaves.
fn fake_ffmpeg(folder: &tempfile::TempDir, mode: &str) -> Source {
    let path = folder.path().join(format!("{mode}.mkv"));
    std::fs::write(&path, [0x1a, 0x45, 0xdf, 0xa3]).unwrap();
    let tools = FfmpegPaths {
        ffmpeg: fixture("fake/ffmpeg"),
        ffprobe: fixture("fake/ffprobe"),
    };
    Source::open_with(&path, None, "video", &[], tools).unwrap()
}

impl Source {
    /// Process number of a running ffmpeg.
    fn process(&self) -> Option<u32> {
        match &self.reader {
            crate::Reader::Ffmpeg(source) => source.process_id(),
            _ => None,
        }
    }
}

fn letter(picture: Option<Picture>) -> u8 {
    picture.unwrap().rgb[0] - b'0'
}

#[test]
fn pictures_are_numbered_by_time_whatever_ffmpeg_does() {
    let folder = tempfile::tempdir().unwrap();
    // Well-behaved; an old one without -fps_mode; one whose seeks land behind the frame.
    for mode in ["good", "old", "late"] {
        let mut source = fake_ffmpeg(&folder, mode);
        assert_eq!(
            source.frame_count(),
            5,
            "the discarded packet is not a frame"
        );
        for index in [0, 1, 2, 3, 4, 2, 3, 0, 4, 1] {
            let picture = source.frame(index).unwrap();
            let pts = [0, 40, 80, 170, 190][index as usize] * 1000;
            assert_eq!(picture.as_ref().unwrap().pts_us, pts, "{mode}");
            assert_eq!(u64::from(letter(picture)), index, "{mode}");
        }
        assert_eq!(source.frame(5).unwrap(), None);
    }
}

#[test]
fn a_frame_that_ffmpeg_leaves_out_shifts_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = fake_ffmpeg(&folder, "hole");
    for index in [0, 1, 2, 3, 4, 2, 4, 3] {
        match source.frame(index) {
            Ok(picture) => assert_eq!(u64::from(letter(picture)), index),
            Err(MediaError::FrameDamaged { frame: 2, .. }) => assert_eq!(index, 2),
            Err(other) => panic!("{other}"),
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ffmpeg_ends_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = fake_ffmpeg(&folder, "endless");
    assert_eq!(letter(source.frame(0).unwrap()), 0);
    let process = PathBuf::from(format!("/proc/{}", source.process().unwrap()));
    assert!(process.exists(), "the fake runs as long as its source");
    drop(source);
    assert!(!process.exists(), "dropping the source ends and reaps it");
}

#[test]
#[ignore = "needs ffmpeg on the PATH"]
fn frame_numbers_are_exact_with_real_ffmpeg() {
    for (name, count) in [
        ("hevc.mp4", 40),
        ("h264.mkv", 60),
        ("vp8.webm", 40),
        ("mpeg4.avi", 30),
        ("lossless.mp4", 6),
        ("yuv444.mp4", 6),
    ] {
        let mut source = Source::open(&fixture(name), None, "video", &[]).unwrap();
        assert_eq!(source.frame_count(), count, "{name}");
        for index in (0..count).chain(shuffled(count)) {
            let picture = source.frame(index).unwrap().unwrap();
            assert_eq!(number(&picture), index, "{name}");
            assert_eq!(picture.index, index);
        }
        assert_eq!(source.frame(count).unwrap(), None);
    }
}

/// All pictures of a file as ffmpeg shows them.
fn reference(path: &std::path::Path) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args([
            "-fps_mode",
            "passthrough",
            "-pix_fmt",
            "rgb24",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
#[ignore = "needs ffmpeg on the PATH"]
fn pictures_match_those_of_ffmpeg() {
    let generated = [
        "cfr.mp4",
        "vfr.mp4",
        "trim.mp4",
        "delayed.mp4",
        "cuts.mp4",
        "fragmented.mp4",
        "hybrid.mp4",
        "turned90.mp4",
        "turned180.mp4",
        "turned270.mp4",
        "open-gop.mp4",
        "intra-refresh.mp4",
        "interlaced.mp4",
        "avc3.mp4",
        "full709.mp4",
        "hi422.mov",
    ];
    let mut paths: Vec<PathBuf> = generated.iter().map(|name| fixture(name)).collect();
    paths.push(real("bigbuckbunny-3s.mp4"));
    for path in paths {
        let wanted = reference(&path);
        let mut source = open_alone(&path, "video").unwrap();
        let mut at = 0;
        let (mut total, mut most) = (0u64, 0u8);
        for index in 0.. {
            let Some(picture) = source.frame(index).unwrap() else {
                break;
            };
            for (a, b) in picture.rgb.iter().zip(&wanted[at..]) {
                total += u64::from(a.abs_diff(*b));
                most = most.max(a.abs_diff(*b));
            }
            at += picture.rgb.len();
        }
        assert_eq!(
            at,
            wanted.len(),
            "{}: another number of pictures",
            path.display()
        );
        let mean = total as f64 / at as f64;
        println!("{}: mean difference {mean:.2}, most {most}", path.display());
        assert!(mean < 2.0, "{}: mean difference {mean:.2}", path.display());
    }
}
