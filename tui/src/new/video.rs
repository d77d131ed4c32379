//! Looks at every n-th frame of a video and boxes its brighter half.
//!
//! How often is set in `workbench.toml`, under the stage: `every = 10`.

use agent_abi::prelude::*;
use serde::Deserialize;

/// The object in the ontology.
const OBJECT: &str = "Bright region";

#[derive(Deserialize)]
struct Settings {
    #[serde(default = "ten")]
    every: u64,
}

fn ten() -> u64 {
    10
}

#[stage("{{stage}}", routes = ["annotate"], params(every: u64 = 10), timeout = "5m", idempotent, cancellable)]
fn video(labels: &mut LabelRow, frames: Frames<'_>, settings: Params<Settings>) -> Result<Route> {
    if labels.data_type() != DataType::Video {
        return Ok(Route::to("annotate"));
    }
    let ontology = labels.ontology();
    let kind = ontology.object(OBJECT)?;
    let mut known: Option<String> = None;
    for frame in frames.every(settings.every) {
        let frame = frame?;
        check_cancelled()?;
        let left = if is_left_brighter(&frame) { 0.0 } else { 0.5 };
        let label = kind
            .bounding_box(left, 0.0, 0.5, 1.0)?
            .on_frame(frame.index());
        match &known {
            None => known = Some(labels.add(label)?),
            Some(hash) => labels.add_to(hash, &label)?,
        }
    }
    Ok(Route::to("annotate"))
}

fn is_left_brighter(frame: &Frame<'_>) -> bool {
    let half = frame.width() / 2;
    let mut difference = 0_i64;
    for y in 0..frame.height() {
        for x in 0..frame.width() {
            let luma = i64::from(frame.luma(x, y));
            difference += if x < half { luma } else { -luma };
        }
    }
    difference >= 0
}

export![video];

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn one_object_follows_the_light_on_every_nth_frame() {
        let frame = |x: u32| Picture::filled(20, 10, [9, 9, 9]).with_rect(x, 0, 10, 10, [250; 3]);
        let run = task("clip.mp4")
            .ontology(ontology().object(OBJECT, "bounding_box"))
            .video(vec![frame(0), frame(0), frame(10), frame(10), frame(0)])
            .params(json!({"every": 2}))
            .run::<video>();
        let labels = run.labels();
        let object = &labels.objects()[0];
        assert_eq!(object.frames(), [0, 2, 4]);
        let left: Vec<f64> = [0, 2, 4].map(|f| object.bounding_box(f).unwrap().x).into();
        assert_eq!(left, [0.0, 0.5, 0.0]);
        assert_eq!(run.frames_held(), 0);
    }
}
