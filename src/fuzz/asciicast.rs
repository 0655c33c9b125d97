//! Recordings: every file is read or refused; what was read is written and read again as it was, and can be played.

use super::PWSH;
use crate::recording::Recording;
use crate::replay;

/// A recording's file.
pub fn asciicast(data: &[u8]) {
    let recording = match Recording::read(data) {
        Ok(recording) => recording,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.help().is_empty());
            return;
        }
    };
    let again = Recording::read(recording.to_text().as_bytes()).expect("it was written by us");
    assert_eq!(again, recording);
    drop(replay::play(&recording, &PWSH, None));
}
