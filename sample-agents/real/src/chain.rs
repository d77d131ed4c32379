//! Two stages of one workflow: `draft` labels, `vet` looks at what `draft` wrote and lets good work pass.

use agent_abi::prelude::*;

/// Classifies the light, with its confidence.
#[stage("draft", routes = ["vet"], idempotent)]
pub fn draft(labels: &mut LabelRow, frame: Frame<'_>) -> Result<Route> {
    let mean = frame.mean_luma() / 255.0;
    let light = labels.ontology();
    let light =
        light
            .classification("Light")?
            .answer(if mean < 0.4 { "Dark" } else { "Bright" })?;
    labels.add(
        light
            .confidence((mean - 0.4).abs().mul_add(2.0, 0.2).min(1.0))?
            .manual(false),
    )?;
    Ok(Route::to("vet"))
}

/// Passes what is sure and complete; people see the rest.
#[stage("vet", routes = ["done", "people"], idempotent)]
pub fn vet(labels: &LabelRow) -> Route {
    for problem in labels.problems() {
        warn!("{problem}");
    }
    let sure = labels
        .classification("Light")
        .and_then(|light| light.confidence());
    match sure {
        Some(sure) if sure >= 0.5 && labels.problems().is_empty() => Route::to("done"),
        Some(sure) => Route::to("people").priority(1.0 - sure),
        None => Route::to("people").priority(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn sure_work_passes_and_doubtful_work_goes_to_people() {
        let kinds = ontology().radio("Light", &["Bright", "Dark"]);
        for (luma, route) in [(250, "done"), (0, "done"), (100, "people")] {
            let first = task("a.jpg")
                .ontology(kinds.clone())
                .image(Picture::filled(4, 4, [luma; 3]));
            let second = first.clone().labels(first.run::<draft>().into_labels());
            assert_eq!(second.run::<vet>().route(), Some(route), "at {luma}");
        }
        assert_eq!(
            task("a.jpg").ontology(kinds).run::<vet>().priority(),
            Some(1.0)
        );
    }
}
