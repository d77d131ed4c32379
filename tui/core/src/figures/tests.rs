//! Figures that are kept up to date one by one equal those that are counted again from everything that happened.

use super::*;
use crate::ids::{BuildId, PathwayId};
use crate::work::LastResult;
use std::sync::Arc;
use uuid::Uuid;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % n
    }
}

fn route(n: u64) -> TakenRoute {
    match n {
        0 => TakenRoute::Stay,
        1 => TakenRoute::Failed,
        2 => TakenRoute::Conflict,
        3 => TakenRoute::Stage(StageId(Uuid::from_u128(7))),
        n => TakenRoute::Pathway(PathwayId(Uuid::from_u128(u128::from(n)))),
    }
}

#[test]
fn percentiles_are_those_of_the_newest_attempts_in_order() {
    for (seed, most) in [(1, 40), (2, 1_000_000), (3, 1)] {
        let (mut numbers, mut times, mut all) = (Numbers(seed), AttemptTimes::default(), vec![]);
        assert_eq!(times.percentile(50), None);
        for n in 1..=3 * RECENT {
            let us = numbers.below(most);
            times.push(us);
            all.push(us);
            if n % 331 != 0 && n > 20 {
                continue;
            }
            let mut sorted = all[n.saturating_sub(RECENT)..].to_vec();
            sorted.sort_unstable();
            for percent in [0, 1, 50, 95, 99, 100] {
                // The smallest time that at least so many of a hundred do not exceed.
                let reaches = |us: &&u64| {
                    let within = sorted.iter().filter(|one| one <= us).count();
                    within * 100 >= percent * sorted.len()
                };
                let expected = sorted.iter().find(reaches).copied();
                assert_eq!(times.percentile(percent), expected, "{percent} of {n}");
            }
            assert_eq!(times.count(), sorted.len());
        }
        let again: AttemptTimes = all.into_iter().collect();
        assert_eq!(again, times);
    }
}

#[test]
fn counted_routes_equal_a_full_recount() {
    let mut numbers = Numbers(5);
    let (mut counts, mut all) = (RouteCounts::default(), Vec::new());
    for n in 0..4 * RECENT {
        // A build stays for a while; an earlier content may come back.
        let build = format!("build {}", numbers.below(100) / 50 + (n as u64 / 900) % 2);
        let taken = route(numbers.below(9));
        counts.push(taken, &build);
        all.push((taken, build));
    }
    let newest = &all[all.len() - RECENT..];
    let of = |part: &[(TakenRoute, String)], route| {
        part.iter().filter(|(taken, _)| *taken == route).count() as u64
    };
    let build = &all[all.len() - 1].1;
    let since = all
        .iter()
        .rposition(|(_, b)| b != build)
        .map_or(0, |at| at + 1);
    for route in (0..9).map(route) {
        assert_eq!(counts.recent(route), of(newest, route));
        assert_eq!(counts.ever(route), of(&all, route));
        let expected = (of(&all[since..], route), (all.len() - since) as u64);
        assert_eq!(counts.of_build(build, route), Some(expected));
        assert_eq!(counts.of_build("another", route), None);
    }
    let failed = of(newest, TakenRoute::Failed);
    let expected = (RECENT as u64 - failed) as f64 / RECENT as f64;
    assert_eq!(counts.succeeded(), Some(expected));
}

#[test]
fn figures_are_the_same_after_they_were_kept() {
    let mut numbers = Numbers(8);
    let mut figures = StageFigures::default();
    let text = serde_json::to_string(&figures).unwrap();
    assert_eq!(
        serde_json::from_str::<StageFigures>(&text).unwrap(),
        figures
    );
    assert_eq!(serde_json::from_str::<StageFigures>("{}").unwrap(), figures);
    for _ in 0..2 * RECENT {
        figures.times.push(numbers.below(90_000));
        figures.routes.push(route(numbers.below(9)), "a");
    }
    figures.last_run = Some(LastRun {
        number: 17,
        tasks: 9,
        failed: 2,
        ..LastRun::default()
    });
    figures.last_commit = Some(LastCommit {
        number: Some(15),
        tasks: 3,
        ..LastCommit::default()
    });
    let text = serde_json::to_string(&figures).unwrap();
    assert!(text.len() < 24_000, "{} bytes", text.len());
    let mut back: StageFigures = serde_json::from_str(&text).unwrap();
    assert_eq!(back, figures);
    // They go on alike.
    for figures in [&mut back, &mut figures] {
        figures.routes.push(TakenRoute::Stay, "a");
        figures.times.push(1);
    }
    assert_eq!(back, figures);
}

#[test]
fn speed_is_that_of_the_last_half_minute() {
    let began = Millis(1_000_000);
    let at = |s: i64| Millis(began.0 + s * 1000);
    let mut speed = RecentSpeed::new(began);
    assert_eq!(speed.per_second(at(0)), 0.0);
    // Two minutes of random tasks, counted again at each moment.
    let (mut numbers, mut all) = (Numbers(3), Vec::new());
    for tick in 0..480_i64 {
        let now = Millis(began.0 + tick * 250);
        let tasks = numbers.below(12);
        speed.add(now, tasks);
        all.push((now, tasks));
        let first = (now.0 - 30_000).div_euclid(1000) + 1;
        let lately = all.iter().filter(|(at, _)| at.0.div_euclid(1000) >= first);
        let tasks: u64 = lately.map(|(_, n)| n).sum();
        let seconds = (now.since(began) as f64 / 1000.0).clamp(1.0, 30.0);
        let difference = speed.per_second(now) - tasks as f64 / seconds;
        assert!(difference.abs() < 1e-9, "{difference} at {tick}");
    }
    assert_eq!(speed.per_second(at(200)), 0.0, "nothing was decided lately");
}

fn last(at: i64) -> LastResult {
    LastResult {
        build: BuildId(1),
        text: "annotate".into(),
        failed: false,
        pathway: None,
        group: None,
        labels: (1, 0, 0),
        ms: 3.0,
        at: Millis(at),
    }
}

fn result() -> KeptResult {
    KeptResult {
        run: 1,
        stage: StageId(Uuid::nil()),
        task: TaskId(Uuid::nil()),
        title: Arc::from("t"),
        updated: Millis(50),
        last: last(100),
        outcome: None,
    }
}

#[test]
fn a_result_holds_until_somebody_changes_its_task() {
    let kept = result();
    assert!(kept.holds_for(Millis(50)), "unchanged");
    assert!(
        kept.holds_for(Millis(90)),
        "our own commit, before the result was noted"
    );
    assert!(!kept.holds_for(Millis(101)));
}

#[test]
fn stages_are_kept_now_and_then_and_before_the_end() {
    let stage = StageId(Uuid::from_u128(1));
    let mut figures = Figures::default();
    let kept = |figures: &mut Figures, now, leaving| {
        let kept = figures.take_changes(Millis(now), leaving);
        kept.map(|kept| (kept.stages.len(), kept.runs.len()))
    };
    assert_eq!(kept(&mut figures, 10_000, true), None);
    figures.attempted(stage, 5);
    assert_eq!(kept(&mut figures, 11_900, false), None, "too soon");
    assert_eq!(kept(&mut figures, 12_000, false), Some((1, 0)));
    figures.attempted(stage, 5);
    assert_eq!(kept(&mut figures, 13_000, false), None);
    assert_eq!(
        kept(&mut figures, 13_000, true),
        Some((1, 0)),
        "the process ends"
    );
    figures.attempted(stage, 5);
    figures.run_began(KeptRun::default());
    assert_eq!(kept(&mut figures, 13_100, false), Some((0, 1)));
    figures.keep(result());
    assert_eq!(
        kept(&mut figures, 13_400, false),
        Some((1, 0)),
        "with results sooner"
    );
}

#[test]
fn a_commit_of_several_batches_is_one_and_gets_its_number_when_it_is_closed() {
    let stage = StageId(Uuid::from_u128(1));
    let mut figures = Figures::default();
    for n in [2, 3] {
        figures.committed(stage, Some(OperationId(4)), n, Millis(1));
    }
    figures.committed(stage, Some(OperationId(5)), 0, Millis(9));
    let commit = |figures: &Figures| figures.of(stage).unwrap().last_commit.clone().unwrap();
    assert_eq!((commit(&figures).tasks, commit(&figures).number), (5, None));
    assert!(!figures.has_commits());
    figures.numbered(OperationId(4), 15);
    assert_eq!(commit(&figures).number, Some(15));
    figures.taken_back(14, 1);
    figures.taken_back(15, 2);
    assert_eq!(commit(&figures).taken_back, 2);
    figures.committed(stage, Some(OperationId(6)), 1, Millis(9));
    let expected = LastCommit {
        number: None,
        at: Millis(9),
        tasks: 1,
        taken_back: 0,
    };
    assert_eq!(commit(&figures), expected);
}
