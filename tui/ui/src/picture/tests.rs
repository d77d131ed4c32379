//! What is drawn of pictures and frames, and what is requested for them.

use super::drawn::fitted;
use super::view::{Look, PictureView};
use super::*;
use crate::fixture::{self, PRELABEL};
use crate::theme::Styles;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use wb_core::marks::LabelSide;

fn plain(width: u32, height: u32, value: u8) -> Shot {
    let rgb = vec![value; (width * height * 3) as usize];
    Shot {
        picture: Picture { width, height, rgb },
        at_us: Some(480_000),
    }
}

/// A view on one task, without labels.
struct Scene {
    view: PictureView,
    row: TaskRow,
    area: Rect,
    buf: Buffer,
}

impl Scene {
    fn new(w: u16, h: u16) -> Self {
        let area = Rect::new(0, 0, w, h);
        Self {
            view: PictureView::new(Graphics::default()),
            row: fixture::row(PRELABEL, 0),
            area,
            buf: Buffer::empty(area),
        }
    }

    fn draw(&mut self) -> String {
        let subject = Subject {
            stage: fixture::stage(PRELABEL),
            row: &self.row,
            inputs: None,
            earlier: None,
            outcome: None,
            compared: false,
        };
        self.buf.reset();
        self.view.begin();
        let (look, st) = (Look::of(LabelSide::Both), Styles::default());
        (self.view).draw(&mut self.buf, self.area, &subject, look, &st);
        let rows = self.area.rows().map(|row| {
            let cells = row.positions().map(|at| self.buf[at].symbol());
            cells.collect::<String>() + "\n"
        });
        rows.collect()
    }

    fn id(&self, frame: u64) -> PictureId {
        PictureId {
            task: self.row.id,
            frame,
            small: false,
        }
    }

    fn put(&mut self, count: u64, frame: u64, shot: Shot) {
        let id = self.id(frame);
        self.view
            .put_medium(id.task, Ok(Medium::Pictures { count }));
        self.view.put_shot(id, Ok(shot));
    }

    fn wanted(&self) -> Vec<u64> {
        let all = self.view.wanted().into_iter();
        all.map(|request| request.id.frame).collect()
    }
}

#[test]
fn a_picture_keeps_its_proportions_and_its_colours() {
    let picture = plain(40, 20, 0).picture;
    let cells = |w, h, cell| fitted(&picture, Size::new(w, h), cell);
    assert_eq!(cells(40, 30, (1, 2)), Size::new(40, 10));
    assert_eq!(cells(40, 5, (1, 2)), Size::new(20, 5));
    assert_eq!(cells(40, 30, (8, 16)), Size::new(40, 10));
    let mut scene = Scene::new(40, 10);
    let mut shot = plain(40, 20, 0);
    *shot.picture.rgb.iter_mut().rev().nth(2).unwrap() = 250;
    scene.put(1, 0, shot);
    scene.draw();
    assert_eq!(scene.buf[(39, 9)].bg, Color::Rgb(250, 0, 0));
}

#[test]
fn a_picture_without_the_pixels_that_it_declares_is_refused() {
    let mut scene = Scene::new(40, 10);
    let mut shot = plain(10, 10, 0);
    shot.picture.rgb.truncate(7);
    scene.draw();
    scene.put(1, 0, shot);
    let text = scene.draw();
    assert!(text.contains("no picture: the decoded picture"), "{text}");
    assert!(scene.wanted().is_empty());
}

#[test]
fn frames_are_moved_through_and_wanted_ahead() {
    let mut scene = Scene::new(40, 10);
    assert!(scene.draw().contains("loading the picture…"));
    assert_eq!(scene.wanted(), [0]);
    assert_eq!(scene.view.frames_in_sight(), None);
    scene.put(340, 0, plain(16, 9, 40));
    let text = scene.draw();
    assert!(text.contains("frame 0 of 340 · 0.48 s"), "{text}");
    assert_eq!(scene.wanted(), [1]);
    assert_eq!(scene.view.frames_in_sight(), Some(340));
    scene.view.go(FrameStep::Next);
    let text = scene.draw();
    // The frame before stays in sight until the next one is decoded, and the line below names it.
    assert!(text.contains("frame 1 of 340 · decoding…"), "{text}");
    assert_eq!(scene.buf[(20, 4)].fg, Color::Rgb(40, 40, 40));
    assert_eq!(scene.wanted(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    scene.put(340, 1, plain(16, 9, 90));
    let text = scene.draw();
    assert!(text.contains("frame 1 of 340 · 0.48 s"), "{text}");
    assert_eq!(scene.buf[(20, 4)].fg, Color::Rgb(90, 90, 90));
    assert_eq!(scene.wanted(), [2, 3, 4, 5, 6, 7, 8, 9]);
    scene.view.go(FrameStep::To(339));
    scene.draw();
    assert_eq!(scene.wanted(), [339, 338]);
}

#[test]
fn decoded_pictures_are_bounded_and_the_newest_stay() {
    let mut scene = Scene::new(40, 10);
    // 3 MB each.
    for frame in 0..60 {
        scene.put(60, frame, plain(1_000, 1_000, 7));
    }
    let held = (0..60).filter(|frame| scene.view.holds(scene.id(*frame)));
    let held: Vec<u64> = held.collect();
    assert!((10..25).contains(&held.len()), "{held:?}");
    assert_eq!(held.last(), Some(&59));
}

#[test]
fn what_cannot_be_had_is_tried_again_once_it_was_out_of_sight() {
    let mut scene = Scene::new(40, 10);
    scene.draw();
    let task = scene.row.id;
    scene.view.put_medium(task, Err("no network".to_owned()));
    assert!(scene.draw().contains("no picture: no network"));
    assert!(scene.draw().contains("no picture: no network"));
    assert!(scene.wanted().is_empty());
    scene.view.begin();
    scene.view.begin();
    assert!(scene.draw().contains("loading the picture…"));
    assert_eq!(scene.wanted(), [0]);
}

#[test]
fn a_text_is_read_page_by_page() {
    let mut scene = Scene::new(20, 5);
    scene.draw();
    let lines: Vec<String> = (0..10).map(|n| format!("line {n}")).collect();
    let text = lines.join("\n").into();
    let medium = Medium::Text(TextFile { text });
    scene.view.put_medium(scene.row.id, Ok(medium));
    let text = scene.draw();
    assert!(text.contains("line 0") && text.contains("line 3"), "{text}");
    assert!(text.contains("lines 1 to 4 of 10"), "{text}");
    assert!(scene.wanted().is_empty(), "it has no frames");
    scene.view.go(FrameStep::Next);
    let text = scene.draw();
    assert!(text.contains("line 4") && text.contains("line 7"), "{text}");
    scene.view.go(FrameStep::To(99));
    let text = scene.draw();
    assert!(text.contains("line 9"), "{text}");
    assert!(text.contains("lines 9 to 10 of 10"), "{text}");
}

#[test]
fn what_cannot_be_drawn_is_named_with_what_to_do() {
    let mut scene = Scene::new(40, 5);
    scene.draw();
    let why = "install poppler-utils".to_owned();
    let medium = Medium::Listed { why };
    scene.view.put_medium(scene.row.id, Ok(medium));
    assert!(scene.draw().contains("install poppler-utils"));
    assert!(scene.wanted().is_empty());
}
