//! Issues of tasks. The platform takes no key of ours with an issue: before one is made, and after a lost answer, the
//! issues of its data unit are listed. An open one with the same place, comment and tags is the one that was to be made.

use super::bundle::{BUNDLE, Bundle, Doubt, Fate, Seen, WriteCounter, drive};
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::retry::Repeat;
use crate::http::target::Target;
use crate::http::{Call, V2};
use crate::read::Page;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use wb_core::error::Error;
use wb_core::ids::{DataHash, ProjectHash};
use wb_core::work::NewIssue;

/// Lists of issues that are asked for at the same time.
const AT_ONCE: usize = 8;

/// An issue as the platform lists it; what it has beyond this is not compared.
#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    place: HashMap<String, Value>,
    #[serde(default)]
    comments: Vec<Comment>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, rename = "resolutionHistory")]
    resolutions: Vec<Resolution>,
}

#[derive(Deserialize)]
struct Comment {
    content: String,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resolution {
    is_resolved: bool,
    #[serde(default)]
    created_at: String,
}

impl Listed {
    /// Whether it is still open and has the same comment on the same place.
    fn is(&self, issue: &NewIssue) -> bool {
        let last = self.resolutions.iter().max_by_key(|r| &r.created_at);
        let open = last.is_none_or(|last| !last.is_resolved);
        let comment = self.comments.first().map(|comment| &*comment.content);
        let tags: BTreeSet<&str> = self.tags.iter().map(|tag| &*tag.name).collect();
        let ours: BTreeSet<&str> = issue.tags.iter().map(String::as_str).collect();
        open && comment == Some(&*issue.comment) && tags == ours && self.is_at(&issue.anchor())
    }

    /// Places that are asked for as `x` and `y` are listed as a `coordinate`.
    fn is_at(&self, anchor: &Value) -> bool {
        let listed = |key: &str| {
            let own = self.place.get(key).filter(|value| !value.is_null());
            own.or_else(|| self.place.get("coordinate")?.get(key))
        };
        let whole_label = self.place.get("frameRanges").is_none_or(Value::is_null);
        let same = |(key, value): (&String, &Value)| match (listed(key), value.as_f64()) {
            (Some(now), Some(number)) => now.as_f64() == Some(number),
            (now, _) => now == Some(value),
        };
        let no_space = listed("spaceId").is_none();
        whole_label && no_space && anchor.as_object().is_some_and(|map| map.iter().all(same))
    }
}

/// Issues of one project.
struct Issues<'a> {
    writer: &'a Writer,
    project: ProjectHash,
    issues: &'a [&'a NewIssue],
}

impl Writer {
    /// Makes the issues of a project that are not there yet; the fate of each, by its place.
    pub(super) async fn add_issues(
        &self,
        project: ProjectHash,
        issues: &[&NewIssue],
    ) -> Vec<(usize, Fate)> {
        let bundle = Issues {
            writer: self,
            project,
            issues,
        };
        let all: Vec<usize> = (0..issues.len()).collect();
        let stands = match bundle.look(&all, Doubt::None).await {
            Ok(stands) => stands,
            Err(error) => {
                let error = Error::from(&error);
                let each = all.into_iter();
                return each.map(|i| (i, Fate::Refused(error.clone()))).collect();
            }
        };
        let (mut fates, mut left) = (Vec::new(), Vec::new());
        for (i, stand) in all.into_iter().zip(stands) {
            let twice = left.iter().any(|n: &usize| issues[*n] == issues[i]);
            match stand {
                Seen::Waiting if !twice => left.push(i),
                Seen::Ended(fate) => fates.push((i, fate)),
                Seen::Waiting | Seen::Arrived => fates.push((i, Fate::Applied)),
            }
        }
        fates.extend(drive(&bundle, left, BUNDLE).await);
        fates
    }

    async fn issues_of(
        &self,
        project: ProjectHash,
        data: DataHash,
    ) -> Result<Vec<Listed>, ClientError> {
        let (mut found, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut target = Target::new(&format!("{V2}/projects/{project}/issues"))
                .with("dataUnitId", &data.to_string());
            if let Some(token) = &next {
                target.push("pageToken", token);
            }
            let call = Call::get(target.done());
            let answer = self.reader.wire.send(&call).await?;
            let page: Page<Listed> = self.reader.parse(&call, "the issues", &answer)?;
            found.extend(page.results);
            next = self.reader.following(&call, next.as_deref(), page.next)?;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

impl Bundle for Issues<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let issues = members.iter().map(|i| self.issues[*i]);
            let issues: Vec<Value> = issues
                .map(|issue| {
                    json!({"anchor": issue.anchor(), "comment": issue.comment, "issueTags": issue.tags})
                })
                .collect();
            let body = to_bytes(&json!({"issues": issues}))?;
            let path = format!("/projects/{}/issues", self.project);
            self.writer
                .write("POST", &path, body, Repeat::AskFirst)
                .await
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let units: BTreeSet<DataHash> = members.iter().map(|i| self.issues[*i].data).collect();
            let listed = stream::iter(units)
                .map(|data| async move {
                    let found = self.writer.issues_of(self.project, data).await?;
                    Ok::<_, ClientError>((data, found))
                })
                .buffer_unordered(AT_ONCE);
            let listed: HashMap<DataHash, Vec<Listed>> = listed.try_collect().await?;
            let stand = |i: &usize| {
                let issue = self.issues[*i];
                let there = listed.get(&issue.data).into_iter().flatten();
                match there.into_iter().any(|listed| listed.is(issue)) {
                    true => Seen::Arrived,
                    false => Seen::Waiting,
                }
            };
            Ok(members.iter().map(stand).collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.issues
    }
}
