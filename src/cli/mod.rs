//! Door three: the command line, and the place where the parts are joined. `args` is what was typed, `cmd/` has a file for
//! each verb, `output` is the only file that prints, `exit` is the list of exit codes, `wiring` joins the other rooms.

mod approval;
mod args;
mod challenge;
mod cmd;
mod csv;
mod diff;
mod ending;
mod entry;
mod error;
mod exit;
mod follow;
mod footprint;
mod harmless;
mod interrupt;
mod output;
mod programs;
mod prompt;
mod report;
mod spinner;
mod table;
mod when;
mod wiring;

pub use entry::run;
