//! Takes over from another project what is known there about the same data: boxes and
//! classifications whose names this project's ontology has too.
//!
//! The project below is the twin of the demo; write the hash of your own.

use agent_abi::prelude::*;

/// Copies what fits and logs what was left.
#[stage("twin", routes = ["annotate"], idempotent)]
pub fn transfer(
    labels: &mut LabelRow,
    #[depends(twin("be9b8453-8798-5410-9092-57b57f7547a0"))] other: Option<Twin>,
) -> Result<Route> {
    let Some(other) = other else {
        info!("{}: the twin project does not have it", labels.title());
        return Ok(Route::to("annotate"));
    };
    let ontology = labels.ontology();
    let (mut taken, mut left) = (0, 0);
    for object in other.labels.objects() {
        let Ok(kind) = ontology.object(object.name()) else {
            left += 1;
            continue;
        };
        let mut known: Option<String> = None;
        for frame in object.frames() {
            let Some(area) = object.bounding_box(frame) else {
                continue;
            };
            let label = kind.boxed(area)?.on_frame(frame);
            match &known {
                None => known = Some(labels.add(label)?),
                Some(hash) => labels.add_to(hash, &label)?,
            }
        }
        taken += usize::from(known.is_some());
    }
    for found in other.labels.classifications() {
        match (ontology.classification(found.title()), found.answer()) {
            (Ok(_), Some(answer)) => {
                labels.classify(found.title(), answer)?;
                taken += 1;
            }
            _ => left += 1,
        }
    }
    checkpoint("taken over", &taken)?;
    checkpoint("left there", &left)?;
    Ok(Route::to("annotate"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{OntologyBuilder, TestTask, ontology, task};

    const OTHER: &str = "be9b8453-8798-5410-9092-57b57f7547a0";

    #[stage("elsewhere")]
    fn label(labels: &mut LabelRow) -> Result<Route> {
        let ontology = labels.ontology();
        labels.add(ontology.object("Car")?.bounding_box(0.1, 0.2, 0.3, 0.4)?)?;
        labels.add(ontology.object("Tram")?.bounding_box(0.5, 0.5, 0.2, 0.2)?)?;
        labels.classify("Weather", "Night")?;
        Ok(Route::stay())
    }

    fn cars() -> OntologyBuilder {
        ontology()
            .object("Car", "bounding_box")
            .radio("Weather", &["Sunny", "Night"])
    }

    fn twin() -> TestTask {
        let twin = task("a.jpg").ontology(cars().object("Tram", "bounding_box"));
        twin.clone().labels(twin.run::<label>().into_labels())
    }

    #[test]
    fn what_both_ontologies_know_is_taken_over() {
        let run = task("a.jpg")
            .ontology(cars())
            .twin(OTHER, &twin())
            .run::<transfer>();
        let labels = run.labels();
        assert_eq!(labels.objects().len(), 1);
        let area = labels.objects()[0].bounding_box(0).unwrap();
        assert_eq!((area.x, area.h), (0.1, 0.4));
        let weather = labels.classification("Weather").unwrap();
        assert_eq!(weather.answer(), Some("Night".into()));
        let noted: Vec<&str> = run
            .steps()
            .iter()
            .filter(|s| s.kind == "checkpoint")
            .map(|s| s.value.as_str())
            .collect();
        assert_eq!(noted, ["2", "1"]);
    }

    #[test]
    fn data_without_a_twin_go_on_unchanged() {
        let run = task("a.jpg").ontology(cars()).run::<transfer>();
        assert_eq!(
            (run.route(), run.changed_labels()),
            (Some("annotate"), false)
        );
    }
}
