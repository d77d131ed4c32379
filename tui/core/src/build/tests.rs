//! Claims of stages: which build is active after each.

use super::*;
use crate::workflow::Stage;
use std::path::Path;
use uuid::Uuid;

fn flow() -> Workflow {
    let stage = |n, title: &str| Stage {
        id: StageId(Uuid::from_u128(n)),
        title: title.into(),
        kind: StageKind::Agent,
        pathways: vec![],
    };
    Workflow {
        stages: vec![stage(1, "one"), stage(2, "two"), stage(3, "three")],
        edges: vec![],
    }
}

fn library(path: &str, stages: &[(&str, u32)]) -> Probed {
    let agents = stages
        .iter()
        .map(|(stage, flags)| AgentDescriptor {
            stage: (*stage).into(),
            flags: *flags,
            ..AgentDescriptor::default()
        })
        .collect();
    Probed {
        id: ProbeId::default(),
        library: path.into(),
        copy: path.into(),
        hash: String::new(),
        size: 0,
        modified: Millis(0),
        descriptor: Descriptor {
            agents,
            ..Descriptor::default()
        },
    }
}

fn titles(builds: &Builds) -> Vec<String> {
    let flow = flow();
    builds
        .order()
        .iter()
        .filter_map(|s| flow.stage(*s))
        .map(|s| s.title.clone())
        .collect()
}

#[test]
fn a_rebuild_replaces_the_agents_and_keeps_their_order() {
    let mut builds = Builds::default();
    builds
        .claim(library("a", &[("two", 0), ("one", 0)]), &flow(), Millis(1))
        .unwrap();
    let second = builds.claim(
        library("a", &[("one", 0), ("two", 0), ("three", 0)]),
        &flow(),
        Millis(2),
    );
    assert_eq!(second, Ok(BuildId(2)));
    assert_eq!(titles(&builds), ["two", "one", "three"]);
    assert_eq!(builds.get(BuildId(1)).unwrap().status, BuildStatus::Retired);
    assert!(
        builds
            .order()
            .iter()
            .all(|s| builds.binding(*s).unwrap().build == BuildId(2))
    );
}

#[test]
fn a_stage_that_was_away_comes_back_in_its_place() {
    let mut builds = Builds::default();
    builds
        .claim(library("a", &[("one", 0), ("two", 0)]), &flow(), Millis(1))
        .unwrap();
    builds
        .claim(library("a", &[("two", 0)]), &flow(), Millis(2))
        .unwrap();
    assert_eq!(titles(&builds), ["two"]);
    builds
        .claim(library("a", &[("two", 0), ("one", 0)]), &flow(), Millis(3))
        .unwrap();
    assert_eq!(titles(&builds), ["one", "two"]);
}

#[test]
fn another_library_is_refused_whole_and_the_first_stays_active() {
    let mut builds = Builds::default();
    builds
        .claim(library("a", &[("one", 0)]), &flow(), Millis(1))
        .unwrap();
    let refused = builds.claim(library("b", &[("two", 0), ("one", 0)]), &flow(), Millis(2));
    assert!(refused.unwrap_err().1.contains("already belongs to a"));
    assert_eq!(titles(&builds), ["one"]);
}

#[test]
fn a_stage_whose_library_is_gone_is_free_for_those_that_were_refused_or_lost_it() {
    let mut builds = Builds::default();
    let stage = |n: usize| flow().stages[n].id;
    let claim = |builds: &mut Builds, path: &str, flag, at| {
        builds.claim(library(path, &[("one", flag)]), &flow(), Millis(at))
    };
    claim(&mut builds, "old", 0, 1).unwrap();
    claim(&mut builds, "renamed", 0, 2).unwrap_err();
    let _ = builds.claim(library("other", &[("two", 0)]), &flow(), Millis(3));
    let gone = builds.remove(Path::new("old"));
    assert_eq!(gone, [stage(0)]);
    assert_eq!(builds.willing(&gone, &flow()), [Path::new("renamed")]);
    claim(&mut builds, "renamed", 0, 4).unwrap();
    claim(&mut builds, "better", flags::OVERWRITE, 5).unwrap();
    let gone = builds.remove(Path::new("better"));
    assert_eq!(builds.willing(&gone, &flow()), [Path::new("renamed")]);
    claim(&mut builds, "renamed", 0, 6).unwrap();
    assert_eq!(titles(&builds), ["one", "two"]);
}

#[test]
fn a_library_that_overwrites_has_its_stage_whichever_of_two_is_probed_first() {
    let plain = || library("a", &[("one", 0), ("two", 0)]);
    let over = || library("b", &[("one", flags::OVERWRITE)]);
    for libraries in [[plain(), over()], [over(), plain()]] {
        let mut builds = Builds::default();
        for (n, library) in (1..).zip(libraries) {
            builds.claim(library, &flow(), Millis(n)).unwrap();
        }
        let stages = flow().stages;
        let owner = |n: usize| builds.agent(stages[n].id).unwrap().0.probed.library.clone();
        assert_eq!(
            (owner(0), owner(1)),
            (PathBuf::from("b"), PathBuf::from("a"))
        );
        assert_eq!(titles(&builds), ["one", "two"]);
    }
}

#[test]
fn overwrite_takes_a_stage_over_once_and_a_rebuild_does_not_steal_it_back() {
    let mut builds = Builds::default();
    let over = flags::OVERWRITE;
    builds
        .claim(
            library("a", &[("one", over), ("two", 0)]),
            &flow(),
            Millis(1),
        )
        .unwrap();
    builds
        .claim(library("b", &[("one", over)]), &flow(), Millis(2))
        .unwrap();
    builds
        .claim(
            library("a", &[("one", over), ("two", 0)]),
            &flow(),
            Millis(3),
        )
        .unwrap();
    let one = flow().stages[0].id;
    assert_eq!(
        builds.agent(one).unwrap().0.probed.library,
        PathBuf::from("b")
    );
    assert_eq!(titles(&builds), ["one", "two"]);
    assert_eq!(builds.remove("b".as_ref()), [one]);
    assert_eq!(titles(&builds), ["two"]);
}

#[test]
fn a_stage_twice_in_one_library_is_refused_even_as_name_and_uuid() {
    let mut builds = Builds::default();
    let uuid = Uuid::from_u128(1).to_string();
    let twice = builds.claim(library("a", &[("one", 0), (&uuid, 0)]), &flow(), Millis(1));
    assert!(twice.unwrap_err().1.starts_with("two agents for stage"));
}

#[test]
fn an_unknown_stage_is_a_note_with_the_nearest_name() {
    let mut builds = Builds::default();
    let id = builds
        .claim(library("a", &[("thre", 0)]), &flow(), Millis(1))
        .unwrap();
    assert_eq!(
        builds.get(id).unwrap().notes,
        ["the project has no stage \"thre\"; nearest: three"]
    );
}
