//! The order of several libraries: which opens first decides nothing.

use crate::world::*;
use agent_abi::table::flags;
use wb_core::event::{BuildEvent, Effect, Event, Upstream};
use wb_core::ids::*;
use wb_core::state::{Options, State};

const BOTH: [&str; 2] = ["first", "second"];

/// Owners of the two stages, their order, and how many libraries are refused.
type Picture = (Vec<(StageId, String)>, usize);

fn picture(state: &State) -> Picture {
    let owner = |stage: StageId| {
        let (build, _) = state.builds.agent(stage).unwrap();
        (stage, build.probed.library.display().to_string())
    };
    let order = state.builds.order();
    (
        order.into_iter().map(owner).collect(),
        state.refused.all().len(),
    )
}

/// The same libraries, opened in every order; the project comes first, last or in between.
fn however_they_open(roots: &[&str], libraries: &[wb_core::build::Probed]) -> Picture {
    let mut pictures: Vec<Picture> = Vec::new();
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for n in 0..libraries.len() {
        let longer = orders.iter().flat_map(|order| {
            (0..=n).map(|at| {
                let mut order = order.clone();
                order.insert(at, n);
                order
            })
        });
        orders = longer.collect();
    }
    for order in orders {
        for project_at in 0..=libraries.len() {
            let options = Options {
                libraries: roots.iter().map(Into::into).collect(),
                awaited: libraries.iter().map(|l| l.library.clone()).collect(),
                ..Options::default()
            };
            let (mut state, _) = State::start(options, Millis(0));
            for (n, at) in order.iter().enumerate() {
                if n == project_at {
                    state.update(Event::Upstream(Upstream::Project(project())));
                }
                let probed = Box::new(libraries[*at].clone());
                state.update(Event::Build(BuildEvent::Probed(probed)));
            }
            if project_at == libraries.len() {
                state.update(Event::Upstream(Upstream::Project(project())));
            }
            pictures.push(picture(&state));
        }
    }
    let first = pictures.pop().unwrap();
    assert!(
        pictures.iter().all(|p| *p == first),
        "{first:?} {pictures:?}"
    );
    first
}

fn owners(of: [(u128, &str); 2]) -> Vec<(StageId, String)> {
    of.map(|(stage, library)| (stage_id(stage), library.to_owned()))
        .into()
}

#[test]
fn stages_go_in_the_order_of_the_libraries_whichever_opens_first() {
    let (a, b) = (
        content("/x/a.so", &["second"], 0),
        content("/x/b.so", &["first"], 0),
    );
    let both = [a.clone(), b.clone()];
    let in_folder = however_they_open(&["/x"], &both);
    assert_eq!(in_folder, (owners([(2, "/x/a.so"), (1, "/x/b.so")]), 0));
    let named = however_they_open(&["/x/b.so", "/x/a.so"], &both);
    assert_eq!(named, (owners([(1, "/x/b.so"), (2, "/x/a.so")]), 0));
}

#[test]
fn of_libraries_for_the_same_stage_the_one_named_first_has_it_whichever_opens_first() {
    let libraries = [
        content("/x/a.so", &["first"], 0),
        content("/x/b.so", &["first", "second"], 0),
        content("/x/c.so", &["second"], 0),
    ];
    let found = however_they_open(&["/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/a.so"), (2, "/x/c.so")]), 1));
    let found = however_they_open(&["/x/b.so", "/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/b.so"), (2, "/x/b.so")]), 2));
}

#[test]
fn of_libraries_that_take_a_stage_over_the_last_has_it_whichever_opens_first() {
    let over = flags::OVERWRITE;
    let libraries = [
        content("/x/a.so", &["first", "second"], 0),
        content("/x/b.so", &["first"], over),
        content("/x/c.so", &["second", "first"], over),
        content("/x/d.so", &["second"], 0),
    ];
    let found = however_they_open(&["/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/c.so"), (2, "/x/c.so")]), 0));
    let found = however_they_open(&["/x/c.so", "/x/b.so", "/x/a.so", "/x"], &libraries);
    assert_eq!(found, (owners([(2, "/x/c.so"), (1, "/x/b.so")]), 0));
}

#[test]
fn a_library_that_does_not_open_keeps_the_others_waiting_for_a_while_only() {
    let options = Options {
        libraries: vec!["/x".into()],
        awaited: vec!["/x/a.so".into(), "/x/b.so".into()],
        screen: true,
        ..Options::default()
    };
    let (mut state, _) = State::start(options, Millis(0));
    state.update(Event::Upstream(Upstream::Project(project())));
    assert_eq!(state.update(probed("/x/b.so", &BOTH, 0)), []);
    let newer = state.update(probed("/x/b.so", &BOTH, 0));
    assert!(matches!(&newer[..], [Effect::Discard(_)]), "{newer:?}");
    assert!(state.builds.order().is_empty());
    let effects = state.update(Event::Tick(Millis(60_000)));
    assert!(activates(&effects, 1), "{effects:?}");
    // What is active by now stays active.
    state.update(probed("/x/a.so", &BOTH, 0));
    assert_eq!(
        picture(&state),
        (owners([(1, "/x/b.so"), (2, "/x/b.so")]), 1)
    );
}

#[test]
fn libraries_that_were_refused_take_a_free_stage_in_their_order() {
    let libraries = ["/x/a.so", "/x/b.so", "/x/c.so"].map(|l| content(l, &["first"], 0));
    let options = Options {
        libraries: vec!["/x".into()],
        ..Options::default()
    };
    let (mut state, _) = State::start(options, Millis(0));
    state.update(Event::Upstream(Upstream::Project(project())));
    let open = |state: &mut State, n: usize| {
        let probed = Box::new(libraries[n].clone());
        state.update(Event::Build(BuildEvent::Probed(probed)))
    };
    (0..3).for_each(|n| drop(open(&mut state, n)));
    let gone = Event::Build(BuildEvent::Removed("/x/a.so".into()));
    assert_eq!(
        state.update(gone).len(),
        3,
        "two to look at again, one to let go"
    );
    assert_eq!(open(&mut state, 2), []);
    open(&mut state, 1);
    let (build, _) = state.builds.agent(stage_id(1)).unwrap();
    assert_eq!(build.probed.library, std::path::Path::new("/x/b.so"));
}
