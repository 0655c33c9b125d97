//! The written form: what the keys of a file are, key for key as documented. Doc comments here are what an editor shows
//! for a key. Nothing here knows what a value means to the machine.

mod effects;
mod module;
mod needs;
mod shell;
mod sign_in;

pub(crate) use effects::EffectSpec;
pub(crate) use module::{ModuleSpec, OverridesSpec};
pub(crate) use needs::{BadVersionsSpec, NeedSpec, VersionSpec};
pub(crate) use shell::{
    BootstrapEncodingName, BootstrapSpec, CommandEncodingName, EnvironmentSpec, FrameSpec,
    InterruptSpec, MarkersSpec, QuerySpec, QuestionKindName, QuestionSpec, QuotingName, ReadySpec,
    ShellSpec, StartSpec, StateName, StreamName, TerminalSpec,
};
pub(crate) use sign_in::{
    ChallengeSpec, FailureSpec, HolderName, IdentitySpec, IncludeSpec, PartnerSpec, SignInSpec,
    WaySpec,
};
