//! End-to-end tests: they drive the built `mm` from outside.

mod approvals;
mod audit;
mod callers;
mod connections;
mod daemon_life;
mod doctor;
mod http_door;
mod identity;
mod imports;
mod interrupts;
mod mcp;
mod module_tools;
mod modules;
mod policy;
mod programs;
mod questions;
mod recordings;
mod run;
mod scenarios;
mod secrets;
mod soak;
mod support;
mod tenant;
mod terminal;
mod upkeep;
mod ways_in;
