//! A running ffmpeg: what it reports of each picture, and the picture's bytes.
//! Leaves to others: its arguments, and which frame a picture is (the parent module).

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use super::keep_last;
use crate::{MediaError, check_size};

/// What ffmpeg reports of a picture before its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameInfo {
    /// Presentation time, if it has one.
    pub pts: Option<i64>,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

enum LogLine {
    Frame(FrameInfo),
    Error(String),
}

/// A running ffmpeg; ended when dropped.
pub(super) struct FfmpegProcess {
    child: Child,
    stdout: Option<ChildStdout>,
    lines: Receiver<LogLine>,
    reader: Option<JoinHandle<()>>,
    next_picture: Option<FrameInfo>,
    path: PathBuf,
    /// Number of the next frame if none is missing.
    pub next: usize,
    /// The last error it logged.
    pub last_error: String,
}

impl FfmpegProcess {
    pub(super) fn new(mut child: Child, path: PathBuf, next: usize) -> Self {
        let (send, lines) = mpsc::channel();
        let stderr = child.stderr.take();
        let reader = std::thread::spawn(move || {
            let Some(stderr) = stderr else { return };
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                let Some(line) = parse_line(&line) else {
                    continue;
                };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let stdout = child.stdout.take();
        let reader = Some(reader);
        Self {
            child,
            stdout,
            lines,
            reader,
            next_picture: None,
            path,
            next,
            last_error: String::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next picture, without reading its bytes; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<FrameInfo>, MediaError> {
        while self.next_picture.is_none() {
            match self.lines.recv() {
                Ok(LogLine::Frame(info)) => {
                    check_size(u64::from(info.width), u64::from(info.height))?;
                    self.next_picture = Some(info);
                }
                Ok(LogLine::Error(line)) => self.last_error = line,
                Err(_) => return Ok(None),
            }
        }
        Ok(self.next_picture)
    }

    /// Reads the bytes of the picture that `peek` returned: packed RGB8 rows.
    pub(super) fn read_pixels(&mut self, info: FrameInfo) -> Result<Vec<u8>, MediaError> {
        self.next_picture = None;
        let mut rgb = vec![0u8; info.width as usize * info.height as usize * 3];
        let read = self.stdout.as_mut().map(|out| out.read_exact(&mut rgb));
        match read {
            Some(Ok(())) => Ok(rgb),
            _ => Err(MediaError::Ffmpeg {
                path: self.path.clone(),
                why: format!("it ended in the middle of a picture ({})", self.last_error),
            }),
        }
    }
}

impl Drop for FfmpegProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Parses a line of stderr: a picture from the filter `showinfo`, or an error message.
fn parse_line(line: &str) -> Option<LogLine> {
    if line.starts_with("[Parsed_showinfo") {
        return frame_info(line).map(LogLine::Frame);
    }
    let lower = line.to_ascii_lowercase();
    if ["error", "invalid", "unrecognized", "cannot", "failed"]
        .iter()
        .any(|w| lower.contains(w))
    {
        let mut kept = String::new();
        keep_last(&mut kept, line.as_bytes());
        return Some(LogLine::Error(kept));
    }
    None
}

fn frame_info(line: &str) -> Option<FrameInfo> {
    let (_, after) = line.split_once(" pts:")?;
    let pts = after.split_whitespace().next()?.parse().ok();
    let (_, after) = line.split_once(" s:")?;
    let (width, height) = after.split_whitespace().next()?.split_once('x')?;
    Some(FrameInfo {
        pts,
        width: width.parse().ok()?,
        height: height.parse().ok()?,
    })
}
