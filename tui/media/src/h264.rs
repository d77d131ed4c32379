//! Decodes H.264 samples in decode order: one sample in, one picture out.
//! Sizes, chroma format and bit depth of every parameter set are checked before the decoder gets it, and a
//! panic in the decoder costs one frame.
//! Leaves to others: which samples to decode (`video`), colours (`rgb`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use rust_h264::decoder::{Decoder, Frame};
use rust_h264::error::DecodeError;
use rust_h264::nal::{
    AvccConfig, NalUnit, NalUnitType, SpsInfo, parse_avcc, parse_avcc_config, parse_sps_info,
};

use super::rgb::ColourSpec;

/// Pixels of the largest picture of H.264's highest level (6.2): 139,264 macroblocks.
const MAX_PIXELS: u64 = 139_264 * 256;
/// NAL units of a sample that are read; a longer sample does not count as a place to begin decoding.
const MAX_NALS: u32 = 256;

/// Why a sample gave no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AvcError {
    /// Its data are damaged.
    Damaged(String),
    /// It uses a part of H.264 that is not built in.
    Unsupported(String),
}

/// A decoded picture and how its samples map to colours.
#[derive(Debug)]
pub(super) struct DecodedPicture {
    pub frame: Frame,
    pub colours: ColourSpec,
}

impl DecodedPicture {
    /// Size in memory.
    pub(super) fn bytes(&self) -> usize {
        self.frame.y.len() + self.frame.u.len() + self.frame.v.len()
    }
}

/// What kind of picture a sample holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleContent {
    /// Decoding can begin here.
    Idr,
    /// Only intra slices: decoding can begin here if the container lists it as a sync sample.
    Intra,
    /// Needs earlier pictures, or is damaged.
    Other,
}

/// What is known from the slice headers of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleHeaders {
    pub content: SampleContent,
    /// Other pictures may be predicted from it.
    pub reference: bool,
}

/// Codec settings of one sample entry.
pub(super) struct AvcConfig {
    raw: Vec<u8>,
    length_size: usize,
    container_colour: Option<(u8, bool)>,
}

impl AvcConfig {
    /// Checks `avcC` and the parameter sets in it.
    pub(super) fn new(raw: Vec<u8>, colour: Option<(u8, bool)>) -> Result<Self, AvcError> {
        let parsed = parse(&raw)?;
        for nal in &parsed.sps_nals {
            check(nal)?;
        }
        let length_size = parsed.length_size;
        Ok(Self {
            raw,
            length_size,
            container_colour: colour,
        })
    }

    /// Reads the headers in a sample of `size` bytes without decoding it. `read` fills the
    /// buffer from an offset in the sample and returns how many bytes it read.
    pub(super) fn read_headers(
        &self,
        size: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> usize,
    ) -> SampleHeaders {
        let prefix = self.length_size;
        let (mut idr, mut reference) = (false, false);
        let (mut slices, mut intra) = (0u32, 0u32);
        let mut at = 0u64;
        for _ in 0..MAX_NALS {
            let mut head = [0u8; 24];
            let got = read(at, &mut head).min(head.len());
            let Some((length, nal)) = head[..got].split_at_checked(prefix) else {
                break;
            };
            let length = length
                .iter()
                .fold(0u64, |n, byte| (n << 8) | u64::from(*byte));
            if let Some((header, payload)) = nal.split_first()
                && length > 0
                && matches!(header & 0x1f, 1 | 5)
            {
                idr |= header & 0x1f == 5;
                reference |= header & 0x60 != 0;
                slices += 1;
                intra += u32::from(matches!(slice_type(payload), Some(2 | 7)));
            }
            at += prefix as u64 + length;
            if at >= size {
                break;
            }
        }
        let content = if idr {
            SampleContent::Idr
        } else if slices > 0 && intra == slices && at >= size {
            SampleContent::Intra
        } else {
            SampleContent::Other
        };
        // If no header could be read, assume the worst; an empty sample holds no picture at all.
        SampleHeaders {
            content,
            reference: reference || (slices == 0 && size > 0),
        }
    }
}

fn parse(raw: &[u8]) -> Result<AvccConfig<'_>, AvcError> {
    parse_avcc_config(raw).map_err(|why| AvcError::Damaged(format!("its H.264 settings: {why}")))
}

/// `slice_type`, the second Exp-Golomb number of a slice.
fn slice_type(rbsp: &[u8]) -> Option<u32> {
    let mut head = [0u8; 8];
    let n = rbsp.len().min(8);
    head[..n].copy_from_slice(&rbsp[..n]);
    let mut bits = u64::from_be_bytes(head);
    let mut number = || {
        let zeros = bits.leading_zeros();
        if zeros > 20 {
            return None;
        }
        let value = (bits << zeros) >> (63 - zeros);
        bits <<= 2 * zeros + 1;
        u32::try_from(value - 1).ok()
    };
    number()?;
    number()
}

/// Refuses parameter sets that the decoder does not support.
fn check(nal: &NalUnit<'_>) -> Result<SpsInfo, AvcError> {
    let info = parse_sps_info(nal).map_err(avc_error)?;
    let unsupported = |what: &str| Err(AvcError::Unsupported(format!("H.264 {what}")));
    if u64::from(info.coded_width) * u64::from(info.coded_height) > MAX_PIXELS {
        return Err(AvcError::Damaged(format!(
            "its H.264 settings claim {}x{} pixels",
            info.coded_width, info.coded_height
        )));
    }
    if info.width == 0 || info.height == 0 || info.reference_frames > 16 {
        return Err(AvcError::Damaged(
            "its H.264 settings contradict themselves".into(),
        ));
    }
    if info.profile == 88 {
        return unsupported("Extended profile");
    }
    if info.chroma_format == 3 {
        return unsupported("4:4:4");
    }
    if !matches!(info.bit_depth_luma, 8 | 10) {
        return unsupported(&format!("with {} bits per sample", info.bit_depth_luma));
    }
    if info.chroma_format != 0 && info.bit_depth_luma != info.bit_depth_chroma {
        return unsupported("with different bit depths of luma and chroma");
    }
    Ok(info)
}

fn avc_error(error: DecodeError) -> AvcError {
    match error {
        DecodeError::Unsupported(what) => AvcError::Unsupported(format!("H.264 with {what}")),
        other => AvcError::Damaged(other.to_string()),
    }
}

/// The decoder with the settings it was given last.
pub(super) struct AvcDecoder {
    decoder: Decoder,
    entry: Option<u16>,
    shape: Option<SpsInfo>,
}

impl AvcDecoder {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            entry: None,
            shape: None,
        }
    }

    /// Decodes one sample that belongs to `entry` with its settings `config`.
    ///
    /// After an error, later pictures may be wrong until decoding begins again at an IDR or intra picture.
    pub(super) fn decode(
        &mut self,
        entry: u16,
        config: &AvcConfig,
        sample: &[u8],
    ) -> Result<DecodedPicture, AvcError> {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.feed(entry, config, sample)));
        attempt.unwrap_or_else(|_| {
            *self = Self::new();
            Err(AvcError::Damaged(
                "the decoder panicked on this frame".into(),
            ))
        })
    }

    fn feed(
        &mut self,
        entry: u16,
        config: &AvcConfig,
        sample: &[u8],
    ) -> Result<DecodedPicture, AvcError> {
        if self.entry != Some(entry) {
            let parsed = parse(&config.raw)?;
            for nal in parsed.sps_nals.iter().chain(&parsed.pps_nals) {
                self.nal(nal)?;
            }
            self.entry = Some(entry);
        }
        check_lengths(sample, config.length_size)?;
        let mut pictures = Vec::new();
        let mut first_error = None;
        for nal in parse_avcc(sample, config.length_size) {
            match self.nal(&nal) {
                Ok(picture) => pictures.extend(picture),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        pictures.extend(self.decoder.flush());
        if let Some(error) = first_error {
            return Err(error);
        }
        let count = pictures.len();
        match pictures.pop() {
            Some(frame) if count == 1 => self.accept(frame, config),
            _ => Err(AvcError::Damaged(format!(
                "it holds {count} pictures instead of one"
            ))),
        }
    }

    fn accept(&self, frame: Frame, config: &AvcConfig) -> Result<DecodedPicture, AvcError> {
        let (mut matrix, mut full_range) = config.container_colour.unwrap_or((2, false));
        if let Some(info) = self.shape {
            if !info.progressive && frame.width == info.width && frame.height * 2 == info.height {
                return Err(AvcError::Damaged(
                    "it holds only one of its two fields".into(),
                ));
            }
            if info.matrix != 2 || config.container_colour.is_none() {
                (matrix, full_range) = (info.matrix, info.full_range);
            }
        }
        Ok(DecodedPicture {
            frame,
            colours: ColourSpec { matrix, full_range },
        })
    }

    fn nal(&mut self, nal: &NalUnit<'_>) -> Result<Option<Frame>, AvcError> {
        match nal.nal_unit_type {
            NalUnitType::Sps => self.shape = Some(check(nal)?),
            NalUnitType::SliceDataA | NalUnitType::SliceDataB | NalUnitType::SliceDataC => {
                return Err(AvcError::Unsupported("H.264 with data partitioning".into()));
            }
            _ => {}
        }
        self.decoder.decode_nal(nal).map_err(avc_error)
    }
}

/// Checks that the NAL unit lengths inside a sample add up; zero padding at its end is harmless.
fn check_lengths(sample: &[u8], length_size: usize) -> Result<(), AvcError> {
    if sample.is_empty() {
        return Err(AvcError::Damaged("it is empty".into()));
    }
    let mut left = sample;
    while let Some((prefix, rest)) = left.split_at_checked(length_size) {
        let length = prefix
            .iter()
            .fold(0usize, |n, byte| (n << 8) | usize::from(*byte));
        match rest.split_at_checked(length) {
            Some((_, after)) => left = after,
            None => {
                return Err(AvcError::Damaged(
                    "a NAL unit is longer than the sample".into(),
                ));
            }
        }
    }
    if left.iter().any(|byte| *byte != 0) {
        return Err(AvcError::Damaged("it ends inside a length field".into()));
    }
    Ok(())
}
