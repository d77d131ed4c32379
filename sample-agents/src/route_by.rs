//! Chooses the pathway by who worked on the task last, and by where the data come from.
//!
//! Who is trusted is set in `workbench.toml`, under the stage "route by": `trusted = ["a@example.com"]`.

use agent_abi::prelude::*;
use serde::Deserialize;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// Work of these people needs no review.
    #[serde(default)]
    pub trusted: Vec<String>,
    /// Data of this site are always reviewed.
    #[serde(default)]
    pub watched_site: Option<String>,
}

/// Complete, or to review.
#[stage(
    "route by",
    routes = ["complete", "review"],
    params(trusted: Option<Vec<String>>, watched_site: Option<String>),
    include(client_metadata),
    idempotent
)]
pub fn route_by(labels: &LabelRow, settings: Params<Settings>) -> Result<Route> {
    let site = labels
        .client_metadata()
        .and_then(|metadata| metadata.get("site"))
        .and_then(Value::as_str);
    if site.is_some() && site == settings.watched_site.as_deref() {
        return Ok(Route::to("review").priority(0.8));
    }
    let last = labels.metadata().get("last_actioned_by_user_email");
    let last = last.and_then(Value::as_str).unwrap_or_default();
    let last = checkpoint("last worked on by", last)?;
    if settings.trusted.contains(&last) {
        return Ok(Route::to("complete"));
    }
    Ok(Route::to("review"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn the_last_annotator_and_the_site_decide() {
        let settings = json!({"trusted": ["a@example.com"], "watched_site": "cam3"});
        let task = |who: &str| task("a.jpg").last_actioned_by(who).params(settings.clone());
        let route = |task: agent_abi::testing::TestTask| {
            let run = task.run::<route_by>();
            run.route().map(str::to_owned)
        };
        assert_eq!(route(task("a@example.com")).as_deref(), Some("complete"));
        assert_eq!(route(task("b@example.com")).as_deref(), Some("review"));
        let watched = task("a@example.com").metadata("site", "cam3");
        assert_eq!(route(watched).as_deref(), Some("review"));
    }
}
