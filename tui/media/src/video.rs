//! H.264 in MP4: from a frame number to a picture. Which sample a frame is comes from the
//! container's table alone; the decoder is only ever asked for that sample. So numbers cannot
//! shift, in whatever order frames are asked for and whatever is damaged.
//! Leaves to others: the table (`mp4`), decoding one sample (`h264`), other codecs (`ffmpeg`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::cache::{Cache, reorder_depth};
use super::h264::{Avc, Config, Content, Decoded, Fault, Glance};
use super::mp4::{Movie, NOT_SHOWN, Sample, Shown};
use super::rgb::Turn;

/// Bytes of one sample: an uncompressed picture of the largest size would be 54 MB.
const MAX_SAMPLE: u32 = 64 << 20;
/// Samples that are decoded on rather than looking for a nearer beginning.
const NEAR: usize = 8;

/// Why a frame cannot be shown.
#[derive(Clone, Debug)]
pub(super) enum FrameFault {
    /// Its own data are broken.
    Damaged(String),
    /// It is predicted from something broken.
    Unsure(String),
    /// The stream needs another decoder.
    Unsupported(String),
}

/// What is known about a sample's verdict.
enum Verdict {
    Damaged(String),
    /// Predicted from that sample.
    After(usize),
}

/// Where the decoder stands.
struct Run {
    avc: Avc,
    /// The sample that it takes next.
    next: usize,
    /// Where it began.
    start: usize,
    /// It began at an intra picture that is no IDR: what is shown before it leans on what came
    /// before it and is ignored here.
    open: bool,
    /// A loss on this run is the file's, not that of the place where it began.
    sure: bool,
    /// Lost before this run began; what is shown before its beginning is lost with it.
    before: Option<usize>,
    /// A picture that others are predicted from was lost here.
    lost: Option<usize>,
}

/// A video whose frames can be had by number.
pub(super) struct Video {
    file: File,
    len: u64,
    samples: Vec<Sample>,
    shown: Vec<Shown>,
    frame_of: Vec<u32>,
    lists_sync: bool,
    timescale: u32,
    configs: Vec<Config>,
    turn: Turn,
    run: Option<Run>,
    cache: Cache,
    verdicts: HashMap<usize, Verdict>,
    /// The decoder has proved that it can follow this stream.
    proven: bool,
    contents: Vec<Option<Content>>,
    buffer: Vec<u8>,
}

impl Video {
    /// # Errors
    /// `Fault` when the codec settings are broken or beyond the built-in decoder.
    pub(super) fn new(file: File, len: u64, movie: Movie) -> Result<Self, Fault> {
        let Movie { track, timeline } = movie;
        let mut configs = Vec::new();
        for entry in track.entries {
            let avcc = entry
                .avcc
                .ok_or_else(|| Fault::Unsupported(entry.codec.to_string()))?;
            configs.push(Config::new(avcc, entry.colour)?);
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
            turn: Turn::from_matrix(track.matrix),
            run: None,
            cache: Cache::new(depth),
            verdicts: HashMap::new(),
            proven: false,
            buffer: Vec::new(),
        })
    }

    pub(super) fn frame_count(&self) -> u64 {
        self.shown.len() as u64
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn
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
    pub(super) fn picture(&mut self, index: u64) -> Result<Option<Arc<Decoded>>, FrameFault> {
        let Some(shown) = usize::try_from(index).ok().and_then(|i| self.shown.get(i)) else {
            return Ok(None);
        };
        let target = shown.sample as usize;
        if let Some(picture) = self.cache.get(self.frame_of[target]) {
            return Ok(Some(picture));
        }
        if let Some(fault) = self.verdict(target) {
            return Err(fault);
        }
        self.reach(target).map(Some)
    }

    fn verdict(&self, sample: usize) -> Option<FrameFault> {
        match self.verdicts.get(&sample)? {
            Verdict::Damaged(why) => Some(FrameFault::Damaged(why.clone())),
            Verdict::After(lost) => Some(FrameFault::Unsure(match self.verdicts.get(lost) {
                Some(Verdict::Damaged(why)) => why.clone(),
                _ => "it is lost".into(),
            })),
        }
    }

    /// Decodes up to `target` from the nearest place that works.
    fn reach(&mut self, target: usize) -> Result<Arc<Decoded>, FrameFault> {
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
            let start = self.beginning(target, true);
            let here = self.run.as_ref().filter(|_| can_go_on).map(|run| run.next);
            if here.is_none_or(|next| start > next) {
                self.begin(start);
            }
        }
        match self.go_to(target)? {
            Some(picture) => return Ok(picture),
            None if self.run.as_ref().is_some_and(|run| run.sure) => {}
            None => {
                // The container's word was not good enough: begin where nothing is missing.
                let start = self.beginning(target, false);
                self.begin(start);
                if let Some(picture) = self.go_to(target)? {
                    return Ok(picture);
                }
            }
        }
        Err(self
            .verdict(target)
            .unwrap_or_else(|| FrameFault::Damaged("it gave no picture".into())))
    }

    fn begin(&mut self, start: usize) {
        let open = start != 0 && self.content(start) != Content::Idr;
        self.run = Some(Run {
            avc: Avc::new(),
            next: start,
            start,
            open,
            sure: !open,
            before: None,
            lost: None,
        });
    }

    /// Decodes on through `target`; `None` when the target is not to be had on this run.
    fn go_to(&mut self, target: usize) -> Result<Option<Arc<Decoded>>, FrameFault> {
        let mut found = None;
        while let Some(run) = self.run.as_ref().filter(|run| run.next <= target) {
            let sample = run.next;
            if let Some(lost) = run.lost {
                if self.is_beginning(sample) {
                    self.begin(sample);
                    if let Some(run) = self.run.as_mut() {
                        (run.sure, run.before) = (true, Some(lost));
                    }
                } else {
                    self.verdicts.entry(sample).or_insert(Verdict::After(lost));
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

    /// Decodes one sample and files the result.
    fn decode(&mut self, sample: usize, target: usize) -> Result<Option<Arc<Decoded>>, FrameFault> {
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
                Err(Fault::Damaged(why))
            }
        };
        let leading = run.open && self.samples[sample].cts < self.samples[run.start].cts;
        if leading {
            if let Some(lost) = run.before {
                self.verdicts.entry(sample).or_insert(Verdict::After(lost));
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
            // What the stream cannot be, having been something else, is damage.
            Err(Fault::Unsupported(what)) if !self.proven => Err(FrameFault::Unsupported(what)),
            Err(Fault::Damaged(why) | Fault::Unsupported(why)) => {
                let size = self.samples[sample].size;
                let buffer = &self.buffer;
                let Glance { reference, .. } =
                    config.glance(u64::from(size), |at, out| copy_from(buffer, at, out));
                if reference || !run.sure {
                    run.lost = Some(sample);
                }
                if run.sure {
                    self.verdicts.insert(sample, Verdict::Damaged(why));
                }
                Ok(None)
            }
        }
    }

    /// The nearest beginning at or before `target` that is not shown after it. `trusting` takes
    /// the container's sync samples that hold only intra slices as well as IDRs.
    fn beginning(&mut self, target: usize, trusting: bool) -> usize {
        let shown_at = self.samples[target].cts;
        for listed_only in [true, false] {
            for sample in (0..=target).rev() {
                let Sample { sync, cts, .. } = self.samples[sample];
                if cts > shown_at || (listed_only && !sync) {
                    continue;
                }
                match self.content(sample) {
                    Content::Idr => return sample,
                    Content::Intra if trusting && sync && self.lists_sync => return sample,
                    _ => {}
                }
            }
        }
        0
    }

    fn is_beginning(&mut self, sample: usize) -> bool {
        match self.content(sample) {
            Content::Idr => true,
            Content::Intra => self.samples[sample].sync && self.lists_sync,
            Content::Other => false,
        }
    }

    fn content(&mut self, sample: usize) -> Content {
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
            .glance(u64::from(size), |at, out| {
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
            return Err("its data lie beyond the end of the file, which was cut off".into());
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

/// What `from` holds at `at`, as much as fits.
fn copy_from(from: &[u8], at: u64, out: &mut [u8]) -> usize {
    let rest = usize::try_from(at)
        .ok()
        .and_then(|at| from.get(at..))
        .unwrap_or(&[]);
    let n = rest.len().min(out.len());
    out[..n].copy_from_slice(&rest[..n]);
    n
}
