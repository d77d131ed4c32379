//! Answers of language models, in the form of encord-agents' `OntologyDataModel`: what the schemas of
//! `ontology::schema` ask for. Parts are found by their feature hashes, else by their names, in any order; what
//! was not asked for is passed over.

use super::super::names::listed;
use super::super::ontology::schema::{HASH, attribute_keys, option_keys, safe};
use super::super::{
    Answer, Attribute, AttributeKind, Choice, ModelError, ModelResult, Ontology,
    OntologyClassification, OntologyObject, suggest,
};
use super::answering::unknown;
use super::new::{NewClassification, NewObject, Span};
use super::{LabelRow, place::merged, read::ranges};
use serde_json::{Map, Value, json};
use std::sync::Arc;

type AttributeAnswers<'o> = Vec<(&'o Attribute, Answer)>;

fn invalid<T>(text: impl Into<String>) -> ModelResult<T> {
    Err(ModelError::Invalid(text.into()))
}

fn object<'v>(value: &'v Value, what: &str) -> ModelResult<&'v Map<String, Value>> {
    value.as_object().map_or_else(
        || invalid(format!("{what} is not a JSON object: {}", short(value))),
        Ok,
    )
}

/// A value that fits into a message.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn hash_of(value: &Value) -> Option<&str> {
    value.get(HASH).and_then(Value::as_str)
}

/// The part of an answer that is about an attribute: the one with its hash, else the one under its name.
fn part<'v>(
    answer: &'v Map<String, Value>,
    attribute: &Attribute,
    key: &str,
) -> ModelResult<Option<&'v Value>> {
    let own = |value: &&Value| hash_of(value) == Some(attribute.feature_hash.as_str());
    if let Some(found) = answer.values().find(own) {
        return Ok(Some(found));
    }
    let named = [
        key,
        attribute.name.as_str(),
        attribute.feature_hash.as_str(),
    ];
    let found = named.iter().find_map(|name| answer.get(*name));
    match found.and_then(hash_of) {
        Some(other) => invalid(format!(
            "the answer to \"{}\" has the {HASH} {other}, not {}",
            attribute.name, attribute.feature_hash
        )),
        None => Ok(found.filter(|value| !value.is_null())),
    }
}

/// The answers to these attributes and to those nested in the chosen options, outer ones first.
fn collect<'o>(
    attributes: &[&'o Attribute],
    answer: &Map<String, Value>,
) -> ModelResult<AttributeAnswers<'o>> {
    let keys = attribute_keys(attributes);
    let mut found = Vec::new();
    let mut unanswered = Vec::new();
    for (attribute, key) in attributes.iter().zip(&keys) {
        match part(answer, attribute, key)? {
            Some(part) => read(attribute, part, &mut found)?,
            None => unanswered.push((attribute, key)),
        }
    }
    // A misspelt key must not pass as an answer that was left out.
    let known = |key: &str, value: &Value| {
        let hash = hash_of(value);
        let mut all = attributes.iter().zip(&keys);
        [HASH, "title"].contains(&key)
            || all.any(|(a, own)| {
                let hashes = [Some(key), hash];
                key == own || key == a.name || hashes.contains(&Some(&*a.feature_hash))
            })
    };
    for (attribute, key) in unanswered {
        let left = answer.iter().filter(|(key, value)| !known(key, value));
        let near = suggest::nearest(key, left.map(|(key, _)| key.as_str()));
        if let Some(near) = near.first() {
            return invalid(format!(
                "there is \"{near}\" in the answer, and nothing for \"{}\": it is answered under \"{key}\"",
                attribute.name
            ));
        }
    }
    Ok(found)
}

fn read<'o>(
    attribute: &'o Attribute,
    part: &Value,
    found: &mut AttributeAnswers<'o>,
) -> ModelResult<()> {
    let name = &attribute.name;
    let under = |key: &str| part.get(key).unwrap_or(part);
    match attribute.kind {
        AttributeKind::Checklist => found.push((attribute, checklist(attribute, part)?)),
        AttributeKind::Radio => {
            let choice = under("choice");
            let option = option(attribute, choice)?;
            let hash = option.feature_hash.as_str();
            found.push((attribute, hash.into()));
            if let Some(choice) = choice.as_object() {
                let nested: Vec<&Attribute> = option.attributes.iter().collect();
                found.extend(collect(&nested, choice)?);
            }
        }
        AttributeKind::Numeric => match under("value").as_f64() {
            Some(number) => found.push((attribute, number.into())),
            None => return invalid(format!("\"{name}\" takes a number, not {}", short(part))),
        },
        AttributeKind::Text | AttributeKind::Other(_) => match under("value").as_str() {
            Some(text) => found.push((attribute, text.into())),
            None => return invalid(format!("\"{name}\" takes a text, not {}", short(part))),
        },
    }
    Ok(())
}

/// `{"Hat": true, "Coat": false}`, or a list of labels.
fn checklist(attribute: &Attribute, part: &Value) -> ModelResult<Answer> {
    if let Some(answer @ Answer::Choices(_)) = Answer::given(part) {
        return Ok(answer);
    }
    let part = object(part, &format!("the answer to \"{}\"", attribute.name))?;
    let keys = option_keys(&attribute.options);
    let mut chosen = Vec::new();
    for (key, applies) in part.iter().filter(|(key, _)| *key != HASH) {
        let is = |(known, o): &(&String, &Choice)| {
            *known == key || o.label == *key || o.feature_hash == *key
        };
        let Some((_, option)) = keys.iter().zip(&attribute.options).find(is) else {
            return invalid(format!(
                "\"{}\" has no option \"{key}\"; its options are {}",
                attribute.name,
                listed(keys.iter().map(String::as_str))
            ));
        };
        match applies.as_bool() {
            Some(true) => chosen.push(option.feature_hash.clone()),
            Some(false) => {}
            None => {
                return invalid(format!(
                    "\"{key}\" of \"{}\" is true or false, not {}",
                    attribute.name,
                    short(applies)
                ));
            }
        }
    }
    Ok(Answer::Choices(chosen))
}

/// The option that was chosen: by its hash, or by its title.
fn option<'o>(attribute: &'o Attribute, choice: &Value) -> ModelResult<&'o Choice> {
    let options = &attribute.options;
    let title = choice.as_str().or_else(|| choice["title"].as_str());
    let found = match (hash_of(choice), title) {
        (Some(hash), _) => options.iter().find(|o| o.feature_hash == hash),
        (None, Some(title)) => attribute
            .option(title)
            .or_else(|| options.iter().find(|o| safe(&o.label) == title)),
        (None, None) => {
            return invalid(format!(
                "\"{}\" takes one option, not {}",
                attribute.name,
                short(choice)
            ));
        }
    };
    let name = hash_of(choice).or(title).unwrap_or_default();
    found.ok_or_else(|| {
        let hint = suggest::hint(name, options.iter().map(|o| o.label.as_str()));
        ModelError::Unknown(format!(
            "{} is not an option of {}.{hint}",
            suggest::quoted(name),
            suggest::quoted(&attribute.name)
        ))
    })
}

impl OntologyClassification {
    /// A classification from the answer of a language model to [`OntologyClassification::json_schema`], also
    /// nested answers. [`LabelRow::add_json`] adds it at once; this is for frames, a confidence, or `manual(false)`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when it is not such an answer, or has none for this classification;
    /// [`ModelError::Unknown`] for an option that is not there.
    pub fn answer_json(&self, answer: &Value) -> ModelResult<NewClassification<'_>> {
        let attributes: Vec<&Attribute> = self.attributes.iter().collect();
        let mut map = object(answer, "the answer")?.clone();
        // The part for this classification alone is taken, too.
        if let Some(first) = attributes.first()
            && hash_of(answer) == Some(first.feature_hash.as_str())
        {
            map = [(first.name.clone(), answer.clone())].into_iter().collect();
        }
        let mut answers = collect(&attributes, &map)?.into_iter();
        let Some((_, first)) = answers.next() else {
            return invalid(format!(
                "\"{}\" has no answer in {}",
                self.title(),
                short(answer)
            ));
        };
        answers.try_fold(self.answer(first)?, |new, (attribute, answer)| {
            new.nested(&attribute.feature_hash, answer)
        })
    }
}

impl Ontology {
    /// The kind of object that a language model chose, of those of [`Ontology::objects_json_schema`].
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when the ontology has no such kind, [`ModelError::Invalid`] when nothing was chosen.
    pub fn chosen_object(&self, answer: &Value) -> ModelResult<&OntologyObject> {
        let choice = answer.get("choice").unwrap_or(answer);
        let title = choice.as_str().or_else(|| choice["title"].as_str());
        match hash_of(choice).or(title) {
            Some(name) => self.object(name),
            None => invalid(format!("no object is chosen in {}", short(answer))),
        }
    }
}

impl NewObject<'_> {
    /// Answers its attributes from the answer of a language model to [`OntologyObject::json_schema`]. Dynamic ones
    /// are answered on all frames that it is on so far: name the frames first.
    ///
    /// # Errors
    /// As [`OntologyClassification::answer_json`], and [`ModelError::Invalid`] when another kind of object was chosen.
    pub fn answer_json(self, answer: &Value) -> ModelResult<Self> {
        let spans = match &self.span {
            Span::Default => vec![(0, 0)],
            Span::Frames(list) => list.clone(),
        };
        let mut new = self;
        for (attribute, answer) in object_answers(new.object, answer)? {
            let hash = attribute.feature_hash.as_str();
            if attribute.dynamic {
                for (from, to) in &spans {
                    new = new.answer_on(hash, answer.clone(), *from, *to)?;
                }
            } else {
                new = new.answer(hash, answer)?;
            }
        }
        Ok(new)
    }
}

/// The answers to the attributes of an object; one without attributes has none.
fn object_answers<'o>(
    kind: &'o OntologyObject,
    answer: &Value,
) -> ModelResult<AttributeAnswers<'o>> {
    let choice = answer.get("choice").unwrap_or(answer);
    let title = choice.as_str().or_else(|| choice["title"].as_str());
    let (name, hash) = (kind.name.as_str(), kind.feature_hash.as_str());
    let is_own = match (hash_of(choice), title) {
        (Some(chosen), _) => chosen == hash,
        (None, Some(title)) => title == name || title == safe(name) || title == hash,
        (None, None) => true,
    };
    if !is_own {
        let chosen = hash_of(choice).or(title).unwrap_or_default();
        return invalid(format!(
            "the answer is about \"{chosen}\", not about \"{name}\" ({hash})"
        ));
    }
    if choice.is_string() {
        return Ok(Vec::new());
    }
    let attributes: Vec<&Attribute> = kind.attributes.iter().collect();
    collect(&attributes, object(choice, "the choice")?)
}

impl LabelRow {
    /// Adds the answer of a language model to [`OntologyClassification::json_schema`] as a classification of the
    /// whole, in the place of one that is there; gives its hash. It takes what encord-agents' `OntologyDataModel`
    /// takes, and plain answers too: `{"weather": "Sunny"}`. Answers may come in any order.
    ///
    /// ```
    /// use agent_abi::prelude::*;
    /// # use agent_abi::testing::{ontology, task};
    ///
    /// #[stage("describe")]
    /// fn describe(labels: &mut LabelRow) -> Result<Route> {
    ///     let ontology = labels.ontology();
    ///     let weather = ontology.classification("Weather")?;
    ///     let hash = &weather.attributes[0].feature_hash;
    ///     // What a model gives that was asked with weather.json_schema():
    ///     let answer = json!({"weather": {"feature_node_hash": hash, "choice": "Sunny"}});
    ///     labels.add_json(weather, &answer)?;
    ///     Ok(Route::to("review"))
    /// }
    /// # let run = task("a.jpg").ontology(ontology().radio("Weather", &["Sunny"])).run::<describe>();
    /// # assert_eq!(run.labels().classification("Weather").unwrap().answer(), Some("Sunny".into()));
    /// ```
    ///
    /// # Errors
    /// As [`OntologyClassification::answer_json`]; nothing is changed then.
    pub fn add_json(
        &mut self,
        kind: &OntologyClassification,
        answer: &Value,
    ) -> ModelResult<String> {
        self.replace(&kind.answer_json(answer)?)
    }

    /// Adds the answers of a language model to [`Ontology::json_schema`]: every classification that is answered.
    /// Gives their hashes in the order of the ontology.
    ///
    /// # Errors
    /// As [`LabelRow::add_json`], also when none is answered; nothing is changed then.
    pub fn add_json_all(&mut self, answer: &Value) -> ModelResult<Vec<String>> {
        let ontology = Arc::clone(&self.ontology);
        let all: Vec<&Attribute> = ontology
            .classifications
            .iter()
            .flat_map(|c| &c.attributes)
            .collect();
        let map = object(answer, "the answer")?;
        let mut new = Vec::new();
        let owners = ontology
            .classifications
            .iter()
            .flat_map(|c| c.attributes.iter().map(move |_| c));
        for ((kind, attribute), key) in owners.zip(&all).zip(attribute_keys(&all)) {
            if let Some(part) = part(map, attribute, &key)? {
                new.push(kind.answer_json(&json!({ attribute.name.as_str(): part }))?);
            }
        }
        if new.is_empty() {
            return invalid(format!(
                "no classification is answered in {}",
                short(answer)
            ));
        }
        new.iter().map(|new| self.replace(new)).collect()
    }

    /// Answers the attributes of an object that is there, from the answer of a language model to
    /// [`OntologyObject::json_schema`]. Dynamic ones are answered on all its frames.
    ///
    /// # Errors
    /// As [`NewObject::answer_json`], and [`ModelError::Unknown`] when no object has that hash; nothing is
    /// changed then.
    pub fn answer_json(&mut self, hash: &str, answer: &Value) -> ModelResult<()> {
        self.check_blob()?;
        let ontology = Arc::clone(&self.ontology);
        let Some(object) = self.object(hash) else {
            return Err(unknown(hash));
        };
        let frames = object.frames().into_iter().map(|n| (n, n)).collect();
        let spans = ranges(&json!({"range": merged(frames)}));
        let kind = ontology.object(object.feature_hash())?;
        let answers = object_answers(kind, answer)?;
        // Everything is found wrong here that could be found wrong half-way.
        let _checked = kind.blank(Vec::new()).answer_json(answer)?;
        for (attribute, answer) in answers {
            let feature = attribute.feature_hash.as_str();
            if !attribute.dynamic {
                self.answer(hash, feature, answer)?;
                continue;
            }
            for (from, to) in &spans {
                self.answer_on(hash, feature, answer.clone(), *from, *to)?;
            }
        }
        Ok(())
    }
}
