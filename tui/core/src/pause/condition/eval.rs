//! What a condition comes to for given values. What is not there is null, which is unequal to everything else,
//! and neither larger nor smaller.

use super::{Expr, Fold, Op, PathKey, Scene};
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

type Evaluated<'v> = Result<Cow<'v, Value>, String>;

const NULL: Cow<'static, Value> = Cow::Owned(Value::Null);

pub(super) fn truth(expr: &Expr, scene: Scene<'_>) -> Result<bool, String> {
    Ok(is_true(&*value(expr, scene)?))
}

/// What is there and neither false, zero nor empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(_) => number(value).is_some_and(|n| n != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(_) => true,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn value<'v>(expr: &'v Expr, scene: Scene<'v>) -> Evaluated<'v> {
    Ok(match expr {
        Expr::Literal(value) => Cow::Borrowed(value),
        Expr::Path(path) => path_of(path, scene),
        Expr::Not(inner) => owned(!truth(inner, scene)?),
        Expr::Negative(inner) => {
            let inner = value(inner, scene)?;
            numeric(-computed(&inner)?)
        }
        Expr::Binary(op, left, right) => binary(*op, left, right, scene)?,
        Expr::Fold(fold, list, of) => {
            let list = match list {
                Some(list) => value(list, scene)?,
                None => own_list(scene.value).map_or(NULL, Cow::Borrowed),
            };
            folded(*fold, &list, of.as_deref(), scene)?
        }
        Expr::Length(of) => match &*value(of, scene)? {
            Value::String(text) => owned(text.chars().count()),
            Value::Array(list) => owned(list.len()),
            Value::Object(map) => owned(map.len()),
            _ => NULL,
        },
        Expr::Contains(of, part) => {
            let (of, part) = (value(of, scene)?, value(part, scene)?);
            owned(match (&*of, &*part) {
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                (Value::Array(list), part) => list.iter().any(|one| equal(one, part)),
                (Value::Object(map), Value::String(name)) => map.contains_key(name),
                _ => false,
            })
        }
    })
}

fn owned<'v>(value: impl Into<Value>) -> Cow<'v, Value> {
    Cow::Owned(value.into())
}

/// Zero by zero and the like are null.
fn numeric<'v>(number: f64) -> Cow<'v, Value> {
    owned(number)
}

/// The list that is the value, or the only one in it.
fn own_list(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(_) => Some(value),
        Value::Object(map) => {
            let mut lists = map.values().filter(|v| v.is_array());
            lists.next().filter(|_| lists.next().is_none())
        }
        _ => None,
    }
}

/// A name of the value, else a fact. Of a list of objects it is the list of what each has by that name.
fn path_of<'v>(path: &[PathKey], scene: Scene<'v>) -> Cow<'v, Value> {
    let Some((PathKey::Name(first), rest)) = path.split_first() else {
        return NULL;
    };
    let mut found = match own(scene.value, first) {
        Some(found) => found,
        None => match (scene.further(first), first.as_str()) {
            (Some(found), _) => Cow::Borrowed(found),
            (None, "value") => Cow::Borrowed(scene.value),
            // How many there are, where nothing has that name.
            (None, "count") => match own_list(scene.value) {
                Some(Value::Array(list)) => owned(list.len()),
                _ => NULL,
            },
            (None, name) => own_list(scene.value)
                .and_then(|list| own(list, name))
                .unwrap_or(NULL),
        },
    };
    for key in rest {
        found = match (key, found) {
            (PathKey::Name(name), Cow::Borrowed(value)) => own(value, name).unwrap_or(NULL),
            (PathKey::Name(name), Cow::Owned(value)) => {
                own(&value, name).map_or(NULL, |v| Cow::Owned(v.into_owned()))
            }
            (PathKey::Place(at), Cow::Borrowed(value)) => value.get(at).map_or(NULL, Cow::Borrowed),
            (PathKey::Place(at), Cow::Owned(value)) => {
                value.get(at).cloned().map_or(NULL, Cow::Owned)
            }
        };
    }
    found
}

/// What a value has by a name: a member, or the members of the objects of a list.
fn own<'v>(value: &'v Value, name: &str) -> Option<Cow<'v, Value>> {
    if let Some(member) = value.get(name) {
        return Some(Cow::Borrowed(member));
    }
    let members = value.as_array()?.iter().filter_map(|one| one.get(name));
    let members: Vec<Value> = members.cloned().collect();
    (!members.is_empty()).then_some(Cow::Owned(Value::Array(members)))
}

fn folded<'v>(
    fold: Fold,
    list: &Value,
    of: Option<&Expr>,
    scene: Scene<'_>,
) -> Result<Cow<'v, Value>, String> {
    let elements: &[Value] = list.as_array().map_or(&[], Vec::as_slice);
    let outer = scene.value;
    let (mut count, mut numbers) = (0_usize, Vec::new());
    for element in elements {
        let scene = Scene {
            value: element,
            outer: Some(scene.outer.unwrap_or(outer)),
            ..scene
        };
        match (fold, of) {
            (_, None) => count += 1,
            (Fold::Count | Fold::Any | Fold::All, Some(of)) => {
                count += usize::from(truth(of, scene)?);
            }
            (_, Some(of)) => numbers.extend(number(&*value(of, scene)?)),
        }
    }
    let extreme = |choose: fn(f64, f64) -> f64| numbers.iter().copied().reduce(choose);
    Ok(match fold {
        Fold::Count => owned(count),
        Fold::Any => owned(count > 0),
        Fold::All => owned(count == elements.len()),
        Fold::Min => extreme(f64::min).map_or(NULL, numeric),
        Fold::Max => extreme(f64::max).map_or(NULL, numeric),
        Fold::Sum => numeric(numbers.iter().sum()),
    })
}

fn binary<'v>(op: Op, left: &'v Expr, right: &'v Expr, scene: Scene<'v>) -> Evaluated<'v> {
    match op {
        Op::And => return Ok(owned(truth(left, scene)? && truth(right, scene)?)),
        Op::Or => return Ok(owned(truth(left, scene)? || truth(right, scene)?)),
        _ => {}
    }
    // A name that a list of objects has is compared for each of them.
    let many = |expr: &Expr, value: &Value| matches!(expr, Expr::Path(_)) && value.is_array();
    let (a, b) = (value(left, scene)?, value(right, scene)?);
    let pair = |a: &Value, b: &Value| compare(op, a, b);
    Ok(match op {
        Op::Plus => match (&*a, &*b) {
            (Value::String(a), Value::String(b)) => owned(format!("{a}{b}")),
            _ => numeric(computed(&a)? + computed(&b)?),
        },
        Op::Minus => numeric(computed(&a)? - computed(&b)?),
        Op::Times => numeric(computed(&a)? * computed(&b)?),
        Op::Over => numeric(computed(&a)? / computed(&b)?),
        _ if many(left, &a) && !b.is_array() => owned(any(&a, |one| pair(one, &b))?),
        _ if many(right, &b) && !a.is_array() => owned(any(&b, |one| pair(&a, one))?),
        _ => owned(pair(&a, &b)?),
    })
}

fn any(list: &Value, holds: impl Fn(&Value) -> Result<bool, String>) -> Result<bool, String> {
    for one in list.as_array().into_iter().flatten() {
        if holds(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn computed(value: &Value) -> Result<f64, String> {
    match number(value) {
        Some(number) => Ok(number),
        None if value.is_null() => Ok(f64::NAN),
        None => Err(format!("{} is not a number", brief(value))),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn compare(op: Op, a: &Value, b: &Value) -> Result<bool, String> {
    match op {
        Op::Equal => return Ok(equal(a, b)),
        Op::Unequal => return Ok(!equal(a, b)),
        _ => {}
    }
    let order = match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => {
                let (a, b) = (brief(a), brief(b));
                return Err(format!("{a} and {b} cannot be compared by size"));
            }
        },
    };
    Ok(match op {
        Op::Less => order == Some(Ordering::Less),
        Op::AtMost => order.is_some_and(Ordering::is_le),
        Op::Greater => order == Some(Ordering::Greater),
        _ => order.is_some_and(Ordering::is_ge),
    })
}

/// A value in a message.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string().chars().take(40).collect(),
    }
}
