//! Publishes finished labels: what the twin project has of the same kinds is replaced by what this project has, and
//! its task goes to the people who look at it there. All of it is held and reviewed with the task's own outcome.
//!
//! The project below is the second one of `world.json`; write the hash of your own.

use agent_abi::prelude::*;

/// Writes the twin.
#[stage("transfer", routes = ["done"], idempotent)]
pub fn transfer(
    labels: &LabelRow,
    #[depends(twin("4ea10000-0000-4000-8004-000000000002"))] twin: &mut Twin,
) -> Result<Route> {
    let old: Vec<String> = (twin.labels.objects().iter())
        .map(|object| object.hash().to_owned())
        .collect();
    for hash in &old {
        twin.labels.remove(hash);
    }
    let copied = twin.labels.copy_objects(labels)?;
    twin.labels.copy_classifications(labels)?;
    info!("{} objects instead of {}", copied.len(), old.len());
    let data = labels.data_hash().context("the row has no data hash")?;
    let moved = Change::move_to(twin.project.hash(), data, "Experts");
    Ok(Route::to("done").also(moved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{TestTask, ontology, task};

    const TWIN: &str = "4ea10000-0000-4000-8004-000000000002";

    #[stage("elsewhere")]
    fn draw(labels: &mut LabelRow, params: Params<Vec<f64>>) -> Result<Route> {
        let ontology = labels.ontology();
        let kind = ontology.object("Field")?;
        for x in params.iter() {
            labels.add(
                kind.bounding_box(*x, 0.0, 0.1, 0.1)?
                    .answer("Name", "total")?,
            )?;
        }
        Ok(Route::stay())
    }

    fn drawn(places: &[f64]) -> TestTask {
        let kinds = ontology()
            .object("Field", "bounding_box")
            .attribute("Name", "text", &[]);
        let task = task("form.pdf").pdf(1).ontology(kinds);
        let labels = task
            .clone()
            .params(json!(places))
            .run::<draw>()
            .into_labels();
        task.labels(labels)
    }

    #[test]
    fn the_twin_has_the_labels_of_the_task_and_its_task_moves() {
        let here = drawn(&[0.1, 0.3]).twin(TWIN, &drawn(&[0.8]));
        let run = here.run::<transfer>();
        assert_eq!(run.route(), Some("done"));
        let changes = run.changes();
        let kinds: Vec<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["labels", "move"]);
        assert!(!run.changed_labels(), "only the twin is written");
    }
}
