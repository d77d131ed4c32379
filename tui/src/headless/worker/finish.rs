//! How a message ends: its result is sent, then it is acknowledged; or it waits for a later attempt, or for a person.

use super::{Ended, Taken, Worked, Worker, is_complete, passes};
use crate::headless::specs::{self, Answer, Line};
use std::time::Duration;
use wb_broker::celery::{self, CallOutcome, TaskCall};
use wb_broker::{History, QueueMessage, Receipt};
use wb_core::error::Error;

/// Waits before the later attempts of a message, in seconds; the last one for all that follow.
const WAITS: [u64; 5] = [1, 5, 15, 60, 300];

/// The time.
pub(super) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn text_of(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Worker<'_> {
    /// Ends a message that was run.
    pub(super) async fn end(
        &self,
        taken: &Taken,
        lines: &[Line],
        worked: &Worked,
    ) -> Result<Ended, Error> {
        if !is_complete(lines, worked) {
            // What is given back counts as a worker that did not come to an end with it; an outage must not.
            match &worked.fatal {
                Some(error) if passes(error) => {
                    let (receipt, message) = (&taken.receipt, &taken.message);
                    self.broker.delay(receipt, message, self.away).await?;
                }
                _ => self.broker.give_back(&taken.receipt).await?,
            }
            return Ok(Ended::GivenBack);
        }
        let entries: Vec<_> = lines.iter().flat_map(|line| &line.entries).collect();
        let answers = entries.iter().map(|entry| match &entry.error {
            Some(_) => None,
            None => worked.answers.get(&entry.task),
        });
        let answers: Vec<Option<&Answer>> = answers.collect();
        let failed = |answer: Option<&Answer>| answer.is_none_or(|a| !a.success && !a.left);
        let failures = answers.iter().filter(|answer| failed(**answer)).count();
        let texts = lines
            .iter()
            .map(|line| specs::result(line, &worked.answers, self.batch.stage).to_string());
        let result = CallOutcome::Success(taken.call.result(texts.collect()));
        if failures == 0 {
            self.answer(&taken.call, result).await?;
            self.broker.acknowledge(&taken.receipt).await?;
            let all_left = answers.iter().all(|a| a.is_some_and(|a| a.left));
            return Ok(if all_left { Ended::Left } else { Ended::Done });
        }
        let error = answers
            .iter()
            .find(|answer| failed(**answer))
            .and_then(|answer| (*answer)?.error.clone());
        let mut reason = error.unwrap_or_else(|| "a spec cannot be read".to_owned());
        if entries.len() > 1 {
            reason = format!("{failures} of {} tasks failed: {reason}", entries.len());
        }
        let history = self.after_failure(&taken.history, reason);
        let message = taken.message.clone().with_history(history.clone());
        // A later attempt would run the tasks again that have succeeded and stay at the stage.
        if entries.len() == 1 && history.attempts <= u64::from(self.args.num_retries) {
            let wait = WAITS.get(taken.history.attempts as usize); // a few
            let wait = Duration::from_secs(*wait.unwrap_or(&WAITS[WAITS.len() - 1]));
            self.broker.delay(&taken.receipt, &message, wait).await?;
            return Ok(Ended::Retried);
        }
        self.answer(&taken.call, result).await?;
        self.broker.dead_letter(&taken.receipt, &message).await?;
        Ok(Ended::Dead)
    }

    /// Ends a message that cannot be run by anybody.
    pub(super) async fn refuse(
        &self,
        receipt: &Receipt,
        message: QueueMessage,
        id: Option<&str>,
        reply_to: Option<&str>,
        why: String,
    ) -> Result<Ended, Error> {
        if let Some(id) = id {
            self.send(id, reply_to, &CallOutcome::Failure(why.clone()))
                .await?;
        }
        let history = self.after_failure(&message.history(), why);
        let message = message.with_history(history);
        self.broker.dead_letter(receipt, &message).await?;
        Ok(Ended::Dead)
    }

    /// The history with one more failure.
    fn after_failure(&self, before: &History, reason: String) -> History {
        let at = text_of(now());
        History {
            attempts: before.attempts + 1,
            first_at: before.first_at.clone().or_else(|| Some(at.clone())),
            last_at: Some(at),
            reason: Some(wb_core::secret::clean(&reason).into_owned()),
            stage: Some(self.batch.stage_title().to_owned()),
            lost: before.lost,
        }
    }

    /// Sends the result of a call, unless nobody reads it.
    pub(super) async fn answer(&self, call: &TaskCall, outcome: CallOutcome) -> Result<(), Error> {
        if call.ignore_result {
            return Ok(());
        }
        self.send(&call.id, call.reply_to.as_deref(), &outcome)
            .await
    }

    /// To the result back end where there is one, else to the queue that the producer listens to.
    async fn send(
        &self,
        id: &str,
        reply_to: Option<&str>,
        outcome: &CallOutcome,
    ) -> Result<(), Error> {
        let document = celery::document(id, outcome, now());
        match (&self.results, reply_to) {
            (Some(results), _) => results.store(id, &document).await,
            (None, Some(queue)) => {
                let reply = celery::reply(id, &document);
                self.broker.reply(queue, &reply).await
            }
            (None, None) => Ok(()),
        }
    }
}
