//! Looks at a project before its first task: are the labels there that the agents will write?
//!
//! Only what concerns this project is asked for, so the same library serves projects that have some
//! of the stages.

use agent_abi::prelude::*;

/// Refuses a project whose "pre-label" stage could not be served.
pub fn preflight(project: &Project) -> Result<()> {
    let Ok(stage) = project.stage("pre-label") else {
        return Ok(());
    };
    let ontology = project.ontology();
    let region = ontology
        .object("Bright region")
        .context("pre-label draws it")?;
    if region.shape != Shape::BoundingBox {
        bail!(
            "\"Bright region\" is a {} in the ontology; pre-label draws boxes",
            region.shape.word()
        );
    }
    ontology
        .classification("Weather")
        .context("pre-label answers it")?;
    ontology
        .classification("Notes")
        .context("pre-label answers it where there is no picture")?;
    for pathway in ["annotate", "skip"] {
        stage.pathway(pathway)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{OntologyBuilder, ontology, project};

    fn demo() -> OntologyBuilder {
        ontology()
            .object("Bright region", "bounding_box")
            .radio("Weather", &["Sunny"])
            .text("Notes")
    }

    #[test]
    fn a_project_with_all_that_is_written_passes_and_one_without_the_stage_too() {
        assert!(preflight(&project(demo(), &[("pre-label", &["annotate", "skip"])])).is_ok());
        assert!(preflight(&project(ontology(), &[("Agent 1", &["complete"])])).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let refused = |ontology: OntologyBuilder, pathways: &[&str]| {
            format!(
                "{:#}",
                preflight(&project(ontology, &[("pre-label", pathways)])).unwrap_err()
            )
        };
        let text = refused(
            ontology().object("Bright regoin", "bounding_box"),
            &["annotate", "skip"],
        );
        assert!(
            text.starts_with("pre-label draws it: ")
                && text.contains("Did you mean \"Bright regoin\"?"),
            "{text}"
        );
        let polygon = ontology().object("Bright region", "polygon");
        assert!(refused(polygon, &["annotate", "skip"]).contains("is a polygon"));
        assert!(
            refused(demo(), &["annotate"])
                .contains("\"skip\" is not a pathway of stage \"pre-label\"")
        );
    }
}
