//! What the workbench sends to this process, for the main thread between tasks and for whichever
//! thread of an agent waits for an answer during one.
//!
//! One reader at a time: calls of several threads are answered one after the other.

use crate::proto::{Inbox, MAX_INPUT, Message, ToHost};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The reading half of the socket.
pub(super) struct Incoming(Mutex<Reading>);

/// The socket, while one thread reads it.
pub(super) struct Reading {
    socket: UnixStream,
    inbox: Inbox,
    /// Came while an answer was waited for; the main thread's.
    waiting: VecDeque<Message>,
}

impl Incoming {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self(Mutex::new(Reading {
            socket,
            inbox: Inbox::default(),
            waiting: VecDeque::new(),
        }))
    }

    /// The next message for the main thread; waits for it.
    pub(super) fn next(&self) -> io::Result<Message> {
        let mut reading = self.lock();
        if let Some(message) = reading.waiting.pop_front() {
            return Ok(message);
        }
        loop {
            if let Some(message) = reading.inbox.next(MAX_INPUT).map_err(io::Error::other)? {
                return Ok(message);
            }
            reading.fill()?;
        }
    }

    /// Reads alone until the guard is dropped.
    pub(super) fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// The answer to a call: its status and bytes; `None` when there is none after `patience`.
    pub(super) fn answer(
        &mut self,
        wanted: u64,
        patience: Duration,
    ) -> io::Result<Option<(i32, Vec<u8>)>> {
        while let Some(message) = self.inbox.next(MAX_INPUT).map_err(io::Error::other)? {
            match message.header()? {
                ToHost::Answer { call, status } if call == wanted => {
                    return Ok(Some((status, message.into_parts())));
                }
                // To a call that was given up.
                ToHost::Answer { .. } => {}
                _ => self.waiting.push_back(message),
            }
        }
        let limit = Timespec::try_from(patience).ok();
        let ready = poll(
            &mut [PollFd::new(&self.socket, PollFlags::IN)],
            limit.as_ref(),
        );
        if matches!(ready, Ok(n) if n > 0) {
            self.fill()?;
        }
        Ok(None)
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.inbox.fill(&self.socket) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(e) => Err(e),
        }
    }
}
