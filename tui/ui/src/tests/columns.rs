//! The table of the queue: its order, its columns, ranges of marks, groups of tasks.

use super::Desk;
use super::keys::{desk, ran};
use super::truths::click;
use crate::fixture::{PRELABEL, World, stage, task};
use wb_core::command::Command;
use wb_core::event::{Effect, Event as News, Upstream};
use wb_core::filter::Known;
use wb_core::ids::TaskId;
use wb_core::queue::{Queue, Sort};

fn queue(desk: &Desk) -> &Queue {
    &desk.world.state.queues[&stage(PRELABEL)]
}

/// Answers what is asked of label rows: priorities 0.00, 0.01 and so on, every fifth has none; and a site.
fn answer(desk: &mut Desk) -> usize {
    let Some(command) = desk.ui.missing_facts(&desk.world.state) else {
        return 0;
    };
    let Command::Know { rows, .. } = &command else {
        panic!("{command:?}");
    };
    let rows = rows.clone();
    desk.world.command(command);
    assert!(matches!(desk.world.asked.last(), Some(Effect::Know { .. })));
    know(desk, rows.iter().map(|row| row.id));
    rows.len()
}

fn know(desk: &mut Desk, tasks: impl Iterator<Item = TaskId>) {
    let known = |id: TaskId| {
        let n = (id.0.as_u128() & 0xffff) as u32;
        let site = serde_json::json!({"site": if n.is_multiple_of(4) { "cam 1" } else { "cam2" }});
        let known = Known {
            priority: (!n.is_multiple_of(5)).then(|| f64::from(n % 100) / 100.0),
            metadata: site.as_object().cloned(),
            ..Known::default()
        };
        (id, known)
    };
    let rows = tasks.map(known).collect();
    let stage = stage(PRELABEL);
    desk.world
        .send(News::Upstream(Upstream::Known { stage, rows }));
}

#[test]
fn a_click_on_a_column_sorts_by_it_and_a_second_one_turns_the_order_round() {
    let mut desk = desk();
    desk.go("2");
    for (reversed, arrow, first) in [(false, "title↑", 0), (true, "title↓", 1)] {
        let name = if reversed { "title↑" } else { "title" };
        let commands = click(&mut desk, 3, name);
        desk.world.all(commands);
        assert_eq!(
            (queue(&desk).sort, queue(&desk).reversed),
            (Sort::Title, reversed)
        );
        let drawn = desk.draw();
        assert!(drawn.lines().nth(3).unwrap().contains(arrow), "{drawn}");
        assert!(
            drawn.contains(&format!("sort: title {}", &arrow[5..])),
            "{drawn}"
        );
        let title = |place| queue(&desk).at(place).unwrap().title.clone();
        assert_eq!(usize::from(title(0) > title(1317)), first);
    }
    desk.go("S S S S");
    assert_eq!(
        (queue(&desk).sort, queue(&desk).reversed),
        (Sort::Listed, false)
    );
    desk.go("I");
    assert_eq!(
        queue(&desk).at(0).unwrap().id,
        task(PRELABEL, 1317),
        "as listed, from the end"
    );
}

#[test]
fn priorities_of_the_rows_in_sight_are_read_once_and_shown() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2");
    assert!(desk.draw().contains("pri "), "{}", desk.draw());
    let asked = answer(&mut desk);
    assert!(
        (29..100).contains(&asked),
        "what is in sight and a page more: {asked}"
    );
    let drawn = desk.draw();
    let row = |n: usize| drawn.lines().nth(4 + n).unwrap().to_owned();
    assert!(row(0).contains("–"), "{}", row(0));
    assert!(row(7).contains("0.07"), "{}", row(7));
    assert_eq!(
        desk.ui.missing_facts(&desk.world.state),
        None,
        "all in sight is known"
    );
    desk.go("G");
    let again = desk.ui.missing_facts(&desk.world.state);
    assert!(matches!(again, Some(Command::Know { .. })));
    // It cannot be read: not asked for at every frame.
    assert_eq!(desk.ui.missing_facts(&desk.world.state), None);
}

#[test]
fn sorted_by_priority_all_label_rows_are_read_and_those_without_one_come_last() {
    let mut desk = desk();
    desk.go("2");
    let commands = click(&mut desk, 3, "pri");
    desk.world.all(commands);
    let mut chunks = 0;
    while let Some(Effect::Know { rows, .. }) = desk.world.asked.pop() {
        chunks += 1;
        know(&mut desk, rows.iter().map(|row| row.id));
    }
    assert_eq!((chunks, queue(&desk).known.len()), (3, 1318));
    let shown = |desk: &Desk, place| {
        let queue = queue(desk);
        queue.known[&queue.at(place).unwrap().id].priority
    };
    assert_eq!((shown(&desk, 0), shown(&desk, 1317)), (Some(0.99), None));
    desk.go("I");
    assert_eq!((shown(&desk, 0), shown(&desk, 1317)), (Some(0.01), None));
}

#[test]
fn columns_are_chosen_and_given_back_to_the_room_there_is() {
    let mut desk = Desk::new(World::demo(), 200, 36);
    desk.go("2 c");
    let drawn = desk.draw();
    assert!(
        drawn.contains("[x] title") && drawn.contains("[ ] assignee"),
        "{drawn}"
    );
    desk.go("Down Down Down Space Down Space Up Up Space");
    assert!(
        desk.draw().contains("the title is always shown"),
        "{}",
        desk.draw()
    );
    desk.go("Up Space Esc");
    let heading = |desk: &mut Desk| {
        let drawn = desk.draw();
        let line = drawn.lines().nth(3).unwrap();
        line.split("││").next().unwrap().to_owned()
    };
    let shown = heading(&mut desk);
    for (name, there) in [
        ("assignee", true),
        ("branch", true),
        ("status", false),
        ("title", true),
    ] {
        assert_eq!(shown.contains(name), there, "{name}: {shown}");
    }
    desk.go("c a Esc");
    let shown = heading(&mut desk);
    assert!(
        shown.contains("status") && !shown.contains("branch"),
        "{shown}"
    );
}

#[test]
fn a_range_is_marked_down_and_up() {
    let mut desk = desk();
    desk.go("2 Down J J");
    let marked = |desk: &Desk| {
        let mut all: Vec<usize> = (0..1318)
            .filter(|n| queue(desk).marks.contains(&task(PRELABEL, *n)))
            .collect();
        all.sort_unstable();
        all
    };
    assert_eq!(marked(&desk), [1, 2, 3]);
    desk.go("a PageDown");
    let at = desk.ui.queue.place(stage(PRELABEL));
    desk.go("K");
    assert_eq!(marked(&desk), [at - 1, at]);
    assert_eq!(desk.ui.queue.place(stage(PRELABEL)), at - 1);
    desk.go("Home a K");
    assert_eq!(marked(&desk), [0], "there is none above the first");
    desk.press("?");
    desk.type_text("undo it");
    assert!(
        desk.draw().contains("J H"),
        "the journal has another key: {}",
        desk.draw()
    );
    desk.go("Esc Esc H");
    assert!(desk.draw().contains("─ Journal"), "{}", desk.draw());
}

#[test]
fn groups_count_failures_routes_and_metadata_and_filter_or_mark_one() {
    let mut desk = ran();
    desk.go("2 g");
    let drawn = desk.draw();
    assert!(
        drawn.contains("[failure]") && drawn.contains("panicked"),
        "{drawn}"
    );
    desk.go("Tab");
    let drawn = desk.draw();
    let line = drawn
        .lines()
        .find(|l| l.contains("annotate"))
        .unwrap_or_else(|| panic!("{drawn}"));
    let count: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(drawn.contains("not run here yet"), "{drawn}");
    desk.go("Down Space");
    assert_eq!(queue(&desk).marks.len(), count, "{}", desk.draw());
    desk.go("Space");
    assert_eq!(queue(&desk).marks.len(), 0, "once more unmarks them");
    desk.go("Enter");
    assert_eq!(queue(&desk).filter_text, "route:annotate");
    assert_eq!(queue(&desk).view.len(), count);
    desk.go("g");
    assert!(
        answer(&mut desk) > 0,
        "some are read, so that keys are known"
    );
    desk.go("Left Left");
    while answer(&mut desk) > 0 {}
    desk.draw();
    let drawn = desk.draw();
    assert!(drawn.contains("[meta.site]"), "{drawn}");
    let with_site = |desk: &Desk| queue(desk).known.len();
    assert!(with_site(&desk) >= count);
    desk.go("Down Enter");
    assert_eq!(
        queue(&desk).filter_text,
        "route:annotate meta.site:\"cam 1\""
    );
    let left = queue(&desk).view.len();
    assert!(left > 0 && left < count, "{left} of {count}");
}
