//! The fields of a label as text for people: `frames 0–49 · box 11 %, 42 %, 20 × 18 % (70, 202, 128 × 86 px)`.

use super::described::{AnswerFact, LabelFacts};
use super::{DataType, quoted};
use serde_json::Value;
use std::fmt::Write as _;

/// Between what was and what is.
const ARROW: &str = " → ";
/// Numbers of frames and ranges that are listed before the rest is counted.
const LISTED: usize = 4;

impl LabelFacts {
    /// Where it is, then its shape and its answers. With `was`, what differs: `was → is`.
    pub(super) fn phrase(&self, was: Option<&Self>, data: &DataType) -> String {
        let mut parts = Vec::new();
        parts.extend(
            self.part
                .as_ref()
                .map(|part| format!("part {}", quoted(part))),
        );
        let Some(was) = was else {
            parts.extend(self.place(data));
            parts.extend(self.drawn());
            parts.extend(self.answers.iter().map(|one| self.answer(one)));
            parts.extend(self.sure());
            return parts.join(" · ");
        };
        let (gone, new) = self.differences(was, data);
        if was.place(data) == self.place(data) {
            parts.extend(self.place(data));
        }
        match (parts.join(" · "), gone.is_empty() && new.is_empty()) {
            (place, true) => place,
            (place, false) => {
                let colon = if place.is_empty() { "" } else { ": " };
                format!("{place}{colon}{}{ARROW}{}", listed(&gone), listed(&new))
            }
        }
    }

    /// What was and what is, of the text `was → is` that describes a changed label with these fields. Names and
    /// answers may have arrows of their own.
    #[must_use]
    pub fn sides<'d>(&self, detail: &'d str) -> Option<(&'d str, &'d str)> {
        let arrows = |text: &str| text.matches(ARROW).count();
        let was = self.before.as_deref();
        let gone = was.map_or(&[][..], |was| &was.answers).iter();
        let gone = gone.filter(|one| !self.answers.contains(one));
        let before: usize = gone.map(|one| arrows(&self.answer(one))).sum();
        let before = before + self.part.as_deref().map_or(0, arrows);
        let (at, _) = detail.match_indices(ARROW).nth(before)?;
        Some((&detail[..at], &detail[at + ARROW.len()..]))
    }

    /// What was and what is, each in words.
    fn differences(&self, was: &Self, data: &DataType) -> (Vec<String>, Vec<String>) {
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        if was.place(data) != self.place(data) {
            gone.extend(was.place(data));
            new.extend(self.place(data));
        }
        if was.geometry != self.geometry {
            gone.extend(was.drawn());
            let frame = self
                .geometry_frame
                .map(|frame| format!(" on frame {frame}"));
            new.extend(self.drawn().map(|drawn| drawn + &frame.unwrap_or_default()));
        }
        let differing = |these: &[AnswerFact], those: &Self| -> Vec<String> {
            let these = these.iter().filter(|one| !those.answers.contains(one));
            these.map(|one| self.answer(one)).collect()
        };
        gone.extend(differing(&was.answers, self));
        new.extend(differing(&self.answers, was));
        if was.confidence != self.confidence {
            gone.extend(was.sure());
            new.extend(self.sure());
        }
        (gone, new)
    }

    /// `frames 0–49`, `page 1`, `0:01.000–0:02.500`, `characters 3..8`.
    fn place(&self, data: &DataType) -> Option<String> {
        if !self.characters.is_empty() {
            return Some(format!(
                "characters {}",
                list(&self.characters, |[from, to]| format!("{from}..{to}"))
            ));
        }
        if !self.html.is_empty() {
            return Some(list(&self.html, stretch));
        }
        let times = list(&self.times_ms, |[from, to]| match from == to {
            true => time(*from),
            false => format!("{}–{}", time(*from), time(*to)),
        });
        if self.frames.is_empty() {
            return (!times.is_empty()).then_some(times);
        }
        let word = match data {
            DataType::Image => return None,
            // A data group as a whole has no frames.
            DataType::Other(_) if self.frames == [[0, 0]] => return None,
            DataType::Pdf => "page",
            DataType::ImgGroup => "image",
            _ => "frame",
        };
        let one = matches!(self.frames[..], [[from, to]] if from == to);
        let numbers = list(&self.frames, |[from, to]| match from == to {
            true => from.to_string(),
            false => format!("{from}–{to}"),
        });
        let mut text = format!("{word}{} {numbers}", if one { "" } else { "s" });
        if !times.is_empty() {
            let _ = write!(text, " ({times})");
        }
        Some(text)
    }

    /// `box 11 %, 42 %, 20 × 18 % (70, 202, 128 × 86 px)`.
    fn drawn(&self) -> Option<String> {
        let (key, shape) = self.geometry.as_ref()?.as_object()?.iter().next()?;
        let pixels = self.pixels.as_ref().map(|pixels| &pixels[key]);
        let word = match &**key {
            "boundingBox" | "rotatableBoundingBox" => "box".to_owned(),
            "bitmask" => {
                let set = pixels.map_or(0, |pixels| pixels["set"].as_u64().unwrap_or(0));
                format!("mask of {set} px,")
            }
            "cuboid_2d" => "cuboid".to_owned(),
            "polygons" => format!("{} polygons,", shape.as_array().map_or(0, Vec::len)),
            "polygon" | "polyline" | "skeleton" => {
                let points = shape.as_object().map_or(0, serde_json::Map::len);
                format!("{key} of {points} points,")
            }
            key => key.to_owned(),
        };
        let mut text = match (around(shape), pixels.and_then(around)) {
            (Some(shares), Some(pixels)) => {
                format!("{word} {} ({})", area(shares, "%"), area(pixels, "px"))
            }
            (Some(shares), None) => format!("{word} {}", area(shares, "%")),
            (None, _) => word.trim_end_matches(',').to_owned(),
        };
        if let Some(theta) = shape["theta"].as_f64().filter(|theta| *theta != 0.0) {
            let _ = write!(text, " turned {}°", number(theta));
        }
        Some(text)
    }

    /// `Colour › Shade: dark`; of a classification, whose name stands beside it, the value.
    fn answer(&self, answer: &AnswerFact) -> String {
        let value = match &answer.value {
            Value::String(text) => text.clone(),
            Value::Array(names) => {
                let names = names.iter().map(|name| name.as_str().unwrap_or("?"));
                names.collect::<Vec<_>>().join(" + ")
            }
            Value::Number(value) => value
                .as_f64()
                .map_or_else(|| value.to_string(), |n| n.to_string()),
            other => other.to_string(),
        };
        let above = usize::from(self.kind == "classification");
        let path = answer.path.get(above..).unwrap_or_default();
        let mut text = match path {
            [] => value,
            path => format!("{}: {value}", path.join(" › ")),
        };
        if !answer.frames.is_empty() {
            let frames = list(&answer.frames, |[from, to]| format!("{from}–{to}"));
            let _ = write!(text, " (frames {frames})");
        }
        text
    }

    fn sure(&self) -> Option<String> {
        self.confidence
            .map(|sure| format!("{} % sure", number(sure * 100.0)))
    }
}

/// Left, top, width and height of what a shape covers; a point has no size. Radii count as they stand.
fn around(shape: &Value) -> Option<[f64; 4]> {
    let number = |key: &str| shape[key].as_f64();
    if let (Some(x), Some(y)) = (number("x"), number("y")) {
        return Some(
            match (
                number("w"),
                number("h"),
                number("rx"),
                number("ry"),
                number("r"),
            ) {
                (Some(w), Some(h), ..) => [x, y, w, h],
                (_, _, Some(rx), Some(ry), _) => [x - rx, y - ry, rx * 2.0, ry * 2.0],
                (.., Some(r)) => [x - r, y - r, r * 2.0, r * 2.0],
                _ => [x, y, 0.0, 0.0],
            },
        );
    }
    let mut points = Vec::new();
    gather(shape, &mut points);
    let edge =
        |of: fn(&(f64, f64)) -> f64, pick: fn(f64, f64) -> f64| points.iter().map(of).reduce(pick);
    let (left, right) = (edge(|p| p.0, f64::min)?, edge(|p| p.0, f64::max)?);
    let (top, bottom) = (edge(|p| p.1, f64::min)?, edge(|p| p.1, f64::max)?);
    Some([left, top, right - left, bottom - top])
}

/// The points of a shape, in either notation.
fn gather(shape: &Value, points: &mut Vec<(f64, f64)>) {
    match shape {
        Value::Object(map) => match (map.get("x"), map.get("y")) {
            (Some(x), Some(y)) => points.extend(x.as_f64().zip(y.as_f64())),
            _ => map.values().for_each(|value| gather(value, points)),
        },
        Value::Array(list) if list.iter().all(Value::is_number) => {
            let numbers: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
            points.extend(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Value::Array(list) => list.iter().for_each(|value| gather(value, points)),
        _ => {}
    }
}

fn area([x, y, w, h]: [f64; 4], unit: &str) -> String {
    let one = |value: f64| match unit {
        "%" => number(value * 100.0),
        _ => number(value.round()),
    };
    let size = format!("{} × {} {unit}", one(w), one(h));
    match (unit, w == 0.0 && h == 0.0) {
        ("%", true) => format!("{} %, {} %", one(x), one(y)),
        (_, true) => format!("{}, {} px", one(x), one(y)),
        ("%", false) => format!("{} %, {} %, {size}", one(x), one(y)),
        (_, false) => format!("{}, {}, {size}", one(x), one(y)),
    }
}

/// With at most two digits behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// `1:02.345`.
fn time(ms: u64) -> String {
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}

/// `/html[1]/body[1]/p[1]/text()[1] 3..9`, or both nodes.
fn stretch(range: &Value) -> String {
    let place = |end: &str| {
        let end = &range[end];
        let node = end["xpath"].as_str().unwrap_or("?");
        (node, end["offset"].as_u64().unwrap_or(0))
    };
    let ((from, start), (to, end)) = (place("start"), place("end"));
    match from == to {
        true => format!("{from} {start}..{end}"),
        false => format!("{from} {start} – {to} {end}"),
    }
}

fn list<T>(ranges: &[T], one: impl Fn(&T) -> String) -> String {
    let mut text: Vec<String> = ranges.iter().take(LISTED).map(one).collect();
    if ranges.len() > LISTED {
        text.push(format!("and {} more", ranges.len() - LISTED));
    }
    text.join(", ")
}

fn listed(phrases: &[String]) -> String {
    match phrases {
        [] => "nothing".to_owned(),
        all => all.join(", "),
    }
}
