//! What was done to tasks, and by whom. Nobody works in an editor here: editor logs and times spent are
//! always empty.

use std::collections::HashSet;

use crate::routes::prelude::*;

/// Results of one page.
const PAGE: usize = 1000;

pub(super) async fn task_actions(call: Call, pairs: Pairs) -> Reply {
    let project = call.project(pairs.first("projectUuid").unwrap_or_default())?;
    let project = project.uuid;
    let (after, before) = (pairs.instant("after")?, pairs.instant("before")?);
    let begin = pairs.after()?;
    let wanted = |key: &str| -> HashSet<String> { pairs.texts(key) };
    let (actors, kinds) = (wanted("actorEmails"), wanted("eventTypes"));
    let (stages, units) = (wanted("workflowStageUuids"), wanted("dataUnitUuids"));
    let found = call.records(RecordKind::ACTION, project).await?;
    let has = |set: &HashSet<String>, text: Option<&str>| {
        set.is_empty() || text.is_some_and(|t| set.contains(t))
    };
    let fits = |r: &&Record| {
        r.id > begin
            && time::is_within(r.created, after, before)
            && has(&actors, r.body["actor"].as_str())
            && has(&kinds, Some(&r.name))
            && has(&stages, r.body["stage"].as_str())
            && has(&units, r.body["data"].as_str())
    };
    let fitting = found.iter().filter(fits).take(PAGE + 1).collect();
    let one = |r: &Record| {
        json!({
            "timestamp": time::iso(r.created), "actionType": r.name, "projectUuid": project,
            "workflowStageUuid": r.body["stage"], "taskUuid": r.body["task"], "dataUnitUuid": r.body["data"],
            "actorEmail": r.body["actor"],
        })
    };
    json_reply(&Page::cut(fitting, PAGE, |r| token(r.id)).map(one))
}

pub(super) async fn nothing(call: Call, pairs: Pairs) -> Reply {
    let named = pairs.first("projectUuid").or(pairs.first("projectHash"));
    call.project(named.unwrap_or_default())?;
    json_reply(&Page::<Value>::whole([]))
}

pub(super) async fn no_logs(InProject(_): InProject) -> Reply {
    json_reply(&Page::<Value>::whole([]))
}

pub(super) async fn no_older_logs(InProject(_): InProject) -> Reply {
    Ok(json_bytes("[]"))
}
