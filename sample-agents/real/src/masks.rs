//! Marks glare on sampled frames of a video: one object with a mask on each. The frames are read in their order,
//! the pixels of several are judged at the same time.

use agent_abi::prelude::*;
use rayon::prelude::*;
use serde::Deserialize;

/// Frames that are held in memory at the same time.
const BATCH: usize = 8;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// A mask on every this many frames.
    #[serde(default = "every")]
    pub every: u64,
    /// Pixels from this brightness count as glare, 0 to 255.
    #[serde(default = "glare")]
    pub glare: u8,
}

const fn every() -> u64 {
    10
}

const fn glare() -> u8 {
    250
}

/// Draws the masks.
#[stage(
    "masks",
    routes = ["done"],
    params(every: u64 = 10, glare: u64 = 250),
    timeout = "5m",
    idempotent,
    cancellable
)]
pub fn masks(
    labels: &mut LabelRow,
    frames: Frames<'_>,
    settings: Params<Settings>,
) -> Result<Route> {
    let ontology = labels.ontology();
    let kind = ontology.object("Glare")?;
    let mut known: Option<String> = None;
    let mut walk = frames.every(settings.every);
    loop {
        check_cancelled()?;
        let batch: Vec<(u64, Picture)> = (walk.by_ref().take(BATCH))
            .map(|frame| frame.map(|frame| (frame.index(), frame.to_picture())))
            .collect::<Result<_>>()?;
        if batch.is_empty() {
            return Ok(Route::to("done"));
        }
        let found = batch
            .par_iter()
            .map(|(at, picture)| Ok((*at, mask(picture, settings.glare)?)));
        for (at, mask) in found.collect::<Result<Vec<_>>>()? {
            let Some(mask) = mask else { continue };
            let label = kind.bitmask(&mask)?.on_frame(at).manual(false);
            match &known {
                None => known = Some(labels.add(label)?),
                Some(hash) => labels.add_to(hash, &label)?,
            }
        }
    }
}

/// The pixels of glare; `None` without any.
fn mask(picture: &Picture, glare: u8) -> Result<Option<Bitmask>> {
    let pixels = picture.data.chunks_exact(3);
    let set: Vec<bool> = pixels
        .map(|rgb| rgb.iter().all(|&value| value >= glare))
        .collect();
    match set.contains(&true) {
        true => Ok(Some(Bitmask::from_pixels(
            picture.width,
            picture.height,
            &set,
        )?)),
        false => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn one_object_has_a_mask_on_each_sampled_frame_with_glare() {
        let plain = Picture::filled(6, 4, [90; 3]);
        let frame = |n: u32| {
            if n < 30 {
                plain.clone().with_rect(n / 10, 1, 2, 2, [255; 3])
            } else {
                plain.clone()
            }
        };
        let clip = task("clip.mp4").ontology(ontology().object("Glare", "bitmask"));
        let run = clip
            .video((0..50).map(frame).collect())
            .params(json!({}))
            .run::<masks>();
        let labels = run.labels();
        assert_eq!(labels.objects().len(), 1);
        assert_eq!(labels.objects()[0].frames(), [0, 10, 20]);
        let set = labels.objects()[0]
            .bitmask(20)
            .unwrap()
            .to_pixels()
            .unwrap();
        let found: Vec<usize> = set
            .iter()
            .enumerate()
            .filter(|(_, set)| **set)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(found, [8, 9, 14, 15], "rows 1 and 2, from column 2");
    }
}
