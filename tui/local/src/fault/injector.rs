//! Decides which requests the faults affect, by the seed and a count of requests: every run is the same.

use super::{FaultAction, FaultSpec};
use crate::endpoint::Endpoint;
use crate::ids::{mix, unit};

/// The active faults and their counts.
#[derive(Debug)]
pub(crate) struct Injector {
    seed: u64,
    faults: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    spec: FaultSpec,
    seen: u64,
    struck: u64,
}

impl Injector {
    pub(crate) fn new(seed: u64, faults: Vec<FaultSpec>) -> Self {
        let faults = faults
            .into_iter()
            .map(|spec| Armed {
                spec,
                seen: 0,
                struck: 0,
            })
            .collect();
        Self { seed, faults }
    }

    pub(crate) fn specs(&self) -> impl Iterator<Item = (&FaultSpec, u64)> {
        self.faults.iter().map(|f| (&f.spec, f.struck))
    }

    /// The faults that affect this request, in the given order. The decision depends only on the seed and
    /// the number of matching requests before.
    pub(crate) fn strike(&mut self, endpoint: Endpoint) -> Vec<FaultAction> {
        let mut out = Vec::new();
        for (place, fault) in self.faults.iter_mut().enumerate() {
            if !fault.spec.target.covers(endpoint) || !fault.spec.action.strikes(endpoint) {
                continue;
            }
            fault.seen += 1;
            let draw = unit(mix(self.seed
                ^ mix(place as u64 + 1)
                ^ mix(fault.seen << 8)));
            if draw < fault.spec.share && fault.spec.limit.is_none_or(|n| fault.struck < n) {
                fault.struck += 1;
                out.push(fault.spec.action);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_reproducible_and_near_their_share() {
        let run = |seed| {
            let mut injector = Injector::new(seed, vec!["actions:lost@10%".parse().unwrap()]);
            (0..2000)
                .map(|_| !injector.strike(Endpoint::Actions).is_empty())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let struck = run(1).into_iter().filter(|s| *s).count();
        assert!((150..250).contains(&struck), "{struck}");
    }

    #[test]
    fn a_fault_respects_its_limit_and_its_target() {
        let mut injector = Injector::new(1, vec!["write:500*2".parse().unwrap()]);
        assert!(injector.strike(Endpoint::GetTasks).is_empty());
        let struck = (0..9)
            .filter(|_| !injector.strike(Endpoint::SaveLabels).is_empty())
            .count();
        assert_eq!(struck, 2);
    }

    #[test]
    fn requests_that_a_fault_cannot_affect_do_not_use_up_its_limit() {
        let mut injector = Injector::new(1, vec!["any:conflict*1".parse().unwrap()]);
        assert!(injector.strike(Endpoint::GetProject).is_empty());
        assert_eq!(
            injector.strike(Endpoint::Actions),
            [FaultAction::Conflict],
            "the limit was not used up"
        );
        let mut injector = Injector::new(1, vec!["storage:expire".parse().unwrap()]);
        assert_eq!(injector.strike(Endpoint::Download), [FaultAction::Expire]);
    }
}
