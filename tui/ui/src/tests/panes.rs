//! The bright frame, the way of the focus, zoom, pages and the wheel, on every screen and overlay with several panes.

use super::Desk;
use super::answers::{in_conflict, with_journal};
use super::compare::compared;
use super::keys::{ran, stepped};
use crate::Screen;
use crate::fixture::{PRELABEL, World, mixed, outcome, stage};
use crate::panes::PaneName;
use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn sized(mut desk: Desk, (w, h): (u16, u16)) -> Desk {
    (desk.w, desk.h) = (w, h);
    desk.draw();
    desk
}

/// Screens and overlays with several panes: a name, and the keys that lead there; Compare is open already.
const PLACES: [(&str, &str); 11] = [
    ("Flow", "1"),
    ("Queue", "2"),
    ("Task", "3"),
    ("Run", "4"),
    ("Review", "v"),
    ("a group of Review", "v Enter"),
    ("Watch", "2 w W"),
    ("Journal", "J"),
    ("Messages", "M"),
    ("Compare", "Home"),
    ("Conflicts", "!"),
];

pub fn at(keys: &str, size: (u16, u16)) -> Desk {
    let begun = match keys {
        "3" => stepped(),
        "J" => with_journal(),
        "Home" => compared(),
        "!" => in_conflict(),
        _ => ran(),
    };
    let mut desk = sized(begun, size);
    desk.go(keys);
    if keys == "J" {
        desk.world.answer(&mixed);
        desk.draw();
    }
    desk
}

fn mouse(desk: &mut Desk, kind: MouseEventKind, area: Rect) {
    desk.event(&Event::Mouse(MouseEvent {
        kind,
        column: area.x + area.width / 2,
        row: area.y + area.height / 2,
        modifiers: KeyModifiers::NONE,
    }));
    desk.draw();
}

pub fn area_of(desk: &Desk, name: PaneName) -> Rect {
    let mut all = desk.ui.drawn_panes().iter();
    let found = all.find(|pane| pane.name == name);
    found
        .unwrap_or_else(|| panic!("{name:?} is not drawn"))
        .area
}

/// Whether every line of the frame has the colour of the focus.
fn is_bright(buf: &Buffer, area: Rect, desk: &Desk) -> bool {
    let on_edge = |x: u16, y: u16| {
        x == area.x || x + 1 == area.right() || y == area.y || y + 1 == area.bottom()
    };
    let lines = area.positions().filter(|p| on_edge(p.x, p.y)).filter(|p| {
        let c = buf[*p].symbol().chars().next().unwrap();
        ('\u{2500}'..='\u{257f}').contains(&c)
    });
    let lines: Vec<_> = lines.collect();
    assert!(lines.len() > 4, "{area}");
    lines
        .iter()
        .all(|p| Some(buf[*p].fg) == desk.ui.st.focus.fg)
}

#[test]
fn one_frame_is_bright_and_tab_goes_round_all_panes() {
    for size in SIZES {
        for (name, keys) in PLACES {
            let mut desk = at(keys, size);
            let count = desk.ui.pane_count();
            assert!(count > 1, "{name} at {size:?} has {count} panes");
            let mut seen = Vec::new();
            for _ in 0..count {
                let buf = desk.cells();
                let panes = desk.ui.drawn_panes().to_vec();
                let bright: Vec<_> = panes
                    .iter()
                    .filter(|pane| is_bright(&buf, pane.area, &desk))
                    .map(|pane| pane.name)
                    .collect();
                assert_eq!(
                    bright,
                    [desk.ui.focus()],
                    "{name} at {size:?}\n{}",
                    desk.draw()
                );
                assert!(!seen.contains(&bright[0]), "{name}: {seen:?} {bright:?}");
                seen.push(bright[0]);
                desk.go("Tab");
            }
            assert_eq!(
                seen[0],
                PaneName::Main,
                "{name}: where the cursor is comes first"
            );
            assert_eq!(desk.ui.focus(), PaneName::Main, "{name}: round");
            desk.go("BackTab");
            assert_eq!(desk.ui.focus(), seen[count - 1], "{name}: back");
        }
    }
}

#[test]
fn a_zoomed_pane_has_all_the_room_until_z_or_escape() {
    for size in SIZES {
        for (name, keys) in PLACES {
            let mut desk = at(keys, size);
            let before = desk.draw();
            for tabs in 0..desk.ui.pane_count() {
                let focus = desk.ui.focus();
                desk.go("z");
                let panes = desk.ui.drawn_panes().to_vec();
                assert_eq!(panes.len(), 1, "{name} at {size:?}: {panes:?}");
                assert_eq!((panes[0].name, desk.ui.focus()), (focus, focus), "{name}");
                let [w, h] = [panes[0].area.width, panes[0].area.height];
                assert!(
                    w == size.0 && h >= size.1 - 5,
                    "{name} at {size:?}: {w}x{h}"
                );
                assert!(is_bright(&desk.cells(), panes[0].area, &desk));
                let (screen, open) = (desk.ui.screen(), desk.ui.overlays.len());
                desk.go(if tabs % 2 == 0 { "Esc" } else { "z" });
                assert_eq!((desk.ui.screen(), desk.ui.overlays.len()), (screen, open));
                assert!(!desk.ui.zoomed() && desk.ui.focus() == focus, "{name}");
                desk.go("Tab");
            }
            if keys != "2 w W" {
                assert_eq!(desk.draw(), before, "{name} at {size:?} is as it was");
            }
            desk.go("z Tab");
            let panes = desk.ui.drawn_panes();
            assert!(
                panes.len() == 1 && panes[0].name != PaneName::Main,
                "{name}"
            );
        }
    }
}

#[test]
fn the_zoom_of_a_pane_that_is_gone_ends() {
    let mut desk = at("v Enter Tab", (120, 36));
    desk.go("Tab z");
    assert!(desk.ui.zoomed() && desk.ui.focus() == PaneName::Details);
    let held: Vec<_> = desk.world.state.held.keys().copied().collect();
    desk.world.command(wb_core::command::Command::Drop(held));
    let text = desk.draw();
    assert!(text.contains("Nothing is held."), "{text}");
    assert!(!desk.ui.zoomed());
}

#[test]
fn pages_and_half_pages_are_those_of_the_pane() {
    for size in SIZES {
        let world = World::sized(&[(PRELABEL, 5_000)]);
        let mut desk = Desk::new(world, size.0, size.1);
        desk.go("2");
        // Without its frame and the row of headings.
        let rows = usize::from(area_of(&desk, PaneName::Main).height) - 3;
        let place = |desk: &Desk| desk.ui.queue.place(stage(PRELABEL));
        desk.go("PageDown");
        assert_eq!(place(&desk), rows, "{size:?}");
        desk.go("Ctrl-d");
        assert_eq!(place(&desk), rows + rows / 2);
        desk.go("Ctrl-u PageUp");
        assert_eq!(place(&desk), 0);
        desk.go("z");
        let zoomed = usize::from(area_of(&desk, PaneName::Main).height) - 3;
        desk.go("PageDown");
        assert_eq!(place(&desk), zoomed, "a page of the zoomed pane");
    }
}

/// A task whose outcome has more lines than any pane.
fn long_review(size: (u16, u16)) -> Desk {
    let mut desk = Desk::new(World::demo(), size.0, size.1);
    desk.go("n Enter");
    desk.world.answer(&|_| {
        let mut long = (*outcome("annotate")).clone();
        let one = long.patch.labels[0].clone();
        long.patch.labels = vec![one; 200];
        let mut last = long.patch.labels[199].clone();
        last.name = "Last one".into();
        long.patch.labels[199] = last;
        Ok(Arc::new(long))
    });
    desk.go("v");
    desk
}

#[test]
fn the_details_of_review_scroll_and_show_how_far() {
    for size in SIZES {
        let mut desk = long_review(size);
        let area = area_of(&desk, PaneName::Details);
        let bar = |desk: &mut Desk| {
            let buf = desk.cells();
            let x = area.right() - 1;
            let rows = area.y + 1..area.bottom() - 1;
            let thumb: Vec<u16> = rows.filter(|y| buf[(x, *y)].symbol() == "█").collect();
            thumb[0]
        };
        assert_eq!(bar(&mut desk), area.y + 1);
        desk.go("Enter Enter");
        assert_eq!(desk.ui.focus(), PaneName::Details);
        let first = desk.draw();
        desk.go("PageDown");
        assert_ne!(desk.draw(), first);
        desk.go("G");
        let text = desk.draw();
        assert!(text.contains("A commit would"), "{size:?}: {text}");
        assert!(bar(&mut desk) > area.y + 1, "the bar moves");
        desk.go("g");
        assert_eq!(desk.draw(), first);
        desk.go("G Esc Down Enter");
        let text = desk.draw();
        assert!(
            !text.contains("A commit would"),
            "another task begins at its start: {text}"
        );
    }
}

#[test]
fn the_wheel_scrolls_what_is_under_the_pointer_and_a_click_gives_it_the_focus() {
    for size in SIZES {
        let mut desk = long_review(size);
        desk.go("Enter");
        let (list, details) = (
            area_of(&desk, PaneName::Main),
            area_of(&desk, PaneName::Details),
        );
        let chosen = |desk: &Desk| {
            desk.ui
                .top(|layer| layer.shell_command(&desk.ui, &desk.world.state))
        };
        let (before, task) = (desk.draw(), chosen(&desk));
        mouse(&mut desk, MouseEventKind::ScrollDown, details);
        let scrolled = desk.draw();
        assert_ne!(scrolled, before);
        assert!(desk.ui.in_main() && scrolled.contains("1/"), "{scrolled}");
        assert_eq!(chosen(&desk), task);
        mouse(&mut desk, MouseEventKind::ScrollUp, details);
        assert_eq!(desk.draw(), before);
        mouse(&mut desk, MouseEventKind::ScrollDown, list);
        assert!(desk.draw().contains(" 4/"), "the list goes down by three");
        mouse(&mut desk, MouseEventKind::Down(MouseButton::Left), details);
        assert_eq!(desk.ui.focus(), PaneName::Details);
        mouse(&mut desk, MouseEventKind::ScrollUp, list);
        assert!(desk.draw().contains(" 1/"), "wherever the focus is");
        assert_eq!(desk.ui.focus(), PaneName::Details);
        mouse(&mut desk, MouseEventKind::Down(MouseButton::Left), list);
        assert!(desk.ui.in_main());
    }
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken_back() {
    for (w, h) in SIZES.into_iter().chain([(60, 18)]) {
        let mut desk = Desk::new(World::demo(), w, h);
        let status = |desk: &mut Desk| desk.draw().lines().last().unwrap().to_owned();
        assert!(!status(&mut desk).contains("mouse"));
        desk.go("Ctrl-t");
        assert!(desk.ui.mouse_off());
        assert!(
            status(&mut desk).contains("mouse off (Ctrl-t)"),
            "{}",
            desk.draw()
        );
        // In overlays too, and as long as it is off.
        desk.go("M Down");
        assert!(
            status(&mut desk).contains("mouse off (Ctrl-t)"),
            "{}",
            desk.draw()
        );
        desk.go("Ctrl-t Down");
        assert!(!desk.ui.mouse_off());
        assert!(!status(&mut desk).contains("mouse"), "{}", desk.draw());
    }
}

#[test]
fn an_overlay_that_is_opened_again_begins_at_its_list() {
    let mut desk = at("v Enter Enter z", (120, 36));
    assert!(desk.ui.zoomed() && !desk.ui.in_main());
    desk.go("v v");
    assert!(!desk.ui.zoomed() && desk.ui.in_main(), "{}", desk.draw());
    // Screens stay as they were left.
    desk.go("Esc 2 Tab 1 2");
    assert_eq!(desk.ui.screen(), Screen::Queue);
    assert!(!desk.ui.in_main());
}

#[test]
fn hints_name_what_works_in_the_pane_with_the_focus() {
    let mut desk = ran();
    desk.press("v");
    assert!(desk.draw().contains("tab next pane"), "in the first frame");
    let mut desk = long_review((120, 36));
    let hints = |desk: &mut Desk| {
        let text = desk.draw();
        let row = text.lines().nth(34).unwrap();
        row.to_owned()
    };
    let list = hints(&mut desk);
    assert!(
        list.contains("enter its tasks") && !list.contains("scroll"),
        "{list}"
    );
    assert!(
        list.contains("tab next pane") && list.contains("z zoom"),
        "{list}"
    );
    desk.go("Tab Tab");
    let details = hints(&mut desk);
    let begin = " ↑ ↓ scroll  tab next pane  z zoom";
    assert!(details.starts_with(begin), "{details}");
    desk.go("z");
    let zoomed = hints(&mut desk);
    assert!(zoomed.contains("z all panes"), "{zoomed}");
}

#[test]
fn a_scrolled_log_stays_where_it_is_while_lines_come() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 Space Space n");
    desk.world.fetched();
    let job = desk.world.begun(4121).unwrap();
    let log = |desk: &mut Desk, n: usize| {
        desk.world.log(job, 3, "cars", &format!("line {n:03}."));
    };
    (0..60).for_each(|n| log(&mut desk, n));
    let area = area_of(&desk, PaneName::Log);
    let rows = usize::from(area.height) - 2;
    assert!(desk.draw().contains("line 059."), "{}", desk.draw());
    mouse(&mut desk, MouseEventKind::Down(MouseButton::Left), area);
    desk.go("PageUp");
    let newest = format!("line {:03}.", 59 - rows);
    let text = desk.draw();
    assert!(
        text.contains(&newest) && !text.contains("line 059."),
        "{text}"
    );
    (60..70).for_each(|n| log(&mut desk, n));
    assert!(desk.draw().contains(&newest), "{}", desk.draw());
    desk.go("G");
    assert!(desk.draw().contains("line 069."));
}
