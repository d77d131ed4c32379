//! Bundles against an upstream that refuses culprits and loses answers.

use super::*;
use crate::error::tests::at;
use std::collections::HashSet;
use std::sync::Mutex;

/// An upstream that applies bundles whole, refuses those with a culprit, and loses answers.
#[derive(Default)]
struct Fake {
    culprits: HashSet<usize>,
    /// Everything is forbidden, or only the culprits.
    forbidden: bool,
    /// Looking is forbidden too.
    blind: bool,
    foreign: bool,
    failing: bool,
    /// For each request: lose the answer before (`false`) or after (`true`) it is applied.
    lose: Mutex<Vec<Option<bool>>>,
    state: Mutex<(HashSet<usize>, usize)>,
    counter: WriteCounter,
}

impl Fake {
    fn requests(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

impl Bundle for Fake {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let mut state = self.state.lock().unwrap();
            state.1 += 1;
            let lost = || ClientError::Lost {
                why: "cut".to_owned(),
                answered: false,
                at: at(),
            };
            let lose = self.lose.lock().unwrap().pop().flatten();
            if lose == Some(false) {
                return Err(lost());
            }
            let message = String::new();
            if self.failing {
                return Err(ClientError::Lost {
                    why: "500".to_owned(),
                    answered: true,
                    at: at(),
                });
            }
            if self.forbidden {
                return Err(ClientError::Forbidden { message, at: at() });
            }
            if members
                .iter()
                .any(|m| self.culprits.contains(m) || state.0.contains(m))
            {
                return Err(if self.foreign {
                    ClientError::Forbidden { message, at: at() }
                } else {
                    ClientError::Invalid { message, at: at() }
                });
            }
            state.0.extend(members);
            if lose == Some(true) {
                Err(lost())
            } else {
                Ok(())
            }
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let state = self.state.lock().unwrap();
            if self.blind {
                let message = String::new();
                return Err(ClientError::Forbidden { message, at: at() });
            }
            let seen = |m| {
                if state.0.contains(m) {
                    Seen::Arrived
                } else {
                    Seen::Waiting
                }
            };
            Ok(members.iter().map(seen).collect())
        })
    }

    fn pause(&self, _time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn counter(&self) -> &WriteCounter {
        &self.counter
    }
}

async fn run(fake: &Fake, count: usize) -> Vec<(usize, Fate)> {
    let mut fates = drive(fake, (0..count).collect(), 100).await;
    fates.sort_by_key(|(member, _)| *member);
    assert_eq!(
        fates.iter().map(|(m, _)| *m).collect::<Vec<_>>(),
        (0..count).collect::<Vec<_>>()
    );
    fates
}

#[tokio::test]
async fn only_the_culprits_fail_and_finding_them_costs_a_logarithm() {
    for culprits in [vec![0], vec![99], vec![37], vec![5, 6, 80]] {
        let fake = Fake {
            culprits: culprits.iter().copied().collect(),
            ..Fake::default()
        };
        let fates = run(&fake, 100).await;
        let refused: Vec<usize> = fates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Refused(_)))
            .map(|(m, _)| *m)
            .collect();
        assert_eq!(refused, culprits);
        assert!(
            fake.requests() <= 1 + culprits.len() * 14,
            "{}",
            fake.requests()
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_is_applied_twice() {
    for lose in [
        vec![Some(true)],
        vec![Some(false)],
        vec![Some(true), Some(false), Some(false)],
    ] {
        let fake = Fake {
            lose: Mutex::new(lose),
            ..Fake::default()
        };
        let fates = run(&fake, 250).await;
        assert!(fates.iter().all(|(_, fate)| *fate == Fate::Applied));
        assert_eq!(fake.state.lock().unwrap().0.len(), 250);
    }
}

#[tokio::test]
async fn an_upstream_that_is_gone_stops_the_drive() {
    let fake = Fake {
        lose: Mutex::new(vec![Some(false); 100]),
        ..Fake::default()
    };
    let fates = run(&fake, 1000).await;
    assert!(
        fates
            .iter()
            .all(|(_, fate)| matches!(fate, Fate::Refused(_)))
    );
    assert_eq!(fake.requests(), 5);
}

#[tokio::test]
async fn an_upstream_that_fails_on_everything_is_not_tried_a_thousand_times() {
    let fake = Fake {
        failing: true,
        ..Fake::default()
    };
    let fates = run(&fake, 1000).await;
    assert!(
        fates
            .iter()
            .all(|(_, fate)| matches!(fate, Fate::Refused(_)))
    );
    assert!(fake.requests() < 40, "{}", fake.requests());
}

#[tokio::test]
async fn a_key_that_may_not_write_is_not_tried_a_thousand_times() {
    let fake = Fake {
        forbidden: true,
        ..Fake::default()
    };
    let fates = run(&fake, 1000).await;
    assert!(
        fates
            .iter()
            .all(|(_, fate)| matches!(fate, Fate::Refused(_)))
    );
    assert!(fake.requests() < 15, "{}", fake.requests());
}

#[tokio::test]
async fn what_is_forbidden_among_others_is_no_lack_of_access_and_all_of_it_is() {
    let kinds = |fates: &[(usize, Fate)]| {
        let kind = |(_, fate): &(usize, Fate)| match fate {
            Fate::Refused(failure) => Some(failure.kind),
            _ => None,
        };
        fates.iter().filter_map(kind).collect::<Vec<_>>()
    };
    let fake = Fake {
        culprits: HashSet::from([3, 70]),
        foreign: true,
        ..Fake::default()
    };
    assert_eq!(kinds(&run(&fake, 100).await), [ErrorKind::Upstream; 2]);
    let fake = Fake {
        forbidden: true,
        ..Fake::default()
    };
    assert_eq!(kinds(&run(&fake, 10).await), [ErrorKind::Access; 10]);
}

#[tokio::test]
async fn a_bundle_of_nothing_but_a_forbidden_task_or_two_is_no_lack_of_access() {
    let kinds = |fates: Vec<(usize, Fate)>| {
        let kind = |(_, fate)| match fate {
            Fate::Refused(error) => error.kind,
            other => panic!("{other:?}"),
        };
        fates.into_iter().map(kind).collect::<Vec<_>>()
    };
    let fake = Fake {
        culprits: HashSet::from([0, 1, 2, 3]),
        foreign: true,
        ..Fake::default()
    };
    assert_eq!(
        kinds(drive(&fake, vec![0], 100).await),
        [ErrorKind::Upstream]
    );
    let fates = drive(&fake, vec![50, 51], 100).await;
    assert!(fates.iter().all(|(_, fate)| *fate == Fate::Applied));
    // As often as a poller meets them.
    for _ in 0..10 {
        let fates = drive(&fake, vec![0, 1, 2, 3], 100).await;
        assert_eq!(kinds(fates), [ErrorKind::Upstream; 4]);
    }
    let fake = Fake {
        forbidden: true,
        ..Fake::default()
    };
    let blind = Fake {
        forbidden: true,
        blind: true,
        ..Fake::default()
    };
    let fates = drive(&blind, (0..250).collect(), 100).await;
    assert_eq!(
        (kinds(fates), blind.requests()),
        (vec![ErrorKind::Access; 250], 1)
    );
    // One at a time, with none let through ever, it is the caller who may not write.
    assert_eq!(
        kinds(drive(&fake, vec![0], 100).await),
        [ErrorKind::Upstream]
    );
    assert_eq!(
        kinds(drive(&fake, vec![1], 100).await),
        [ErrorKind::Upstream]
    );
    assert_eq!(kinds(drive(&fake, vec![2], 100).await), [ErrorKind::Access]);
}
