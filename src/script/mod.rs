//! The compiled form: what the machine runs. Everything here is immutable and shared by `Arc`; only `spec/compile.rs`
//! makes a [`Module`] or a [`Shell`], so holding one is proof that its file was sound.
//!
//! Nothing here knows YAML, a clock, a terminal or a tenant.

mod binding;
mod challenges;
mod effects;
pub(crate) mod hole;
mod module;
mod needs;
mod pattern;
mod race;
mod required;
mod shell;
mod sign_in;
mod template;
mod version;

pub(crate) use challenges::{ChallengeRule, Challenges};
pub(crate) use effects::{Effect, EffectRule, EffectRules, Glob, Guard};
pub(crate) use module::Module;
pub(crate) use needs::{BadVersions, Need, Needed, VersionSource};
pub(crate) use pattern::{Pattern, PatternError};
pub(crate) use race::Race;
pub(crate) use required::Required;
pub(crate) use shell::{
    Absorb, Bootstrap, BootstrapEncoding, Chunk, ChunkEncoding, EndField, EndMarker, EndState,
    Environment, Framing, Interrupt, Markers, Part, Query, QuestionKind, QuestionRule, Ready,
    Records, Shell, Start, Stream, TerminalSettings,
};
pub(crate) use sign_in::{
    Failure, FailureRule, FailureTest, Holder, IdentityRule, Partner, SignIn, WayIn,
};
pub(crate) use template::{Quoting, Template, TemplateError};
pub(crate) use version::Version;
