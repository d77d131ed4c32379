//! Ontologies: read, listed, made, saved.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::projects::CatalogFilter;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::store::catalog::{self, Ontology};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/ontologies", get(list).post(create))
        .route("/v2/public/ontologies/{ontology}", get(one).put(save))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OntologyDto<'a> {
    ontology_uuid: Uuid,
    title: &'a str,
    description: &'a str,
    editor: &'a RawValue,
    created_at: String,
    last_edited_at: String,
    user_role: u8,
}

impl<'a> From<&'a Ontology> for OntologyDto<'a> {
    fn from(o: &'a Ontology) -> Self {
        Self {
            ontology_uuid: o.uuid,
            title: &o.title,
            description: &o.description,
            editor: &o.editor,
            created_at: time::iso(o.created),
            last_edited_at: time::iso(o.edited),
            user_role: 0,
        }
    }
}

async fn one(State(app): State<Shared>, Path(ontology): Path<String>) -> Answer {
    let wanted = uuid(&ontology, "ontology")?;
    json_answer(&OntologyDto::from(&**app.catalog().ontology(wanted)?))
}

async fn list(State(app): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let filter = CatalogFilter::read(&Pairs(pairs))?;
    let catalog = app.catalog();
    let fitting = catalog
        .ontologies
        .iter()
        .filter(|o| filter.fits(&o.title, &o.description, o.created, o.edited));
    json_answer(&Page::whole(
        fitting.map(|o| OntologyDto::from(&**o)).collect(),
    ))
}

#[derive(Deserialize)]
struct OntologyBody {
    title: String,
    #[serde(default)]
    description: String,
    editor: Value,
}

/// Refuses what could not be read back as an ontology: clients fail on it as a whole.
pub(super) fn check_structure(editor: &Value) -> Result<(), Refusal> {
    let mut seen = std::collections::HashSet::new();
    for key in ["objects", "classifications"] {
        let list = editor.get(key).and_then(Value::as_array).ok_or_else(|| {
            Refusal::Invalid(format!("an ontology's structure has a list `{key}`"))
        })?;
        for entry in list {
            let hash = entry.get("featureNodeHash").and_then(Value::as_str);
            let hash = hash.ok_or_else(|| {
                Refusal::Invalid(format!("an entry of `{key}` has no `featureNodeHash`"))
            })?;
            if !seen.insert(hash) {
                return Err(Refusal::Invalid(format!(
                    "two entries of the ontology have the feature hash {hash:?}"
                )));
            }
        }
    }
    Ok(())
}

async fn create(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: OntologyBody = body(&bytes)?;
    check_structure(&sent.editor)?;
    let uuid = Uuid::new_v4();
    let editor = sent.editor.to_string();
    app.store
        .write(move |c| {
            catalog::insert_ontology(
                c,
                uuid,
                &sent.title,
                &sent.description,
                &editor,
                time::now(),
            )?;
            Ok(())
        })
        .await?;
    app.reload().await?;
    app.tally.changed(Endpoint::ChangeOntologies, 1);
    json_answer(&OntologyDto::from(&**app.catalog().ontology(uuid)?))
}

async fn save(State(app): State<Shared>, Path(ontology): Path<String>, bytes: Bytes) -> Answer {
    let id = app.catalog().ontology(uuid(&ontology, "ontology")?)?.id;
    let sent: OntologyBody = body(&bytes)?;
    check_structure(&sent.editor)?;
    let work = move |c: &rusqlite::Connection| {
        let (title, description) = (Some(&*sent.title), Some(&*sent.description));
        catalog::save_ontology(
            c,
            id,
            title,
            description,
            &sent.editor.to_string(),
            time::now(),
        )
    };
    app.store.write(work).await?;
    app.reload().await?;
    app.tally.changed(Endpoint::ChangeOntologies, 1);
    Ok(null())
}
