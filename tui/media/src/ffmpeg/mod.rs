//! Everything that is not H.264 in MP4: pictures from an `ffmpeg` child process, numbered by the
//! presentation time that ffmpeg reports for each picture, so that an inexact seek is noticed. Pictures
//! without times are counted from the first.
//! Leaves to others: listing the times (`probe`), the running process (`process`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

mod probe;
mod process;

use probe::FrameIndex;
use process::FfmpegProcess;

use super::{MediaError, Picture};

/// Demuxers that read the named file and nothing else: no playlists, no devices, no lists of files.
pub(super) const FORMATS: &str = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,gif,apng,ivf,\
     h264,hevc,m4v,obu,dv,yuv4mpegpipe,rm,nut,webp_pipe,png_pipe,jpeg_pipe,pgm_pipe,ppm_pipe,\
     pgmyuv_pipe,pbm_pipe,exr_pipe,dds_pipe,hdr_pipe,avif";
/// Frames to read and skip before starting ffmpeg again with a seek.
const NEAR: usize = 48;

/// Paths of the programs.
#[derive(Clone, Debug)]
pub(super) struct FfmpegPaths {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
}

impl Default for FfmpegPaths {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
        }
    }
}

/// The path in a form that ffmpeg never takes for another protocol or an option.
pub(super) fn file_url(path: &Path) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from("file:");
    name.push(path);
    name
}

/// The error for a program that did not start.
pub(super) fn not_started(path: &Path, name: &str, error: std::io::Error) -> MediaError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return MediaError::NeedsFfmpeg { codec: name.into() };
    }
    MediaError::Ffmpeg {
        path: path.into(),
        why: format!("it cannot be started: {error}"),
    }
}

/// Collects the last line of a program's stderr.
pub(super) fn last_line(stderr: Option<std::process::ChildStderr>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut last = String::new();
        let Some(stderr) = stderr else { return last };
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            keep_last(&mut last, &line);
        }
        last
    })
}

/// Replaces `last` by a line, unless that is empty.
pub(super) fn keep_last(last: &mut String, line: &[u8]) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    if !line.is_empty() {
        *last = line.chars().take(300).collect();
    }
}

/// A file that ffmpeg decodes.
pub(super) struct FfmpegSource {
    path: PathBuf,
    paths: FfmpegPaths,
    name: String,
    index: FrameIndex,
    process: Option<FfmpegProcess>,
    /// A picture that came in place of a missing one before it.
    ahead: Option<Picture>,
    /// Use `-vsync` for an ffmpeg that does not support `-fps_mode` yet; newer ones dropped `-vsync`.
    old_options: bool,
}

impl FfmpegSource {
    /// # Errors
    /// `NeedsFfmpeg` with `name` when it is not installed, `Ffmpeg` when it cannot read the file.
    pub(super) fn open(
        path: &Path,
        paths: &FfmpegPaths,
        name: &str,
        still: bool,
    ) -> Result<Self, MediaError> {
        let mut index = probe::index(path, paths, name)?;
        if still {
            index.pts.truncate(1);
        }
        Ok(Self {
            path: path.into(),
            paths: paths.clone(),
            name: name.into(),
            index,
            process: None,
            ahead: None,
            old_options: false,
        })
    }

    pub(super) fn frame_count(&self) -> u64 {
        self.index.pts.len() as u64
    }

    pub(super) fn fps(&self) -> Option<f64> {
        let span = self
            .index
            .pts
            .last()?
            .checked_sub(*self.index.pts.first()?)?;
        if span <= 0 {
            return None;
        }
        let (over, under) = self.index.base;
        #[allow(clippy::cast_precision_loss)] // exact below 2^53
        let seconds = span as f64 * f64::from(over) / f64::from(under);
        #[allow(clippy::cast_precision_loss)]
        Some((self.index.pts.len() - 1) as f64 / seconds)
    }

    fn pts_us(&self, pts: i64) -> i64 {
        let (over, under) = self.index.base;
        let us = i128::from(pts) * i128::from(over) * 1_000_000;
        i64::try_from(us.div_euclid(i128::from(under))).unwrap_or(i64::MAX)
    }

    /// The picture of frame `index`; `None` past the end.
    pub(super) fn frame(&mut self, index: u64) -> Result<Option<Picture>, MediaError> {
        let Some(target) = usize::try_from(index)
            .ok()
            .filter(|i| *i < self.index.pts.len())
        else {
            return Ok(None);
        };
        if let Some(ahead) = &self.ahead {
            match ahead.index.cmp(&index) {
                std::cmp::Ordering::Equal => return Ok(self.ahead.take()),
                std::cmp::Ordering::Less => self.ahead = None,
                std::cmp::Ordering::Greater => {}
            }
        }
        let reach = if self.index.seekable {
            NEAR
        } else {
            usize::MAX
        };
        let near = self.ahead.is_none()
            && self
                .process
                .as_ref()
                .is_some_and(|s| s.next <= target && target - s.next < reach);
        if !near {
            self.start(target, true)?;
        }
        match self.read_to(target)? {
            Found::Picture(picture) => Ok(Some(picture)),
            // The seek landed after the frame, or nowhere: read from the start.
            Found::Past if !near && target > 0 && self.index.seekable => {
                self.start(target, false)?;
                match self.read_to(target)? {
                    Found::Picture(picture) => Ok(Some(picture)),
                    Found::Past => Err(self.missing(index)),
                }
            }
            Found::Past => Err(self.missing(index)),
        }
    }

    /// Process id of the running ffmpeg.
    #[cfg(test)]
    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(FfmpegProcess::id)
    }

    fn missing(&self, frame: u64) -> MediaError {
        let last_error = self
            .process
            .as_ref()
            .map(|s| s.last_error.clone())
            .unwrap_or_default();
        let why = if last_error.is_empty() {
            "ffmpeg gives no picture for it".into()
        } else {
            last_error
        };
        MediaError::FrameDamaged { frame, why }
    }

    /// Starts ffmpeg so that its first picture is frame `target`.
    fn start(&mut self, target: usize, seek: bool) -> Result<(), MediaError> {
        self.process = None;
        self.ahead = None;
        let mut process = self.spawn(target, seek)?;
        if process.peek()?.is_none() && !self.old_options && process.last_error.contains("fps_mode")
        {
            self.old_options = true;
            process = self.spawn(target, seek)?;
            process.peek()?;
        }
        self.process = Some(process);
        Ok(())
    }

    fn spawn(&self, target: usize, seek: bool) -> Result<FfmpegProcess, MediaError> {
        let pts = self.index.pts[target];
        let mut command = Command::new(&self.paths.ffmpeg);
        command
            .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "info"])
            .args([
                "-protocol_whitelist",
                "file",
                "-format_whitelist",
                FORMATS,
                "-copyts",
            ]);
        if seek && self.index.seekable && target > 0 {
            // A little early: any picture before the target is dropped by its time below.
            let (us, margin) = (self.pts_us(pts), 10_000);
            #[allow(clippy::cast_precision_loss)] // microseconds of a video
            let seconds = (us - margin) as f64 / 1e6;
            command
                .args(["-noaccurate_seek", "-seek_timestamp", "1", "-ss"])
                .arg(format!("{seconds:.6}"));
        }
        let filter = if self.index.counted {
            "showinfo=checksum=0".into()
        } else {
            format!("select='gte(pts,{pts})',showinfo=checksum=0")
        };
        let sync = if self.old_options {
            "-vsync"
        } else {
            "-fps_mode"
        };
        command
            .arg("-i")
            .arg(file_url(&self.path))
            .args(["-map", "0:V:0", "-an", "-sn", "-dn", "-vf"])
            .arg(filter)
            .args([
                sync,
                "passthrough",
                "-pix_fmt",
                "rgb24",
                "-f",
                "rawvideo",
                "pipe:1",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|e| not_started(&self.path, &self.name, e))?;
        let first = if self.index.counted { 0 } else { target };
        Ok(FfmpegProcess::new(child, self.path.clone(), first))
    }

    fn read_to(&mut self, target: usize) -> Result<Found, MediaError> {
        loop {
            let Some(process) = self.process.as_mut() else {
                return Ok(Found::Past);
            };
            let Some(info) = process.peek()? else {
                return Ok(Found::Past);
            };
            let at = if self.index.counted {
                Some(process.next).filter(|at| *at < self.index.pts.len())
            } else {
                info.pts
                    .and_then(|pts| self.index.pts.binary_search(&pts).ok())
            };
            let Some(at) = at else {
                let why = format!(
                    "it returned a picture that ffprobe did not list (time {:?})",
                    info.pts
                );
                return Err(MediaError::Ffmpeg {
                    path: self.path.clone(),
                    why,
                });
            };
            let rgb = process.read_pixels(info)?;
            process.next = at + 1;
            if at < target {
                continue;
            }
            let picture = Picture {
                width: info.width,
                height: info.height,
                stride: info.width * 3,
                rgb,
                index: at as u64,
                pts_us: self.pts_us(self.index.pts[at]),
            };
            if at == target {
                return Ok(Found::Picture(picture));
            }
            self.ahead = Some(picture);
            return Ok(Found::Past);
        }
    }
}

enum Found {
    Picture(Picture),
    /// The next picture is after the requested frame, or there is none.
    Past,
}
