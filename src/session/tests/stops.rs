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

#[tokio::test]
async fn a_session_with_a_run_is_not_signed_out() {
    let mut bash = Watched::bash();
    let mut waits = bash.run("echo on").await;
    let refused = in_time(bash.session.sign_out(None, CloseReason::Asked)).await;
    assert!(
        matches!(refused, Err(SessionError::InUse { .. })),
        "{refused:?}"
    );
    assert_eq!(ended(&waits.end().await), Some(EndState::Ok));
    let mut run = bash.run("echo begun; sleep 300").await;
    run.said("begun").await;
    let refused = in_time(bash.session.sign_out(None, CloseReason::Asked)).await;
    let in_use = SessionError::InUse {
        run: Some(run.tag),
        queued: 0,
    };
    assert_eq!(refused, Err(in_use));
    bash.stop(&run);
    assert_eq!(ended(&run.end().await), Some(EndState::Aborted));
    in_time(bash.session.sign_out(None, CloseReason::Asked))
        .await
        .expect("nothing runs");
    let late = bash.try_run("echo late", Mode::Text).await;
    assert_eq!(late.err(), Some(SessionError::Ended));
    assert_eq!(bash.closed().await, CloseReason::Asked);
}

#[tokio::test]
async fn what_is_nobodys_run_keeps_nobody_from_signing_out() {
    let mut bash = Watched::bash();
    let quiet = bash.order("echo begun; sleep 300", Mode::Text, true).await;
    let mut quiet = quiet.expect("the session takes it");
    quiet.said("begun").await;
    in_time(bash.session.sign_out(None, CloseReason::Asked))
        .await
        .expect("nothing runs that is somebody's");
    assert_eq!(ended(&quiet.end().await), Some(EndState::Aborted));
    assert_eq!(bash.closed().await, CloseReason::Asked);
}
