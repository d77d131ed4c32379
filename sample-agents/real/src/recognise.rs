//! Crops what another agent or a person boxed, classifies each crop, and replaces the box by one of the right class.

use agent_abi::prelude::*;

/// Mean brightness (0 to 255) that divides the classes; it stands for a classifier of crops.
const BRIGHT: f64 = 127.0;

/// Replaces every "Thing".
#[stage("recognise", routes = ["done"], idempotent)]
pub fn recognise(labels: &mut LabelRow, frame: Frame<'_>) -> Result<Route> {
    let ontology = labels.ontology();
    let things = labels.objects_named("Thing");
    let things: Vec<_> = things
        .filter_map(|o| Some((o.hash().to_owned(), o.bounding_box(0)?)))
        .collect();
    for (hash, area) in things {
        let class = classify(&frame.crop(&area));
        labels.remove(&hash);
        labels.add(ontology.object(class)?.boxed(area)?.manual(false))?;
    }
    Ok(Route::to("done"))
}

fn classify(crop: &Picture) -> &'static str {
    let sum: u64 = crop.data.iter().map(|&value| u64::from(value)).sum();
    let mean = sum as f64 / crop.data.len() as f64;
    if mean < BRIGHT {
        "Dark thing"
    } else {
        "Bright thing"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[stage("boxes")]
    fn boxes(labels: &mut LabelRow) -> Result<Route> {
        let ontology = labels.ontology();
        for x in [0.0, 0.5] {
            labels.add(ontology.object("Thing")?.bounding_box(x, 0.0, 0.5, 1.0)?)?;
        }
        Ok(Route::stay())
    }

    #[test]
    fn each_box_becomes_one_of_the_class_of_its_pixels() {
        let names = ["Thing", "Dark thing", "Bright thing"];
        let kinds = names
            .into_iter()
            .fold(ontology(), |kinds, name| kinds.object(name, "bounding_box"));
        let picture = Picture::filled(8, 8, [10; 3]).with_rect(4, 0, 4, 8, [240; 3]);
        let task = task("a.jpg").image(picture).ontology(kinds);
        let boxed = task.run::<boxes>().into_labels();
        let labels = task.labels(boxed).run::<recognise>().labels();
        let found = labels
            .objects()
            .into_iter()
            .map(|o| (o.name(), o.bounding_box(0).unwrap().x));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [("Dark thing", 0.0), ("Bright thing", 0.5)]
        );
    }
}
