//! Ontologies: read, listed, made, saved.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::projects::CatalogFilter;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::store::catalog::{self, Ontology};
use crate::structure;
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
    editor: Box<RawValue>,
}

/// Completes a structure; one that could not be read back is refused: clients fail on it as a whole.
pub(super) fn completed(editor: &RawValue) -> Result<String, Refusal> {
    structure::completed(editor)
        .map_err(|e| Refusal::Invalid(format!("the ontology's structure: {e}")))
}

async fn create(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: OntologyBody = body(&bytes)?;
    let editor = completed(&sent.editor)?;
    let uuid = Uuid::new_v4();
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
    let editor = completed(&sent.editor)?;
    let work = move |c: &rusqlite::Connection| {
        let (title, description) = (Some(&*sent.title), Some(&*sent.description));
        catalog::save_ontology(c, id, title, description, &editor, time::now())
    };
    app.store.write(work).await?;
    app.reload().await?;
    app.tally.changed(Endpoint::ChangeOntologies, 1);
    Ok(null())
}
