//! A stop at every moment: each run ends once, and the session goes on.

use super::*;

#[tokio::test]
async fn a_run_that_waits_is_dropped() {
    let mut bash = Watched::bash();
    // bash is still starting, or runs the first one: either way the second waits.
    let mut first = bash.run("sleep 300").await;
    let mut second = bash.run("echo never").await;
    bash.stop(&second);
    let result = second.end().await;
    assert!(
        matches!(result, RunResult::Dropped(StopWhy::Asked)),
        "{result:?}"
    );
    bash.status(|status| status.current == Some(first.tag))
        .await;
    bash.stop(&first);
    let result = first.end().await;
    assert_eq!(ended(&result), Some(EndState::Aborted), "{result:?}");
    assert_eq!(bash.says("echo on", EndState::Ok).await, "on\n");
}

#[tokio::test]
async fn a_run_that_asks_is_stopped() {
    let mut bash = Watched::bash();
    let mut run = bash.run("read -r -p 'Name: ' name; echo no").await;
    run.asks().await;
    bash.stop(&run);
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Aborted), "{result:?}");
    assert_eq!(bash.says("echo on", EndState::Ok).await, "on\n");
}

#[tokio::test]
async fn two_stops_are_one_and_one_that_comes_late_hits_nothing() {
    let mut bash = Watched::bash();
    let mut run = bash.run("echo begun; sleep 300").await;
    run.said("begun").await;
    bash.stop(&run);
    bash.stop(&run);
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Aborted), "{result:?}");
    bash.stop(&run);
    assert_eq!(bash.says("echo on", EndState::Ok).await, "on\n");
}

#[tokio::test]
async fn a_session_that_is_to_end_stops_what_runs_first() {
    let mut bash = Watched::bash();
    let mut run = bash.run("echo begun; sleep 300").await;
    let mut queued = bash.run("echo never").await;
    run.said("begun").await;
    bash.session
        .disconnect(None, false, CloseReason::Asked)
        .expect("it lives");
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Aborted), "{result:?}");
    let result = queued.end().await;
    assert!(matches!(result, RunResult::SessionEnded(_)), "{result:?}");
    assert_eq!(bash.closed().await, CloseReason::Asked);
}
