//! Takes over classifications from the label row of the same data in another project.
//!
//! Write that project's hash below; its ontology must know the title too.

use agent_abi::prelude::*;

/// What is taken over.
const TITLE: &str = "Weather";

#[stage("{{stage}}", routes = ["annotate"], idempotent)]
fn transfer(
    labels: &mut LabelRow,
    #[depends(twin("00000000-0000-0000-0000-000000000000"))] twin: Option<Twin>,
) -> Result<Route> {
    let Some(twin) = twin else {
        info!("{} is not in the other project", labels.title());
        return Ok(Route::to("annotate"));
    };
    let found = twin.labels.classification(TITLE);
    if let Some(answer) = found.and_then(|found| found.answer()) {
        labels.classify(TITLE, answer)?;
    }
    Ok(Route::to("annotate"))
}

export![transfer];

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{TestTask, ontology, task};

    const OTHER: &str = "00000000-0000-0000-0000-000000000000";

    fn a_task() -> TestTask {
        task("a.jpg").ontology(ontology().radio(TITLE, &["Sunny", "Night"]))
    }

    #[test]
    fn the_answer_of_the_twin_is_taken_over() {
        let twin = a_task().with_labels(|labels| {
            labels.classify(TITLE, "Night")?;
            Ok(())
        });
        let run = a_task().twin(OTHER, &twin).run::<transfer>();
        let labels = run.labels();
        let found = labels.classification(TITLE).unwrap();
        assert_eq!(found.answer(), Some("Night".into()));
    }

    #[test]
    fn without_a_twin_nothing_changes() {
        let run = a_task().run::<transfer>();
        assert_eq!(
            (run.route(), run.changed_labels()),
            (Some("annotate"), false)
        );
    }
}
