//! The sample table of a track (`stbl`): where each sample lies, how long it is, when it is shown
//! and whether decoding can begin there.
//! Leaves to others: samples in fragments (`fragment`), edit lists (`timeline`).

use super::boxes::{Cursor, Malformed, Parsed, find, required, table};

/// One coded picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// First byte in the file.
    pub offset: u64,
    /// Presentation time before edits, in units of the track's timescale.
    pub cts: i64,
    /// Bytes.
    pub size: u32,
    /// Index of its entry in `Track::entries`.
    pub entry: u16,
    /// The container lists it as a place where decoding can begin.
    pub sync: bool,
}

/// The samples of a track, in decode order.
#[derive(Debug, Default)]
pub(super) struct SampleTable {
    pub(super) samples: Vec<Sample>,
    /// Decode time after the last sample.
    pub(super) next_dts: i64,
    /// Whether the table lists its sync samples; without a list all are.
    pub(super) lists_sync: bool,
}

impl SampleTable {
    /// Reads `stbl`. `entry_count` is the number of sample entries, `budget` the number of samples
    /// that all tracks of the file may still have.
    pub(super) fn parse(
        stbl: &[u8],
        entry_count: usize,
        file_len: u64,
        budget: &mut u64,
    ) -> Parsed<Self> {
        let mut table = Self::default();
        let Some(sizes) = find(stbl, b"stsz")? else {
            if find(stbl, b"stz2")?.is_some() {
                return Err(Malformed::new(
                    "its sample sizes are in the compact form (stz2)",
                ));
            }
            return Ok(table);
        };
        let sizes = SampleSizes::parse(sizes, file_len)?;
        if sizes.count == 0 {
            return Ok(table);
        }
        if sizes.count > *budget {
            return Err(Malformed::new(format!("it claims {} samples", sizes.count)));
        }
        *budget -= sizes.count;
        table.read_places(stbl, &sizes, entry_count)?;
        table.read_times(required(stbl, b"stts", "the video track")?)?;
        if let Some(ctts) = find(stbl, b"ctts")? {
            table.read_time_offsets(ctts)?;
        }
        if let Some(stss) = find(stbl, b"stss")? {
            table.read_sync_marks(stss)?;
        }
        Ok(table)
    }

    /// Offsets, sizes and entries: samples lie in chunks, one after the other.
    fn read_places(
        &mut self,
        stbl: &[u8],
        sizes: &SampleSizes<'_>,
        entry_count: usize,
    ) -> Parsed<()> {
        let (offsets, wide) = match (find(stbl, b"stco")?, find(stbl, b"co64")?) {
            (Some(offsets), _) => (offsets, false),
            (None, Some(offsets)) => (offsets, true),
            (None, None) => return Err(Malformed::new("the video track has no stco")),
        };
        let (offsets, chunk_count) = table(offsets, if wide { 8 } else { 4 })?;
        let mut offsets = Cursor::new(offsets);
        let mut runs = ChunkRuns::parse(required(stbl, b"stsc", "the video track")?)?;
        self.samples
            .reserve_exact(usize::try_from(sizes.count).unwrap_or(0));
        for chunk in 1..=chunk_count {
            let (samples_per_chunk, entry) = runs.covering(chunk, entry_count)?;
            let mut offset = if wide {
                offsets.u64()?
            } else {
                u64::from(offsets.u32()?)
            };
            for _ in 0..samples_per_chunk {
                let index = self.samples.len();
                if index as u64 == sizes.count {
                    return Ok(());
                }
                let size = sizes.get(index)?;
                self.samples.push(Sample {
                    offset,
                    cts: 0,
                    size,
                    entry,
                    sync: true,
                });
                offset = offset.saturating_add(u64::from(size));
            }
        }
        let placed = self.samples.len();
        if (placed as u64) < sizes.count {
            let listed = sizes.count;
            return Err(Malformed::new(format!(
                "it lists {listed} samples but places only {placed}"
            )));
        }
        Ok(())
    }

    /// Decode times.
    fn read_times(&mut self, stts: &[u8]) -> Parsed<()> {
        let (runs, count) = table(stts, 8)?;
        let mut runs = Cursor::new(runs);
        let mut samples = self.samples.iter_mut();
        let mut dts = 0i64;
        let mut delta = 0i64;
        for _ in 0..count {
            let n = runs.u32()?;
            delta = i64::from(runs.u32()?);
            for _ in 0..n {
                let Some(sample) = samples.next() else { break };
                sample.cts = dts;
                dts += delta;
            }
        }
        // If the table ends early, its last duration repeats, as in other players.
        for sample in samples {
            sample.cts = dts;
            dts += delta;
        }
        self.next_dts = dts;
        Ok(())
    }

    /// Presentation offsets, signed in every version: version 0 files hold negative ones too.
    fn read_time_offsets(&mut self, ctts: &[u8]) -> Parsed<()> {
        let (runs, count) = table(ctts, 8)?;
        let mut runs = Cursor::new(runs);
        let mut samples = self.samples.iter_mut();
        for _ in 0..count {
            let n = runs.u32()?;
            let offset = i64::from(runs.i32()?);
            for _ in 0..n {
                let Some(sample) = samples.next() else {
                    return Ok(());
                };
                sample.cts += offset;
            }
        }
        Ok(())
    }

    fn read_sync_marks(&mut self, stss: &[u8]) -> Parsed<()> {
        let (numbers, count) = table(stss, 4)?;
        let mut numbers = Cursor::new(numbers);
        self.lists_sync = true;
        for sample in &mut self.samples {
            sample.sync = false;
        }
        for _ in 0..count {
            let number = numbers.u32()?;
            if let Some(index) = number.checked_sub(1)
                && let Some(sample) = self.samples.get_mut(index as usize)
            {
                sample.sync = true;
            }
        }
        Ok(())
    }
}

/// Index of the sample entry with this number; numbers count from 1.
pub(super) fn entry_index(number: u32, entry_count: usize) -> Parsed<u16> {
    let index = number
        .checked_sub(1)
        .filter(|i| (*i as usize) < entry_count)
        .ok_or_else(|| Malformed::new(format!("a sample has the unknown entry {number}")))?;
    u16::try_from(index).map_err(|_| Malformed::new("too many sample entries"))
}

/// Samples per chunk (`stsc`): each row covers the chunks from its first up to the next row's.
struct ChunkRuns<'a> {
    rows: Cursor<'a>,
    rows_left: u64,
    /// First chunk of the current row.
    first_chunk: u64,
    samples_per_chunk: u32,
    entry: u16,
    /// A row that was read and begins later: first chunk, samples per chunk, entry number.
    next: Option<(u64, u32, u32)>,
}

impl<'a> ChunkRuns<'a> {
    fn parse(stsc: &'a [u8]) -> Parsed<Self> {
        let (rows, rows_left) = table(stsc, 12)?;
        Ok(Self {
            rows: Cursor::new(rows),
            rows_left,
            first_chunk: 0,
            samples_per_chunk: 0,
            entry: 0,
            next: None,
        })
    }

    /// Samples and their entry in `chunk`; chunks count from 1 and must be asked for in order.
    fn covering(&mut self, chunk: u64, entry_count: usize) -> Parsed<(u32, u16)> {
        while let Some((first_chunk, samples_per_chunk, entry)) = self.peek()? {
            if first_chunk < self.first_chunk {
                return Err(Malformed::new("its chunks are out of order"));
            }
            if first_chunk > chunk {
                break;
            }
            self.next = None;
            self.first_chunk = first_chunk;
            self.samples_per_chunk = samples_per_chunk;
            self.entry = entry_index(entry, entry_count)?;
        }
        Ok((self.samples_per_chunk, self.entry))
    }

    fn peek(&mut self) -> Parsed<Option<(u64, u32, u32)>> {
        if self.next.is_none() && self.rows_left > 0 {
            self.rows_left -= 1;
            let first_chunk = u64::from(self.rows.u32()?);
            self.next = Some((first_chunk, self.rows.u32()?, self.rows.u32()?));
        }
        Ok(self.next)
    }
}

/// Sizes of the samples (`stsz`): one for all, or a table.
struct SampleSizes<'a> {
    uniform: u32,
    count: u64,
    table: &'a [u8],
}

impl<'a> SampleSizes<'a> {
    fn parse(data: &'a [u8], file_len: u64) -> Parsed<Self> {
        let mut cursor = Cursor::new(data);
        cursor.version_flags()?;
        let uniform = cursor.u32()?;
        let count = u64::from(cursor.u32()?);
        let table = if uniform == 0 {
            cursor.take(usize::try_from(count * 4).unwrap_or(usize::MAX))?
        } else if count.saturating_mul(u64::from(uniform)) > file_len {
            return Err(Malformed::new("its samples are larger than the file"));
        } else {
            &[]
        };
        Ok(Self {
            uniform,
            count,
            table,
        })
    }

    fn get(&self, index: usize) -> Parsed<u32> {
        if self.uniform != 0 {
            return Ok(self.uniform);
        }
        Cursor::new(self.table.get(index * 4..).unwrap_or(&[])).u32()
    }
}
