//! End-to-end tests: they drive the built `mm` from outside.

mod approvals;
mod audit;
mod connections;
mod daemon_life;
mod doctor;
mod http_door;
mod imports;
mod interrupts;
mod mcp;
mod module_tools;
mod modules;
mod policy;
mod programs;
mod recordings;
mod run;
mod scenarios;
mod support;
mod tenant;
mod terminal;
mod ways_in;
