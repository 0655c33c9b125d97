//! [`PolicyRule`]: what an entry says about some commands, before its `policy` does.

use serde_json::Value;

use super::entry::{Keys, wrong_kind};
use super::error::EntryError;
use crate::name::ModuleName;
use crate::script::{Effect, Glob};

/// What becomes of a command, the strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allow,
    Ask,
    Refuse,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Allow, Self::Ask, Self::Refuse];

    /// The word for programs and for rules.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Refuse => "refuse",
        }
    }
}

/// Who wants a command run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody at a terminal.
    Person,
    /// A program: an assistant, a script, anything without a terminal.
    Program,
}

impl Who {
    /// The word for programs and for rules.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Program => "program",
        }
    }
}

/// One of an entry's `policyRules`. What a rule does not name is no condition of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyRule {
    who: Option<Who>,
    modules: Vec<ModuleName>,
    effects: Vec<Effect>,
    commands: Vec<Glob>,
    pub(crate) decide: Verdict,
    /// Where it stands, for people: `policyRules[0] of Contoso`, with its line where the file is known.
    pub(crate) place: String,
}

impl PolicyRule {
    /// Whether it is about `who` having `effect` by `what` in `module`.
    pub(crate) fn applies(
        &self,
        who: Who,
        module: Option<&ModuleName>,
        effect: Effect,
        what: &str,
    ) -> bool {
        let command = || {
            let what = what.to_lowercase();
            let name = what
                .rsplit_once('\\')
                .map_or(what.as_str(), |(_, name)| name);
            self.commands.iter().any(|glob| glob.fits(name))
        };
        self.who.is_none_or(|one| one == who)
            && (self.modules.is_empty() || module.is_some_and(|one| self.modules.contains(one)))
            && (self.effects.is_empty() || self.effects.contains(&effect))
            && (self.commands.is_empty() || command())
    }

    /// Reads the rules of an entry.
    pub(super) fn read_all(connection: &str, keys: &Keys<'_>) -> Result<Vec<Self>, EntryError> {
        let path = keys.path("policyRules");
        let rules = match keys.raw.get("policyRules") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(rules)) => rules,
            Some(other) => return Err(wrong_kind(path, "a list of rules", other)),
        };
        let read = |(at, rule)| {
            let place = format!("policyRules[{at}] of {connection}");
            Self::read(&format!("{path}[{at}]"), place, rule)
        };
        rules.iter().enumerate().map(read).collect()
    }

    fn read(path: &str, place: String, rule: &Value) -> Result<Self, EntryError> {
        let Value::Object(raw) = rule else {
            return Err(wrong_kind(path.to_owned(), "an object", rule));
        };
        let keys = Keys {
            path: path.to_owned(),
            raw,
        };
        // A condition that is not understood would make the rule wider than it was meant.
        let known = ["who", "modules", "effects", "commands", "decide"];
        if let Some(unknown) = raw.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(EntryError::Kind {
                key: keys.path(unknown),
                expected: "`who`, `modules`, `effects`, `commands` or `decide`",
                found: "another key",
            });
        }
        let words = |key: &str| -> Result<Vec<String>, EntryError> {
            let words = keys.texts(key)?;
            if words.as_ref().is_some_and(Vec::is_empty) {
                return Err(EntryError::Kind {
                    key: keys.path(key),
                    expected: "at least one word",
                    found: "an empty list",
                });
            }
            Ok(words.unwrap_or_default())
        };
        let who = keys.word("who", "`person` or `program`", |word| {
            [Who::Person, Who::Program]
                .into_iter()
                .find(|who| who.word() == word)
        })?;
        let decide = keys.word("decide", DECIDE, |word| {
            Verdict::ALL.into_iter().find(|one| one.word() == word)
        })?;
        let wrong = |key: &str, expected| EntryError::Kind {
            key: keys.path(key),
            expected,
            found: "another word",
        };
        Ok(Self {
            who,
            modules: words("modules")?
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()
                .map_err(|_| wrong("modules", "names of modules"))?,
            effects: words("effects")?
                .iter()
                .map(|word| Effect::ALL.into_iter().find(|one| one.word() == word))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    wrong(
                        "effects",
                        "effects as `mm policy explain` names them, such as `writes`",
                    )
                })?,
            commands: words("commands")?
                .iter()
                .map(|name| Glob::new(name))
                .collect(),
            decide: decide.ok_or_else(|| EntryError::Kind {
                key: keys.path("decide"),
                expected: DECIDE,
                found: "nothing",
            })?,
            place,
        })
    }
}

const DECIDE: &str = "`allow`, `ask` or `refuse`";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(rules: &Value) -> Result<Vec<PolicyRule>, String> {
        let entry = json!({"policyRules": rules});
        let keys = Keys {
            path: "connections.C".to_owned(),
            raw: entry.as_object().expect("it is an object"),
        };
        PolicyRule::read_all("C", &keys).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_applies_where_all_that_it_names_holds() {
        let rules = read(&json!([
            {"who": "program", "modules": ["exo"], "effects": ["writes"], "commands": ["Set-*"], "decide": "allow"},
            {"decide": "refuse"},
        ]))
        .expect("they are rules");
        let exo: ModuleName = "exo".parse().expect("it is a name");
        let applies = |who, module, effect, what| rules[0].applies(who, module, effect, what);
        assert!(applies(
            Who::Program,
            Some(&exo),
            Effect::Writes,
            "X\\set-Mailbox"
        ));
        assert!(!applies(
            Who::Person,
            Some(&exo),
            Effect::Writes,
            "Set-Mailbox"
        ));
        assert!(!applies(Who::Program, None, Effect::Writes, "Set-Mailbox"));
        assert!(!applies(
            Who::Program,
            Some(&exo),
            Effect::Destroys,
            "Set-Mailbox"
        ));
        assert!(!applies(
            Who::Program,
            Some(&exo),
            Effect::Writes,
            "New-Mailbox"
        ));
        assert!(rules[1].applies(Who::Person, None, Effect::Reads, "Get-Mailbox"));
        assert_eq!(rules[1].place, "policyRules[1] of C");
    }

    #[test]
    fn what_is_not_understood_is_no_rule() {
        for (rules, message) in [
            (
                json!({}),
                "connections.C.policyRules: expected a list of rules, found an object",
            ),
            (
                json!([{}]),
                "connections.C.policyRules[0].decide: expected `allow`, `ask` or `refuse`, found nothing",
            ),
            (
                json!([{"decide": "deny"}]),
                "connections.C.policyRules[0].decide: expected `allow`, `ask` or `refuse`, found another word",
            ),
            (
                json!([{"decide": "ask", "module": "exo"}]),
                "connections.C.policyRules[0].module: expected `who`, `modules`, `effects`, `commands` or `decide`, found another key",
            ),
            (
                json!([{"decide": "ask", "effects": []}]),
                "connections.C.policyRules[0].effects: expected at least one word, found an empty list",
            ),
            (
                json!([{"decide": "ask", "effects": ["write"]}]),
                "connections.C.policyRules[0].effects: expected effects as `mm policy explain` names them, such as `writes`, found another word",
            ),
            (
                json!([{"decide": "ask", "who": "model"}]),
                "connections.C.policyRules[0].who: expected `person` or `program`, found another word",
            ),
        ] {
            assert_eq!(read(&rules), Err(message.to_owned()));
        }
    }
}
