//! Ontologies: read, listed, created, saved.

use crate::routes::prelude::*;
use crate::routes::projects::CatalogFilter;
use crate::structure;

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

pub(super) async fn one(OfOntology(ontology): OfOntology) -> Reply {
    json_reply(&OntologyDto::from(&*ontology))
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let filter: CatalogFilter = pairs.parse()?;
    let catalog = call.catalog();
    let fits = |o: &&Arc<Ontology>| filter.fits(&o.title, &o.description, o.created, o.edited);
    let fitting = catalog.ontologies.iter().filter(fits);
    json_reply(&Page::whole(fitting.map(|o| OntologyDto::from(&**o))))
}

#[derive(Deserialize)]
pub(super) struct OntologyBody {
    title: String,
    #[serde(default)]
    description: String,
    editor: Box<RawValue>,
}

/// Completes a structure, or refuses one that clients could not read.
pub(super) fn completed(editor: &RawValue) -> Result<String, Refusal> {
    structure::completed(editor).map_err(|e| invalid!("the ontology's structure: {e}"))
}

pub(super) async fn create(call: Call, Sent(sent): Sent<OntologyBody>) -> Reply {
    let editor = completed(&sent.editor)?;
    let uuid = Uuid::new_v4();
    let create = call.change_catalog(move |tx| {
        catalog::insert_ontology(tx, uuid, &sent.title, &sent.description, &editor)?;
        Ok(1)
    });
    create.await?;
    json_reply(&OntologyDto::from(&**call.catalog().ontology(uuid)?))
}

pub(super) async fn save(call: Call, ontology: OfOntology, sent: Sent<OntologyBody>) -> Reply {
    let editor = completed(&sent.editor)?;
    call.change_catalog(move |tx| {
        let (title, description) = (Some(&*sent.title), Some(&*sent.description));
        catalog::save_ontology(tx, ontology.id, title, description, &editor)
    })
    .await
}
