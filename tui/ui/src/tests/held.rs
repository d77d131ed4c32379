//! A hundred thousand rows: drawing looks at what is in sight.

use super::Desk;
use crate::fixture::{PRELABEL, World, stage};
use std::time::{Duration, Instant};

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
