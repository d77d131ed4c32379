//! One video track: its header, its codec settings and its sample table.
//! Leaves to others: fragments (`fragment`), edit lists (`timeline`).

use super::boxes::{Cursor, FourCc, Malformed, Parsed, boxes, find};

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
    /// The container says that decoding can begin here.
    pub sync: bool,
}

/// Codec settings of some of the samples.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The codec's name in the container, such as `avc1` or `hvc1`.
    pub codec: FourCc,
    /// Content of `avcC`, for H.264.
    pub avcc: Option<Vec<u8>>,
    /// Matrix and full range of `colr`, when the container gives them.
    pub colour: Option<(u8, bool)>,
}

/// One edit: a stretch of media, or a pause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    /// Length in units of the movie's timescale; 0 = to the end.
    pub duration: u64,
    /// First presentation time shown; -1 = nothing is shown.
    pub media_time: i64,
}

/// What a fragment's samples have unless they say otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults {
    pub entry: u32,
    pub duration: u32,
    pub size: u32,
    pub flags: u32,
}

/// A video track.
#[derive(Debug)]
pub(crate) struct Track {
    /// Number of the track in the file.
    pub(super) id: u32,
    /// Units per second of presentation times.
    pub timescale: u32,
    /// Samples in decode order.
    pub samples: Vec<Sample>,
    /// Codec settings; samples point into it.
    pub entries: Vec<Entry>,
    /// Rotation and mirroring: the matrix a, b, c, d.
    pub matrix: [i32; 4],
    /// Whether the table lists its sync samples; without a list all are.
    pub lists_sync: bool,
    pub(super) edits: Vec<Edit>,
    pub(super) next_dts: i64,
    pub(super) defaults: Defaults,
}

impl Track {
    /// Reads a `trak` box; `None` when it is no video.
    pub(super) fn parse(data: &[u8], file_len: u64, budget: &mut u64) -> Parsed<Option<Self>> {
        let Some(mdia) = find(data, b"mdia")? else {
            return Ok(None);
        };
        if !is_video(mdia)? {
            return Ok(None);
        }
        let tkhd = find(data, b"tkhd")?.ok_or_else(|| missing("tkhd"))?;
        let (id, matrix) = track_header(tkhd)?;
        let mdhd = find(mdia, b"mdhd")?.ok_or_else(|| missing("mdhd"))?;
        let minf = find(mdia, b"minf")?.ok_or_else(|| missing("minf"))?;
        let stbl = find(minf, b"stbl")?.ok_or_else(|| missing("stbl"))?;
        let edits = match find(data, b"edts")? {
            Some(edts) => edit_list(edts)?,
            None => Vec::new(),
        };
        let mut track = Self {
            id,
            timescale: timescale(mdhd)?,
            samples: Vec::new(),
            entries: entries(find(stbl, b"stsd")?.ok_or_else(|| missing("stsd"))?)?,
            matrix,
            lists_sync: false,
            edits,
            next_dts: 0,
            defaults: Defaults {
                entry: 1,
                ..Defaults::default()
            },
        };
        track.read_samples(stbl, file_len, budget)?;
        Ok(Some(track))
    }

    fn read_samples(&mut self, stbl: &[u8], file_len: u64, budget: &mut u64) -> Parsed<()> {
        let Some(sizes) = find(stbl, b"stsz")? else {
            if find(stbl, b"stz2")?.is_some() {
                return Err(Malformed::new(
                    "its sample sizes are in the compact form (stz2)",
                ));
            }
            return Ok(());
        };
        let sizes = Sizes::parse(sizes, file_len)?;
        if sizes.count == 0 {
            return Ok(());
        }
        if sizes.count > *budget {
            return Err(Malformed::new(format!("it claims {} samples", sizes.count)));
        }
        *budget -= sizes.count;
        self.place(stbl, &sizes)?;
        self.time(find(stbl, b"stts")?.ok_or_else(|| missing("stts"))?)?;
        if let Some(ctts) = find(stbl, b"ctts")? {
            self.shift(ctts)?;
        }
        if let Some(stss) = find(stbl, b"stss")? {
            self.mark_sync(stss)?;
        }
        Ok(())
    }

    /// Offsets, from chunks.
    fn place(&mut self, stbl: &[u8], sizes: &Sizes<'_>) -> Parsed<()> {
        let (offsets, wide) = match (find(stbl, b"stco")?, find(stbl, b"co64")?) {
            (Some(table), _) => (table, 4),
            (None, Some(table)) => (table, 8),
            (None, None) => return Err(missing("stco")),
        };
        let (chunks, chunk_count) = table(offsets, wide)?;
        let (runs, run_count) = table(find(stbl, b"stsc")?.ok_or_else(|| missing("stsc"))?, 12)?;
        let mut runs = Cursor::new(runs);
        let mut chunks = Cursor::new(chunks);
        let (mut first, mut next) = (0u64, None);
        let mut left_runs = run_count;
        let (mut per_chunk, mut entry) = (0u32, 0u16);
        self.samples
            .reserve_exact(usize::try_from(sizes.count).unwrap_or(0));
        for chunk in 1..=chunk_count {
            while left_runs > 0 || next.is_some() {
                let (start, count, index) = match next.take() {
                    Some(run) => run,
                    None => {
                        left_runs -= 1;
                        (u64::from(runs.u32()?), runs.u32()?, runs.u32()?)
                    }
                };
                if start < first {
                    return Err(Malformed::new("its chunks are out of order"));
                }
                if start > chunk {
                    next = Some((start, count, index));
                    break;
                }
                (first, per_chunk, entry) = (start, count, self.entry_index(index)?);
            }
            let mut offset = if wide == 4 {
                u64::from(chunks.u32()?)
            } else {
                chunks.u64()?
            };
            for _ in 0..per_chunk {
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
        if (self.samples.len() as u64) < sizes.count {
            return Err(Malformed::new(format!(
                "it names {} samples but places only {}",
                sizes.count,
                self.samples.len()
            )));
        }
        Ok(())
    }

    /// Index into `entries` of an entry number that counts from 1.
    pub(super) fn entry_index(&self, number: u32) -> Parsed<u16> {
        let index = number
            .checked_sub(1)
            .filter(|i| (*i as usize) < self.entries.len())
            .ok_or_else(|| Malformed::new(format!("a sample has the unknown entry {number}")))?;
        u16::try_from(index).map_err(|_| Malformed::new("too many sample entries"))
    }

    /// Decode times.
    fn time(&mut self, stts: &[u8]) -> Parsed<()> {
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
        // A table that ends early: its last step goes on, as in other players.
        for sample in samples {
            sample.cts = dts;
            dts += delta;
        }
        self.next_dts = dts;
        Ok(())
    }

    /// Presentation offsets, signed in every version: version 0 files hold negative ones too.
    fn shift(&mut self, ctts: &[u8]) -> Parsed<()> {
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

    fn mark_sync(&mut self, stss: &[u8]) -> Parsed<()> {
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

fn missing(what: &str) -> Malformed {
    Malformed::new(format!("the video track has no {what}"))
}

/// The rows of a full box whose count comes first; rows beyond its end are an error.
fn table(data: &[u8], row: usize) -> Parsed<(&[u8], u64)> {
    let mut cursor = Cursor::new(data);
    cursor.version_flags()?;
    let count = cursor.u32()? as usize;
    let rows = count.checked_mul(row).map(|n| cursor.take(n));
    match rows {
        Some(Ok(rows)) => Ok((rows, count as u64)),
        _ => Err(Malformed::new("a table is shorter than it says")),
    }
}

struct Sizes<'a> {
    uniform: u32,
    count: u64,
    table: &'a [u8],
}

impl<'a> Sizes<'a> {
    fn parse(data: &'a [u8], file_len: u64) -> Parsed<Self> {
        let mut cursor = Cursor::new(data);
        cursor.version_flags()?;
        let uniform = cursor.u32()?;
        let count = u64::from(cursor.u32()?);
        if uniform == 0 {
            let table = cursor.take(usize::try_from(count * 4).unwrap_or(usize::MAX))?;
            return Ok(Self {
                uniform,
                count,
                table,
            });
        }
        if count.saturating_mul(u64::from(uniform)) > file_len {
            return Err(Malformed::new("its samples are larger than the file"));
        }
        Ok(Self {
            uniform,
            count,
            table: &[],
        })
    }

    fn get(&self, index: usize) -> Parsed<u32> {
        if self.uniform != 0 {
            return Ok(self.uniform);
        }
        Cursor::new(self.table.get(index * 4..).unwrap_or(&[])).u32()
    }
}

fn is_video(mdia: &[u8]) -> Parsed<bool> {
    let Some(hdlr) = find(mdia, b"hdlr")? else {
        return Ok(false);
    };
    let mut cursor = Cursor::new(hdlr);
    cursor.take(8)?;
    Ok(cursor.take(4)? == b"vide")
}

/// Timescale of `mvhd` or `mdhd`.
pub(super) fn timescale(data: &[u8]) -> Parsed<u32> {
    let mut cursor = Cursor::new(data);
    let (version, _) = cursor.version_flags()?;
    cursor.take(if version == 0 { 8 } else { 16 })?;
    match cursor.u32()? {
        0 => Err(Malformed::new("its timescale is zero")),
        scale => Ok(scale),
    }
}

/// Number and matrix of `tkhd`.
fn track_header(data: &[u8]) -> Parsed<(u32, [i32; 4])> {
    let mut cursor = Cursor::new(data);
    let (version, _) = cursor.version_flags()?;
    cursor.take(if version == 0 { 8 } else { 16 })?;
    let id = cursor.u32()?;
    cursor.take(4)?;
    cursor.sized(version)?;
    cursor.take(16)?;
    let a = cursor.i32()?;
    let b = cursor.i32()?;
    cursor.take(4)?;
    let c = cursor.i32()?;
    let d = cursor.i32()?;
    Ok((id, [a, b, c, d]))
}

fn edit_list(edts: &[u8]) -> Parsed<Vec<Edit>> {
    let Some(elst) = find(edts, b"elst")? else {
        return Ok(Vec::new());
    };
    let version = elst.first().copied().unwrap_or(0);
    let (rows, count) = table(elst, if version == 0 { 12 } else { 20 })?;
    let mut cursor = Cursor::new(rows);
    let mut edits = Vec::new();
    for _ in 0..count {
        let duration = cursor.sized(version)?;
        let media_time = if version == 0 {
            i64::from(cursor.i32()?)
        } else {
            cursor.u64()?.cast_signed()
        };
        cursor.take(4)?; // the rate; anything but 1 is ignored, as ffmpeg does
        edits.push(Edit {
            duration,
            media_time,
        });
    }
    Ok(edits)
}

fn entries(stsd: &[u8]) -> Parsed<Vec<Entry>> {
    let mut cursor = Cursor::new(stsd);
    cursor.take(8)?;
    let mut list = Vec::new();
    for item in boxes(cursor.rest()) {
        let (codec, body) = item?;
        list.push(entry(codec, body)?);
    }
    if list.is_empty() {
        return Err(Malformed::new("the video track names no codec"));
    }
    Ok(list)
}

fn entry(codec: FourCc, body: &[u8]) -> Parsed<Entry> {
    let mut entry = Entry {
        codec,
        avcc: None,
        colour: None,
    };
    if !matches!(&codec.0, b"avc1" | b"avc3") {
        return Ok(entry);
    }
    let mut cursor = Cursor::new(body);
    cursor.take(78)?; // sizes, resolution and name; the stream's own parameter sets count
    for item in boxes(cursor.rest()) {
        let (kind, content) = item?;
        match &kind.0 {
            b"avcC" => entry.avcc = Some(content.to_vec()),
            b"colr" => entry.colour = colour(content),
            _ => {}
        }
    }
    if entry.avcc.is_none() {
        return Err(Malformed::new("its H.264 settings (avcC) are missing"));
    }
    Ok(entry)
}

fn colour(data: &[u8]) -> Option<(u8, bool)> {
    let mut cursor = Cursor::new(data);
    let kind = cursor.take(4).ok()?;
    cursor.take(4).ok()?;
    let matrix = u8::try_from(cursor.u16().ok()?).ok()?;
    match kind {
        b"nclx" => Some((matrix, cursor.u8().ok()? & 0x80 != 0)),
        b"nclc" => Some((matrix, false)),
        _ => None,
    }
}
