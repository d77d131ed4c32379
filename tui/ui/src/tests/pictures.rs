//! Pictures a person can check: every screen at three sizes.

use super::Desk;
use crate::fixture::{
    self, ANNOTATE, ARCHIVE, COMPLETE, PRELABEL, REVIEW, ROUTE, World, outcome, row, stage,
};
use crate::{Screen, Theme, Ui, UiSettings};
use insta::assert_snapshot;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Event, Outage, Upstream};
use wb_core::ids::Millis;

mod sides;
mod task;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (200, 60)];

/// One snapshot.
fn shot(name: &str, text: &str) {
    assert_snapshot!(name, text);
}

/// One snapshot for each size.
fn shots(name: &str, make: impl Fn() -> World, act: impl Fn(&mut Desk)) {
    for (w, h) in SIZES {
        let mut desk = Desk::new(make(), w, h);
        act(&mut desk);
        assert_snapshot!(format!("{name}_{w}x{h}"), desk.draw());
    }
}

/// A run over some tasks, and its outcomes.
fn ran() -> World {
    World::ran()
}

/// One task stepped to its outcome.
fn stepped(keys: &str) -> World {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    if !keys.is_empty() {
        desk.go(keys);
    }
    desk.world
}

#[test]
fn flow_draws_the_workflow_with_counts_agents_and_loops() {
    shots("flow", World::demo, |_| {});
}

#[test]
fn flow_after_a_run_shows_where_tasks_went() {
    shots("flow_ran", ran, |_| {});
}

#[test]
fn flow_as_a_list_and_as_a_drawing_where_the_other_is_usual() {
    shots("flow_other_form", World::demo, |desk| desk.go("d Down"));
}

#[test]
fn flow_without_agents_names_the_folders_that_were_searched() {
    let make = || {
        let mut world = World::empty();
        world.send(Event::Upstream(Upstream::Project(fixture::project())));
        world.list(PRELABEL, vec![row(PRELABEL, 0)]);
        world.send(Event::Tick(Millis(fixture::NOW)));
        world
    };
    shots("flow_no_agents", make, |_| {});
}

#[test]
fn flow_of_a_project_whose_api_reports_no_edges() {
    let mut bare = (*fixture::project()).clone();
    bare.workflow.edges.clear();
    let make = || {
        let mut world = World::empty();
        world.send(Event::Upstream(Upstream::Project(std::sync::Arc::new(
            bare.clone(),
        ))));
        for n in [PRELABEL, ANNOTATE, REVIEW, ROUTE, COMPLETE, ARCHIVE] {
            world.list(n, (0..n as usize * 7).map(|i| row(n, i)).collect());
        }
        world.send(Event::Tick(Millis(fixture::NOW)));
        world
    };
    shots("flow_bare", make, |_| {});
}

#[test]
fn queue_shows_tasks_marks_and_the_preview() {
    shots("queue", World::demo, |desk| {
        desk.go("Enter Space Space Down Space");
    });
}

#[test]
fn queue_while_a_filter_is_typed() {
    shots("queue_filter", World::demo, |desk| {
        desk.go("Enter /");
        desk.type_text("status:new cam3");
    });
    shots("queue_filter_wrong", World::demo, |desk| {
        desk.go("Enter /");
        desk.type_text("statsu:new");
    });
}

#[test]
fn queue_after_a_run_shows_results() {
    shots("queue_ran", ran, |desk| {
        desk.go("2 Down Down Down Down Down");
    });
}

#[test]
fn queue_empty_and_nothing_matches() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.ui.select_stage(stage(ARCHIVE));
    desk.go("Enter");
    assert_snapshot!("queue_empty", desk.draw());
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("Enter /");
    desk.type_text("nothing like this");
    assert_snapshot!("queue_no_match", desk.draw());
}

#[test]
fn run_under_way_and_over() {
    shots("run_over", ran, |desk| {
        desk.go("4");
    });
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("n Enter");
    desk.world.fetched();
    desk.world.send(Event::Tick(Millis(fixture::NOW + 2_500)));
    assert_snapshot!("run_begun", desk.draw());
    let mut desk = Desk::new(World::demo(), 80, 24);
    desk.go("4");
    assert_snapshot!("run_none", desk.draw());
}

#[test]
fn review_groups_and_their_tasks() {
    shots("review", ran, |desk| {
        desk.go("v");
    });
    shots("review_tasks", ran, |desk| {
        desk.go("v Enter Space Down");
    });
    shots("review_ask", ran, |desk| {
        desk.go("v C");
    });
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("v");
    assert_snapshot!("review_none", desk.draw());
}

#[test]
fn builds_with_refused_libraries_and_compiler_errors() {
    let make = || {
        let mut world = World::demo();
        world.send(Event::Build(BuildEvent::Probed(Box::new(
            fixture::library(2),
        ))));
        world.send(Event::Build(BuildEvent::Rejected {
            library: "agents/libmodel.so".into(),
            hash: "fe".into(),
            reason: "it cannot be opened: libonnx.so: cannot open shared object file".into(),
            hints: vec!["libonnx.so is needed and was not found: install it".into()],
        }));
        world.send(Event::Build(BuildEvent::Rejected {
            library: "target/release/libsample_agents.so".into(),
            hash: "ff".into(),
            reason: "the file is cut short: section headers lie beyond its end".into(),
            hints: vec!["wait for the build to finish".into()],
        }));
        world.send(Event::Build(BuildEvent::Compiled {
            result: Err("   Compiling sample-agents v0.1.0\n\u{1b}[31merror[E0308]\u{1b}[0m: mismatched types\n  --> sample-agents/src/prelabel.rs:88:18\n   |\n88 |     Route::to(3)\n   |               ^ expected `&str`, found integer".into()),
        }));
        world
    };
    shots("builds", make, |desk| desk.go("b"));
}

#[test]
fn messages_help_and_palette() {
    shots("messages", ran, |desk| desk.go("M Down"));
    shots("help", World::demo, |desk| desk.go("?"));
    shots("help_search", World::demo, |desk| {
        desk.go("? ?");
        desk.type_text("commit");
    });
    shots("palette", World::demo, |desk| {
        desk.go("2 :");
        desk.type_text("rev");
    });
}

#[test]
fn questions_before_what_is_large_or_writes() {
    shots("ask_count", World::demo, |desk| desk.go("n"));
    shots("ask_all", World::demo, |desk| desk.go("N"));
    shots("ask_live", World::demo, |desk| desk.go("m"));
    shots("live", World::demo, |desk| desk.go("m y"));
    shots("ask_quit", ran, |desk| desk.go("q"));
}

#[test]
fn nothing_there_yet_and_what_went_wrong() {
    shots("connecting", World::empty, |_| {});
    let refused = || {
        let mut world = World::empty();
        let error = Error::new(
            ErrorKind::Access,
            "api.encord.com refused this key for the project (403)",
        )
        .hint("wrong region? try ENCORD_DOMAIN=https://api.us.encord.com")
        .hint("else the key needs a role that may write");
        world.send(Event::Upstream(Upstream::ProjectFailed(error)));
        world
    };
    shots("refused", refused, |_| {});
}

#[test]
fn small_and_odd_sizes() {
    let mut out = String::new();
    for (w, h) in [(39, 9), (60, 18), (100, 30), (44, 12)] {
        let mut desk = Desk::new(World::demo(), w, h);
        out.push_str(&format!("{w}x{h}\n{}\n", desk.draw()));
    }
    assert_snapshot!("odd_sizes", out);
}

#[test]
fn every_screen_can_be_drawn_at_every_size() {
    for screen in Screen::ALL {
        for keys in ["", "?", "v", "b", "M", ":", "n", "q"] {
            let mut desk = Desk::new(ran(), 120, 36);
            desk.go("2 Down s");
            desk.ui.show(screen);
            if !keys.is_empty() {
                desk.go(keys);
            }
            for (w, h) in [
                (1, 1),
                (40, 10),
                (41, 11),
                (79, 24),
                (80, 10),
                (80, 19),
                (99, 50),
                (100, 20),
                (160, 12),
                (300, 100),
            ] {
                (desk.w, desk.h) = (w, h);
                desk.draw();
            }
        }
    }
}

#[test]
fn without_unicode_and_colours_nothing_is_missing() {
    let mut desk = Desk::new(ran(), 120, 36);
    desk.ui = Ui::new(UiSettings {
        styles: Theme::Plain.styles(),
        ..UiSettings::default()
    });
    let text = desk.draw();
    assert!(text.chars().all(|c| c.is_ascii() || c == '夜'), "{text}");
    assert_snapshot!("ascii", text);
}

#[test]
fn the_plain_summary_has_what_the_screen_has() {
    assert_snapshot!("plain_summary", crate::plain_summary(&ran().state));
    assert_snapshot!(
        "plain_connecting",
        crate::plain_summary(&World::empty().state)
    );
}

#[test]
fn keys_are_listed_from_the_table() {
    let map = crate::Keymap::default();
    let (text, markdown) = (crate::keys_text(&map), crate::keys_markdown(&map));
    for entry in crate::ACTIONS {
        assert!(text.contains(entry.help), "{}", entry.name);
        assert!(markdown.contains(entry.help), "{}", entry.name);
    }
    assert!(
        markdown.contains("| Task | `C` | Commit this task (asks) **(writes)** |"),
        "{markdown}"
    );
    assert_snapshot!("keys_text", text);
}

#[test]
fn an_outage_shows_its_length_its_cause_and_the_next_attempt() {
    let make = || {
        let mut world = World::demo();
        let outage = Outage {
            since: Millis(fixture::NOW - 12_000),
            why: "GET /v2/public/projects/7/workflow/stages: connection refused".into(),
            again: Millis(fixture::NOW + 3_200),
        };
        world.send(Event::Upstream(Upstream::Outage(Some(outage))));
        world
    };
    for (w, h) in SIZES {
        let mut desk = Desk::new(make(), w, h);
        let last = desk.draw().lines().last().unwrap().to_owned();
        assert!(
            last.contains("waiting for the platform, 12s · next try in 4 s · GET /v2"),
            "{last}"
        );
    }
    let mut desk = Desk::new(make(), 120, 36);
    let over = Event::Upstream(Upstream::Outage(None));
    desk.world.send(over);
    assert!(desk.draw().contains("READY"));
}

#[test]
fn a_task_whose_inputs_are_being_fetched_offers_no_next_step() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("s");
    let picture = desk.draw();
    let hints = picture.lines().rev().nth(1).unwrap().to_owned();
    assert!(
        !hints.contains("s step") && hints.contains("c to the end"),
        "{hints}"
    );
    assert!(picture.contains("They are being fetched"), "{picture}");
    desk.go("s");
    assert!(desk.draw().contains("c continues by itself"));
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    assert!(desk.draw().contains("✓ outcome"));
}
