//! The `needs` key of a module or a shell: what has to be installed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::source::At;
use crate::spec::value::{RegexText, Text, VersionText};

/// Something that has to be installed: a `program` or a `powershell_module`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeedSpec {
    /// A program, looked up on `PATH`.
    pub(crate) program: Option<At<Text>>,
    /// A module of PowerShell. Its versions are the folders of its name in `PSModulePath`.
    pub(crate) powershell_module: Option<At<Text>>,
    /// What a person does where it is missing: a sentence or two.
    pub(crate) install: At<Text>,
    /// How it is brought up to date. Default: what `install` says.
    pub(crate) update: Option<At<Text>>,
    /// How the program's version is found. Without it the version is not looked at.
    pub(crate) version: Option<At<VersionSpec>>,
    /// The oldest version that works. `mm doctor` calls an older one an error.
    pub(crate) at_least: Option<At<VersionText>>,
    /// The version that this file was tried with.
    pub(crate) tried: Option<At<VersionText>>,
    /// Versions that do not work.
    #[serde(default)]
    pub(crate) bad: Vec<At<BadVersionsSpec>>,
    /// For a PowerShell module of which only one version may be installed: why.
    pub(crate) only_one: Option<At<Text>>,
}

/// How a program's version is found: one of `names`, `file` and `ask`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionSpec {
    /// Paths of a file or folder that has the version in its name, seen from the folder of the program's own file (links
    /// are followed); `*` stands for any characters but `/`. The program is not started.
    #[serde(default)]
    pub(crate) names: Vec<At<Text>>,
    /// A file that has the version in its text, seen from there. The program is not started.
    pub(crate) file: Option<At<Text>>,
    /// Arguments with which the program says its version: `[--version]`.
    pub(crate) ask: Option<At<Vec<At<String>>>>,
    /// Where in the file or in the answer it stands: a pattern with a group `version`. Default: the first numbers with dots
    /// between them.
    pub(crate) pattern: Option<At<RegexText>>,
}

/// Versions that do not work.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BadVersionsSpec {
    /// The first of them. Default: all before `below`.
    pub(crate) from: Option<At<VersionText>>,
    /// The first that works again. Default: none does yet.
    pub(crate) below: Option<At<VersionText>>,
    /// Only where another program that is needed, too, is old.
    pub(crate) with: Option<WithSpec>,
    /// What is wrong with them: the end of a sentence that begins with the name and the version, such as `needs a desktop`.
    pub(crate) why: At<Text>,
    /// What to do about it. Default: what `update` says, or else `install`.
    pub(crate) advice: Option<At<Text>>,
    /// Whether it is not certain: `mm doctor` then warns. Default: false.
    #[serde(default)]
    pub(crate) doubt: bool,
}

/// Another program, and which of its versions are meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithSpec {
    /// A program that the module or its shell needs.
    pub(crate) program: At<Text>,
    /// The first of its versions that is new enough.
    pub(crate) below: At<VersionText>,
}
