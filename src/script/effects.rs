//! What commands do, as rules: a name's pattern, what its parameters have to be, and the effects that follow.

use std::sync::Arc;

/// What a command does to a tenant, to this machine or to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Effect {
    /// Looks, and changes nothing that outlives the session's variables.
    Reads,
    /// Changes something.
    Writes,
    /// Removes, disables or resets something.
    Destroys,
    /// Shows or hands out a secret: a token, a key, a password.
    RevealsSecret,
    /// Sends something to people.
    Sends,
    /// Changes who may do what.
    ChangesRights,
    /// Makes mail go elsewhere, or go unseen.
    ForwardsMail,
    /// Shows what is in files on this machine.
    ReadsLocalFiles,
    /// Writes files on this machine.
    WritesLocalFiles,
    /// Signs in or out.
    SignsInOrOut,
    /// Ends the session's program.
    EndsSession,
    /// Runs what the text does not tell.
    UnknownCode,
}

impl Effect {
    /// All, in the order in which they are told.
    pub(crate) const ALL: [Self; 12] = [
        Self::Reads,
        Self::Writes,
        Self::Destroys,
        Self::RevealsSecret,
        Self::Sends,
        Self::ChangesRights,
        Self::ForwardsMail,
        Self::ReadsLocalFiles,
        Self::WritesLocalFiles,
        Self::SignsInOrOut,
        Self::EndsSession,
        Self::UnknownCode,
    ];

    /// Whether it leaves everything as it is, in the tenant and on this machine.
    pub(crate) fn only_looks(self) -> bool {
        matches!(self, Self::Reads | Self::ReadsLocalFiles)
    }

    /// The word for programs and for rules.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Destroys => "destroys",
            Self::RevealsSecret => "reveals_secret",
            Self::Sends => "sends",
            Self::ChangesRights => "changes_rights",
            Self::ForwardsMail => "forwards_mail",
            Self::ReadsLocalFiles => "reads_local_files",
            Self::WritesLocalFiles => "writes_local_files",
            Self::SignsInOrOut => "signs_in_or_out",
            Self::EndsSession => "ends_session",
            Self::UnknownCode => "unknown_code",
        }
    }
}

/// What holds for some commands whatever their effects, because earlier programs of this kind guarded them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody is asked.
    Ask,
    /// Programs are refused, people are asked.
    Refuse,
    /// Programs are refused, for people it is reading.
    Programs,
}

/// A pattern over a whole text: `*` stands for any characters, case is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    /// What stands between its asterisks; at least one.
    parts: Box<[Box<str>]>,
}

impl Glob {
    /// The pattern of `text`.
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let parts = text.split('*').map(Box::from).collect();
        Self { text, parts }
    }

    /// As it is compared: in lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it fits `text`, which has to be in lower case.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let [first, others @ ..] = &*self.parts else {
            return false;
        };
        let Some(mut rest) = text.strip_prefix(&**first) else {
            return false;
        };
        let [middle @ .., last] = others else {
            return rest.is_empty();
        };
        for part in middle {
            match rest.find(&**part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(&**last)
    }

    /// Whether it fits the name of a parameter that PowerShell would take `typed` for: names may be cut short.
    pub(crate) fn fits_parameter(&self, typed: &str) -> bool {
        let fixed = self.parts.first().map_or("", |first| first);
        self.fits(typed) || (!typed.is_empty() && fixed.starts_with(typed))
    }
}

/// When a command has an effect. All conditions have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EffectRule {
    /// As it stands in the file, for people.
    pub(crate) name: String,
    /// The patterns of `name`; one has to fit. A name with a blank is that of a program and its first words.
    pub(crate) names: Vec<Glob>,
    /// One of these parameters is given. Empty: no matter.
    pub(crate) parameters: Vec<Glob>,
    /// The parameter's value is one of these, or not known. Empty: no matter.
    pub(crate) values: Vec<Glob>,
    /// The parameter's value is none of these, or not known.
    pub(crate) except_values: Vec<Glob>,
    /// One of the values of the command, wherever it stands, is one of these. Empty: no matter.
    pub(crate) arguments: Vec<Glob>,
    /// One of these properties of what the command hands out may be shown. Empty: no matter.
    pub(crate) shows: Vec<Glob>,
    /// What follows.
    pub(crate) effects: Vec<Effect>,
    /// Whether the verb's rule does not count for these names.
    pub(crate) instead_of_verb: bool,
    /// Whether `-WhatIf` does not keep these commands from doing it.
    pub(crate) ignores_what_if: bool,
    /// What is decided at least.
    pub(crate) guard: Option<Guard>,
    /// Why, for people.
    pub(crate) reason: String,
    /// The file and the line where the rule stands.
    pub(crate) place: String,
}

/// The rules that a command is judged by: those for every module, then its module's own. Cheap to clone: there are hundreds,
/// and every run takes them along.
#[derive(Debug, Clone)]
pub(crate) struct EffectRules {
    shared: Arc<[EffectRule]>,
    own: Arc<[EffectRule]>,
}

impl EffectRules {
    /// Those that are `shared` by all modules, and the module's `own`.
    pub(crate) fn new(shared: Arc<[EffectRule]>, own: Arc<[EffectRule]>) -> Self {
        Self { shared, own }
    }

    /// All, in the order in which they count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &EffectRule> + Clone {
        self.shared.iter().chain(self.own.iter())
    }
}

impl EffectRule {
    /// Whether it depends on the name alone.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.parameters.is_empty() && self.arguments.is_empty() && self.shows.is_empty()
    }

    /// Whether it is about a verb, whatever it is used on (`Remove-*`), or about a program, whatever its words (`az *`).
    pub(crate) fn is_about_verb(&self) -> bool {
        self.is_unconditional()
            && self.names.iter().all(|name| {
                name.as_str()
                    .strip_suffix("-*")
                    .or_else(|| name.as_str().strip_suffix(" *"))
                    .is_some_and(|verb| !verb.contains(['*', '-', ' ']))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        let fits = |glob: &str, text: &str| Glob::new(glob).fits(text);
        assert!(fits("Remove-*", "remove-mailbox") && !fits("Remove-*", "get-remove-x"));
        assert!(fits("*-Mg*User", "get-mgbetauser") && !fits("*-Mg*User", "get-mgusers"));
        assert!(fits("a", "a") && !fits("a", "ab") && !fits("ab*ba", "aba"));
        assert!(fits("*", "") && fits("a**b", "ab"));
    }

    #[test]
    fn parameters_may_be_cut_short() {
        let fits = |glob: &str, text: &str| Glob::new(glob).fits_parameter(text);
        assert!(fits("Method", "me") && fits("Method", "method") && !fits("Method", "methods"));
        assert!(fits("Forwarding*", "forw") && fits("Forwarding*", "forwardingaddress"));
        assert!(!fits("Method", ""));
    }

    #[test]
    fn every_effect_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Effect::ALL.map(Effect::word).into();
        assert_eq!(words.len(), Effect::ALL.len());
    }
}
