//! The verbs, a file each.

pub(super) mod answer;
pub(super) mod approvals;
pub(super) mod audit;
pub(super) mod completions;
mod connection_add;
mod connection_app;
mod connection_uses;
pub(super) mod connections;
pub(super) mod daemon;
pub(super) mod demo;
pub(super) mod disconnect;
pub(super) mod doctor;
mod doctor_machine;
mod doctor_needs;
pub(super) mod login;
pub(super) mod mcp;
pub(super) mod module_keys;
pub(super) mod module_new;
pub(super) mod module_record;
pub(super) mod module_test;
pub(super) mod modules;
pub(super) mod policy;
pub(super) mod recording;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod stand_in;
pub(super) mod status;
