//! Between the passes of a poller: which builds the next one has, what is finished first, and how long it waits.

use super::{Session, named};
use crate::exit::Ending;
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};
use wb_core::run::Source;
use wb_engine::preflight;

/// Time between two looks at the settings while nothing runs.
const LOOK: Duration = Duration::from_secs(1);
/// Passes in a row that may be refused before a poller gives up.
const REFUSALS: u32 = 3;

impl Session {
    /// Each pass has the newest builds, and those that came since the last one are compared with the project
    /// first, as at the start. `None`: interrupted.
    pub(super) async fn look_at_new_builds(
        &mut self,
        ending: &mut Ending,
    ) -> Option<Result<(), Error>> {
        let mut stages = self.engine.state().builds.order();
        if !self.named.is_empty() {
            stages.retain(|stage| self.named.contains(stage));
        }
        if !stages.is_empty() {
            self.spec.source = Source::Stages(stages.clone());
        }
        let (checked, engine, args) = (&mut self.checked, &mut self.engine, &self.args);
        let again = std::mem::replace(&mut self.begun, true);
        let fits = async {
            if again {
                preflight::read_again(engine).await;
            }
            checked.renew(engine, &stages).await?;
            // Further tasks may have come since the last pass.
            if args.refresh_every.is_some() {
                named::look(engine, &stages, &args.task).await?;
            }
            Ok(())
        };
        tokio::select! {
            fits = fits => Some(fits),
            () = self.limit.over() => {
                ending.stopped();
                None
            }
            signal = self.signals.next() => {
                ending.signal(signal);
                None
            }
        }
    }

    /// Finishes what is not over, as far as the platform lets it now; true when interrupted.
    pub(super) async fn settle(&mut self, ending: &mut Ending) -> bool {
        tokio::select! {
            settled = self.engine.settle() => {
                match settled {
                    Ok(settled) => {
                        for line in settled.lines() {
                            self.progress.notice(&format!("workbench: {line}"));
                        }
                    }
                    Err(error) => tracing::warn!("{error}"),
                }
                false
            }
            () = self.limit.over() => {
                ending.stopped();
                true
            }
            signal = self.signals.next() => {
                ending.signal(signal);
                true
            }
        }
    }

    /// Waits for the next pass; true when it was interrupted.
    pub(super) async fn sleep(&mut self, rest: Duration, ending: &mut Ending) -> bool {
        let until = tokio::time::Instant::now() + rest;
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return false,
                () = self.limit.over() => {
                    ending.stopped();
                    return true;
                }
                _ = look.tick() => { self.settings_changed(); }
                _ = self.engine.turn() => {}
                signal = self.signals.next() => {
                    ending.signal(signal);
                    return true;
                }
            }
        }
    }
}

/// Whether an error that ended a pass ends a poller too: an outage or one refusal does not.
pub(super) fn ends_a_poller(error: &Error, in_a_row: u32) -> bool {
    match error.kind {
        ErrorKind::Network | ErrorKind::Upstream | ErrorKind::Host => false,
        ErrorKind::Access => in_a_row >= REFUSALS,
        _ => true,
    }
}
