//! Looks at the first picture: draws a box around its brightest region, classifies the light,
//! and leaves empty pictures out.
//!
//! Change `BRIGHT`, build, and watch the box move in the workbench.

use agent_abi::prelude::*;

/// How bright a pixel must be, from the darkest (0) to the brightest (1) of its picture.
const BRIGHT: f64 = 0.80;
/// Below this mean brightness (0 to 255) it counts as night.
const NIGHT: f64 = 60.0;
/// Below this mean brightness (0 to 255) a picture shows nothing.
const BLACK: f64 = 4.0;
/// With less difference between its darkest and brightest pixel (0 to 255) it shows nothing either.
const FLAT: u8 = 8;

/// Draws, classifies, and sends on.
#[stage("pre-label", routes = ["annotate", "skip"], timeout = "30s", idempotent)]
pub fn prelabel(task: &Task, labels: &mut LabelRow, frame: Option<Frame<'_>>) -> Result<Route> {
    let Some(frame) = frame else {
        info!(
            "{}: {} has no pictures",
            task.title(),
            labels.data_type().word()
        );
        labels.classify("Notes", "nothing to see here: label by hand")?;
        return Ok(Route::to("annotate"));
    };
    let mean = frame.mean_luma();
    let (darkest, brightest) = extremes(&frame);
    let mean = checkpoint("mean brightness", &mean)?;
    if mean < BLACK || brightest - darkest < FLAT {
        info!(
            "{}: mean {mean:.1}, {darkest} to {brightest}: nothing on it",
            task.title()
        );
        return Ok(Route::to("skip").priority(0.0));
    }
    let limit = f64::from(darkest) + f64::from(brightest - darkest) * BRIGHT;
    let region = brightest_region(&frame, limit)?;
    let region = checkpoint("region", &region)?;

    let ontology = labels.ontology();
    let kind = ontology.object("Bright region")?;
    // A task that was sent back comes here again: replace the box of last time.
    let old: Vec<String> = labels
        .objects_named(&kind.name)
        .map(|o| o.hash().to_owned())
        .collect();
    for hash in old {
        labels.remove(&hash);
    }
    labels.add(kind.boxed(region)?.on_frame(0).manual(false))?;
    labels.classify("Weather", if mean < NIGHT { "Night" } else { "Sunny" })?;
    Ok(Route::to("annotate").priority((mean / 255.0).clamp(0.0, 1.0)))
}

fn extremes(frame: &Frame<'_>) -> (u8, u8) {
    let (mut darkest, mut brightest) = (u8::MAX, 0);
    for y in 0..frame.height() {
        for x in 0..frame.width() {
            let luma = frame.luma(x, y);
            darkest = darkest.min(luma);
            brightest = brightest.max(luma);
        }
    }
    (darkest, brightest)
}

/// The box around the largest connected region of pixels at least as bright as `limit`.
pub(crate) fn brightest_region(frame: &Frame<'_>, limit: f64) -> Result<BoundingBox> {
    let (w, h) = (frame.width(), frame.height());
    let at = |x: u32, y: u32| (y * w + x) as usize;
    let mut open: Vec<bool> = (0..h)
        .flat_map(|y| (0..w).map(move |x| (x, y)))
        .map(|(x, y)| f64::from(frame.luma(x, y)) >= limit)
        .collect();
    let mut best = (0u32, (0, 0, 0, 0));
    let mut todo = Vec::new();
    for y in 0..h {
        for x in 0..w {
            if !std::mem::take(&mut open[at(x, y)]) {
                continue;
            }
            let (mut count, mut edges) = (0, (x, y, x, y));
            todo.push((x, y));
            while let Some((x, y)) = todo.pop() {
                count += 1;
                edges = (
                    edges.0.min(x),
                    edges.1.min(y),
                    edges.2.max(x),
                    edges.3.max(y),
                );
                let around = [
                    (x.wrapping_sub(1), y),
                    (x + 1, y),
                    (x, y.wrapping_sub(1)),
                    (x, y + 1),
                ];
                for (x, y) in around.into_iter().filter(|(x, y)| *x < w && *y < h) {
                    if std::mem::take(&mut open[at(x, y)]) {
                        todo.push((x, y));
                    }
                }
            }
            if count > best.0 {
                best = (count, edges);
            }
        }
        check_cancelled()?;
    }
    let (left, top, right, bottom) = best.1;
    Ok(BoundingBox::from_pixels(
        left,
        top,
        right - left + 1,
        bottom - top + 1,
        (w, h),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{OntologyBuilder, TestTask, ontology, task};

    fn demo() -> OntologyBuilder {
        ontology()
            .object("Bright region", "bounding_box")
            .radio("Weather", &["Sunny", "Cloudy", "Night"])
            .text("Notes")
    }

    fn of(picture: Picture) -> TestTask {
        task("a.jpg").ontology(demo()).image(picture)
    }

    #[test]
    fn the_box_lies_around_the_largest_bright_region() {
        let picture = Picture::filled(100, 50, [10, 10, 10])
            .with_rect(60, 10, 20, 30, [250, 250, 250])
            .with_rect(5, 5, 3, 3, [255, 255, 255]);
        let run = of(picture).run::<prelabel>();
        assert_eq!(run.route(), Some("annotate"));
        let labels = run.labels();
        let objects = labels.objects();
        assert_eq!(objects.len(), 1);
        assert_eq!(objects[0].name(), "Bright region");
        assert_eq!(
            objects[0].bounding_box(0),
            Some(BoundingBox {
                x: 0.6,
                y: 0.2,
                w: 0.2,
                h: 0.6
            })
        );
        assert_eq!(
            labels.classification("Weather").unwrap().answer(),
            Some("Night".into())
        );
        assert_eq!(run.frames_held(), 0);
    }

    #[test]
    fn a_second_pass_replaces_the_box_instead_of_adding_one() {
        let first =
            of(Picture::filled(40, 40, [90, 90, 90]).with_rect(0, 0, 10, 10, [255, 255, 255]));
        let blob = first.run::<prelabel>().into_labels();
        let moved =
            of(Picture::filled(40, 40, [90, 90, 90]).with_rect(20, 20, 10, 10, [255, 255, 255]));
        let labels = moved.labels(blob).run::<prelabel>().labels();
        assert_eq!(labels.objects().len(), 1);
        assert_eq!(labels.objects()[0].bounding_box(0).unwrap().x, 0.5);
        assert_eq!(labels.classifications().len(), 1);
        assert_eq!(
            labels.classification("Weather").unwrap().answer(),
            Some("Sunny".into())
        );
    }

    #[test]
    fn black_and_uniform_pictures_are_skipped_and_not_labelled() {
        for color in [[0, 0, 0], [200, 200, 200]] {
            let run = of(Picture::filled(30, 20, color)).run::<prelabel>();
            assert_eq!((run.route(), run.priority()), (Some("skip"), Some(0.0)));
            assert!(!run.changed_labels());
        }
    }

    #[test]
    fn a_video_and_a_group_are_judged_by_their_first_picture() {
        let bright = Picture::filled(20, 20, [80, 80, 80]).with_rect(0, 0, 10, 20, [250, 250, 250]);
        let dark = Picture::filled(20, 20, [0, 0, 0]);
        for task in [
            task("clip.mp4")
                .ontology(demo())
                .video(vec![bright.clone(), dark.clone()]),
            task("group")
                .ontology(demo())
                .image_group(vec![bright.clone(), dark.clone()]),
        ] {
            let run = task.run::<prelabel>();
            assert_eq!(run.route(), Some("annotate"));
            assert_eq!(run.labels().objects()[0].frames(), [0]);
            assert_eq!(
                run.labels().classifications()[0].ranges(),
                [(0, 1)],
                "the whole of it"
            );
        }
    }

    #[test]
    fn without_pictures_a_note_is_left_for_the_annotator() {
        for task in [
            task("beep.wav").ontology(demo()).audio(),
            task("note.txt").ontology(demo()).text(),
        ] {
            let run = task.run::<prelabel>();
            assert_eq!(run.route(), Some("annotate"));
            assert!(run.labels().classification("Notes").is_some());
        }
    }
}
