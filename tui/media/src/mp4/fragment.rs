//! Movie fragments: samples that come after the movie header, a run at a time.
//! Leaves to others: the header's own samples (`track`).

use super::boxes::{Cursor, Malformed, Parsed, boxes, find, required};
use super::samples::{Sample, entry_index};
use super::track::{SampleDefaults, Track};

/// Set in a sample's flags when decoding cannot begin there.
const NON_SYNC: u32 = 0x0001_0000;

/// Sets the defaults of a track from its `trex` box.
pub(super) fn defaults(trex: &[u8], tracks: &mut [Track]) -> Parsed<()> {
    let mut cursor = Cursor::new(trex);
    cursor.version_flags()?;
    let id = cursor.u32()?;
    let defaults = SampleDefaults {
        entry: cursor.u32()?,
        duration: cursor.u32()?,
        size: cursor.u32()?,
        flags: cursor.u32()?,
    };
    if let Some(track) = tracks.iter_mut().find(|t| t.id == id) {
        track.defaults = defaults;
    }
    Ok(())
}

/// Appends the samples of the fragment `moof`, whose header begins at byte `at` of the file.
pub(super) fn append(moof: &[u8], at: u64, tracks: &mut [Track], budget: &mut u64) -> Parsed<()> {
    // Data of a track fragment without an offset begin after those of the one before it.
    let mut data_end = at;
    for item in boxes(moof) {
        let (kind, traf) = item?;
        if &kind.0 != b"traf" {
            continue;
        }
        let tfhd = required(traf, b"tfhd", "a fragment")?;
        let (id, base, overrides) = header(tfhd, at, data_end)?;
        let Some(track) = tracks.iter_mut().find(|t| t.id == id) else {
            continue;
        };
        let defaults = overrides.apply(track.defaults);
        if let Some(tfdt) = find(traf, b"tfdt")? {
            let mut cursor = Cursor::new(tfdt);
            let (version, _) = cursor.version_flags()?;
            track.next_dts = i64::try_from(cursor.sized(version)?)
                .ok()
                .filter(|t| *t < i64::MAX / 4)
                .ok_or_else(|| Malformed::new("a fragment's time is out of range"))?;
        }
        let mut run = TrackRun {
            base,
            next: base,
            defaults,
            entry: entry_index(defaults.entry, track.entries.len())?,
        };
        for item in boxes(traf) {
            let (kind, body) = item?;
            if &kind.0 == b"trun" {
                run.append(body, track, budget)?;
            }
        }
        track.lists_sync = true;
        data_end = run.next;
    }
    Ok(())
}

#[derive(Default)]
struct Overrides {
    entry: Option<u32>,
    duration: Option<u32>,
    size: Option<u32>,
    flags: Option<u32>,
}

impl Overrides {
    fn apply(&self, track: SampleDefaults) -> SampleDefaults {
        SampleDefaults {
            entry: self.entry.unwrap_or(track.entry),
            duration: self.duration.unwrap_or(track.duration),
            size: self.size.unwrap_or(track.size),
            flags: self.flags.unwrap_or(track.flags),
        }
    }
}

/// Track, first data byte and overrides of `tfhd`.
fn header(tfhd: &[u8], moof: u64, data_end: u64) -> Parsed<(u32, u64, Overrides)> {
    let mut cursor = Cursor::new(tfhd);
    let (_, flags) = cursor.version_flags()?;
    let id = cursor.u32()?;
    let explicit = if flags & 0x1 != 0 {
        Some(cursor.u64()?)
    } else {
        None
    };
    let mut optional = |bit: u32| -> Parsed<Option<u32>> {
        if flags & bit != 0 {
            Ok(Some(cursor.u32()?))
        } else {
            Ok(None)
        }
    };
    let overrides = Overrides {
        entry: optional(0x2)?,
        duration: optional(0x8)?,
        size: optional(0x10)?,
        flags: optional(0x20)?,
    };
    let base = match explicit {
        Some(base) => base,
        None if flags & 0x2_0000 != 0 => moof,
        None => data_end,
    };
    Ok((id, base, overrides))
}

/// Reads the runs of samples (`trun`) of one track fragment.
struct TrackRun {
    base: u64,
    next: u64,
    defaults: SampleDefaults,
    entry: u16,
}

impl TrackRun {
    fn append(&mut self, trun: &[u8], track: &mut Track, budget: &mut u64) -> Parsed<()> {
        let mut cursor = Cursor::new(trun);
        let (_, flags) = cursor.version_flags()?;
        let count = cursor.u32()?;
        if u64::from(count) > *budget {
            return Err(Malformed::new(format!("a fragment claims {count} samples")));
        }
        *budget -= u64::from(count);
        if flags & 0x1 != 0 {
            let offset = i64::from(cursor.i32()?);
            self.next = self
                .base
                .checked_add_signed(offset)
                .ok_or_else(|| Malformed::new("a fragment's data lie outside the file"))?;
        }
        let first_flags = if flags & 0x4 != 0 {
            Some(cursor.u32()?)
        } else {
            None
        };
        for i in 0..count {
            let mut field = |bit: u32, default: u32| -> Parsed<u32> {
                if flags & bit != 0 {
                    cursor.u32()
                } else {
                    Ok(default)
                }
            };
            let duration = field(0x100, self.defaults.duration)?;
            let size = field(0x200, self.defaults.size)?;
            let default_flags = first_flags
                .filter(|_| i == 0)
                .unwrap_or(self.defaults.flags);
            let sample_flags = field(0x400, default_flags)?;
            let shift = field(0x800, 0)?.cast_signed();
            track.samples.push(Sample {
                offset: self.next,
                cts: track.next_dts + i64::from(shift),
                size,
                entry: self.entry,
                sync: sample_flags & NON_SYNC == 0,
            });
            track.next_dts += i64::from(duration);
            self.next = self.next.saturating_add(u64::from(size));
        }
        Ok(())
    }
}
