//! The stand-in as a process: a scenario on this process's own terminal, until one of them ends.

use std::process::ExitCode;

use super::catalog::{Scenario, ScenarioError};
use super::console::Ending;
use super::host::Host;
use super::terminal::Terminal;

/// Plays `scenario` (a built-in name or a path, either with `?key=value&…`) on standard input and output, which should be a
/// terminal with `ECHO`, `ICANON` and `ICRNL` off and `ISIG` on. Blocks until the terminal ends, the program is told to
/// exit, or it kills itself with a signal; the code is what PowerShell would leave with. Takes over SIGINT, SIGQUIT and
/// SIGTSTP. Call it outside an async runtime.
pub(crate) fn stand_in(scenario: &str) -> Result<ExitCode, ScenarioError> {
    let scenario = Scenario::find(scenario)?;
    let terminal = Terminal::open().map_err(ScenarioError::Terminal)?;
    let columns = rustix::termios::tcgetwinsize(rustix::stdio::stdout())
        .map_or(0, |size| usize::from(size.ws_col));
    // A terminal that does not say its width gets what our shell file asks for.
    let columns = if columns == 0 { 240 } else { columns };
    match Host::new(terminal, columns, scenario).run() {
        Ending::Code(code) => Ok(ExitCode::from(code)),
        Ending::Signal(number) => Ok(die(number)),
    }
}

/// Ends this process by the signal; returns only if the signal does not end a process.
fn die(number: i32) -> ExitCode {
    use rustix::process::{Signal, getpid, kill_process};
    let signal = Signal::from_named_raw(number).unwrap_or(Signal::KILL);
    // Where the signal cannot be sent the process still has to end: with the code that a shell gives for it.
    let _ = kill_process(getpid(), signal);
    ExitCode::from(u8::try_from(number).unwrap_or(0).saturating_add(128))
}
