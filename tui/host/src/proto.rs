//! The messages between the workbench and a host, and their framing.
//!
//! A message is `u32` big-endian length of the rest, `u32` big-endian length of the header, the
//! header as JSON, and raw parts whose lengths are in the header. Both ends are the same program,
//! so there is one version; [`PROTOCOL`] guards against a host started from another one.

use agent_abi::wire::Pause;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, Read, Write};
use wb_core::build::Descriptor;

/// Grows with every change of the messages.
pub(crate) const PROTOCOL: u32 = 7;
/// Largest result of an agent, and largest message a host may send, in bytes.
pub(crate) const MAX_RESULT: usize = 64 << 20;
/// Largest message to a host, in bytes.
pub(crate) const MAX_INPUT: usize = 256 << 20;
const SLACK: usize = 1 << 20;
const HEAD: usize = 8;

/// From the workbench to a host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToHost {
    /// Open this library. Answered by `Loaded` or `LoadFailed`.
    Load {
        path: std::path::PathBuf,
        build: u32,
        /// Open this resource of it too: the process is there for nothing else.
        resource: Option<String>,
    },
    /// The project document is the only part; kept until the next one.
    Project,
    /// Run an agent, unless the ticket was taken back meanwhile. The parts are named; `stage`, `task`
    /// and `params` come first.
    Run {
        job: u64,
        ticket: u64,
        agent: usize,
        attempt: u32,
        build: u32,
        /// Somebody looks: the places that it reaches are reported, and it waits at each to go on.
        pauses: bool,
        parts: Vec<(String, usize)>,
    },
    /// Call the library's preflight; answered by `Done` with this number.
    Preflight { job: u64, ticket: u64 },
    /// A question to the resource is the rest; answered by `Done` with this number.
    Ask { job: u64, ticket: u64 },
    /// Answers `FromHost::Call`, or lets a job go on after `FromHost::Paused`; the rest is the answer, what a value was
    /// edited to, or the reason. `status` as the table has it:
    /// 0 answered, 1 no such name, 2 failed.
    Answer { call: u64, status: i32 },
    /// Call the library's `shutdown` and leave.
    Retire,
}

/// From a host to the workbench.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromHost {
    /// First of all.
    Hello { protocol: u32, pid: u32 },
    /// The library is open, valid and initialised.
    Loaded { descriptor: Descriptor, base: u64 },
    /// It is not; the process has nothing more to do.
    LoadFailed { reason: String, hints: Vec<String> },
    /// A log line, and the job that ran when it was logged; the rest is target (`target` bytes) and text.
    Log {
        level: u8,
        job: Option<u64>,
        target: usize,
    },
    /// How far the running job is, 0 to 1.
    Progress { fraction: f64 },
    /// The running job asks the workbench for something by name; the rest is its question.
    Call { job: u64, call: u64, name: String },
    /// The running job has reached a place and waits there for the answer to this call: 0 with what its value was
    /// edited to, or 1. The rest is the value.
    Paused { job: u64, call: u64, at: Pause },
    /// The work of this ticket was taken back before it began: somebody else may have it.
    TakenBack { ticket: u64 },
    /// A dependency that stays in the host is being loaded for this job, or is loaded: its time counts
    /// as loading, not as work.
    Loading { job: u64, name: Option<String> },
    /// A job ended; the rest is what the agent wrote.
    Done(Done),
}

/// How a call of the agent ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub job: u64,
    /// One of `agent_abi::table::status`, or anything else an agent returned.
    pub status: i32,
    /// Kind of what it wrote, see `agent_abi::table::Out`.
    pub kind: u32,
    /// Time in the agent.
    pub run_ns: u64,
    /// What was wrong with what it wrote.
    pub defect: Option<String>,
    /// What the process has printed in all, this job included; `None` when it is not known.
    pub printed: Option<Printed>,
}

/// Bytes printed since the process began.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Printed {
    pub out: u64,
    pub err: u64,
}

/// Packs the head of a message whose parts hold `parts` bytes in all.
pub(crate) fn pack<H: Serialize>(header: &H, parts: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD];
    serde_json::to_writer(&mut head, header)?;
    let header_len = head.len() - HEAD;
    let total = u32::try_from(4 + header_len + parts).map_err(|_| too_large(parts))?;
    let header_len = u32::try_from(header_len).map_err(|_| too_large(header_len))?;
    head[..4].copy_from_slice(&total.to_be_bytes());
    head[4..HEAD].copy_from_slice(&header_len.to_be_bytes());
    Ok(head)
}

fn too_large(len: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {len} bytes is too large"),
    )
}

/// Writes a whole message; blocks.
pub(crate) fn write<H: Serialize>(
    mut to: impl Write,
    header: &H,
    parts: &[&[u8]],
) -> io::Result<()> {
    let head = pack(header, parts.iter().map(|p| p.len()).sum())?;
    let mut slices: Vec<_> = std::iter::once(head.as_slice())
        .chain(parts.iter().copied())
        .map(IoSlice::new)
        .collect();
    let mut slices = slices.as_mut_slice();
    // `write_all_vectored` is not stable.
    while !slices.is_empty() {
        match to.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut slices, n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// One message: where its header and its parts lie in the buffer.
pub(crate) struct Message {
    bytes: Vec<u8>,
    parts: usize,
}

impl Message {
    /// The header.
    pub(crate) fn header<'a, H: Deserialize<'a>>(&'a self) -> serde_json::Result<H> {
        serde_json::from_slice(&self.bytes[HEAD..self.parts])
    }

    /// Everything after the header.
    pub(crate) fn parts(&self) -> &[u8] {
        &self.bytes[self.parts..]
    }

    /// Everything after the header, without a copy when there is no header worth keeping.
    pub(crate) fn into_parts(mut self) -> Vec<u8> {
        self.bytes.drain(..self.parts);
        self.bytes
    }
}

/// Bytes that arrived, cut into messages.
#[derive(Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Where the next message begins.
    taken: usize,
    filled: usize,
}

impl Inbox {
    /// Reads once. 0 means the other end is closed.
    pub(crate) fn fill(&mut self, mut from: impl Read) -> io::Result<usize> {
        const CHUNK: usize = 64 << 10;
        if self.taken > 0 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        let missing = self.missing().max(CHUNK);
        // A large message grows the buffer as it arrives, not because its length claims so.
        let room = missing.min(self.filled.max(CHUNK));
        if self.bytes.len() < self.filled + room {
            self.bytes.resize(self.filled + room, 0);
        }
        let n = from.read(&mut self.bytes[self.filled..])?;
        self.filled += n;
        Ok(n)
    }

    fn announced(&self) -> Option<usize> {
        let head = self.bytes[self.taken..self.filled].first_chunk::<4>()?;
        Some(4 + u32::from_be_bytes(*head) as usize)
    }

    fn missing(&self) -> usize {
        self.announced()
            .map_or(0, |all| all.saturating_sub(self.filled - self.taken))
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// A length beyond `limit`, or a header longer than its message.
    pub(crate) fn next(&mut self, limit: usize) -> Result<Option<Message>, String> {
        let Some(total) = self.announced() else {
            return Ok(None);
        };
        if total > limit + SLACK || total < HEAD {
            return Err(format!("a message of {total} bytes"));
        }
        if self.filled - self.taken < total {
            return Ok(None);
        }
        let here = &self.bytes[self.taken..self.taken + total];
        let header = here[4..HEAD].first_chunk::<4>().copied();
        let parts = HEAD + header.map_or(0, u32::from_be_bytes) as usize;
        if parts > total {
            return Err("a header longer than its message".into());
        }
        let alone = self.taken == 0 && self.filled == total;
        let bytes = if alone && total > self.bytes.len() / 2 {
            // The usual large message: hand the buffer over instead of copying it.
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.truncate(total);
            self.filled = 0;
            bytes
        } else {
            let bytes = here.to_vec();
            self.taken += total;
            if self.taken == self.filled {
                (self.taken, self.filled) = (0, 0);
            }
            bytes
        };
        Ok(Some(Message { bytes, parts }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn messages_survive_any_cutting() {
        let mut wire = Vec::new();
        let sizes = [0_usize, 1, 1000, 70_000, 300_000, 3];
        for size in sizes {
            let part = vec![size as u8; size];
            write(
                &mut wire,
                &ToHost::Preflight {
                    job: size as u64,
                    ticket: 1,
                },
                &[&part],
            )
            .unwrap();
        }
        for step in [1, 7, 4096, usize::MAX] {
            let mut drip = Drip(&wire, step);
            let mut inbox = Inbox::default();
            let mut seen = Vec::new();
            while inbox.fill(&mut drip).unwrap() > 0 {
                while let Some(message) = inbox.next(MAX_RESULT).unwrap() {
                    let ToHost::Preflight { job, .. } = message.header().unwrap() else {
                        panic!("another message");
                    };
                    let parts = message.into_parts();
                    assert!(parts.iter().all(|b| *b == job as u8));
                    assert_eq!(parts.len() as u64, job);
                    seen.push(job as usize);
                }
            }
            assert_eq!(seen, sizes, "cut at {step}");
        }
    }

    #[test]
    fn a_lying_length_is_refused_before_memory_is_taken_for_it() {
        let mut inbox = Inbox::default();
        inbox.fill(&[0xff_u8; 64][..]).unwrap();
        assert!(inbox.next(MAX_RESULT).is_err());
        assert!(inbox.bytes.len() < 1 << 20);
        let mut inbox = Inbox::default();
        inbox
            .fill(&[0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 0, 0][..])
            .unwrap();
        assert!(inbox.next(MAX_RESULT).is_err(), "header beyond the message");
    }
}
