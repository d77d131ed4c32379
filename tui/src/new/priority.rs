//! Sets the priority of tasks and leaves them where they are, so that people see the urgent ones first.

use agent_abi::prelude::*;

/// Words in the title, and the priority (0 to 1) that they mean; the first that fits counts.
const WORDS: [(&str, f64); 2] = [("urgent", 1.0), ("night", 0.8)];
const OTHERS: f64 = 0.5;

#[stage("{{stage}}", idempotent)]
fn priority(task: &Task) -> Route {
    let title = task.title().to_lowercase();
    let found = WORDS.iter().find(|(word, _)| title.contains(word));
    Route::stay().priority(found.map_or(OTHERS, |(_, priority)| *priority))
}

export![priority];

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn the_title_decides_and_the_task_stays() {
        for (title, wanted) in [("Urgent.jpg", 1.0), ("night-3.jpg", 0.8), ("a.jpg", OTHERS)] {
            let run = task(title).run::<priority>();
            assert_eq!(
                (run.route(), run.priority()),
                (None, Some(wanted)),
                "{title}"
            );
        }
    }
}
