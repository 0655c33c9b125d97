//! The real bash, and what its children do to its terminal.

use super::*;

#[tokio::test]
async fn the_terminal_is_put_back_after_each_command() {
    let mut bash = Watched::bash();
    let before = bash.says("stty -a", EndState::Ok).await;
    for changes in [
        "stty raw echo",
        "stty -opost -icanon -isig intr x cols 20",
        "stty sane",
        "stty raw; kill -9 $BASHPID & wait",
    ] {
        let mut run = bash.run(changes).await;
        let result = run.end().await;
        assert!(ended(&result).is_some(), "{changes}: {result:?}");
        assert_eq!(
            bash.says("stty -a", EndState::Ok).await,
            before,
            "{changes}"
        );
    }
    assert_eq!(
        bash.says("printf 'one\\ntwo\\n'", EndState::Ok).await,
        "one\ntwo\n"
    );
}

#[tokio::test]
async fn what_a_child_does_to_the_open_terminal_ends_with_its_command() {
    let mut bash = Watched::bash();
    for descriptor in 0..3 {
        let nonblocking = format!(
            "python3 -c 'import fcntl, os; fcntl.fcntl({descriptor}, fcntl.F_SETFL, os.O_RDWR | os.O_NONBLOCK)'"
        );
        bash.says(&nonblocking, EndState::Ok).await;
        let counted = bash.says("seq 1 50000", EndState::Ok).await;
        assert!(counted.ends_with("\n50000\n"), "{}", counted.len());
    }
    // What a command means to do to them stays.
    let kept = "exec 3>&1 1>/dev/null";
    bash.says(kept, EndState::Ok).await;
    assert_eq!(bash.says("echo unseen", EndState::Ok).await, "");
    bash.says("exec 1>&3 3>&-", EndState::Ok).await;
    assert_eq!(bash.says("echo seen", EndState::Ok).await, "seen\n");
}

#[tokio::test]
async fn a_line_of_many_megabytes_goes_through_in_pieces() {
    let mut bash = Watched::bash();
    let mut run = bash
        .run("head -c 20000000 /dev/zero | tr '\\0' x; echo")
        .await;
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
    assert_eq!(run.output.len(), 20_000_001);
    assert!(run.output.starts_with(b"xxx") && run.output.ends_with(b"x\n"));
    // Nothing gathers on the way: no piece is longer than one read of the terminal, and what was held before it.
    assert!(run.longest <= 128 * 1024, "{}", run.longest);
}

#[tokio::test]
async fn children_in_the_background_or_stopped_do_not_hold_the_session() {
    let mut bash = Watched::bash();
    let started = bash.says("sleep 300 & echo started", EndState::Ok).await;
    assert!(started.contains("started"), "{started}");
    bash.says("bash -c 'kill -STOP $$'", EndState::Failed).await;
    assert_eq!(bash.says("echo on", EndState::Ok).await, "on\n");
    bash.session
        .disconnect(None, true, CloseReason::Asked)
        .expect("it lives");
    assert_eq!(bash.closed().await, CloseReason::Asked);
}

#[tokio::test]
async fn what_a_native_program_says_after_an_answer_is_output() {
    let mut bash = Watched::bash();
    let mut run = bash
        .run("read -r -p 'Name: ' name; echo \"$name\"; echo \"$name\"")
        .await;
    let question = run.asks().await;
    assert_eq!(question.text, "Name:");
    bash.answer(&run, "bob").await.expect("it is asked");
    assert_eq!(
        bash.answer(&run, "eve").await,
        Err(SessionError::NothingAsked)
    );
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
    assert_eq!(run.text(), "Name: bob\nbob\n");
}
