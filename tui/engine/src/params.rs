//! The parameters in `workbench.toml` against what an agent declares with `params(…)`.
//!
//! The keywords of JSON Schema that the macro writes are understood: `properties`, `required`,
//! `additionalProperties: false`, `type`, `items`, `minimum`, `maximum`, `enum`. Others, which a library in
//! another language may write, are left to the agent itself.

use agent_abi::model::quoted;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wb_core::ids::StageId;
use wb_core::secret;
use wb_core::state::State;

/// Parameters by stage name or UUID.
pub type Params = BTreeMap<String, Value>;

/// The parameters without what may be a secret: as people see them.
#[must_use]
pub fn shown(params: &Params) -> Params {
    let all = params.iter();
    all.map(|(name, value)| (name.clone(), without_secrets(value)))
        .collect()
}

fn without_secrets(value: &Value) -> Value {
    let text = value.to_string();
    match secret::clean(&text) {
        Cow::Borrowed(_) => value.clone(),
        Cow::Owned(cleaned) => serde_json::from_str(&cleaned).unwrap_or_else(|_| json!({})),
    }
}

/// Parameters that a person edited as they are shown: what was not touched is what the settings have.
#[must_use]
pub fn restored(edited: Value, set: &Value) -> Value {
    let shown = without_secrets(set);
    restore(edited, &shown, set)
}

fn restore(edited: Value, shown: &Value, set: &Value) -> Value {
    match (edited, shown, set) {
        (edited, shown, set) if edited == *shown => set.clone(),
        (Value::Object(edited), Value::Object(shown), Value::Object(set)) => {
            let one = |(name, value): (String, Value)| {
                let value = match (shown.get(&name), set.get(&name)) {
                    (Some(shown), Some(set)) => restore(value, shown, set),
                    _ => value,
                };
                (name, value)
            };
            edited.into_iter().map(one).collect()
        }
        (edited, ..) => edited,
    }
}

/// What is wrong with the parameters of these stages: the stage's title and a line, for each mistake.
#[must_use]
pub fn misfits(state: &State, stages: &[StageId], params: &Params) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for id in stages {
        let project = state.project.as_ref();
        let stage = project.and_then(|p| p.workflow.stage(*id));
        let agent = state.agent(*id).map(|(_, _, agent)| agent);
        let (Some(stage), Some(agent)) = (stage, agent) else {
            continue;
        };
        let Some(schema) = &agent.spec.params else {
            continue;
        };
        let workflow = project.map(|p| &p.workflow);
        if params.contains_key(&stage.title)
            && let Some(workflow) = workflow.filter(|w| w.find(&stage.title).is_none())
        {
            found.push((stage.title.clone(), workflow.not_found(&stage.title)));
            continue;
        }
        let given = (params.get(&stage.title)).or_else(|| params.get(&id.0.to_string()));
        let nothing = json!({});
        let problems = problems(schema, given.unwrap_or(&nothing));
        found.extend(problems.into_iter().map(|p| (stage.title.clone(), p)));
    }
    found
}

/// Tables of parameters whose name no stage has, a line each: perhaps they are for another project.
#[must_use]
pub fn strays(state: &State, params: &Params) -> Vec<String> {
    let Some(workflow) = state.project.as_ref().map(|p| &p.workflow) else {
        return Vec::new();
    };
    let is_stray = |name: &&String| {
        workflow.find(name).is_none() && workflow.stages.iter().all(|s| s.title != **name)
    };
    let line = |name: &String| {
        let near = workflow.nearest(name).first().map(|near| quoted(near));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        format!(
            "no stage takes the parameters [params.{}]{near}",
            quoted(name)
        )
    };
    params.keys().filter(is_stray).map(line).collect()
}

/// What is wrong, a line each; empty: it fits.
#[must_use]
pub fn problems(schema: &Value, params: &Value) -> Vec<String> {
    let mut found = Vec::new();
    object(schema, params, "", &mut found);
    found
}

fn object(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let known = schema["properties"].as_object();
    let names = || -> Vec<&str> {
        known
            .into_iter()
            .flat_map(|k| k.keys())
            .map(String::as_str)
            .collect()
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if value.get(name).is_none() {
            found.push(format!("\"{path}{name}\" is missing"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        match known.and_then(|known| known.get(name)) {
            Some(schema) => one(schema, value, &format!("{path}{name}"), found),
            None if schema["additionalProperties"] == false => found.push(format!(
                "\"{path}{name}\" is not known; there are: {}",
                names().join(", ")
            )),
            None => {}
        }
    }
}

fn one(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(wanted) = schema["type"].as_str()
        && !is(wanted, value)
    {
        found.push(format!("\"{path}\" is {value}, not of type {wanted}"));
        return;
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        found.push(format!("\"{path}\" is {value}; the least is {least}"));
    }
    if let (Some(most), Some(number)) = (schema["maximum"].as_f64(), value.as_f64())
        && number > most
    {
        found.push(format!("\"{path}\" is {value}; the most is {most}"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        found.push(format!(
            "\"{path}\" is {value}, none of {}",
            allowed.join(", ")
        ));
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        one(&schema["items"], item, &format!("{path}[{n}]"), found);
    }
    if value.is_object() {
        object(schema, value, &format!("{path}."), found);
    }
}

fn is(wanted: &str, value: &Value) -> bool {
    match wanted {
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_is_still_given_where_something_else_is_edited() {
        let set = json!({"threshold": 0.5, "model": {"api_key": "sk-1234", "name": "a"}});
        let all = Params::from([("stage".to_owned(), set.clone())]);
        let seen = shown(&all)["stage"].clone();
        assert!(!seen.to_string().contains("sk-1234"), "{seen}");
        let mut edited = seen.clone();
        edited["threshold"] = json!(0.9);
        edited["model"]["name"] = json!("b");
        let given = json!({"threshold": 0.9, "model": {"api_key": "sk-1234", "name": "b"}});
        assert_eq!(restored(edited, &set), given);
        assert_eq!(restored(json!({}), &set), json!({}));
    }
    use serde_json::json;

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let schema = json!({"type": "object", "required": ["label"], "additionalProperties": false, "properties": {
            "every": {"type": "integer", "minimum": 0, "maximum": 255}, "label": {"type": "string"},
            "of": {"type": "array", "items": {"type": "number"}}}});
        assert!(problems(&schema, &json!({"label": "x", "every": 3, "of": [1, 2.5]})).is_empty());
        assert_eq!(
            problems(&schema, &json!({"every": 300, "evry": 1, "of": [1, "two"]})),
            [
                "\"label\" is missing",
                "\"every\" is 300; the most is 255",
                "\"evry\" is not known; there are: every, label, of",
                "\"of[1]\" is \"two\", not of type number",
            ]
        );
        assert_eq!(
            problems(&schema, &json!({"label": 1, "every": -1})),
            [
                "\"every\" is -1; the least is 0",
                "\"label\" is 1, not of type string"
            ]
        );
    }
}
