//! One video track: its header, its codec settings and its edit list.
//! Leaves to others: the sample table (`samples`), fragments (`fragment`), applying edits (`timeline`).

use super::boxes::{Cursor, FourCc, Malformed, Parsed, boxes, find, required, table};
use super::samples::{Sample, SampleTable};

/// Codec settings of some of the samples.
#[derive(Debug)]
pub(crate) struct SampleEntry {
    /// The codec's name in the container, such as `avc1` or `hvc1`.
    pub codec: FourCc,
    /// Content of `avcC`, for H.264.
    pub avcc: Option<Vec<u8>>,
    /// Matrix and full range of `colr`, when the container gives them.
    pub colour: Option<(u8, bool)>,
}

/// One edit: a stretch of media, or a pause.
#[derive(Clone, Copy, Debug)]
pub(super) struct EditEntry {
    /// Length in units of the movie's timescale; 0 = to the end.
    pub duration: u64,
    /// First presentation time shown; -1 = nothing is shown.
    pub media_time: i64,
}

/// Values of a fragment's samples that neither the fragment nor the sample overrides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SampleDefaults {
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
    pub entries: Vec<SampleEntry>,
    /// Rotation and mirroring: the matrix a, b, c, d.
    pub matrix: [i32; 4],
    /// Width and height in pixels as the header gives them, before rotation.
    pub size: (u32, u32),
    /// Whether the table lists its sync samples; without a list all are.
    pub lists_sync: bool,
    pub(super) edits: Vec<EditEntry>,
    pub(super) next_dts: i64,
    pub(super) defaults: SampleDefaults,
}

impl Track {
    /// Reads a `trak` box; `None` when it is not a video track.
    pub(super) fn parse(data: &[u8], file_len: u64, budget: &mut u64) -> Parsed<Option<Self>> {
        let Some(mdia) = find(data, b"mdia")? else {
            return Ok(None);
        };
        if !is_video(mdia)? {
            return Ok(None);
        }
        let of = "the video track";
        let (id, matrix, size) = track_header(required(data, b"tkhd", of)?)?;
        let timescale = timescale(required(mdia, b"mdhd", of)?)?;
        let stbl = required(required(mdia, b"minf", of)?, b"stbl", of)?;
        let edits = match find(data, b"edts")? {
            Some(edts) => edit_list(edts)?,
            None => Vec::new(),
        };
        let entries = entries(required(stbl, b"stsd", of)?)?;
        let SampleTable {
            samples,
            next_dts,
            lists_sync,
        } = SampleTable::parse(stbl, entries.len(), file_len, budget)?;
        Ok(Some(Self {
            id,
            timescale,
            samples,
            entries,
            matrix,
            size,
            lists_sync,
            edits,
            next_dts,
            defaults: SampleDefaults {
                entry: 1,
                ..SampleDefaults::default()
            },
        }))
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

/// Number, matrix and size of `tkhd`. The size is 0 where the header ends early.
fn track_header(data: &[u8]) -> Parsed<(u32, [i32; 4], (u32, u32))> {
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
    cursor.take(16).ok();
    // In 16.16 fixed point.
    let mut pixels = || cursor.u32().map_or(0, |size| size >> 16);
    let size = (pixels(), pixels());
    Ok((id, [a, b, c, d], size))
}

fn edit_list(edts: &[u8]) -> Parsed<Vec<EditEntry>> {
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
        edits.push(EditEntry {
            duration,
            media_time,
        });
    }
    Ok(edits)
}

fn entries(stsd: &[u8]) -> Parsed<Vec<SampleEntry>> {
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

fn entry(codec: FourCc, body: &[u8]) -> Parsed<SampleEntry> {
    let mut entry = SampleEntry {
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
