//! Counts what the label model reads, in tests only: labels come in thousands, and what is done for one
//! of them may not grow with the number of the others.

/// Notes that so many labels, or answers, were looked at.
#[cfg(not(test))]
pub(super) const fn looked_at(_count: usize) {}

#[cfg(test)]
pub(super) use tests::looked_at;

#[cfg(test)]
mod tests {
    use super::super::LabelRow;
    use crate::model::Ontology;
    use crate::testing::ontology;
    use crate::wire::RowDoc;
    use serde_json::{Value, json};
    use std::cell::Cell;
    use std::sync::Arc;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    pub(in super::super) fn looked_at(count: usize) {
        COUNT.set(COUNT.get() + count);
    }

    fn work(work: impl FnOnce()) -> usize {
        let before = COUNT.get();
        work();
        COUNT.get() - before
    }

    const MANY: usize = 2000;

    fn row(data_type: &str) -> LabelRow {
        let kinds = ontology()
            .object("Car", "bounding_box")
            .dynamic("Speed", "numeric", &[])
            .dynamic("Lights", "radio", &["On", "Off"])
            .attribute("Plate", "text", &[]);
        let metadata = json!({"data_type": data_type, "number_of_frames": MANY});
        let labels = json!({
            "object_answers": {}, "object_actions": {}, "classification_answers": {},
            "data_units": {"d": {"data_sequence": 0, "labels": {}}},
        });
        let ontology: Ontology = kinds.build().unwrap();
        LabelRow::from_doc(RowDoc { metadata, labels }, Arc::new(ontology))
    }

    fn add(row: &mut LabelRow, frame: usize) -> String {
        let ontology = row.ontology();
        let car = ontology.object("Car").unwrap();
        let car = car.bounding_box(0.1, 0.1, 0.1, 0.1).unwrap();
        row.add(car.on_frame(frame as u64)).unwrap()
    }

    /// The row as somebody else would read it.
    fn read_again(row: &LabelRow) -> LabelRow {
        let text = json!({"metadata": row.metadata(), "labels": row.labels()}).to_string();
        LabelRow::from_json(&text, row.ontology()).unwrap()
    }

    #[test]
    fn what_is_done_for_one_of_many_objects_does_not_look_at_the_others() {
        let mut row = row("IMAGE");
        let hashes: Vec<String> = (0..MANY).map(|_| add(&mut row, 0)).collect();
        let mut row = read_again(&row);
        let ontology = row.ontology();
        let car = ontology.object("Car").unwrap();
        let moved = car.bounding_box(0.5, 0.5, 0.1, 0.1).unwrap();
        let looks = work(|| {
            for hash in &hashes {
                assert!(row.object(hash).unwrap().answer("Plate").is_none());
                row.answer(hash, "Plate", "ZH 1").unwrap();
                row.add_to(hash, &moved).unwrap();
            }
        });
        assert!(looks <= 4 * MANY, "{looks} looks at {MANY} objects");
        let looks = work(|| hashes.iter().rev().for_each(|h| assert!(row.remove(h))));
        assert!(looks <= 2 * MANY, "{looks} looks at {MANY} objects");
        assert!(row.objects().is_empty());
        assert!(row.object(&hashes[0]).is_none() && !row.remove(&hashes[0]));
    }

    #[test]
    fn no_dynamic_answer_looks_through_all_that_were_given_before() {
        let mut row = row("VIDEO");
        let hash = add(&mut row, 0);
        let looks = work(|| {
            for frame in 0..MANY as u64 {
                let lights = ["On", "Off"][frame as usize % 2];
                row.answer_on(&hash, "Speed", frame, frame, frame).unwrap();
                row.answer_on(&hash, "Lights", lights, frame, frame)
                    .unwrap();
            }
            for frame in 0..MANY as u64 {
                row.answer_on(&hash, "Speed", frame + 1, frame, frame)
                    .unwrap();
            }
        });
        assert!(looks <= 2 * MANY, "{looks} looks for {MANY} frames");
        let object = row.object(&hash).unwrap();
        let looks = work(|| {
            for frame in 0..MANY as u64 {
                assert_eq!(object.answer_on("Speed", frame), Some((frame + 1).into()));
            }
        });
        assert!(looks <= 4 * MANY, "{looks} looks for {MANY} frames");
        assert_eq!(row.problems(), []);
    }

    #[test]
    fn objects_are_found_where_they_are_after_others_were_taken_away() {
        let mut row = row("VIDEO");
        let hashes: Vec<String> = (0..30).map(|n| add(&mut row, n % 3)).collect();
        let ontology = row.ontology();
        let car = ontology.object("Car").unwrap();
        for (n, hash) in hashes.iter().enumerate() {
            let again = car
                .bounding_box(0.1, 0.2, 0.01 * (n + 1) as f64, 0.1)
                .unwrap();
            row.add_to(hash, &again.on_frames(0, 4)).unwrap();
        }
        for hash in hashes.iter().step_by(2) {
            assert!(row.remove(hash));
        }
        for (n, hash) in hashes.iter().enumerate().skip(1).step_by(2) {
            let object = row.object(hash).unwrap();
            assert_eq!(object.frames(), [0, 1, 2, 3, 4]);
            let width = |f| object.bounding_box(f).unwrap().w;
            assert!((0..5).all(|f| (width(f) - 0.01 * (n + 1) as f64).abs() < 1e-9));
        }
        let gone: Vec<_> = hashes.iter().skip(1).step_by(2).collect();
        gone.iter().for_each(|hash| assert!(row.remove(hash)));
        assert_eq!(row.labels()["data_units"]["d"]["labels"], json!({}));
        assert_eq!(row.labels()["object_answers"], json!({}));
        let (a, b) = (read_again(&row), &row);
        assert_eq!(a.labels(), b.labels() as &Value);
    }

    #[test]
    fn rows_and_their_objects_may_be_looked_at_by_several_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        let mut row = row("IMAGE");
        add(&mut row, 0);
        shared(&row);
        shared(&row.objects()[0]);
    }
}
