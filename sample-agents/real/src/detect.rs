//! Runs an object detector in ONNX format on the first picture. The model gives a score for each cell of a grid;
//! cells with a good score become boxes.
//!
//! `workbench.toml`, under the stage "detect": `weights = "models/detector.onnx"`, from the folder where the
//! workbench is started.

use agent_abi::prelude::*;
use rten::Model;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use serde::Deserialize;

/// Width and height of the picture that the model takes.
const INPUT: usize = 32;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// The model's file.
    pub weights: String,
    /// Cells from this score become boxes, 0 to 1.
    #[serde(default = "score")]
    pub score: f64,
}

const fn score() -> f64 {
    0.5
}

/// Loaded once for each process.
#[dependency(scope = host)]
fn detector(settings: Params<Settings>) -> Result<Model> {
    Model::load_file(&settings.weights).context(format!("loading {}", settings.weights))
}

/// Draws a box for each cell in which the model sees something.
#[stage(
    "detect",
    routes = ["recognise", "done"],
    params(weights: String, score: f64 = 0.5),
    idempotent
)]
pub fn detect(
    labels: &mut LabelRow,
    frame: Frame<'_>,
    settings: Params<Settings>,
    #[depends(detector)] detector: &Model,
) -> Result<Route> {
    let output = detector
        .run_one(input(&frame).view().into(), None)
        .context("running the model")?;
    let grid: NdTensor<f32, 4> = output.try_into().context("the model's output")?;
    let [_, _, rows, columns] = grid.shape();
    let ontology = labels.ontology();
    let kind = ontology.object("Thing")?;
    for (row, column, score) in cells(&grid.view()).filter(|cell| cell.2 >= settings.score) {
        let (w, h) = (1.0 / columns as f64, 1.0 / rows as f64);
        let area = kind.bounding_box(column as f64 * w, row as f64 * h, w, h)?;
        labels.add(area.confidence(score)?.manual(false))?;
    }
    Ok(Route::to(if labels.changed() {
        "recognise"
    } else {
        "done"
    }))
}

/// The picture as the model takes it: one channel of brightness, 0 to 1.
fn input(frame: &Frame<'_>) -> NdTensor<f32, 4> {
    let at = |n: usize, size: u32| (n * size as usize / INPUT) as u32;
    NdTensor::from_fn([1, 1, INPUT, INPUT], |[_, _, y, x]| {
        f32::from(frame.luma(at(x, frame.width()), at(y, frame.height()))) / 255.0
    })
}

fn cells(grid: &NdTensorView<'_, f32, 4>) -> impl Iterator<Item = (usize, usize, f64)> {
    let [_, _, rows, columns] = grid.shape();
    (0..rows * columns).map(move |n| {
        let (row, column) = (n / columns, n % columns);
        (
            row,
            column,
            f64::from(grid[[0, 0, row, column]]).clamp(0.0, 1.0),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn cells_with_a_good_score_become_boxes() {
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/media/grid.onnx");
        // The model's scores are the mean brightness of each of 4 × 4 cells.
        let picture = Picture::filled(64, 64, [0; 3]).with_rect(16, 32, 16, 16, [255; 3]);
        let task = task("a.jpg")
            .image(picture)
            .ontology(ontology().object("Thing", "bounding_box"));
        let run = task.params(json!({"weights": weights})).run::<detect>();
        assert_eq!(run.route(), Some("recognise"));
        let labels = run.labels();
        let found: Vec<_> = labels
            .objects()
            .iter()
            .map(|o| (o.bounding_box(0).unwrap(), o.confidence(0)))
            .collect();
        assert_eq!(
            found,
            [(
                BoundingBox {
                    x: 0.25,
                    y: 0.5,
                    w: 0.25,
                    h: 0.25
                },
                Some(1.0)
            )]
        );
    }
}
