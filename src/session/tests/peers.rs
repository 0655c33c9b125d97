//! Programs that misbehave: what becomes of the run, and of the session.

use super::*;

#[tokio::test]
async fn a_program_that_is_gone_ends_its_runs_and_its_session() {
    for (how, why) in [
        ("exits", CloseReason::Exited(3)),
        (
            "crashes",
            CloseReason::Signalled("Segmentation fault".to_owned()),
        ),
        ("half-a-marker", CloseReason::Exited(0)),
        ("lets-go", CloseReason::TerminalLost),
        // Somebody else still has the terminal: nothing waits for that one.
        ("leaves-a-child", CloseReason::Exited(3)),
        ("goes-to-the-background", CloseReason::Exited(3)),
    ] {
        let mut peer = Watched::peer(how);
        let mut run = peer.run("1").await;
        let mut queued = peer.run("2").await;
        let result = run.end().await;
        assert_eq!(finish(&result), Some(&Finish::Lost(why.clone())), "{how}");
        assert!(run.text().starts_with("said\n"), "{how}: {}", run.text());
        let result = queued.end().await;
        assert!(
            matches!(&result, RunResult::SessionEnded(reason) if *reason == why.to_string()),
            "{how}: {result:?}"
        );
        assert_eq!(peer.closed().await, why, "{how}");
        assert_eq!(
            peer.try_run("3", Mode::Text).await.err(),
            Some(SessionError::Ended)
        );
    }
}

#[tokio::test]
async fn a_deaf_program_is_said_to_be_deaf_and_killed_only_when_asked() {
    let mut peer = Watched::peer("deaf");
    let mut run = peer.run("1").await;
    run.said("said").await;
    peer.stop(&run);
    let result = run.end().await;
    assert_eq!(finish(&result), Some(&Finish::GaveUp));
    let status = peer.status(|status| status.stuck).await;
    assert_eq!(status.standing, Standing::Stopping(StopCause::Interrupted));
    assert_eq!(
        peer.try_run("2", Mode::Text).await.err(),
        Some(SessionError::Stuck)
    );
    peer.session
        .disconnect(None, true, CloseReason::Asked)
        .expect("it lives");
    assert_eq!(peer.closed().await, CloseReason::Asked);
}

#[tokio::test]
async fn a_program_that_does_not_read_its_input_blocks_nobody() {
    let mut peer = Watched::peer("never-reads");
    let mut run = peer.run(&"x".repeat(1_000_000)).await;
    peer.status(|status| status.standing == Standing::Running)
        .await;
    peer.stop(&run);
    let result = run.end().await;
    assert_eq!(finish(&result), Some(&Finish::Unanswered));
    let status = peer.status(|status| status.stuck).await;
    assert_eq!(status.standing, Standing::Stopping(StopCause::Unanswered));
    peer.session
        .disconnect(None, true, CloseReason::Asked)
        .expect("it lives");
    assert_eq!(peer.closed().await, CloseReason::Asked);
}

#[tokio::test]
async fn every_one_of_a_thousand_queries_is_answered_once() {
    let mut peer = Watched::peer("queries");
    assert_eq!(peer.says("1", EndState::Ok).await, "said\n1000 answered\n");
}

#[tokio::test]
async fn a_flood_can_be_stopped_and_the_session_goes_on() {
    let mut peer = Watched::peer("floods");
    let mut run = peer.run("1").await;
    run.said("y\ny\ny\n").await;
    peer.stop(&run);
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Aborted), "{result:?}");
    assert!(peer.says("2", EndState::Ok).await.ends_with("next\n"));
}

#[tokio::test]
async fn markers_of_other_runs_end_nothing_and_add_no_record() {
    for mode in [Mode::Text, Mode::Records] {
        let mut peer = Watched::peer("forges");
        let mut run = peer.try_run("1", mode).await.expect("it is ready");
        let result = run.end().await;
        assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
        let text = run.text();
        assert!(text.contains("the truth"), "{text}");
        assert!(text.contains("<<mm:end:boot:failed:9:>>"), "{text}");
        // The last run's nonce is worth nothing in this one.
        let mut run = peer.try_run("2", mode).await.expect("it is ready");
        let result = run.end().await;
        assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
        let text = run.text();
        assert!(text.contains("next") && text.contains(":ok::>>"), "{text}");
        // A record would be the list alone, without the line it stands in.
        assert!(!text.contains("\"[1]") && text.contains(">>[1]"), "{text}");
    }
}
