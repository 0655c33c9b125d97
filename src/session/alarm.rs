//! [`Alarm`]: one timer for a deadline that moves with every input.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Wakes at a deadline, or before it. A deadline that moved away leaves the timer as it is, because it mostly moves back or
/// is gone before the timer is due: a wake-up for nothing now and then costs less than a timer set for each input.
#[derive(Default)]
pub(super) struct Alarm {
    /// Made for the first deadline.
    sleep: Option<Pin<Box<Sleep>>>,
    is_set: bool,
}

impl Alarm {
    /// Waits until `deadline`, or until one of an earlier call; for ever without either. May be dropped and called again.
    pub(super) async fn wait(&mut self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline.map(tokio::time::Instant::from) {
            match &mut self.sleep {
                None => self.sleep = Some(Box::pin(sleep_until(deadline))),
                Some(sleep) if !self.is_set || sleep.deadline() > deadline => {
                    sleep.as_mut().reset(deadline);
                }
                Some(_) => {}
            }
            self.is_set = true;
        }
        match &mut self.sleep {
            Some(sleep) if self.is_set => {
                poll_fn(|context| sleep.as_mut().poll(context)).await;
                self.is_set = false;
            }
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_due(alarm: &mut Alarm, deadline: Option<Instant>) -> bool {
        tokio::select! {
            biased;
            () = alarm.wait(deadline) => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn no_deadline_is_missed_however_they_move() {
        let (start, soon) = (Instant::now(), Duration::from_millis(20));
        let mut alarm = Alarm::default();
        for far in [Some(1000), None, Some(500), None, Some(2000)] {
            let far = far.map(|seconds| start + Duration::from_secs(seconds));
            assert!(!is_due(&mut alarm, far).await);
        }
        for times in 1..=2 {
            alarm.wait(Some(start + soon * times)).await;
            let passed = start.elapsed();
            assert!(passed >= soon * times && passed < Duration::from_secs(500));
        }
        assert!(!is_due(&mut alarm, None).await);
    }
}
