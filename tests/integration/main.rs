//! End-to-end tests: they drive the built `mm` from outside.

mod daemon_life;
mod http_door;
mod imports;
mod mcp;
mod run;
mod support;
mod terminal;
