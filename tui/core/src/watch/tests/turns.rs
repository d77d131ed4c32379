//! Sums and index against a full recount over random turns.

use super::*;

/// The same numbers for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What a comparison of a task may come to.
fn some_comparison(numbers: &mut Numbers) -> WatchComparison {
    let overlaps = usize::try_from(numbers.below(5)).unwrap();
    #[allow(clippy::cast_precision_loss)] // small
    let overlap_sum = (0..overlaps)
        .map(|_| numbers.below(1000) as f64 / 999.0)
        .sum();
    let failed = [numbers.below(4) == 0, numbers.below(4) == 0];
    let found = TaskComparison {
        failed,
        changed_route: failed[0] != failed[1] || numbers.below(3) == 0,
        counts: LabelCounts {
            moved: usize::try_from(numbers.below(3)).unwrap(),
            overlaps,
            overlap_sum,
            ..LabelCounts::default()
        },
        ..TaskComparison::default()
    };
    WatchComparison {
        differs: found.differs(),
        severity: found.severity(),
        figures: WatchFigures::of(&found, numbers.below(9) == 0),
        found: Some(Arc::new(found)),
    }
}

/// Everything that is kept up to date, counted again from the tasks.
pub(super) fn check(watch: &Watch) {
    let (mut figures, mut pending, mut worst) = (WatchFigures::default(), 0, Vec::new());
    let mut used = (0, 0);
    for task in watch.iter() {
        figures.add(&task.figures());
        let phase = watch.phase(task);
        let comes = matches!(
            phase,
            Phase::Waiting | Phase::Fetching(_) | Phase::Running(..)
        );
        pending += usize::from(comes) + usize::from(task.comparing.is_some());
        worst.extend(task.severity().map(|severity| (severity, task.row.id)));
        assert_eq!(watch.task(task.row.id).map(|t| t.row.id), Some(task.row.id));
        used = (used.0 + task.kept_inputs, used.1 + task.kept_results);
        if let Phase::Running(job, build) = phase {
            let running = &watch.jobs()[&job];
            assert_eq!((running.task, running.build), (task.row.id, build));
        }
    }
    assert_eq!(*watch.figures(), figures);
    assert_eq!(watch.pending(), pending);
    assert_eq!(watch.memory().used(), used);
    let listed: Vec<TaskId> = watch.worst(0).map(|task| task.row.id).collect();
    assert_eq!(
        (listed.len(), watch.worst_len()),
        (worst.len(), worst.len())
    );
    let of = |id: &TaskId| watch.task(*id).and_then(Watched::severity).unwrap();
    assert!(listed.is_sorted_by(|a, b| of(a) >= of(b)));
}

/// One thing that happens to watched tasks, whatever comes next.
struct Turns {
    watch: Watch,
    numbers: Numbers,
    batches: u64,
    jobs: u64,
    build: u32,
    fetches: Vec<BatchId>,
    tickets: Vec<(TaskId, u64)>,
}

impl Turns {
    fn next(&mut self) {
        let fetch = FetchSpec::default();
        let n = self.numbers.below(60);
        match self.numbers.below(11) {
            0 => drop(self.watch.add(stage(n % 3), vec![row(n)])),
            1 => drop(self.watch.remove(&HashSet::from([id(n), id(n + 1)]))),
            2 => {
                self.build += 1;
                let build = (self.numbers.below(5) > 0).then_some(BuildId(self.build));
                self.watch.begin_round(stage(n % 3), build);
            }
            3 => drop(self.watch.again(&[id(n)])),
            4 => {
                let Some(stage) = self.watch.next_stage() else {
                    return;
                };
                let rows: Vec<TaskRow> = (0..4)
                    .filter_map(|_| self.watch.take_next(stage, &fetch))
                    .collect();
                let batch = BatchId::next(BatchOwner::Watch, &mut self.batches);
                self.watch.fetch(batch, &rows, fetch);
                self.fetches.push(batch);
            }
            5 => {
                let Some(batch) = self.fetches.pop() else {
                    return;
                };
                let Some((tasks, fetch)) = self.watch.take_fetch(batch) else {
                    return;
                };
                for task in tasks {
                    let result = match self.numbers.below(6) {
                        0 => Err(Error::new(ErrorKind::Network, "unreachable")),
                        _ => Ok(inputs(n, 10)),
                    };
                    self.watch.fetched(task, batch, &result, &fetch);
                }
            }
            6 | 7 => self.start(n),
            8 => self.end(),
            9 => {
                let Some((task, ticket)) = self.tickets.pop() else {
                    return;
                };
                let comparison = some_comparison(&mut self.numbers);
                self.watch.compared(task, Some(ticket), comparison);
            }
            _ => {
                self.watch.kept = n < 20;
                if self.watch.kept {
                    self.watch.pin();
                }
            }
        }
    }

    fn start(&mut self, n: u64) {
        // An agent that asks for something else has the inputs fetched again.
        let fits = !n.is_multiple_of(9);
        let Some(next) = self.watch.take_ready(|_, _| fits) else {
            return;
        };
        self.jobs += 1;
        let running = RunningWatched {
            task: next.task,
            build: BuildId(self.build),
            inputs: next.inputs,
            pid: None,
            loading: None,
            log: Log::default(),
        };
        self.watch.started(JobId(self.jobs), running);
    }

    fn end(&mut self) {
        let Some(job) = self.watch.jobs().keys().min().copied() else {
            return;
        };
        let result = match self.numbers.below(4) {
            0 => Err(Error::new(ErrorKind::Agent, "it panicked")),
            _ => Ok(outcome(20)),
        };
        let build = self.watch.jobs()[&job].build;
        let result = WatchResult::new(build, result, self.numbers.below(5), Millis(1));
        let (running, before) = self.watch.ran(job, result).unwrap();
        match (before, self.numbers.below(2)) {
            (None, _) => {}
            (Some(_), 0) => {
                let comparison = some_comparison(&mut self.numbers);
                self.watch.compared(running.task, None, comparison);
            }
            (Some(_), _) => {
                let ticket = self.watch.compares(running.task).unwrap();
                self.tickets.insert(0, (running.task, ticket));
            }
        }
    }
}

#[test]
fn sums_and_index_equal_a_full_recount_whatever_happens() {
    let mut compared = 0;
    for seed in 0..40 {
        let mut turns = Turns {
            watch: Watch::default(),
            numbers: Numbers(seed),
            batches: 0,
            jobs: 0,
            build: 1,
            fetches: Vec::new(),
            tickets: Vec::new(),
        };
        for n in 0..30 {
            turns.watch.add(stage(n % 3), vec![row(n)]);
        }
        for _ in 0..1_500 {
            turns.next();
            check(&turns.watch);
            compared += turns.watch.figures().compared;
        }
        turns.watch.remove(&(0..100).map(id).collect());
        check(&turns.watch);
        assert_eq!(*turns.watch.figures(), WatchFigures::default());
        assert_eq!(
            (turns.watch.pending(), turns.watch.memory().used()),
            (0, (0, 0))
        );
    }
    assert!(compared > 20_000, "{compared}");
}
