//! Issues: comment threads about data units, frames, places and labels, and the tags they carry.

use crate::routes::prelude::*;

fn tag_json(project: Uuid, name: &str) -> Value {
    json!({"name": name, "uuid": records::named(project, &format!("issue tag/{name}"))})
}

/// An issue as in the API: the fields of its anchor and its own.
fn issue_json(issue: &Record) -> Value {
    let anchor = &issue.body["anchor"];
    let mut out = json!({
        "uuid": issue.uuid, "type": anchor["type"], "dataUuid": anchor["dataUuid"], "spaceId": anchor["spaceId"],
        "comments": [{
            "content": issue.body["comment"], "authorEmail": issue.body["author"],
            "createdAt": time::iso(issue.created),
        }],
        "resolutionHistory": [],
    });
    let tags = issue.body["tags"].as_array().cloned().unwrap_or_default();
    let tag = |t: &Value| tag_json(issue.scope, t.as_str().unwrap_or_default());
    out["tags"] = tags.iter().map(tag).collect();
    for key in ["frameIndex", "annotationId", "frameRanges"] {
        if let Some(value) = anchor.get(key) {
            out[key] = value.clone();
        }
    }
    if anchor.get("x").is_some() {
        out["coordinate"] = json!({"x": anchor["x"], "y": anchor["y"], "z": anchor["z"]});
    }
    out
}

pub(super) async fn list(call: Call, InProject(project): InProject, pairs: Pairs) -> Reply {
    let found = call.records(RecordKind::ISSUE, project.uuid).await?;
    let data = pairs.first("dataUnitId");
    let fitting = found.iter().filter(|i| data.is_none_or(|d| *d == i.name));
    json_reply(&Page::whole(fitting.map(issue_json)))
}

#[derive(Deserialize)]
pub(super) struct NewIssues {
    issues: Vec<NewIssue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewIssue {
    anchor: Value,
    comment: String,
    #[serde(default)]
    issue_tags: Vec<String>,
}

pub(super) async fn add(call: Call, project: InProject, Sent(sent): Sent<NewIssues>) -> Reply {
    call.change(move |tx| {
        for issue in &sent.issues {
            let text = issue.anchor["dataUuid"].as_str().unwrap_or_default();
            let data = uuid(text, "dataUuid")?;
            let known = items::by_hash(tx, &[data])?;
            if !known.iter().any(|d| project.dataset(d.dataset).is_some()) {
                return Err(not_found!("data unit {data} is not in this project"));
            }
            let body = json!({
                "anchor": issue.anchor, "comment": issue.comment, "author": tx.actor, "tags": issue.issue_tags,
            });
            let key = RecordKind::ISSUE.of(project.uuid, Uuid::new_v4());
            records::put(tx, key, &data.to_string(), &body)?;
            keep_tags(tx, project.uuid, &issue.issue_tags)?;
        }
        Ok(sent.issues.len())
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deleted {
    issue_uuids: Vec<Uuid>,
}

pub(super) async fn delete(call: Call, project: InProject, Sent(sent): Sent<Deleted>) -> Reply {
    call.change(move |tx| {
        for issue in &sent.issue_uuids {
            if !records::remove(tx, RecordKind::ISSUE.of(project.uuid, *issue))? {
                return Err(not_found!(
                    "the project has no issue {issue}. Nothing of this request was applied"
                ));
            }
        }
        Ok(sent.issue_uuids.len())
    })
    .await
}

fn keep_tags(tx: &Tx<'_>, project: Uuid, names: &[String]) -> Result<(), Refusal> {
    for name in names {
        let uuid = records::named(project, &format!("issue tag/{name}"));
        records::put(
            tx,
            RecordKind::ISSUE_TAG.of(project, uuid),
            name,
            &Value::Null,
        )?;
    }
    Ok(())
}

pub(super) async fn tags(call: Call, InProject(project): InProject) -> Reply {
    let project = project.uuid;
    let found = call.records(RecordKind::ISSUE_TAG, project).await?;
    let tags = found.iter().map(|t| tag_json(project, &t.name));
    json_reply(&Page::whole(tags))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewTags {
    issue_tag_names: Vec<String>,
}

pub(super) async fn add_tags(call: Call, project: InProject, Sent(sent): Sent<NewTags>) -> Reply {
    call.change(move |tx| {
        keep_tags(tx, project.uuid, &sent.issue_tag_names)?;
        Ok(sent.issue_tag_names.len())
    })
    .await
}
