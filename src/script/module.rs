//! [`Module`]: what to sign in to, compiled from one file of `modules.d/`.

use std::sync::Arc;

use super::{EffectRule, Need, Shell, SignIn, Template};
use crate::name::ModuleName;

/// One module. Immutable; sessions that run keep theirs when its file changes.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    pub(crate) name: ModuleName,
    pub(crate) title: String,
    /// Other names it answers to.
    pub(crate) aliases: Vec<ModuleName>,
    /// With this module's overrides in it.
    pub(crate) shell: Arc<Shell>,
    /// What has to be installed besides what the shell needs.
    pub(crate) needs: Vec<Need>,
    /// What a person's command is put into, for programs that are no REPL (`sqlite3 db {command}`). Its hole is
    /// `{command}`, quoted. Absent: commands go in as they are.
    pub(crate) run: Option<Template>,
    /// Absent for a module that needs no sign-in.
    pub(crate) sign_in: Option<SignIn>,
    /// What its commands do, in addition to what holds for every module.
    pub(crate) effects: Arc<[EffectRule]>,
    /// What a person should know: limits, what could not be verified.
    pub(crate) notes: Vec<String>,
}

impl Module {
    /// Whether a session that was lost can come back by itself with this way in: nobody has to enter a code. `None` is the
    /// module's preferred way. A module that needs no sign-in always can.
    pub(crate) fn comes_back_without_a_person(&self, way: Option<&str>) -> bool {
        match &self.sign_in {
            Some(rules) => rules.way(way).is_some_and(|way| way.unattended),
            None => true,
        }
    }
}
