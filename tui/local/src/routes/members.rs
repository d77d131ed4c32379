//! Members of projects and datasets: everybody with a key of this server, as an administrator unless given another
//! role, and people who were added by address. Roles are stored, listed and shown, but not enforced.

use crate::routes::groups::Emails;
use crate::routes::prelude::*;

const ADMIN: u8 = 0;

/// Address and role of the members of a project or dataset.
async fn all(call: &Call, thing: Uuid) -> Result<Vec<(String, Value)>, Refusal> {
    let admins = call.keyring.emails();
    let added = call.records(RecordKind::MEMBER, thing).await?;
    let given = |email: &str| added.iter().any(|r| r.name == email);
    let admins = admins.iter().filter(|email| !given(email));
    let admins = admins.map(|email| ((*email).to_owned(), json!(ADMIN)));
    let members = added.iter().map(|r| (r.name.clone(), r.body.clone()));
    Ok(admins.chain(members).collect())
}

/// The caller's role in a project.
pub(super) async fn role(call: &Call, project: Uuid) -> Result<Value, Refusal> {
    let members = all(call, project).await?;
    let mine = members
        .into_iter()
        .find(|(email, _)| **email == *call.caller.email);
    Ok(mine.map_or(json!(ADMIN), |(_, role)| role))
}

pub(super) async fn of_project(call: Call, InProject(project): InProject) -> Reply {
    let user = |(email, role): (String, Value)| json!({"userEmail": email, "userRole": role});
    let found = all(&call, project.uuid).await?.into_iter();
    json_reply(&Page::whole(found.map(user)))
}

pub(super) async fn of_dataset(call: Call, InDataset(dataset): InDataset) -> Reply {
    let user = |(email, role): (String, Value)| json!({"datasetUuid": dataset.uuid, "userEmail": email, "userRole": role});
    let found = all(&call, dataset.uuid).await?.into_iter();
    json_reply(&Page::whole(found.map(user)))
}

/// People to add by address, with their role.
#[derive(Deserialize)]
pub(super) struct NewMembers {
    user_emails: Vec<String>,
    user_role: i64,
}

impl NewMembers {
    /// Adds them to the project or dataset `thing`, or changes their role, at most `highest`. Answers like the
    /// legacy API, with the UUID under `name`.
    pub(super) async fn add(self, call: &Call, thing: Uuid, name: &str, highest: i64) -> Reply {
        let (emails, role) = (self.user_emails, self.user_role);
        if !(0..=highest).contains(&role) {
            return Err(invalid!("{role} is not a role here"));
        }
        if let Some(wrong) = emails.iter().find(|e| !e.contains('@')) {
            return Err(invalid!("{wrong:?} is not an address"));
        }
        let user = |email| json!({"user_email": email, "user_role": role, name: thing});
        let users: Vec<Value> = emails.iter().map(user).collect();
        call.write(move |tx| {
            for email in &emails {
                let key = RecordKind::MEMBER.of(thing, records::named(thing, email));
                records::put(tx, key, email, &json!(role))?;
            }
            Ok(())
        })
        .await?;
        call.count(users.len());
        json_reply(&users)
    }
}

async fn leave(call: &Call, thing: Uuid, sent: Emails) -> Reply {
    let admins = call.keyring.emails();
    let admin = sent
        .user_emails
        .iter()
        .find(|e| admins.contains(e.as_str()));
    if let Some(email) = admin {
        return Err(invalid!(
            "{email} has a key of this server and may use everything on it; nobody was removed"
        ));
    }
    call.change(move |tx| {
        let mut removed = 0;
        for email in &sent.user_emails {
            let key = RecordKind::MEMBER.of(thing, records::named(thing, email));
            removed += usize::from(records::remove(tx, key)?);
        }
        Ok(removed)
    })
    .await
}

pub(super) async fn leave_project(call: Call, project: InProject, sent: Sent<Emails>) -> Reply {
    leave(&call, project.uuid, sent.0).await
}

pub(super) async fn leave_dataset(call: Call, dataset: InDataset, sent: Sent<Emails>) -> Reply {
    leave(&call, dataset.uuid, sent.0).await
}
