//! A hundred thousand rows: drawing looks at what is in sight.

use super::Desk;
use crate::fixture::{self, PRELABEL, World, stage};
use std::time::{Duration, Instant};
use wb_core::ids::{BuildId, Millis};
use wb_core::state::Held;

#[test]
fn drawing_does_not_depend_on_the_number_of_rows() {
    let mut small = Desk::new(World::sized(&[(PRELABEL, 100)]), 120, 36);
    let mut large = Desk::new(World::sized(&[(PRELABEL, 100_000)]), 120, 36);
    small.go("2");
    large.go("2 G k k");
    // The fastest of many, so that a busy machine does not count.
    let fastest = |desk: &mut Desk| -> Duration {
        (0..30)
            .map(|_| {
                let begun = Instant::now();
                desk.draw();
                begun.elapsed()
            })
            .min()
            .unwrap()
    };
    let (few, many) = (fastest(&mut small), fastest(&mut large));
    println!("100 rows {few:?}, 100,000 rows {many:?}");
    assert!(many < few * 4, "100 rows {few:?}, 100,000 rows {many:?}");
    assert_eq!(large.ui.queue.place(stage(PRELABEL)), 99_997);
}

#[test]
fn a_key_that_moves_takes_as_long_in_a_long_queue_as_in_a_short_one() {
    let mut small = Desk::new(World::sized(&[(PRELABEL, 100)]), 120, 36);
    let mut large = Desk::new(World::sized(&[(PRELABEL, 100_000)]), 120, 36);
    // The fastest of many: the key and its frame.
    let fastest = |desk: &mut Desk, key: &str| -> Duration {
        desk.go("2 Home");
        let time = |_| {
            let begun = Instant::now();
            desk.press(key);
            desk.draw();
            begun.elapsed()
        };
        (0..20).map(time).min().unwrap()
    };
    for key in ["Down", "PageDown", "Ctrl-d", "Ctrl-u", "End", "Tab", "z"] {
        let (few, many) = (fastest(&mut small, key), fastest(&mut large, key));
        println!("{key}: 100 rows {few:?}, 100,000 rows {many:?}");
        assert!(
            many < few * 4,
            "{key}: 100 rows {few:?}, 100,000 rows {many:?}"
        );
    }
}

#[test]
fn review_of_a_hundred_thousand_outcomes_groups_them_once() {
    let mut world = World::sized(&[(PRELABEL, 1)]);
    let outcome = fixture::outcome("annotate");
    let inputs = fixture::inputs(&fixture::row(PRELABEL, 0));
    for n in 0..100_000 {
        let held = Held {
            stage: stage(PRELABEL),
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            build: BuildId(1),
            taken: true,
            at: Millis(0),
        };
        world.state.held.insert(fixture::task(PRELABEL, n), held);
    }
    let mut desk = Desk::new(world, 120, 36);
    let begun = Instant::now();
    desk.go("v");
    let first = begun.elapsed();
    assert!(desk.draw().contains("100,000"));
    let again = (0..10)
        .map(|_| {
            let begun = Instant::now();
            desk.draw();
            begun.elapsed()
        })
        .min()
        .unwrap();
    println!("100,000 held: opened in {first:?}, drawn again in {again:?}");
    assert!(
        again * 3 < first,
        "opened in {first:?}, drawn again in {again:?}"
    );
}
