//! What a value with `scope = host` was made of, besides its arguments: parameters, project and stage. It is made again
//! when these are others. What belongs to one task is not looked at: such a value is that of the first task.

use super::Scope;
use crate::model::{Project, Stage};
use serde_json::Value;
use std::sync::Arc;

/// The fields of a type that reads the parameters; empty: all of them.
type ReadFields = &'static [&'static str];

/// What was read while values were being made; each level is part of those around it.
#[derive(Clone, Debug, Default)]
pub(super) struct MadeOf {
    /// The parts of the parameters that were read, as they were.
    params: Vec<(ReadFields, String)>,
    project: Option<Arc<Project>>,
    stage: Option<Stage>,
}

impl MadeOf {
    fn add(&mut self, other: &Self) {
        for part in &other.params {
            if !self.params.contains(part) {
                self.params.push(part.clone());
            }
        }
        self.project = self.project.take().or_else(|| other.project.clone());
        self.stage = self.stage.take().or_else(|| other.stage.clone());
    }

    /// Whether an attempt would make the same.
    pub(super) fn fits(&self, scope: &Scope<'_>) -> bool {
        let params = scope.params_text();
        let same = |(fields, text): &(ReadFields, String)| part(params, fields) == *text;
        let project = |made: &Arc<Project>| {
            let now = scope.shared_project().ok().flatten();
            now.is_some_and(|now| Arc::ptr_eq(now, made) || now.is_same(made))
        };
        let stage = |made: &Stage| made == scope.stage_unnoted();
        self.params.iter().all(same)
            && self.project.as_ref().is_none_or(project)
            && self.stage.as_ref().is_none_or(stage)
    }
}

/// The parameters that have these names, in a form that does not depend on how they are written.
fn part(params: &str, fields: ReadFields) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(params) else {
        return params.to_owned();
    };
    if let (Value::Object(all), false) = (&mut value, fields.is_empty()) {
        all.retain(|name, _| fields.contains(&name.as_str()));
    }
    value.to_string()
}

impl Scope<'_> {
    /// A value begins to be made.
    pub(super) fn begin_making(&self) {
        self.making.borrow_mut().push(MadeOf::default());
    }

    /// It is made, or could not be: what it was made of.
    pub(super) fn end_making(&self) -> MadeOf {
        let made = self.making.borrow_mut().pop().unwrap_or_default();
        self.note_made(&made);
        made
    }

    /// What is being made uses something that was made of this.
    pub(super) fn note_made(&self, of: &MadeOf) {
        if let Some(making) = self.making.borrow_mut().last_mut() {
            making.add(of);
        }
    }

    /// What is being made reads these fields of the parameters.
    pub(super) fn note_params(&self, fields: ReadFields) {
        if self.makes() {
            self.note_made(&MadeOf {
                params: vec![(fields, part(self.params_text(), fields))],
                ..MadeOf::default()
            });
        }
    }

    pub(super) fn note_project(&self, project: &Arc<Project>) {
        if self.makes() {
            self.note_made(&MadeOf {
                project: Some(Arc::clone(project)),
                ..MadeOf::default()
            });
        }
    }

    pub(super) fn note_stage(&self) {
        if self.makes() {
            self.note_made(&MadeOf {
                stage: Some(self.stage_unnoted().clone()),
                ..MadeOf::default()
            });
        }
    }

    fn makes(&self) -> bool {
        !self.making.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_other_names_are_left_out_and_spelling_does_not_count() {
        let fields: ReadFields = &["model", "threshold"];
        let first = part(r#"{"model": "a", "other": 1}"#, fields);
        assert_eq!(first, part(r#"{"other":2,"model":"a"}"#, fields));
        assert_ne!(first, part(r#"{"model": "a", "threshold": 0.5}"#, fields));
        assert_ne!(part("{\"other\": 1}", &[]), part("{\"other\": 2}", &[]));
        assert_eq!(part("not JSON", fields), "not JSON");
    }
}
