//! Follows the brightest region through a video: one object, a box on every n-th frame.
//!
//! How often is set in `workbench.toml`, under the stage "video": `every = 5`.

use crate::prelabel::brightest_region;
use agent_abi::prelude::*;
use serde::Deserialize;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// A box on every this many frames.
    #[serde(default = "ten")]
    pub every: u64,
}

fn ten() -> u64 {
    10
}

/// Draws the boxes and sends the video on.
#[stage("video", routes = ["annotate"], timeout = "5m", idempotent, cancellable)]
pub fn video(
    labels: &mut LabelRow,
    frames: Frames<'_>,
    settings: Params<Settings>,
) -> Result<Route> {
    let ontology = labels.ontology();
    let kind = ontology.object("Bright region")?;
    let mut known: Option<String> = None;
    for frame in frames.every(settings.every) {
        let frame = frame?;
        check_cancelled()?;
        let area = kind
            .boxed(brightest_region(&frame, 200.0)?)?
            .on_frame(frame.index())
            .manual(false);
        match &known {
            None => known = Some(labels.add(area)?),
            Some(hash) => labels.add_to(hash, &area)?,
        }
        if let Some(total) = frames.len() {
            progress(frame.index() as f64 / total as f64);
        }
    }
    Ok(Route::to("annotate"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn one_object_is_boxed_on_every_nth_frame_where_it_is_then() {
        let frame = |i: u32| {
            Picture::filled(100, 10, [20, 20, 20]).with_rect(i * 5, 0, 10, 10, [255, 255, 255])
        };
        let clip = task("clip.mp4")
            .ontology(ontology().object("Bright region", "bounding_box"))
            .video((0..12).map(frame).collect())
            .params(json!({"every": 5}));
        let run = clip.run::<video>();
        assert_eq!(run.route(), Some("annotate"));
        let labels = run.labels();
        assert_eq!(labels.objects().len(), 1);
        let object = &labels.objects()[0];
        assert_eq!(object.frames(), [0, 5, 10]);
        let left: Vec<f64> = object
            .frames()
            .iter()
            .map(|f| object.bounding_box(*f).unwrap().x)
            .collect();
        assert_eq!(left, [0.0, 0.25, 0.5]);
        assert_eq!((run.frames_held(), run.progress()), (0, Some(10.0 / 12.0)));
    }

    #[test]
    fn a_cancelled_run_stops_and_leaves_no_boxes() {
        let clip = task("clip.mp4")
            .ontology(ontology().object("Bright region", "bounding_box"))
            .video(vec![Picture::filled(4, 4, [255, 255, 255]); 3])
            .cancelled();
        assert_eq!(
            clip.run::<video>().status(),
            agent_abi::table::status::CANCELLED
        );
    }
}
