//! Pictures beside lists: before and after in Review, Watch and Task, and the contact sheet. Without colours, so that
//! what is drawn can be read.

use super::{SIZES, ran, shot, stepped};
use crate::fixture::{PRELABEL, World, outcome, task};
use crate::tests::Desk;
use crate::{Graphics, Letters, Screen};
use wb_core::command::Command;

fn without_colours(world: World, w: u16, h: u16) -> Desk {
    let mut desk = Desk::new(world, w, h);
    desk.ui.set_graphics(Graphics::Letters(Letters::Ramp));
    desk
}

/// The letters of an outline, in the order of its rows.
fn drawn(text: &str, what: char) -> usize {
    text.chars().filter(|c| *c == what).count()
}

#[test]
fn review_shows_the_picture_beside_its_list() {
    for (w, h) in SIZES {
        let mut desk = without_colours(ran(), w, h);
        desk.go("v");
        if w < 100 {
            assert!(!desk.draw_with_pictures(1).contains("Before and after"));
            desk.go("i i i");
        }
        let text = desk.draw_with_pictures(1);
        assert!(text.contains("Before and after"), "{text}");
        shot(&format!("review_sides_{w}x{h}"), &text);
    }
}

#[test]
fn one_key_shows_the_labels_after_before_both_or_no_picture() {
    let mut desk = without_colours(ran(), 120, 36);
    desk.go("v");
    let both = desk.draw_with_pictures(1);
    assert!(
        both.contains("+ Car") && both.contains("~ Pedestrian"),
        "{both}"
    );
    desk.go("i");
    let off = desk.draw_with_pictures(1);
    assert!(!off.contains("Before and after"), "{off}");
    desk.go("i");
    let after = desk.draw_with_pictures(1);
    assert!(after.contains(" After "), "{after}");
    desk.go("i");
    let before = desk.draw_with_pictures(1);
    assert!(before.contains(" Before "), "{before}");
    // Where the label was that moves is drawn in both, and after has it where it is only.
    assert!(drawn(&both, '~') > drawn(&after, '~'), "{both}{after}");
    assert!(drawn(&before, '~') > 0, "{before}");
    assert!(drawn(&before, '+') < drawn(&after, '+'), "{before}{after}");
}

#[test]
fn task_shows_labels_and_picture_side_by_side_at_the_outcome() {
    let mut desk = without_colours(stepped(""), 120, 36);
    desk.show(Screen::Task);
    let text = desk.draw_with_pictures(1);
    shot("task_sides_120x36", &text);
    assert!(
        text.contains("Before and after") && text.contains("Labels: 2 added"),
        "{text}"
    );
    desk.go("i");
    assert!(!desk.draw_with_pictures(1).contains("Before and after"));
}

#[test]
fn watch_shows_the_labels_of_both_builds() {
    let mut world = ran();
    let row = crate::fixture::row(PRELABEL, 0);
    world.command(Command::Watch {
        stage: crate::fixture::stage(PRELABEL),
        rows: vec![row],
        on: true,
    });
    world.fetched();
    world.answer(&|_| Ok(outcome("annotate")));
    let mut desk = without_colours(world, 120, 36);
    desk.go("W");
    let text = desk.draw_with_pictures(1);
    assert!(
        text.contains("Before and after") && text.contains("+ Car"),
        "{text}"
    );
    desk.go("i i");
    assert!(desk.draw_with_pictures(1).contains(" After "));
}

#[test]
fn the_contact_sheet_fills_the_screen_with_thumbnails() {
    for (w, h) in SIZES {
        let mut desk = without_colours(ran(), w, h);
        desk.go("v t");
        let text = desk.draw_with_pictures(1);
        shot(&format!("contact_sheet_{w}x{h}"), &text);
    }
}

#[test]
fn tasks_are_selected_and_opened_on_the_contact_sheet() {
    let mut desk = without_colours(ran(), 120, 36);
    desk.go("v t");
    let page = desk.draw_with_pictures(1);
    let (all, first) = (drawn(&page, '▌'), page.matches("[x]").count());
    assert_eq!(all, 1);
    assert!(first > 6, "{page}");
    desk.go("Space");
    let text = desk.draw_with_pictures(1);
    assert_eq!(text.matches("[ ]").count(), 1, "{text}");
    assert!(
        text.contains(" 2/"),
        "the cursor goes on to the next one: {text}"
    );
    // Down by a row of the grid, and on to the next page.
    desk.go("Down Left");
    assert!(desk.draw().contains(" 5/"), "{}", desk.draw());
    desk.go("PageDown");
    let text = desk.draw_with_pictures(1);
    assert!(!text.contains("[ ]"), "another page: {text}");
    desk.go("g Enter");
    assert_eq!(desk.ui.screen(), Screen::Task);
    let step = desk.world.state.step.as_ref().unwrap();
    assert_eq!(step.row.id, task(PRELABEL, 0));
}

#[test]
fn the_contact_sheet_decodes_a_page_and_the_next_one() {
    let mut desk = without_colours(ran(), 120, 36);
    desk.go("v t");
    let wanted = desk.ui.wanted_pictures();
    let small = wanted.iter().filter(|request| request.id.small).count();
    assert_eq!(small, 24, "{}", desk.draw());
    assert!(
        wanted[..12].iter().all(|request| request.id.small),
        "what lies below comes last"
    );
}

#[test]
fn frames_are_moved_through_wherever_a_picture_is_shown() {
    let mut desk = without_colours(ran(), 120, 36);
    desk.go("v");
    assert!(
        desk.draw_with_pictures(340)
            .contains("frame 0 of 340 · 0.00 s")
    );
    desk.go("> > >");
    assert!(
        desk.draw_with_pictures(340)
            .contains("frame 3 of 340 · 0.12 s")
    );
    desk.go("<");
    assert!(
        desk.draw_with_pictures(340)
            .contains("frame 2 of 340 · 0.08 s")
    );
    desk.go("# 1 2 Enter");
    assert!(
        desk.draw_with_pictures(340)
            .contains("frame 12 of 340 · 0.48 s")
    );
    desk.go("# 9 9 9 Enter");
    assert!(
        desk.draw()
            .contains("\"999\" is not a frame here; type 0 to 339")
    );
    // A still has no frames to move through.
    let mut desk = without_colours(ran(), 120, 36);
    desk.go("v");
    desk.draw_with_pictures(1);
    desk.go(">");
    assert!(
        desk.draw()
            .contains("no video, group of images or pages in sight")
    );
}
