//! Groups of people and their access. As for single people, roles are not enforced.

use crate::routes::organisation::known_people;
use crate::routes::prelude::*;
use crate::routes::records::Described;

fn group_json(group: &Record) -> Value {
    json!({
        "groupHash": group.uuid, "name": group.name, "description": group.body["description"],
        "createdAt": time::iso(group.created),
    })
}

pub(super) async fn list(call: Call) -> Reply {
    let found = call.records(RecordKind::GROUP, EVERYWHERE).await?;
    json_reply(&Page::whole(found.iter().map(group_json)))
}

pub(super) async fn one(call: Call, GroupId(group): GroupId) -> Reply {
    json_reply(&group_json(&call.record(RecordKind::GROUP, group).await?))
}

pub(super) async fn create(call: Call, sent: Sent<Described>) -> Reply {
    let uuid = Uuid::new_v4();
    let create = call.write(move |tx| {
        let description = sent.description.as_deref().unwrap_or_default();
        let body = json!({"description": description, "users": [tx.actor]});
        records::put(tx, RecordKind::GROUP.global(uuid), sent.name()?, &body)?;
        records::required(tx, RecordKind::GROUP, uuid)
    });
    let created = create.await?;
    call.count(1);
    json_reply(&group_json(&created))
}

pub(super) async fn change(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<Described>,
) -> Reply {
    let edit = call.edit_record(RecordKind::GROUP, group, |_, found| {
        sent.apply(found);
        Ok(group_json(found))
    });
    json_reply(&edit.await?)
}

pub(super) async fn remove(call: Call, GroupId(group): GroupId) -> Reply {
    let uses = Some(RecordKind::GROUP_USE);
    call.remove_record(RecordKind::GROUP, group, uses).await
}

fn users_of(group: &Record) -> Vec<String> {
    serde_json::from_value(group.body["users"].clone()).unwrap_or_default()
}

fn users_page(users: Vec<String>) -> Reply {
    let users = users.into_iter();
    json_reply(&Page::whole(users.map(|email| json!({"userEmail": email}))))
}

pub(super) async fn people(call: Call, GroupId(group): GroupId) -> Reply {
    users_page(users_of(&call.record(RecordKind::GROUP, group).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Emails {
    pub user_emails: Vec<String>,
}

pub(super) async fn add_people(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<Emails>,
) -> Reply {
    let app = call.app.clone();
    let edit = call.edit_record(RecordKind::GROUP, group, move |tx, found| {
        let known = known_people(&app, tx)?;
        let mut users = users_of(found);
        for email in sent.user_emails {
            if !known.contains(&email) {
                return Err(forbidden!(
                    "{email} is not in the organisation; nobody was added"
                ));
            }
            if !users.contains(&email) {
                users.push(email);
            }
        }
        found.body["users"] = json!(users);
        Ok(users)
    });
    users_page(edit.await?)
}

pub(super) async fn remove_people(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<Emails>,
) -> Reply {
    let edit = call.edit_record(RecordKind::GROUP, group, move |_, found| {
        let mut users = users_of(found);
        users.retain(|u| !sent.user_emails.contains(u));
        found.body["users"] = json!(users);
        Ok(())
    });
    edit.await?;
    Ok(call.null())
}

pub(super) async fn uses(call: Call, Shareable(thing): Shareable) -> Reply {
    let list = move |db: &Connection| {
        let mut out = Vec::new();
        for used in records::list(db, RecordKind::GROUP_USE, thing)? {
            let mut group = group_json(&records::required(db, RecordKind::GROUP, used.uuid)?);
            group["isSameOrganisation"] = json!(true);
            group["userRole"] = used.body;
            out.push(group);
        }
        Ok(out)
    };
    json_reply(&Page::whole(call.store.read(list).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewUses {
    group_hash_list: Vec<Uuid>,
    user_role: Value,
}

pub(super) async fn add_uses(
    call: Call,
    Shareable(thing): Shareable,
    Sent(sent): Sent<NewUses>,
) -> Reply {
    call.change(move |tx| {
        for group in &sent.group_hash_list {
            let name = records::required(tx, RecordKind::GROUP, *group)?.name;
            let key = RecordKind::GROUP_USE.of(thing, *group);
            records::put(tx, key, &name, &sent.user_role)?;
        }
        Ok(sent.group_hash_list.len())
    })
    .await
}

pub(super) async fn remove_uses(call: Call, Shareable(thing): Shareable, pairs: Pairs) -> Reply {
    let groups = pairs.uuids("groupHashList")?;
    call.change(move |tx| {
        for group in &groups {
            records::remove(tx, RecordKind::GROUP_USE.of(thing, *group))?;
        }
        Ok(groups.len())
    })
    .await
}
