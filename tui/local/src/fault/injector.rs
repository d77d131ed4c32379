//! Which requests the faults strike: by a seed and a count of requests, so that every run is the same.

use super::{FaultAction, FaultSpec};
use crate::endpoint::Endpoint;
use crate::ids::{mix, unit};

/// Decides, request by request, which faults strike.
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

    /// The faults that strike this request, in the order in which they were given. The decision
    /// hangs on the seed and on how many matching requests came before, on nothing else.
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
    fn strikes_are_reproducible_and_near_their_share() {
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
    fn a_limit_is_kept_and_other_endpoints_are_spared() {
        let mut injector = Injector::new(1, vec!["write:500*2".parse().unwrap()]);
        assert!(injector.strike(Endpoint::GetTasks).is_empty());
        let struck = (0..9)
            .filter(|_| !injector.strike(Endpoint::SaveLabels).is_empty())
            .count();
        assert_eq!(struck, 2);
    }

    #[test]
    fn a_fault_does_not_see_what_it_cannot_spoil() {
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
