//! Dependencies that stay in a host (`scope = host`): loading one counts as loading, not as work of
//! the task that happened to need it first.

use super::Pool;
use super::host::HostId;
use super::news::Effect;
use crate::events::HostEvent;
use std::time::{Duration, Instant};

/// Longest name that is kept, in characters.
const NAME: usize = 200;
/// Dependencies that may be loading inside each other.
const DEPTH: usize = 64;

impl Pool {
    /// A job that still runs waits for a resource, or has its answer.
    pub(super) fn waits(&mut self, id: HostId, job: u64, resource: Option<String>) {
        let active = self.hosts.get(&id).and_then(|host| host.work.as_ref());
        if active.is_some_and(|active| active.is_running(job)) {
            // It is running, and more than it may wait for is refused where it asks.
            let _ = self.loading(id, job, resource);
        }
    }

    /// A job begins to load a dependency into its host, or (`None`) has loaded it.
    ///
    /// # Errors
    /// It is not the job that the host was given, or it loads too much at a time.
    pub(super) fn loading(
        &mut self,
        id: HostId,
        job: u64,
        name: Option<String>,
    ) -> Result<(), String> {
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        let Some(active) = host.work.as_mut().filter(|a| a.is_running(job)) else {
            return Err(format!("what job {job} loads, which it was not given"));
        };
        match name {
            Some(_) if active.loads.len() >= DEPTH => {
                return Err(format!("more than {DEPTH} dependencies inside each other"));
            }
            Some(name) => active.loads.push(name.chars().take(NAME).collect()),
            None => drop(active.loads.pop()),
        }
        if let Some(job) = active.work.job() {
            self.effects.push(Effect::Emit(HostEvent::Loading {
                job: job.job,
                name: active.loads.last().cloned(),
            }));
        }
        match active.loading {
            // Once it is to stop, its limits stay as they are.
            _ if active.stop.is_some() => {}
            None if !active.loads.is_empty() => {
                let left = |at: Instant| at.saturating_duration_since(self.now);
                active.loading = Some((self.now, active.deadline.take().map(left)));
                host.load_until = self.now.checked_add(active.load_left);
            }
            Some((since, left)) if active.loads.is_empty() => {
                let took: Duration = self.now.duration_since(since);
                active.load_left = active.load_left.saturating_sub(took);
                active.loaded += took;
                active.deadline = left.and_then(|left| self.now.checked_add(left));
                (active.loading, host.load_until) = (None, None);
            }
            _ => {}
        }
        Ok(())
    }
}
