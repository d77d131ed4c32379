//! [`transplant`](super::transplant()) on text: the row that is saved is joined from parts of two documents, so
//! that neither is parsed into a tree. Most rows can be joined like this; for the others there is `transplant`.

use super::ANSWERS;
use super::transplant::ANSWER_ONLY;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What [`transplant`](super::transplant()) makes of the same documents, key order aside. `None` where
/// `transplant` is needed: for rows with parts (`spaces`), for documents of an unexpected shape, and where it would refuse.
pub fn splice(fresh: &str, after: &str) -> Option<String> {
    let mut row = ObjectFields::parse(fresh)?;
    let after = ObjectFields::parse(after)?;
    if !(row.has_no_parts() && after.has_no_parts()) {
        return None;
    }
    row.0
        .retain(|(key, _)| !ANSWER_ONLY.contains(&key.as_ref()));
    for key in ANSWERS {
        if let Some(part) = after.get(key) {
            row.set(key, part);
        }
    }
    let units = match after.get("data_units") {
        Some(wanted) => Some(splice_units(row.get("data_units")?, wanted)?),
        None => None,
    };
    let mut out = String::with_capacity(fresh.len() + fresh.len() / 4);
    row.write(&mut out, |key| {
        units.as_deref().filter(|_| key == "data_units")
    })?;
    Some(out)
}

/// The data units of the row with the wanted labels.
fn splice_units(row: &str, wanted: &str) -> Option<String> {
    let (units, wanted) = (ObjectFields::parse(row)?, ObjectFields::parse(wanted)?);
    let single = units.0.len() == 1 && wanted.0.len() == 1;
    let mut changed = Vec::with_capacity(wanted.0.len());
    for (hash, unit) in &wanted.0 {
        let unit = ObjectFields::parse(unit)?;
        let Some(labels) = unit.get("labels") else {
            continue;
        };
        let at = match single {
            true => 0,
            false => units.0.iter().position(|(key, _)| key == hash)?,
        };
        let (key, unit) = &units.0[at];
        let mut unit = ObjectFields::parse(unit)?;
        unit.set("labels", labels);
        let mut text = String::new();
        unit.write(&mut text, |_| None)?;
        changed.push((key, text));
    }
    let mut out = String::with_capacity(row.len() * 2);
    let new = |key: &str| changed.iter().find(|(hash, _)| *hash == key);
    units.write(&mut out, |key| new(key).map(|(_, text)| text.as_str()))?;
    Some(out)
}

/// The fields of a JSON object in their order, each value as text.
pub struct ObjectFields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> ObjectFields<'a> {
    /// `None` for anything but an object, and for one that has a key twice.
    pub fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| name == key).map(|f| f.1)
    }

    fn set(&mut self, key: &'static str, value: &'a str) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some(field) => field.1 = value,
            None => self.0.push((key.into(), value)),
        }
    }

    fn has_no_parts(&self) -> bool {
        let spaces = self.get("spaces");
        spaces.is_none_or(|spaces| matches!(spaces, "null" | "{}"))
    }

    /// Writes the object, with other values where there are any.
    fn write<'t>(&self, out: &mut String, instead: impl Fn(&str) -> Option<&'t str>) -> Option<()> {
        for (n, (key, value)) in self.0.iter().enumerate() {
            out.push(if n == 0 { '{' } else { ',' });
            out.push_str(&serde_json::to_string(key).ok()?);
            out.push(':');
            out.push_str(instead(key).unwrap_or(value));
        }
        out.push_str(if self.0.is_empty() { "{}" } else { "}" });
        Some(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ObjectFields<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = ObjectFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Vec<(Cow<'de, str>, &'de str)> = Vec::new();
                while let Some(FieldName(key)) = map.next_key()? {
                    if fields.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom("a key that is there twice"));
                    }
                    fields.push((key, map.next_value::<&RawValue>()?.get()));
                }
                Ok(ObjectFields(fields))
            }
        }
        json.deserialize_map(InOrder)
    }
}

/// A key, borrowed unless it has escapes.
#[derive(Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::super::transplant;
    use super::*;
    use serde_json::{Value, json};

    fn spliced(fresh: &Value, after: &Value) -> Option<Value> {
        let text = splice(&fresh.to_string(), &after.to_string())?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn row(units: Value) -> Value {
        json!({"label_hash": "l", "is_valid": true, "spaces": {}, "object_answers": {"old": 1},
            "data_units": units, "new field \"\u{e9}\"": [1.50]})
    }

    #[test]
    fn it_agrees_with_transplant() {
        let unit = |labels: Value| json!({"data_hash": "u", "labels": labels, "width": 3});
        let bare = json!({"data_hash": "u"});
        let units = [
            json!({"u": unit(json!({"objects": [1]}))}),
            json!({"v": unit(json!({}))}),
            json!({"u": bare, "v": unit(json!({"0": {"objects": [{"a": 1}]}}))}),
            json!({}),
        ];
        for fresh in &units {
            for after in &units {
                let (fresh, mut after) = (row(fresh.clone()), row(after.clone()));
                after["object_answers"] = json!({"new": {"x": "\u{1F697}"}});
                after["object_actions"] = json!({"new": {}});
                let text = (fresh.to_string(), after.to_string());
                let wanted = transplant(fresh.clone(), &after);
                match spliced(&fresh, &after) {
                    Some(spliced) => assert_eq!(Ok(spliced), wanted, "{text:?}"),
                    // A unit that is not there: refused by `transplant` where it bears labels.
                    None => assert!(fresh["data_units"] != after["data_units"], "{text:?}"),
                }
            }
        }
        let same = row(units[0].clone());
        assert_eq!(spliced(&same, &same), transplant(same.clone(), &same).ok());
    }

    #[test]
    fn it_leaves_what_it_does_not_cover_to_transplant() {
        let plain = row(json!({"u": {"labels": {}}}));
        let mut group = plain.clone();
        group["spaces"] = json!({"left": {"labels": {}}});
        assert_eq!(spliced(&group, &plain), None);
        assert_eq!(spliced(&plain, &group), None);
        assert_eq!(spliced(&plain, &json!({"data_units": []})), None);
        assert_eq!(spliced(&plain, &json!([])), None);
        assert_eq!(spliced(&json!([]), &plain), None);
        assert_eq!(
            splice(r#"{"a":1,"\u0061":2}"#, "{}"),
            None,
            "twice the same key"
        );
        assert_eq!(splice("{}", "{}").as_deref(), Some("{}"));
    }
}
