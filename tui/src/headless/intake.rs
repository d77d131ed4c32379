//! Lines of a queue from stdin, read by a thread of their own: whatever comes, only so much of it is kept at a
//! time. What the lines mean is left to `specs`.

use std::io::{BufRead, Result};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of one line that are read; twenty thousand specs are less.
pub const LONGEST: usize = 8 << 20;
/// Lines that may wait to be worked on.
const LINES: usize = 1024;
/// Kilobytes of all lines that wait.
const WAITING: usize = 32 << 10;

/// One line.
pub struct Text {
    /// Without its end; what came of it before it was too long.
    pub bytes: Vec<u8>,
    /// Longer than [`LONGEST`].
    pub cut: bool,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads lines from now on. Reading may block for hours; the thread ends with the input or with the process.
#[must_use]
pub fn of_stdin() -> mpsc::Receiver<Result<Text>> {
    let (send, lines) = mpsc::channel(LINES);
    let (room, runtime) = (Arc::new(Semaphore::new(WAITING)), Handle::current());
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Some(line) = next(&mut input, LONGEST).transpose() {
            let line = line.map(|(bytes, cut)| {
                let size = u32::try_from(bytes.capacity() >> 10).unwrap_or(u32::MAX);
                let room = runtime.block_on(Arc::clone(&room).acquire_many_owned(size));
                Text {
                    bytes,
                    cut,
                    _room: room.ok(),
                }
            });
            let over = line.is_err();
            if send.blocking_send(line).is_err() || over {
                return;
            }
        }
    });
    lines
}

/// The next line, and whether it was cut; `None` at the end of the input.
fn next(input: &mut impl BufRead, longest: usize) -> Result<Option<(Vec<u8>, bool)>> {
    let (mut line, mut cut, mut any) = (Vec::new(), false, false);
    loop {
        let some = match input.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            some => some?,
        };
        if some.is_empty() {
            return Ok(any.then_some((line, cut)));
        }
        any = true;
        let end = some.iter().position(|byte| *byte == b'\n');
        let part = &some[..end.unwrap_or(some.len())];
        let fits = part.len().min(longest - line.len());
        line.extend_from_slice(&part[..fits]);
        cut |= fits < part.len();
        let read = part.len() + usize::from(end.is_some());
        input.consume(read);
        if end.is_some() {
            return Ok(Some((line, cut)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, repeat};

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let text = b"one\n\n0123456789abc\nlast";
        for size in [1, 2, 3, 64] {
            let mut input = BufReader::with_capacity(size, &text[..]);
            let mut lines = Vec::new();
            while let Some((line, cut)) = next(&mut input, 10).unwrap() {
                lines.push((String::from_utf8(line).unwrap(), cut));
            }
            let wanted = [
                ("one", false),
                ("", false),
                ("0123456789", true),
                ("last", false),
            ];
            assert_eq!(lines, wanted.map(|(line, cut)| (line.to_owned(), cut)));
        }
    }

    #[test]
    fn an_endless_line_costs_no_more_than_the_longest() {
        use std::io::Read;
        let mut input = BufReader::new(repeat(b'x').take(50 << 20));
        let (line, cut) = next(&mut input, 1 << 20).unwrap().unwrap();
        assert!(cut && line.len() == 1 << 20 && line.capacity() <= 2 << 20);
        assert!(next(&mut input, 10).unwrap().is_none());
    }
}
