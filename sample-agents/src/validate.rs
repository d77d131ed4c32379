//! Compares labels with the ontology before a task is complete, and reports where each mistake is.

use agent_abi::prelude::*;

/// Complete, or back to be fixed, first of all.
#[stage("validate", routes = ["complete", "fix"], idempotent)]
pub fn validate(labels: &LabelRow, item: &mut StorageItem) -> Route {
    let problems = labels.problems();
    for problem in &problems {
        warn!("{}: {problem}", labels.title());
    }
    if problems.is_empty() {
        item.remove_metadata("label problems");
        return Route::to("complete");
    }
    // Annotators see it beside the data.
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    item.set_metadata("label problems", texts);
    Route::to("fix").priority(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{OntologyBuilder, ontology, task};

    #[stage("elsewhere")]
    fn boxes(labels: &mut LabelRow) -> Result<Route> {
        let ontology = labels.ontology();
        labels.add(ontology.object("Car")?.bounding_box(0.1, 0.1, 0.5, 0.5)?)?;
        Ok(Route::stay())
    }

    fn cars() -> OntologyBuilder {
        ontology().object("Car", "bounding_box")
    }

    #[test]
    fn labels_that_fit_are_complete() {
        let task = task("a.jpg").ontology(cars());
        let labelled = task.clone().labels(task.run::<boxes>().into_labels());
        let run = labelled.run::<validate>();
        assert_eq!((run.route(), run.metadata()), (Some("complete"), None));
    }

    #[test]
    fn a_label_of_another_ontology_goes_back_with_its_path() {
        let blob = task("a.jpg").ontology(cars()).run::<boxes>().into_labels();
        let other = ontology().object("Truck", "bounding_box");
        let run = task("a.jpg").ontology(other).labels(blob).run::<validate>();
        assert_eq!((run.route(), run.priority()), (Some("fix"), Some(1.0)));
        let noted = run.metadata().unwrap()["label problems"][0].to_string();
        assert!(noted.contains("not in the ontology"), "{noted}");
    }

    #[test]
    fn a_note_of_last_time_is_taken_away() {
        let task = task("a.jpg")
            .ontology(cars())
            .metadata("label problems", vec!["old"])
            .metadata("site", "cam3");
        let run = task.run::<validate>();
        let metadata = run.metadata().unwrap();
        assert!(metadata.get("label problems").is_none());
        assert_eq!(metadata["site"], "cam3");
    }
}
