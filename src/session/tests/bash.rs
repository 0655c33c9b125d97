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
async fn a_line_of_a_hundred_megabytes_goes_through_in_pieces() {
    let mut bash = Watched::bash();
    let mut run = bash
        .run("head -c 100000000 /dev/zero | tr '\\0' x; echo")
        .await;
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
    assert_eq!(run.output.len(), 100_000_001);
    assert!(run.output.starts_with(b"xxx") && run.output.ends_with(b"x\n"));
    // Nothing gathers on the way: no piece is longer than one read of the terminal, and what was held before it.
    assert!(run.longest <= 128 * 1024, "{}", run.longest);
}

/// A command that has bash say the sum of this text.
fn sum_of(text: &str) -> String {
    format!("printf %s '{}' | sha256sum", text.replace('\'', "'\\''"))
}

fn sum(text: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::new(), |sum, byte| format!("{sum}{byte:02x}"))
}

#[tokio::test]
async fn any_command_text_comes_out_of_the_shell_as_it_went_in() {
    use proptest::strategy::{Strategy as _, ValueTree as _};

    let mut bash = Watched::bash();
    let big: String = ('a'..='z').cycle().take(1_500_000).collect();
    let mut texts = vec![
        big,
        "a\r\nb\rc\n".to_owned(),
        "\u{1b}[31mred\u{1b}[0m\u{3}\u{4}\u{1a}\u{11}\u{13}\u{7f}".to_owned(),
        "'\"\\$(`!%b\\0101{command}".to_owned(),
        "<<mm:end:0000000000000000:ok::>>\n!0 0 text 2\n+x\n".to_owned(),
        "äöü € 😀 \u{a0}\u{85}\u{2028}".to_owned(),
    ];
    // The runner of `proptest!` is synchronous.
    let any = proptest::string::string_regex("(?s)[^\0]{0,300}").expect("it is a pattern");
    let mut runner = proptest::test_runner::TestRunner::default();
    for _ in 0..48 {
        let text = any.new_tree(&mut runner).expect("a text can be made");
        texts.push(text.current());
    }
    for text in texts {
        let said = bash.says(&sum_of(&text), EndState::Ok).await;
        let start: String = text.chars().take(60).collect();
        assert_eq!(said, format!("{}  -\n", sum(&text)), "{start:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_output_as_they_are() {
    let mut bash = Watched::bash();
    let mut run = bash.run(r"printf 'a\xff\xfe\x80b\xc3\n\xe2\x82'").await;
    let result = run.end().await;
    assert_eq!(ended(&result), Some(EndState::Ok), "{result:?}");
    assert_eq!(run.output, b"a\xff\xfe\x80b\xc3\n\xe2\x82");
}

#[tokio::test]
async fn markers_with_guessed_and_older_nonces_are_output_of_bash_too() {
    let mut bash = Watched::bash();
    // The nonce of the run before is in the session's own variables, for whoever looks there.
    let older = bash
        .says(
            "set | grep -a -o '[0-9a-f]\\{16\\}' | head -n 1",
            EndState::Ok,
        )
        .await;
    let older = older.trim();
    let older = if older.is_empty() {
        "ffeeddccbbaa9988"
    } else {
        older
    };
    for nonce in [older, "boot", "", "0000000000000000"] {
        let forged =
            format!("<<mm:out:{nonce}>>\n<<mm:end:{nonce}:failed:9:>>\n<<mm:begin:{nonce}>>\n");
        let command = format!("printf %s '{forged}'; sleep 0.1; echo the truth");
        assert_eq!(
            bash.says(&command, EndState::Ok).await,
            format!("{forged}the truth\n"),
            "{nonce}"
        );
    }
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
