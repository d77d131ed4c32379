//! The built-in scenarios: `seed`, `demo`, `samples`, `large`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ids::Names;
use crate::item::ItemKind;
use crate::suggest::did_you_mean;
use crate::world::{DatasetSpec, ItemSpec, ProjectSpec, TemplateSpec, World, ontology};

/// A built-in scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scenario {
    /// The workflow of the runners' introduction: one agent stage, one pathway, its UUIDs.
    Seed,
    /// Two agent stages, annotation, review with a loop back, two final stages; every kind of item;
    /// a twin project with labels.
    #[default]
    Demo,
    /// The data of `demo`, and a workflow with a stage for every sample agent.
    Samples,
    /// The workflow of `demo` with a very large number of images.
    Large,
}

impl Scenario {
    /// All scenarios, in the order in which help shows them.
    pub const ALL: [Self; 4] = [Self::Seed, Self::Demo, Self::Samples, Self::Large];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Demo => "demo",
            Self::Samples => "samples",
            Self::Large => "large",
        }
    }

    /// The default number of tasks.
    #[must_use]
    pub fn default_tasks(self) -> usize {
        match self {
            Self::Seed => 24,
            Self::Demo | Self::Samples => 240,
            Self::Large => 1_000_000,
        }
    }

    pub(crate) fn world(self, tasks: usize, names: Names) -> World {
        let (template, title) = match self {
            Self::Seed => (seed_template(), "Agent to complete"),
            Self::Demo | Self::Large => (demo_template(names), "Night cameras"),
            Self::Samples => (samples_template(names), "Every sample agent"),
        };
        let mixed = matches!(self, Self::Demo | Self::Samples);
        let mut items = if mixed {
            mixed_items(tasks)
        } else {
            Vec::new()
        };
        let special: usize = items.len();
        items.insert(
            0,
            ItemSpec::of(ItemKind::Image).times(tasks.saturating_sub(special)),
        );
        let mut projects = vec![project(title)];
        if mixed {
            projects.push(project("Night cameras (twin)"));
        }
        World {
            ontologies: vec![ontology::spec()],
            datasets: vec![DatasetSpec {
                title: "Cameras".to_owned(),
                description: "Photographs and crops of them".to_owned(),
                items,
                ..DatasetSpec::default()
            }],
            workflow_templates: vec![template],
            projects,
            lively: self != Self::Seed,
            ..World::default()
        }
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!(
                "there is no scenario {text:?}{}; known are {}. For your own, use --scenario-file FILE",
                did_you_mean(text, names),
                names.join(", ")
            )
        })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A project on the first of everything.
pub(crate) fn project(title: &str) -> ProjectSpec {
    ProjectSpec {
        title: title.to_owned(),
        ..ProjectSpec::default()
    }
}

/// The items of `demo` other than images: at most a quarter of `tasks`.
fn mixed_items(tasks: usize) -> Vec<ItemSpec> {
    let mut group = ItemSpec::of(ItemKind::ImageGroup).titled("crossing_three_views");
    for (place, crop) in [(3, 7), (8, 11), (9, 13)] {
        let mut view = ItemSpec::of(ItemKind::Image).titled(&format!("crossing_view_{place}.jpg"));
        view.media = Some(format!("photo/{place}/{crop}"));
        group.children.push(view);
    }
    let mut list = vec![
        ItemSpec::of(ItemKind::Video).titled("meadow_intro_3s.mp4"),
        group,
        ItemSpec::of(ItemKind::PlainText).titled("shift_note_17.txt"),
        ItemSpec::of(ItemKind::Audio).titled("gate_beep_02.wav"),
        ItemSpec::of(ItemKind::PlainText).titled("shift_note_18.txt"),
        ItemSpec::of(ItemKind::Audio).titled("barrier_alarm_05.wav"),
    ];
    list.truncate(tasks / 4);
    list
}

/// The workflow of the runners' introduction, with its UUIDs.
pub(crate) fn seed_template() -> TemplateSpec {
    TemplateSpec {
        id: Some(Uuid::from_u128(0xa59b_3190_09e2_432c_a8bb_f292_5872_e298)),
        title: "Agent to complete".to_owned(),
        graph_nodes: json!([
            {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START",
             "toNode": "6011c844-fb26-438b-b465-0b0825951015"},
            {"uuid": "6011c844-fb26-438b-b465-0b0825951015", "nodeType": "AGENT", "title": "Agent 1",
             "pathways": [{"uuid": "49a786f3-5edf-4b94-aff0-3da9042d3bf0", "name": "complete",
                           "targetNode": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"}]},
            {"uuid": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "nodeType": "DONE", "title": "Complete",
             "nodeSubtype": "COMPLETED"}
        ]),
    }
}

/// Two agents around annotation and review.
pub(crate) fn demo_template(names: Names) -> TemplateSpec {
    let stage = |title: &str| names.uuid("stage", title);
    let route = |name: &str, to: &str| -> Value {
        json!({"uuid": names.uuid("pathway", name), "name": name, "targetNode": stage(to)})
    };
    TemplateSpec {
        id: None,
        title: "Pre-label, annotate, review, route".to_owned(),
        graph_nodes: json!([
            {"uuid": stage("Start"), "nodeType": "START", "toNode": stage("pre-label")},
            {"uuid": stage("pre-label"), "nodeType": "AGENT", "title": "pre-label", "pathways": [
                route("annotate", "Annotate"), route("skip", "Archive"), route("escalate", "Review")]},
            {"uuid": stage("Annotate"), "nodeType": "ANNOTATION", "title": "Annotate", "toNode": stage("Review")},
            {"uuid": stage("Review"), "nodeType": "REVIEW", "title": "Review",
             "approveNode": stage("route"), "rejectNode": stage("Annotate")},
            {"uuid": stage("route"), "nodeType": "AGENT", "title": "route", "pathways": [
                route("complete", "Complete"), route("rework", "Annotate")]},
            {"uuid": stage("Complete"), "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
            {"uuid": stage("Archive"), "nodeType": "DONE", "title": "Archive", "nodeSubtype": "ARCHIVED"}
        ]),
    }
}

/// A stage for every sample agent, with the pathways that it declares.
fn samples_template(names: Names) -> TemplateSpec {
    let stage = |title: &str| names.uuid("stage", title);
    let agent = |title: &str, pathways: &[(&str, &str)]| -> Value {
        let pathway = |(name, to): &(&str, &str)| {
            let id = names.uuid("pathway", format!("{title}: {name}"));
            json!({"uuid": id, "name": name, "targetNode": stage(to)})
        };
        let pathways: Vec<Value> = pathways.iter().map(pathway).collect();
        json!({"uuid": stage(title), "nodeType": "AGENT", "title": title, "pathways": pathways})
    };
    TemplateSpec {
        id: None,
        title: "Every sample agent".to_owned(),
        graph_nodes: json!([
            {"uuid": stage("Start"), "nodeType": "START", "toNode": stage("pre-label")},
            agent("pre-label", &[("annotate", "twin"), ("skip", "Archive"), ("escalate", "Review")]),
            agent("twin", &[("annotate", "priority")]),
            agent("priority", &[("annotate", "Annotate")]),
            agent("video", &[("annotate", "Annotate")]),
            {"uuid": stage("Annotate"), "nodeType": "ANNOTATION", "title": "Annotate", "toNode": stage("Review")},
            {"uuid": stage("Review"), "nodeType": "REVIEW", "title": "Review",
             "approveNode": stage("validate"), "rejectNode": stage("Annotate")},
            agent("validate", &[("complete", "route by"), ("fix", "Annotate")]),
            agent("route by", &[("complete", "route"), ("review", "Review")]),
            agent("route", &[("complete", "Agent 1"), ("rework", "Annotate")]),
            agent("Agent 1", &[("complete", "Complete")]),
            {"uuid": stage("Complete"), "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
            {"uuid": stage("Archive"), "nodeType": "DONE", "title": "Archive", "nodeSubtype": "ARCHIVED"}
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Graph;

    #[test]
    fn the_templates_are_valid() {
        let names = Names::new(1);
        for template in [
            seed_template(),
            demo_template(names),
            samples_template(names),
        ] {
            Graph::from_value(&json!({"graphNodes": template.graph_nodes})).unwrap();
        }
    }

    #[test]
    fn scenarios_are_parsed_and_a_typo_gets_a_suggestion() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let problem = "dmo".parse::<Scenario>().unwrap_err();
        assert!(problem.contains("did you mean demo?"), "{problem}");
    }
}
