//! Fuzz targets of the hosts: what a host process sends, the headers of a library.

mod check;

use crate::elf;
use crate::proto::{FromHost, Inbox, ToHost};

check::target!(wire_frames, frames);
check::target!(library_headers, library);

const LIMIT: usize = 1 << 16;

fn frames(input: &[u8]) {
    let (mut inbox, mut left) = (Inbox::default(), input);
    let mut taken = 0;
    loop {
        match inbox.next(LIMIT) {
            Ok(Some(message)) => {
                let _ = message.header::<ToHost>();
                let _ = message.header::<FromHost>();
                let parts = message.parts().to_vec();
                assert_eq!(message.into_parts(), parts);
                taken += 1;
                assert!(taken <= input.len(), "each message takes bytes");
            }
            Ok(None) if left.is_empty() => return,
            Ok(None) => {
                // In two pieces at least, so that messages are cut anywhere.
                let (now, later) = left.split_at(left.len().div_ceil(2));
                let read = inbox.fill(now).unwrap();
                assert_eq!(read, now.len());
                left = later;
            }
            Err(why) => {
                assert!(!why.is_empty());
                return;
            }
        }
    }
}

fn library(input: &[u8]) {
    if let Err(flaw) = elf::check(input) {
        assert!(!flaw.reason.is_empty() && !flaw.hint.is_empty());
    }
    let _ = elf::span(input);
}
