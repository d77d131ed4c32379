//! Boxes and numbers inside a byte slice, bounds-checked.
//! Leaves to others: what the boxes mean.

use std::fmt;

/// Describes what is broken.
#[derive(Debug)]
pub(crate) struct Malformed(pub String);

impl Malformed {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

pub(super) type Parsed<T> = Result<T, Malformed>;

/// Four letters that name a box or a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            let shown = if byte.is_ascii_graphic() {
                char::from(byte)
            } else {
                '?'
            };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

/// Reads big-endian numbers one after the other.
pub(super) struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { left: data }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.left
    }

    pub(super) fn take(&mut self, n: usize) -> Parsed<&'a [u8]> {
        let (head, tail) = self
            .left
            .split_at_checked(n)
            .ok_or_else(|| Malformed::new("a box is shorter than its content"))?;
        self.left = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut out = [0u8; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(super) fn u8(&mut self) -> Parsed<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Parsed<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn i32(&mut self) -> Parsed<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A number of 32 bits in version 0, of 64 bits in later ones.
    pub(super) fn sized(&mut self, version: u8) -> Parsed<u64> {
        if version == 0 {
            Ok(u64::from(self.u32()?))
        } else {
            self.u64()
        }
    }

    /// Version and flags at the head of a full box.
    pub(super) fn version_flags(&mut self) -> Parsed<(u8, u32)> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }
}

/// The boxes inside `data`, in order.
pub(super) fn boxes(data: &[u8]) -> impl Iterator<Item = Parsed<(FourCc, &[u8])>> {
    let mut left = data;
    std::iter::from_fn(move || {
        // Some writers end a container with four zero bytes.
        if left.len() < 8 {
            return None;
        }
        let item = next_box(&mut left);
        if item.is_err() {
            left = &[];
        }
        Some(item)
    })
}

fn next_box<'a>(left: &mut &'a [u8]) -> Parsed<(FourCc, &'a [u8])> {
    let mut cursor = Cursor::new(left);
    let size = cursor.u32()?;
    let kind = FourCc(cursor.array()?);
    let body = match size {
        0 => left.len() as u64 - 8,
        1 => cursor
            .u64()?
            .checked_sub(16)
            .ok_or_else(|| too_short(kind))?,
        n => u64::from(n).checked_sub(8).ok_or_else(|| too_short(kind))?,
    };
    let body = usize::try_from(body).map_err(|_| too_long(kind))?;
    let content = cursor.take(body).map_err(|_| too_long(kind))?;
    *left = cursor.rest();
    Ok((kind, content))
}

fn too_short(kind: FourCc) -> Malformed {
    Malformed::new(format!("box {kind} is shorter than its header"))
}

fn too_long(kind: FourCc) -> Malformed {
    Malformed::new(format!("box {kind} is longer than the box around it"))
}

/// The first box `kind` inside `data`.
pub(super) fn find<'a>(data: &'a [u8], kind: &[u8; 4]) -> Parsed<Option<&'a [u8]>> {
    for item in boxes(data) {
        let (found, body) = item?;
        if &found.0 == kind {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// The first box `kind` inside `data`, which is the content of `of`.
pub(super) fn required<'a>(data: &'a [u8], kind: &[u8; 4], of: &str) -> Parsed<&'a [u8]> {
    find(data, kind)?.ok_or_else(|| Malformed::new(format!("{of} has no {}", FourCc(*kind))))
}

/// The rows of a full box whose row count comes first, and that count.
pub(super) fn table(data: &[u8], row: usize) -> Parsed<(&[u8], u64)> {
    let mut cursor = Cursor::new(data);
    cursor.version_flags()?;
    let count = cursor.u32()? as usize;
    let rows = count.checked_mul(row).map(|n| cursor.take(n));
    match rows {
        Some(Ok(rows)) => Ok((rows, count as u64)),
        _ => Err(Malformed::new("a table is shorter than its row count")),
    }
}
