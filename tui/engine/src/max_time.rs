//! `--max-time`: when a command stops, and how long what it has under way may take to end.
//!
//! Within [`GRACE`] of the limit the process is gone: first nothing more is begun and what is decided is
//! committed, then agents that still run are stopped, at last requests without an answer are given up. The
//! journal knows what was on its way.

use crate::runtime::Engine;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use wb_core::command::Command;

/// From the limit to the end of the process, at most.
pub const GRACE: Duration = Duration::from_secs(5);
/// From the limit until agents that still run are stopped: those that are nearly done end by themselves.
const AGENTS: Duration = Duration::from_secs(1);
/// From the limit until everything else is given up; the rest of the grace is for hosts to end.
const GIVE_UP: Duration = Duration::from_secs(4);

/// What is to be done now.
#[derive(Debug)]
pub enum Due {
    /// The engine gets this command.
    Command(Command),
    /// Nothing is waited for any more.
    GiveUp,
}

/// The limit of one command, counted from its start.
#[derive(Clone, Copy, Debug)]
pub struct MaxTime {
    end: Option<Instant>,
    /// How many of the steps after the limit were taken.
    taken: usize,
}

impl MaxTime {
    /// Begins to count.
    #[must_use]
    pub fn new(max: Option<Duration>) -> Self {
        let end = max.and_then(|max| Instant::now().checked_add(max));
        Self { end, taken: 0 }
    }

    /// Waits for the limit. Safe to drop and call again.
    pub async fn over(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until nothing is waited for any more.
    pub async fn given_up(&self) {
        match self.end {
            Some(end) => sleep_until(end + GIVE_UP).await,
            None => std::future::pending().await,
        }
    }

    /// Waits for the next thing to do. Safe to drop and call again.
    pub async fn due(&mut self) -> Due {
        match self.end.zip(step(self.taken)) {
            Some((end, (after, due))) => {
                sleep_until(end + after).await;
                self.taken += 1;
                due
            }
            None => std::future::pending().await,
        }
    }

    /// Ends the hosts; where there is a limit, those that do not leave at once are killed.
    pub async fn shut_down(&self, engine: &mut Engine) {
        let hosts = engine.shutdown();
        if self.end.is_some() {
            // Hosts that are left are killed with the engine.
            let _ = tokio::time::timeout(GRACE.saturating_sub(GIVE_UP), hosts).await;
        } else {
            hosts.await;
        }
    }

    /// Work that leaves nothing behind when it is given up at the limit; `None`: it was.
    pub async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.over() => None,
        }
    }
}

/// The steps after the limit, each with its time after it.
fn step(taken: usize) -> Option<(Duration, Due)> {
    match taken {
        0 => Some((Duration::ZERO, Due::Command(Command::WindUp))),
        1 => Some((AGENTS, Due::Command(Command::StopAgents))),
        2 => Some((GIVE_UP, Due::GiveUp)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_its_order_and_leaves_hosts_time_to_end() {
        let times: Vec<Duration> = (0..).map_while(step).map(|(after, _)| after).collect();
        assert!(times.is_sorted() && times.len() == 3);
        assert!(times[2] < GRACE);
        assert!(matches!(step(2), Some((_, Due::GiveUp))));
    }

    #[tokio::test]
    async fn what_is_not_done_at_the_limit_is_given_up() {
        let limit = MaxTime::new(Some(Duration::from_millis(1)));
        let never = std::future::pending::<()>();
        assert!(limit.unless_over(never).await.is_none());
        let unlimited = MaxTime::new(None);
        let done = unlimited.unless_over(async { 1 }).await;
        assert_eq!(done, Some(1));
    }
}
