//! Masks in COCO's run-length encoding, as pycocotools reads and writes it.
//!
//! COCO counts column by column, Encord row by row; the text of compressed counts is the same. Polygons of
//! COCO are left to [`super::OntologyObject::polygon`].

use super::bitmask::{from_text, runs_of, to_text};
use super::{Bitmask, ModelError, ModelResult};
use serde_json::{Value, json};

fn malformed<T>(why: &str) -> ModelResult<T> {
    Err(ModelError::Malformed(format!(
        "not a mask in COCO's run-length encoding: {why}"
    )))
}

impl Bitmask {
    /// Reads a mask as COCO has it: `{"size": [height, width], "counts": …}`, with compressed counts (a text) or
    /// uncompressed ones (a list of numbers).
    ///
    /// ```
    /// use agent_abi::model::Bitmask;
    /// use serde_json::json;
    ///
    /// // Three columns of two pixels; the middle one is set.
    /// let mask = Bitmask::from_coco(&json!({"size": [2, 3], "counts": [2, 2, 2]}))?;
    /// assert_eq!(mask.to_pixels()?, [false, true, false, false, true, false]);
    /// assert_eq!(mask.to_coco()?, json!({"size": [2, 3], "counts": "222"}));
    /// # Ok::<(), agent_abi::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Malformed`] when it is something else, or its counts are more than its pixels.
    pub fn from_coco(mask: &Value) -> ModelResult<Self> {
        let side = |n: usize| mask["size"].get(n)?.as_u64()?.try_into().ok();
        let sides: Option<(u32, u32)> = side(0).zip(side(1));
        let Some((height, width)) = sides else {
            return malformed("\"size\" is not [height, width]");
        };
        let runs = match &mask["counts"] {
            Value::String(text) => from_text(text),
            Value::Array(list) => list.iter().map(Value::as_i64).collect(),
            _ => None,
        };
        let Some(runs) = runs else {
            return malformed("\"counts\" is neither run-length text nor a list of numbers");
        };
        let (rows, columns) = (height as usize, width as usize);
        let Some(size) = rows.checked_mul(columns) else {
            return malformed("it is too large");
        };
        let mut set = vec![false; size];
        let mut at = 0_usize;
        for (index, run) in runs.into_iter().enumerate() {
            let end = usize::try_from(run)
                .ok()
                .and_then(|run| at.checked_add(run));
            let Some(end) = end.filter(|end| *end <= size) else {
                return malformed("its counts are not those of its size");
            };
            if index % 2 == 1 {
                (at..end).for_each(|n| set[n % rows * columns + n / rows] = true);
            }
            at = end;
        }
        Self::from_pixels(width, height, &set)
    }

    /// The mask as COCO has it, with compressed counts: what `pycocotools.mask.encode` gives.
    ///
    /// # Errors
    /// As [`Bitmask::to_pixels`].
    pub fn to_coco(&self) -> ModelResult<Value> {
        Ok(json!({"size": [self.height, self.width], "counts": to_text(&self.column_runs()?)}))
    }

    /// The same with uncompressed counts, as in COCO's annotations of crowds.
    ///
    /// # Errors
    /// As [`Bitmask::to_pixels`].
    pub fn to_coco_uncompressed(&self) -> ModelResult<Value> {
        Ok(json!({"size": [self.height, self.width], "counts": self.column_runs()?}))
    }

    /// Runs down the columns, unset ones first.
    fn column_runs(&self) -> ModelResult<Vec<i64>> {
        let set = self.to_pixels()?;
        let columns = self.width as usize;
        let columns = (0..columns).flat_map(|column| set[column..].iter().step_by(columns));
        Ok(runs_of(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> Bitmask {
        let set: Vec<bool> = rows.concat().chars().map(|c| c == '#').collect();
        let (width, height) = (rows[0].len() as u32, rows.len() as u32);
        Bitmask::from_pixels(width, height, &set).unwrap()
    }

    /// Counts worked out by hand from pycocotools' definition, their text with its C code.
    #[test]
    fn masks_go_to_coco_and_back_as_pycocotools_has_them() {
        let cases = [
            (picture(&["...", "..."]), json!([6]), "6"),
            (picture(&["##", "##", "##"]), json!([0, 6]), "06"),
            (
                picture(&["#....", ".##..", ".##..", "....#"]),
                json!([0, 1, 4, 2, 2, 2, 8, 1]),
                "0141N06O",
            ),
        ];
        for (mask, counts, text) in cases {
            let size = json!([mask.height, mask.width]);
            let uncompressed = json!({"size": size, "counts": counts});
            assert_eq!(mask.to_coco_uncompressed().unwrap(), uncompressed);
            let compressed = json!({"size": size, "counts": text});
            assert_eq!(mask.to_coco().unwrap(), compressed);
            assert_eq!(Bitmask::from_coco(&uncompressed).unwrap(), mask);
            assert_eq!(Bitmask::from_coco(&compressed).unwrap(), mask);
        }
        // Long runs take several characters: a column of 40 set pixels in the second half of 80.
        let tall = json!({"size": [80, 1], "counts": [40, 40]});
        let mask = Bitmask::from_coco(&tall).unwrap();
        assert_eq!(mask.to_coco().unwrap()["counts"], "X1X1");
        assert_eq!(mask.to_pixels().unwrap()[39..41], [false, true]);
    }

    #[test]
    fn what_is_not_a_coco_mask_is_refused() {
        for bad in [
            json!({"size": [2], "counts": [4]}),
            json!({"size": [2, 2], "counts": [5]}),
            json!({"size": [2, 2], "counts": [-1, 5]}),
            json!({"size": [2, 2], "counts": [1.5]}),
            json!({"size": [2, 2], "counts": "ü"}),
            json!({"size": [2, 2]}),
            json!([[1, 2, 3, 4]]),
        ] {
            let error = Bitmask::from_coco(&bad).unwrap_err().to_string();
            assert!(error.contains("COCO"), "{bad}: {error}");
        }
    }
}
