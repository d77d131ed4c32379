//! Checks of a scenario file beyond its format. Errors name the place in the file.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::{ItemSpec, World, ontology};
use crate::item::ItemKind;
use crate::keys;
use crate::workflow::Graph;

/// The maximum number of items; more are a typo.
pub(crate) const MOST_ITEMS: usize = 10_000_000;

impl World {
    /// Refuses invalid values.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.projects.is_empty() && self.datasets.is_empty() {
            return Err(
                "the scenario has no project and no dataset: there is nothing to serve".into(),
            );
        }
        for (n, user) in self.users.iter().enumerate() {
            keys::public(&user.public_key).map_err(|e| format!("users[{n}].publicKey: {e}"))?;
        }
        for (n, spec) in self.ontologies.iter().enumerate() {
            ontology::structure(spec).map_err(|e| format!("ontologies[{n}].structure: {e}"))?;
        }
        for (n, spec) in self.workflow_templates.iter().enumerate() {
            Graph::from_value(&json!({"graphNodes": spec.graph_nodes}))
                .map_err(|e| format!("workflowTemplates[{n}].{e}"))?;
        }
        self.check_ids()?;
        let mut items = Items::default();
        for (d, dataset) in self.datasets.iter().enumerate() {
            for (n, item) in dataset.items.iter().enumerate() {
                items.check(item, None, 1, &format!("datasets[{d}].items[{n}]"))?;
            }
        }
        for (n, project) in self.projects.iter().enumerate() {
            for (t, task) in project.tasks.iter().enumerate() {
                if task.priority.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
                    return Err(format!(
                        "projects[{n}].tasks[{t}].priority: not between 0.0 and 1.0"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Ids, and users' addresses, must be unique.
    fn check_ids(&self) -> Result<(), String> {
        fn once(
            list: &str,
            key: &str,
            ids: impl Iterator<Item = Option<String>>,
        ) -> Result<(), String> {
            let mut seen = HashMap::new();
            for (n, id) in ids.enumerate() {
                if let Some(before) = id.and_then(|id| seen.insert(id, n)) {
                    return Err(format!(
                        "{list}[{n}].{key}: the same as {list}[{before}].{key}"
                    ));
                }
            }
            Ok(())
        }
        let text = |id: Option<Uuid>| id.map(|id| id.to_string());
        once(
            "users",
            "email",
            self.users.iter().map(|u| Some(u.email.clone())),
        )?;
        let folders = self.folders.iter().map(|f| text(f.id));
        once("folders", "id", folders)?;
        once(
            "ontologies",
            "id",
            self.ontologies.iter().map(|o| text(o.id)),
        )?;
        once("datasets", "id", self.datasets.iter().map(|d| text(d.id)))?;
        once(
            "workflowTemplates",
            "id",
            self.workflow_templates.iter().map(|t| text(t.id)),
        )?;
        once("projects", "id", self.projects.iter().map(|p| text(p.id)))
    }
}

/// The items so far: the place of each id, and their number.
#[derive(Default)]
struct Items {
    places: HashMap<(&'static str, Uuid), String>,
    count: usize,
}

impl Items {
    /// Checks one item that is created `times` times, as a child of `parent` or by itself.
    fn check(
        &mut self,
        item: &ItemSpec,
        parent: Option<ItemKind>,
        times: usize,
        place: &str,
    ) -> Result<(), String> {
        for (key, id) in [("id", item.id), ("itemId", item.item_id)] {
            let Some(id) = id else { continue };
            let here = format!("{place}.{key}");
            if let Some(before) = self.places.insert((key, id), here.clone()) {
                return Err(format!("{here}: the same id as {before}"));
            }
        }
        if item.count == 0 {
            return Err(format!("{place}.count: must be at least 1"));
        }
        let total = times.saturating_mul(item.count);
        self.count = self.count.saturating_add(total);
        if self.count > MOST_ITEMS {
            return Err(format!(
                "{place}.count: more than {MOST_ITEMS} items in all"
            ));
        }
        if item.count > 1 && parent.is_none() && item.children.iter().any(|c| c.id.is_some()) {
            return Err(format!(
                "{place}.children: their ids cannot be fixed where `count` makes several parents"
            ));
        }
        match (parent, item.kind) {
            (Some(ItemKind::ImageGroup), kind) if kind != ItemKind::Image => {
                return Err(format!("{place}.type: an imageGroup holds images only"));
            }
            (Some(_), ItemKind::Group) => {
                return Err(format!(
                    "{place}.type: a group cannot be inside another item"
                ));
            }
            (_, ItemKind::ImageGroup | ItemKind::Group) => {}
            (_, kind) if !item.children.is_empty() => {
                let kind = kind.item_type();
                return Err(format!("{place}.children: an item of type {kind} has none"));
            }
            _ => {}
        }
        for (n, child) in item.children.iter().enumerate() {
            self.check(
                child,
                Some(item.kind),
                total,
                &format!("{place}.children[{n}]"),
            )?;
        }
        Ok(())
    }
}
