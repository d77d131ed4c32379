//! A running ffmpeg: what it says of each picture, and the picture's bytes; ended when dropped.
//! Leaves to others: what it is asked to do, and which frame a picture is (`ffmpeg`).

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use super::ffmpeg::keep;
use super::{MediaError, check_size};

/// What ffmpeg says of a picture before it hands it over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Presentation time, if it has one.
    pub pts: Option<i64>,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

enum Line {
    Head(Head),
    Other(String),
}

/// A running ffmpeg; ended when dropped.
pub(super) struct Stream {
    child: Child,
    stdout: Option<ChildStdout>,
    lines: Receiver<Line>,
    listener: Option<JoinHandle<()>>,
    head: Option<Head>,
    path: PathBuf,
    /// Frame that is read next if none is missing.
    pub next: usize,
    /// Its last complaint.
    pub said: String,
}

impl Stream {
    pub(super) fn new(mut child: Child, path: PathBuf, next: usize) -> Self {
        let (send, lines) = mpsc::channel();
        let stderr = child.stderr.take();
        let listener = std::thread::spawn(move || {
            let Some(stderr) = stderr else { return };
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                let Some(line) = understand(&line) else {
                    continue;
                };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let stdout = child.stdout.take();
        let listener = Some(listener);
        Self {
            child,
            stdout,
            lines,
            listener,
            head: None,
            path,
            next,
            said: String::new(),
        }
    }

    /// Process number.
    #[cfg(test)]
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What comes next; `None` at the end.
    pub(super) fn first(&mut self) -> Result<Option<Head>, MediaError> {
        while self.head.is_none() {
            match self.lines.recv() {
                Ok(Line::Head(head)) => {
                    check_size(u64::from(head.width), u64::from(head.height))?;
                    self.head = Some(head);
                }
                Ok(Line::Other(line)) => self.said = line,
                Err(_) => return Ok(None),
            }
        }
        Ok(self.head)
    }

    /// Reads the picture that `head` announced: packed RGB8 rows.
    pub(super) fn pixels(&mut self, head: Head) -> Result<Vec<u8>, MediaError> {
        self.head = None;
        let mut rgb = vec![0u8; head.width as usize * head.height as usize * 3];
        let read = self.stdout.as_mut().map(|out| out.read_exact(&mut rgb));
        match read {
            Some(Ok(())) => Ok(rgb),
            _ => Err(MediaError::Ffmpeg {
                path: self.path.clone(),
                why: format!("it ended in the middle of a picture ({})", self.said),
            }),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// A line of `showinfo`, or a complaint.
fn understand(line: &str) -> Option<Line> {
    if line.starts_with("[Parsed_showinfo") {
        return head(line).map(Line::Head);
    }
    let lower = line.to_ascii_lowercase();
    if ["error", "invalid", "unrecognized", "cannot", "failed"]
        .iter()
        .any(|w| lower.contains(w))
    {
        let mut kept = String::new();
        keep(&mut kept, line.as_bytes());
        return Some(Line::Other(kept));
    }
    None
}

fn head(line: &str) -> Option<Head> {
    let (_, after) = line.split_once(" pts:")?;
    let pts = after.split_whitespace().next()?.parse().ok();
    let (_, after) = line.split_once(" s:")?;
    let (width, height) = after.split_whitespace().next()?.split_once('x')?;
    Some(Head {
        pts,
        width: width.parse().ok()?,
        height: height.parse().ok()?,
    })
}
