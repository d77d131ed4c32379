//! Counts frames in the fragments of an MP4, which recorders and streams write after the header. Only the
//! tables are read.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::probe::{be32, next_box};

/// Larger tables are not read.
const TABLE_LIMIT: u64 = 16 << 20;

/// Calls `body` for each box in `bytes` with its kind and its content.
pub(super) fn each(bytes: &[u8], mut body: impl FnMut(&[u8], &[u8])) {
    let mut at = 0;
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let length = (length as usize).max(8);
        let Some(content) = bytes.get(at + 8..at + length) else {
            return;
        };
        body(kind, content);
        at += length;
    }
}

/// Frames and ticks of one track in all fragments of a file. `None`: the header lists all frames.
pub(super) fn of_track(path: &Path, moov: &[u8], track: u32) -> Option<(u32, u64)> {
    let mut usual = None;
    each(moov, |kind, mvex| {
        if kind == b"mvex" {
            usual = usual.or(Some(0));
            each(mvex, |kind, trex| {
                if kind == b"trex" && be32(trex, 4) == Some(track) {
                    usual = be32(trex, 12);
                }
            });
        }
    });
    let usual = usual?;
    let mut found = (0, 0);
    tables(path, |moof| {
        each(moof, |kind, traf| {
            if kind == b"traf" {
                let (frames, ticks) = of_fragment(traf, track, usual);
                found.0 = u32::saturating_add(found.0, frames);
                found.1 = u64::saturating_add(found.1, ticks);
            }
        });
    });
    Some(found)
}

fn of_fragment(traf: &[u8], track: u32, usual: u32) -> (u32, u64) {
    let (mut own, mut duration) = (false, usual);
    let mut found = (0_u32, 0_u64);
    each(traf, |kind, content| {
        let flags = be32(content, 0).unwrap_or(0);
        let present = |bit: u32| usize::from(flags & bit != 0);
        match kind {
            b"tfhd" => {
                own = be32(content, 4) == Some(track);
                if flags & 0x8 != 0 {
                    let at = 8 + 8 * present(0x1) + 4 * present(0x2);
                    duration = be32(content, at).unwrap_or(usual);
                }
            }
            b"trun" if own => {
                let count = be32(content, 4).unwrap_or(0);
                found.0 = found.0.saturating_add(count);
                if flags & 0x100 == 0 {
                    let ticks = u64::from(count) * u64::from(duration);
                    found.1 = found.1.saturating_add(ticks);
                    return;
                }
                let first = 8 + 4 * (present(0x1) + present(0x4));
                let entry = 4 * [0x100, 0x200, 0x400, 0x800]
                    .map(present)
                    .iter()
                    .sum::<usize>();
                let entries = content.get(first..).unwrap_or_default().chunks_exact(entry);
                let ticks = entries.take(count as usize).filter_map(|e| be32(e, 0));
                found.1 = ticks.fold(found.1, |sum, t| sum.saturating_add(u64::from(t)));
            }
            _ => {}
        }
    });
    found
}

/// Calls `body` with the table of each fragment, as far as the file can be read.
fn tables(path: &Path, mut body: impl FnMut(&[u8])) {
    let Ok(file) = File::open(path) else {
        return;
    };
    let mut file = BufReader::new(file);
    while let Some(table) = next_box(&mut file, *b"moof", TABLE_LIMIT) {
        body(&table);
    }
}
