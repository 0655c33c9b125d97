//! `mm` keeps signed-in Microsoft 365 command sessions alive, and lets people, scripts and assistants run commands in them.
//!
//! Each session is one real program in its own pseudo-terminal, driven by an expect engine from a YAML module. A daemon
//! owns all of them; three doors lead to it.
//!
//! # The map
//!
//! ```text
//! spec/   what a person wrote (YAML)      ──compile──▶  script/  what it means (immutable, shared)
//!                                                          │
//!  bytes, requests, time ──▶  expect/  the machine: a pure state machine; no clock, no runtime, no descriptor
//!                                  │ effects
//!  session/  the one task that owns a terminal (pty/), its child and its machine ──▶ recording/, output/
//!  daemon/   all sessions, all runs; in domain words         ◀── policy/, connection/, store/, config
//!  doors: http/ (a unix socket, in the words of api/) ◀── client/ ◀── mcp/ (stdio), cli/
//! ```
//!
//! Read in this order: `script/mod.rs`, `expect/mod.rs` and its `engine.rs`, `session/task.rs`, `daemon/service.rs`, then
//! `http/routes.rs` and one verb of `cli/cmd/`.
//!
//! # The life of one `mm run`
//!
//! `cli/cmd/run` asks `client`, which starts the daemon if there is none. `http/routes` turns the request into an order for
//! `daemon/service`, which checks it, finds or starts the session, writes the run down in `store/` and mails it to
//! `session/task`. The task hands it to `expect/engine`, whose `Effect::Write` goes into the terminal. What the program says
//! comes back as `Input::Output`; `Effect::Output` and `Effect::Finished` go to the run's listener in `daemon/run`, which
//! keeps the text in `output/`. `http/stream` pulls it from there, page by page, for whoever reads; `cli/output` prints it. A
//! recording enters at `expect/engine`, through `replay`.
//!
//! # Who may import whom
//!
//! A test reads every `crate::` path against this table. The machine never sees YAML, a clock or a descriptor; the terminal
//! never hears of modules; the daemon never hears of HTTP; the command line never touches a session.
//!
//! ```text
//! room        may import
//! bench       api client expect output pty script session spec
//! name        -
//! cloud       -
//! secret      -
//! output      -
//! pty         -
//! logging     redact
//! config      name secret spec
//! script      cloud name
//! spec        cloud name script
//! expect      script secret
//! recording   redact secret
//! redact      secret
//! replay      expect recording script secret
//! connection  cloud name redact script secret
//! policy      connection name script
//! store       name
//! audit       name redact store
//! session     expect pty recording script
//! daemon      audit cloud config connection expect name output policy pty recording redact script secret session spec store
//! api         name secret
//! http        api audit daemon name redact script
//! client      api name
//! mcp         api client name secret
//! demo        spec
//! conformance client mcp
//! fuzz        expect policy recording replay script secret spec
//! cli         api client config connection daemon demo expect http logging mcp name policy pty recording redact replay script secret spec
//! ```

mod api;
mod audit;
#[doc(hidden)]
pub mod bench;
pub mod cli;
mod client;
mod cloud;
mod config;
#[doc(hidden)]
pub mod conformance;
mod connection;
mod daemon;
mod demo;
mod expect;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod logging;
mod mcp;
mod name;
mod output;
mod policy;
mod pty;
mod recording;
mod redact;
mod replay;
mod script;
mod secret;
mod session;
mod spec;
mod store;
