//! The built-in ontology: boxes, polygons, text and sound, nested attributes, and classifications of
//! all three types.

use serde_json::value::RawValue;

use crate::structure::completed;
use crate::world::OntologySpec;

const STRUCTURE: &str = include_str!("ontology.json");

/// The built-in ontology as a part of a world.
pub(crate) fn spec() -> OntologySpec {
    OntologySpec {
        id: None,
        title: "Street scenes".to_owned(),
        description: "Vehicles, people, words and sounds".to_owned(),
        structure: None,
    }
}

/// The complete structure of an ontology, as `editor` of the API.
///
/// # Errors
/// A sentence with the place of what is missing, unknown, or not unique.
pub(super) fn structure(spec: &OntologySpec) -> Result<String, String> {
    match &spec.structure {
        Some(structure) => completed(structure),
        None => {
            let built_in = RawValue::from_string(STRUCTURE.to_owned());
            completed(&built_in.map_err(|e| e.to_string())?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_ontology_is_complete_with_the_hashes_that_samples_use() {
        let structure = structure(&spec()).unwrap();
        for hash in ["CarBox01", "CarShade", "WeathCl1", "TagsAt01"] {
            assert!(structure.contains(hash), "{hash}");
        }
    }
}
