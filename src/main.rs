//! The `mm` program: parse, run, leave with the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mm::cli::run()
}
