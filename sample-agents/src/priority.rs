//! Sets the priority from the client metadata: `{"urgency": 0 … 10}`, and what came from the night
//! shift first. The task stays where it is, so a person still picks it up.

use agent_abi::prelude::*;

/// Where `site` is this, the task comes before others of its urgency.
const FIRST: &str = "night-shift";

/// Sets the priority and leaves the task at its stage.
#[stage("priority", include(client_metadata), idempotent)]
pub fn priority(labels: &LabelRow) -> Result<Route> {
    let Some(metadata) = labels.client_metadata() else {
        return Ok(Route::stay());
    };
    let urgency = match metadata.get("urgency") {
        None => return Ok(Route::stay()),
        Some(value) => value.as_f64().context(format!(
            "\"urgency\" of {} is not a number: {value}",
            labels.title()
        ))?,
    };
    if !(0.0..=10.0).contains(&urgency) {
        bail!(
            "\"urgency\" of {} is {urgency}; it goes from 0 to 10",
            labels.title()
        );
    }
    let bonus = if metadata.get("site").and_then(Value::as_str) == Some(FIRST) {
        0.05
    } else {
        0.0
    };
    Ok(Route::stay().priority((urgency / 10.0 + bonus).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn urgency_becomes_the_priority_and_zero_counts() {
        let run = |urgency: f64| task("a").metadata("urgency", urgency).run::<priority>();
        assert_eq!((run(0.0).route(), run(0.0).priority()), (None, Some(0.0)));
        assert_eq!(run(7.0).priority(), Some(0.7));
        let night = task("a")
            .metadata("urgency", 10)
            .metadata("site", FIRST)
            .run::<priority>();
        assert_eq!(night.priority(), Some(1.0));
        assert_eq!(task("a").run::<priority>().priority(), None);
    }

    #[test]
    fn a_wrong_urgency_is_a_clear_failure() {
        let run = task("a.jpg").metadata("urgency", "high").run::<priority>();
        assert_eq!(
            run.failure().unwrap().message,
            "\"urgency\" of a.jpg is not a number: \"high\""
        );
        let run = task("a.jpg").metadata("urgency", 11).run::<priority>();
        assert!(
            run.failure()
                .unwrap()
                .message
                .ends_with("it goes from 0 to 10")
        );
    }
}
