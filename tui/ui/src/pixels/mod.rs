//! Pictures as real pixels, for terminals that can draw them: what is to be shown where, encoded in the terminal's
//! own protocol. Which protocol a terminal has is found by the binary, which also writes the bytes.

mod canvas;
mod kitty;
mod sixel;
#[cfg(test)]
mod tests;

pub use canvas::{Canvas, CanvasChange};
pub(crate) use kitty::{PLACEHOLDER, placeholder};

use crate::raster::Picture;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use ratatui::layout::Rect;
use std::fmt;
use std::sync::Arc;

/// How pixels are sent to the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// kitty's: sent once, placed by number.
    Kitty,
    /// The same through tmux, where letters hold the place.
    KittyInTmux,
    /// iTerm2's: a PNG file where the cursor stands.
    Iterm2,
    /// DEC's: bands of six rows in at most 256 colours.
    Sixel,
}

/// Longest side in pixels that is sent: the terminal stretches it, where it can.
const LONGEST: u32 = 1_600;

impl Protocol {
    /// Whether the terminal stretches what it is sent to the cells it is given.
    const fn stretches(self) -> bool {
        !matches!(self, Self::Sixel)
    }

    /// Encodes pixels; takes milliseconds.
    #[must_use]
    pub fn encode(self, pixels: &Picture) -> Encoded {
        let bytes = match self {
            Self::Sixel => sixel::encode(pixels),
            _ => png(pixels),
        };
        Encoded(Arc::from(bytes))
    }

    /// The command that makes the terminal forget all pictures, where it keeps them.
    #[must_use]
    pub fn free_all(self) -> String {
        match self {
            Self::Kitty | Self::KittyInTmux => self.wrapped(&kitty::free_all()),
            Self::Iterm2 | Self::Sixel => String::new(),
        }
    }

    /// A command for the terminal around tmux, when there is one.
    fn wrapped(self, command: &str) -> String {
        if self == Self::KittyInTmux {
            format!("\x1bPtmux;{}\x1b\\", command.replace('\x1b', "\x1b\x1b"))
        } else {
            command.to_owned()
        }
    }

    /// The pixels that a picture needs on these cells of this size each. What the terminal can stretch is not made
    /// larger first.
    pub(crate) fn size(self, cells: (u16, u16), cell: (u16, u16), picture: &Picture) -> (u32, u32) {
        let (w, h) = (
            u32::from(cells.0) * u32::from(cell.0),
            u32::from(cells.1) * u32::from(cell.1),
        );
        let sides = if self.stretches() {
            (w.min(picture.width), h.min(picture.height))
        } else {
            (w, h)
        };
        (sides.0.clamp(1, LONGEST), sides.1.clamp(1, LONGEST))
    }
}

/// A picture in the terminal's protocol.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded(Arc<[u8]>);

impl Encoded {
    /// Bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoded({} bytes)", self.0.len())
    }
}

/// An encoded picture on the cells that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Number of the picture, the same as long as its pixels are; 1 to 0xff_ffff.
    pub id: u32,
    /// Cells that it covers whole.
    pub area: Rect,
    /// Its pixels.
    pub data: Encoded,
}

/// A PNG file without alpha.
fn png(pixels: &Picture) -> Vec<u8> {
    let mut out = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Adaptive);
    let (w, h) = (pixels.width, pixels.height);
    match encoder.write_image(&pixels.rgb, w, h, ExtendedColorType::Rgb8) {
        Ok(()) => out,
        // Into memory it fails only for a size that the pixels do not have.
        Err(_) => Vec::new(),
    }
}
