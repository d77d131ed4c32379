//! Sorts tasks by the metadata of their items: which pathway, how urgent, and what is noted for those who come after.

use agent_abi::prelude::*;
use serde::Deserialize;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// Sites whose data an expert must see.
    #[serde(default)]
    pub expert_sites: Vec<String>,
}

/// Routes, and writes the reason into the item's metadata.
#[stage(
    "sort",
    routes = ["done", "expert"],
    params(expert_sites: Option<Vec<String>>),
    idempotent
)]
pub fn sort(item: &mut StorageItem, settings: Params<Settings>) -> Route {
    let text = |key: &str| item.client_metadata().get(key).and_then(Value::as_str);
    let site = text("site").unwrap_or("unknown").to_owned();
    let night =
        text("captured").is_some_and(|time| ("22:00".."24:00").contains(&time) || time < "06:00");
    let (route, reason) = match settings.expert_sites.contains(&site) {
        true => ("expert", format!("site {site}")),
        false => ("done", if night { "night" } else { "day" }.to_owned()),
    };
    item.set_metadata("sorted", reason);
    Route::to(route).priority(if night { 0.9 } else { 0.4 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn site_and_time_decide_and_the_reason_is_noted() {
        let sorted = |site: &str, captured: &str| {
            let task = task("a.jpg")
                .metadata("site", site)
                .metadata("captured", captured);
            let run = task.params(json!({"expert_sites": ["cam9"]})).run::<sort>();
            let reason = run.metadata().unwrap()["sorted"]
                .as_str()
                .unwrap()
                .to_owned();
            (
                run.route().unwrap().to_owned(),
                run.priority().unwrap(),
                reason,
            )
        };
        assert_eq!(
            sorted("cam9", "12:00"),
            ("expert".into(), 0.4, "site cam9".into())
        );
        assert_eq!(
            sorted("cam1", "23:30"),
            ("done".into(), 0.9, "night".into())
        );
        assert_eq!(
            sorted("cam1", "05:59"),
            ("done".into(), 0.9, "night".into())
        );
        assert_eq!(sorted("cam1", "06:00"), ("done".into(), 0.4, "day".into()));
    }
}
