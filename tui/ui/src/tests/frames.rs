//! Frames without colours, and what lies below an overlay.

use super::keys::ran;
use super::panes::{area_of, at};
use crate::Theme;
use crate::panes::PaneName;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

#[test]
fn without_colours_the_frame_with_the_focus_is_thick() {
    let mut desk = at("v", (120, 36));
    desk.ui.st = Theme::Plain.styles();
    let text = desk.draw();
    assert!(text.contains("┢━ By outcome ━"), "{text}");
    assert_eq!(text.matches("━ By outcome").count(), 1);
    assert!(!text.contains("━ Before and after"), "{text}");
    desk.go("Tab");
    let text = desk.draw();
    assert!(
        text.contains("━ Before and after ━") && !text.contains("━ By outcome"),
        "{text}"
    );
}

#[test]
fn what_lies_below_an_overlay_is_quiet_in_every_theme() {
    let themes = Theme::NAMES.map(|name| Theme::from_name(name).unwrap());
    for theme in themes.into_iter().chain([Theme::Plain]) {
        let mut desk = ran();
        desk.ui.st = theme.styles();
        desk.go("1 m");
        let open = area_of(&desk, PaneName::Main);
        let buf = desk.cells();
        let body = Rect::new(0, 1, desk.w, desk.h - 3);
        let behind = desk.ui.st.text.patch(desk.ui.st.behind);
        let around = body.positions().filter(|p| !open.contains(*p));
        for p in around {
            let cell = &buf[p];
            assert_eq!(
                Some(cell.fg),
                behind.fg.or(Some(Color::Reset)),
                "{theme:?} {p}"
            );
            assert!(!cell.modifier.contains(Modifier::BOLD), "{theme:?} {p}");
            let dim = behind.add_modifier.contains(Modifier::DIM);
            assert_eq!(cell.modifier.contains(Modifier::DIM), dim, "{theme:?} {p}");
        }
        // Something of the screen is still read there.
        assert!(desk.draw().contains("Workflow"));
    }
}
