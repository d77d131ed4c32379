//! Operations of the journal that are being closed beside everything else: what is read of the journal afterwards waits
//! for them, so that an operation that is over never reads as one under way. What closing does is left to the journal.

use tokio::sync::watch;

/// How many operations are being closed.
pub(super) struct Closing(watch::Sender<usize>);

impl Closing {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Closes an operation on a thread that may wait for the disk.
    pub(super) fn close(&self, work: impl FnOnce() + Send + 'static) {
        self.0.send_modify(|n| *n += 1);
        let over = Over(self.0.clone());
        tokio::task::spawn_blocking(move || {
            let _over = over;
            work();
        });
    }

    /// Once nothing is being closed.
    pub(super) fn done(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut left = self.0.subscribe();
        async move {
            // An error: nobody closes anything any more.
            let _ = left.wait_for(|n| *n == 0).await;
        }
    }
}

/// Counts one down when it is dropped, so that work that panics is over as well.
struct Over(watch::Sender<usize>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::mpsc;
    use std::task::Poll;

    #[tokio::test]
    async fn reading_waits_for_every_operation_that_is_being_closed() {
        let closing = Closing::new();
        closing.done().await;
        let (go, held) = mpsc::channel::<()>();
        closing.close(move || {
            let _ = held.recv();
        });
        closing.close(|| panic!("a closing that fails"));
        let done = closing.done();
        tokio::pin!(done);
        let waits = poll_fn(|cx| Poll::Ready(done.as_mut().poll(cx).is_pending())).await;
        assert!(waits, "one is held up");
        drop(go);
        done.await;
    }
}
