//! Contents that wait for their resources: announced once all are open, refused when one cannot be.

use super::Keeper;
use crate::HostEvent;
use crate::asking::sentence;
use crate::pool::News;
use crate::store::StagedCopy;
use std::collections::BTreeSet;
use std::sync::Arc;
use wb_core::build::Probed;
use wb_core::error::Error;
use wb_core::loading::Opening;

/// A content that is announced when its resources are open.
pub(super) struct Pending {
    pub(super) probed: Box<Probed>,
    pub(super) missing: BTreeSet<u64>,
}

impl Keeper {
    pub(super) fn probed(&mut self, probed: Box<Probed>, copy: Option<Arc<StagedCopy>>) {
        // The newest content wins.
        let older = |p: &mut Pending| p.probed.library == probed.library;
        let older: Vec<Pending> = self.pending.extract_if(.., older).collect();
        let copy = copy.unwrap_or_else(|| StagedCopy::foreign(probed.copy.clone()));
        self.hold(&probed, &copy);
        for older in older {
            self.main.on(News::Discard(older.probed.id));
            self.release(older.probed.id);
        }
        let ready = |id: &u64| self.resources.get(id).is_some_and(|r| r.ready);
        let missing: BTreeSet<u64> = self.of(probed.id).into_iter().collect();
        let missing = missing.into_iter().filter(|id| !ready(id)).collect();
        let pending = Pending { probed, missing };
        self.report(&pending);
        self.pending.push(pending);
        self.announce();
    }

    /// Reports what a content waits for: the first of its resources that is not open.
    fn report(&self, pending: &Pending) {
        let missing = pending.missing.first();
        let Some(resource) = missing.and_then(|id| self.resources.get(id)) else {
            return;
        };
        self.main.events.push(HostEvent::Opening {
            library: pending.probed.library.clone(),
            part: Opening::Resource(resource.name.clone()),
        });
    }

    /// Announces contents that have all they need.
    fn announce(&mut self) {
        for pending in self.pending.extract_if(.., |p| p.missing.is_empty()) {
            let event = HostEvent::Probed(*pending.probed);
            self.main.events.push(event);
        }
    }

    /// A resource is open, or could not be opened.
    pub(super) fn opened(&mut self, id: u64, error: Option<Error>) {
        let Some(error) = error else {
            let mut pending = std::mem::take(&mut self.pending);
            for pending in &mut pending {
                if pending.missing.remove(&id) {
                    self.report(pending);
                }
            }
            self.pending = pending;
            return self.announce();
        };
        let name = self.resources.get(&id).map_or("", |r| r.name.as_str());
        let reason = format!("resource {name}: {}", sentence(&error));
        let failed: Vec<Pending> = self
            .pending
            .extract_if(.., |pending| pending.missing.contains(&id))
            .collect();
        for pending in failed {
            let probe = pending.probed.id;
            self.main.on(News::Refuse {
                probed: pending.probed,
                reason: reason.clone(),
                hints: error.hints.clone(),
            });
            self.release(probe);
        }
    }
}
