//! News of hosts in the words of the core, and the last of it.

use super::{Engine, JobFacts, World};
use crate::files::Unusable;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use wb_core::build::Probed;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Event, JobEvent};
use wb_core::ids::JobId;
use wb_core::limits;
use wb_core::loading::Opening;
use wb_core::pause::PausePlace;
use wb_host::{HostEvent, JobResult};

/// Nothing can be run on this machine as it is.
pub(super) fn none(error: &wb_host::HostError) -> Error {
    if let wb_host::HostError::Store { path, source } = error
        && limits::reached(&error.to_string()).is_none()
    {
        return Unusable::because(source).error(path);
    }
    let text = format!("no host process can be started: {error}");
    let hints = limits::reached(&text).map(|error| error.into_facts().hints);
    let error = Error::new(ErrorKind::Settings, text);
    hints.into_iter().flatten().fold(error, Error::hint)
}

/// A job has reached a place.
fn paused(job: JobId, at: PausePlace) -> Event {
    let place = Box::new(at);
    Event::Job(JobEvent::Paused { job, place })
}

/// The title of a job's task.
pub(super) fn title_of(jobs: &HashMap<JobId, JobFacts>, job: Option<JobId>) -> Option<&str> {
    Some(&jobs.get(&job?)?.inputs.row.title)
}

impl Engine {
    /// Ends every host. What they log as they close is there for [`Self::agent_output`]; no other news of theirs counts.
    pub async fn shutdown(&mut self) {
        let World {
            hosts, lines, jobs, ..
        } = &mut self.world;
        let mut take = |event| {
            if let HostEvent::Log {
                job,
                level,
                target,
                text,
                ..
            } = event
            {
                lines.take(title_of(jobs, job), level, &target, &text);
            }
        };
        let mut ended = std::pin::pin!(hosts.shutdown());
        loop {
            tokio::select! {
                () = &mut ended => break,
                Some(event) = self.host_events.recv() => take(event),
            }
        }
        while let Ok(event) = self.host_events.try_recv() {
            take(event);
        }
    }
}

impl World {
    /// One piece of news; `None` when it comes later by itself.
    pub(super) fn translate(&mut self, news: HostEvent) -> Option<Event> {
        match news {
            HostEvent::Probed(probed) => self.probed(probed),
            HostEvent::Rejected {
                library,
                hash,
                reason,
                hints,
            } => Some(Event::Build(BuildEvent::Rejected {
                library: self.library_at(library),
                hash,
                reason,
                hints,
            })),
            HostEvent::Opening { library, part } => Some(Event::Build(BuildEvent::Opening {
                library: self.library_at(library),
                part,
            })),
            HostEvent::Loading { job, name } => Some(Event::Job(JobEvent::Loading { job, name })),
            HostEvent::Removed { library } => self.removed(library),
            HostEvent::HostDied { build, reason, .. } => {
                tracing::warn!(%build, reason, "host died");
                Some(Event::Build(BuildEvent::HostDied { build, reason }))
            }
            HostEvent::Started { job, pid } => Some(Event::Job(JobEvent::Started { job, pid })),
            HostEvent::Paused { job, at } => Some(paused(job, at)),
            HostEvent::Waits { job } => Some(Event::Job(JobEvent::Waits { job })),
            HostEvent::Log {
                job,
                level,
                target,
                text,
                ..
            } => {
                self.lines
                    .take(title_of(&self.jobs, job), level, &target, &text);
                Some(Event::Job(JobEvent::Log {
                    job,
                    level,
                    target,
                    text,
                }))
            }
            HostEvent::Progress { job, fraction } => {
                Some(Event::Job(JobEvent::Progress { job, fraction }))
            }
            HostEvent::Call {
                job,
                name,
                question,
                asked,
            } => {
                self.asked(job, name, question, asked);
                None
            }
            HostEvent::Done { job, result, run } => self.done(job, result, run),
        }
    }

    /// A further place of a library, unless it is known.
    pub(super) fn watch_place(&mut self, library: PathBuf, place: PathBuf) {
        if place != library && !self.twins.contains_key(&place) {
            self.twins.insert(place.clone(), library);
            self.hosts.watch(place);
        }
    }

    /// A library built in another profile is the same library. What lay there before this program
    /// began is left alone: the newest was chosen then.
    fn probed(&mut self, mut probed: Probed) -> Option<Event> {
        let place = probed.library.clone();
        probed.library = self.library_at(place.clone());
        if probed.library != place && probed.modified <= self.started {
            let library = std::mem::replace(&mut probed.library, place);
            self.hosts.discard(&probed);
            let part = Opening::Over;
            return Some(Event::Build(BuildEvent::Opening { library, part }));
        }
        if let Some(drain) = &self.drain {
            drain.learn(&probed.descriptor);
        }
        self.built_at.insert(probed.library.clone(), place);
        Some(Event::Build(BuildEvent::Probed(Box::new(probed))))
    }

    /// The library that is built at this place too.
    fn library_at(&self, place: PathBuf) -> PathBuf {
        self.twins.get(&place).cloned().unwrap_or(place)
    }

    /// A library is gone only when the file is that its newest build came from.
    fn removed(&self, place: PathBuf) -> Option<Event> {
        let library = self.twins.get(&place).unwrap_or(&place);
        let newest = self.built_at.get(library).unwrap_or(library);
        (*newest == place).then(|| Event::Build(BuildEvent::Removed(library.clone())))
    }

    fn done(&mut self, job: JobId, result: JobResult, run: Duration) -> Option<Event> {
        let facts = self.jobs.remove(&job)?;
        let run_us = u64::try_from(run.as_micros()).unwrap_or(u64::MAX);
        let event = move |result: Result<_, Error>, crashed| {
            Event::Job(JobEvent::Done {
                job,
                // Whatever an agent wrote may stand in an error.
                result: result.map_err(Error::bounded),
                crashed,
                run_us,
            })
        };
        let bytes = match result {
            JobResult::Outcome(bytes) => bytes,
            JobResult::Failed(error, _) => return Some(event(Err(error), false)),
            JobResult::Crashed(error) | JobResult::TimedOut(error) => {
                return Some(event(Err(error), true));
            }
            JobResult::Cancelled => {
                let error = Error::new(ErrorKind::Host, "cancelled; the task stays where it is");
                return Some(event(Err(error), false));
            }
        };
        self.judge(facts, bytes, event)
    }
}
