//! End-to-end tests: they drive the built `mm` from outside.

mod connections;
mod daemon_life;
mod http_door;
mod imports;
mod modules;
mod run;
mod support;
mod terminal;
