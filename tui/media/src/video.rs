//! H.264 in MP4: from a frame number to a picture. The container's table alone decides which sample
//! a frame is, so numbers cannot shift, whatever order frames are requested in and whatever is damaged.
//! Leaves to others: the table (`mp4`), decoding one sample (`h264`), other codecs (`ffmpeg`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use image::metadata::Orientation;

use super::cache::{Cache, reorder_depth};
use super::h264::{AvcConfig, AvcDecoder, AvcError, DecodedPicture, SampleContent, SampleHeaders};
use super::mp4::{Movie, NOT_SHOWN, Sample, ShownFrame};
use super::rgb;

/// Largest sample in bytes: an uncompressed picture of the largest size would be 54 MB.
const MAX_SAMPLE: u32 = 64 << 20;
/// Samples to decode in order before searching for a nearer place to begin.
const NEAR: usize = 8;

/// Why a frame has no picture.
#[derive(Clone, Debug)]
pub(super) enum FrameError {
    /// Its own data are damaged.
    Damaged(String),
    /// It is predicted from a damaged picture.
    Unsure(String),
    /// The stream needs another decoder.
    Unsupported(String),
}

/// Why a sample gives no picture, or none that can be trusted.
enum Loss {
    Damaged(String),
    /// Predicted from this damaged sample.
    After(usize),
}

/// The decoder, where it began and where it is.
struct DecoderRun {
    avc: AvcDecoder,
    /// Next sample to decode.
    next: usize,
    /// First sample decoded.
    start: usize,
    /// It began at an intra picture that is not an IDR. Pictures shown before that one are predicted from
    /// earlier samples and ignored in this run.
    open: bool,
    /// A loss in this run is the file's fault, not that of the place where it began.
    sure: bool,
    /// A sample lost before this run began; pictures shown before the start of the run are lost with it.
    before: Option<usize>,
    /// The sample of a lost picture that others are predicted from.
    lost: Option<usize>,
}

/// A video whose frames are decoded by number.
pub(super) struct Video {
    file: File,
    len: u64,
    samples: Vec<Sample>,
    shown: Vec<ShownFrame>,
    frame_of: Vec<u32>,
    lists_sync: bool,
    timescale: u32,
    configs: Vec<AvcConfig>,
    orientation: Orientation,
    run: Option<DecoderRun>,
    cache: Cache,
    losses: HashMap<usize, Loss>,
    /// The decoder has decoded a picture of this stream.
    proven: bool,
    contents: Vec<Option<SampleContent>>,
    buffer: Vec<u8>,
}

impl Video {
    /// # Errors
    /// `AvcError` when the codec settings are broken or beyond the built-in decoder.
    pub(super) fn new(file: File, len: u64, movie: Movie) -> Result<Self, AvcError> {
        let Movie { track, timeline } = movie;
        let mut configs = Vec::new();
        for entry in track.entries {
            let avcc = entry
                .avcc
                .ok_or_else(|| AvcError::Unsupported(entry.codec.to_string()))?;
            configs.push(AvcConfig::new(avcc, entry.colour)?);
        }
        let depth = reorder_depth(timeline.shown.iter().map(|s| s.sample));
        Ok(Self {
            file,
            len,
            contents: vec![None; track.samples.len()],
            samples: track.samples,
            shown: timeline.shown,
            frame_of: timeline.frame_of,
            lists_sync: track.lists_sync,
            timescale: track.timescale,
            configs,
            orientation: rgb::orientation(track.matrix),
            run: None,
            cache: Cache::new(depth),
            losses: HashMap::new(),
            proven: false,
            buffer: Vec::new(),
        })
    }

    pub(super) fn frame_count(&self) -> u64 {
        self.shown.len() as u64
    }

    pub(super) fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Frames per second on average; `None` for a single frame.
    pub(super) fn fps(&self) -> Option<f64> {
        let (first, last) = (self.shown.first()?, self.shown.last()?);
        let span = last.pts.checked_sub(first.pts).filter(|span| *span > 0)?;
        #[allow(clippy::cast_precision_loss)] // exact below 2^53
        let fps = (self.shown.len() - 1) as f64 * f64::from(self.timescale) / span as f64;
        Some(fps)
    }

    /// Presentation time of frame `index` in microseconds.
    pub(super) fn pts_us(&self, index: u64) -> Option<i64> {
        let shown = self.shown.get(usize::try_from(index).ok()?)?;
        let us = i128::from(shown.pts) * 1_000_000;
        i64::try_from(us.div_euclid(i128::from(self.timescale))).ok()
    }

    /// The picture of frame `index`; `None` past the end.
    pub(super) fn picture(
        &mut self,
        index: u64,
    ) -> Result<Option<Arc<DecodedPicture>>, FrameError> {
        let Some(shown) = usize::try_from(index).ok().and_then(|i| self.shown.get(i)) else {
            return Ok(None);
        };
        let target = shown.sample as usize;
        if let Some(picture) = self.cache.get(self.frame_of[target]) {
            return Ok(Some(picture));
        }
        if let Some(error) = self.loss(target) {
            return Err(error);
        }
        self.decode_from_nearest(target).map(Some)
    }

    fn loss(&self, sample: usize) -> Option<FrameError> {
        match self.losses.get(&sample)? {
            Loss::Damaged(why) => Some(FrameError::Damaged(why.clone())),
            Loss::After(lost) => Some(FrameError::Unsure(match self.losses.get(lost) {
                Some(Loss::Damaged(why)) => why.clone(),
                _ => "it cannot be decoded".into(),
            })),
        }
    }

    /// Decodes `target` from the nearest place that works.
    fn decode_from_nearest(&mut self, target: usize) -> Result<Arc<DecodedPicture>, FrameError> {
        let can_go_on = self.run.as_ref().is_some_and(|run| {
            run.next <= target
                && (run.sure || run.lost.is_none())
                && (!run.open || self.samples[target].cts >= self.samples[run.start].cts)
        });
        let near = can_go_on
            && self
                .run
                .as_ref()
                .is_some_and(|run| target - run.next < NEAR);
        if !near {
            let start = self.nearest_start(target, true);
            let here = self.run.as_ref().filter(|_| can_go_on).map(|run| run.next);
            if here.is_none_or(|next| start > next) {
                self.begin(start);
            }
        }
        match self.decode_through(target)? {
            Some(picture) => return Ok(picture),
            None if self.run.as_ref().is_some_and(|run| run.sure) => {}
            None => {
                // The container's sync samples are not reliable: begin at an IDR.
                let start = self.nearest_start(target, false);
                self.begin(start);
                if let Some(picture) = self.decode_through(target)? {
                    return Ok(picture);
                }
            }
        }
        Err(self
            .loss(target)
            .unwrap_or_else(|| FrameError::Damaged("it gives no picture".into())))
    }

    fn begin(&mut self, start: usize) {
        let open = start != 0 && self.content(start) != SampleContent::Idr;
        self.run = Some(DecoderRun {
            avc: AvcDecoder::new(),
            next: start,
            start,
            open,
            sure: !open,
            before: None,
            lost: None,
        });
    }

    /// Decodes the samples up to and including `target`; `None` when this run cannot give its picture.
    fn decode_through(&mut self, target: usize) -> Result<Option<Arc<DecodedPicture>>, FrameError> {
        let mut found = None;
        while let Some(run) = self.run.as_ref().filter(|run| run.next <= target) {
            let sample = run.next;
            if let Some(lost) = run.lost {
                if self.can_start_at(sample) {
                    self.begin(sample);
                    if let Some(run) = self.run.as_mut() {
                        (run.sure, run.before) = (true, Some(lost));
                    }
                } else {
                    self.losses.entry(sample).or_insert(Loss::After(lost));
                    self.step();
                    continue;
                }
            }
            let picture = self.decode(sample, target)?;
            self.step();
            if sample == target {
                found = picture;
            } else if self
                .run
                .as_ref()
                .is_some_and(|run| !run.sure && run.lost.is_some())
            {
                return Ok(None);
            }
        }
        Ok(found)
    }

    fn step(&mut self) {
        if let Some(run) = self.run.as_mut() {
            run.next += 1;
        }
    }

    /// Decodes one sample and keeps the picture or the reason for its loss.
    fn decode(
        &mut self,
        sample: usize,
        target: usize,
    ) -> Result<Option<Arc<DecodedPicture>>, FrameError> {
        let entry = self.samples[sample].entry;
        let read = self.read(sample);
        let config = &self.configs[usize::from(entry)];
        let Some(run) = self.run.as_mut() else {
            return Ok(None);
        };
        let result = match read {
            Ok(()) => run.avc.decode(entry, config, &self.buffer),
            Err(why) => {
                self.buffer.clear();
                Err(AvcError::Damaged(why))
            }
        };
        let leading = run.open && self.samples[sample].cts < self.samples[run.start].cts;
        if leading {
            if let Some(lost) = run.before {
                self.losses.entry(sample).or_insert(Loss::After(lost));
            }
            return Ok(None);
        }
        match result {
            Ok(picture) => {
                self.proven = true;
                let picture = Arc::new(picture);
                let frame = self.frame_of[sample];
                if frame != NOT_SHOWN {
                    self.cache
                        .insert(frame, Arc::clone(&picture), self.frame_of[target]);
                }
                Ok(Some(picture))
            }
            // A supported stream does not become unsupported later: this is damage.
            Err(AvcError::Unsupported(what)) if !self.proven => Err(FrameError::Unsupported(what)),
            Err(AvcError::Damaged(why) | AvcError::Unsupported(why)) => {
                let size = self.samples[sample].size;
                let buffer = &self.buffer;
                let SampleHeaders { reference, .. } =
                    config.read_headers(u64::from(size), |at, out| copy_from(buffer, at, out));
                if reference || !run.sure {
                    run.lost = Some(sample);
                }
                if run.sure {
                    self.losses.insert(sample, Loss::Damaged(why));
                }
                Ok(None)
            }
        }
    }

    /// The nearest sample at or before `target` where decoding can begin and that is not shown after it.
    /// `trusting` accepts sync samples of the container with only intra slices as well as IDRs.
    fn nearest_start(&mut self, target: usize, trusting: bool) -> usize {
        let shown_at = self.samples[target].cts;
        for listed_only in [true, false] {
            for sample in (0..=target).rev() {
                let Sample { sync, cts, .. } = self.samples[sample];
                if cts > shown_at || (listed_only && !sync) {
                    continue;
                }
                match self.content(sample) {
                    SampleContent::Idr => return sample,
                    SampleContent::Intra if trusting && sync && self.lists_sync => return sample,
                    _ => {}
                }
            }
        }
        0
    }

    fn can_start_at(&mut self, sample: usize) -> bool {
        match self.content(sample) {
            SampleContent::Idr => true,
            SampleContent::Intra => self.samples[sample].sync && self.lists_sync,
            SampleContent::Other => false,
        }
    }

    fn content(&mut self, sample: usize) -> SampleContent {
        if let Some(known) = self.contents[sample] {
            return known;
        }
        let Sample {
            offset,
            size,
            entry,
            ..
        } = self.samples[sample];
        let file = &mut self.file;
        let content = self.configs[usize::from(entry)]
            .read_headers(u64::from(size), |at, out| {
                let left = usize::try_from(u64::from(size).saturating_sub(at)).unwrap_or(0);
                let wanted = out.len().min(left);
                let place = SeekFrom::Start(offset.saturating_add(at));
                match file
                    .seek(place)
                    .and_then(|_| file.read_exact(&mut out[..wanted]))
                {
                    Ok(()) => wanted,
                    Err(_) => 0,
                }
            })
            .content;
        self.contents[sample] = Some(content);
        content
    }

    /// Reads a sample's bytes into the buffer.
    fn read(&mut self, sample: usize) -> Result<(), String> {
        let Sample { offset, size, .. } = self.samples[sample];
        let end = offset.checked_add(u64::from(size));
        if end.is_none_or(|end| end > self.len) {
            return Err("its data are beyond the end of the file, which was cut off".into());
        }
        if size > MAX_SAMPLE {
            return Err(format!("its data claim {size} bytes"));
        }
        self.buffer.resize(size as usize, 0);
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(&mut self.buffer))
            .map_err(|error| format!("its data cannot be read: {error}"))
    }
}

/// Copies what `from` holds at `at`, as much as fits; returns how much.
fn copy_from(from: &[u8], at: u64, out: &mut [u8]) -> usize {
    let rest = usize::try_from(at)
        .ok()
        .and_then(|at| from.get(at..))
        .unwrap_or(&[]);
    let n = rest.len().min(out.len());
    out[..n].copy_from_slice(&rest[..n]);
    n
}
