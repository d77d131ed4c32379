//! Decides by the title of the data whether a task is complete or goes back to the annotators.

use agent_abi::prelude::*;

/// Titles with one of these words are looked at once more.
const AGAIN: [&str; 3] = ["rework", "blurry", "again"];

/// Complete, or back to the annotators.
#[stage("route", routes = ["complete", "rework"], idempotent)]
pub fn route(task: &Task, labels: &LabelRow) -> Result<Route> {
    let title = task.title().to_lowercase();
    if let Some(word) = AGAIN.iter().find(|word| title.contains(**word)) {
        info!("{}: \"{word}\" in the title", task.title());
        return Ok(Route::to("rework").priority(0.9));
    }
    checkpoint("objects", &labels.objects().len())?;
    Ok(Route::to("complete"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn titles_decide() {
        assert_eq!(task("street.jpg").run::<route>().route(), Some("complete"));
        let again = task("Blurry-street.jpg").run::<route>();
        assert_eq!(
            (again.route(), again.priority()),
            (Some("rework"), Some(0.9))
        );
        assert!(again.logs()[0].message.contains("blurry"));
    }
}
