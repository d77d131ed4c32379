//! Labels the light of the first picture, before a person labels the rest.

use agent_abi::prelude::*;

/// Below this mean brightness (0 to 255) it counts as night.
const NIGHT: f64 = 60.0;

#[stage("{{stage}}", routes = ["annotate"], timeout = "30s", idempotent)]
fn prelabel(task: &Task, labels: &mut LabelRow, frame: Option<Frame<'_>>) -> Result<Route> {
    let Some(frame) = frame else {
        info!("{} has no pictures", task.title());
        return Ok(Route::to("annotate"));
    };
    let mean = frame.mean_luma();
    let mean = checkpoint("mean brightness", &mean)?;
    labels.classify("Weather", if mean < NIGHT { "Night" } else { "Sunny" })?;
    Ok(Route::to("annotate").priority(mean / 255.0))
}

export![prelabel];

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn a_dark_picture_is_night() {
        let run = task("dark.jpg")
            .ontology(ontology().radio("Weather", &["Sunny", "Night"]))
            .image(Picture::filled(64, 48, [3, 3, 3]))
            .run::<prelabel>();
        assert_eq!(run.route(), Some("annotate"));
        let labels = run.labels();
        let weather = labels.classification("Weather").unwrap();
        assert_eq!(weather.answer(), Some("Night".into()));
    }

    #[test]
    fn what_has_no_pictures_goes_on_unlabelled() {
        let run = task("note.txt").text().run::<prelabel>();
        assert_eq!(
            (run.route(), run.changed_labels()),
            (Some("annotate"), false)
        );
    }
}
