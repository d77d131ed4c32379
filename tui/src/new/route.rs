//! Decides where a task goes next: what was labelled is complete, what was not goes back.

use agent_abi::prelude::*;

#[stage("{{stage}}", routes = ["complete", "rework"], idempotent)]
fn route(task: &Task, labels: &LabelRow) -> Result<Route> {
    let count = labels.objects().len() + labels.classifications().len();
    let count = checkpoint("labels", &count)?;
    if count == 0 {
        info!("{} has no labels", task.title());
        return Ok(Route::to("rework").priority(0.9));
    }
    Ok(Route::to("complete"))
}

export![route];

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn labels_decide() {
        let task = task("a.jpg").ontology(ontology().radio("Weather", &["Sunny", "Night"]));
        let empty = task.run::<route>();
        assert_eq!(
            (empty.route(), empty.priority()),
            (Some("rework"), Some(0.9))
        );
        let labelled = task.with_labels(|labels| {
            labels.classify("Weather", "Sunny")?;
            Ok(())
        });
        assert_eq!(labelled.run::<route>().route(), Some("complete"));
    }
}
