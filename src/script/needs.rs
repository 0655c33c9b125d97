//! What has to be installed for a module or a shell, and what a version that is installed is worth. Nothing here looks at a
//! machine: whoever judges brings the versions that it found.

use super::{Pattern, Version};

/// One thing that has to be installed.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) what: Needed,
    /// What a person does where it is missing.
    pub(crate) install: String,
    /// How it is brought up to date, where that is otherwise done than by installing it.
    pub(crate) update: Option<String>,
    /// The oldest version that works.
    pub(crate) at_least: Option<Version>,
    /// The version that the file was tried with.
    pub(crate) tried: Option<Version>,
    /// Versions that do not work.
    pub(crate) bad: Vec<BadVersions>,
    /// Why there must be one version of it only.
    pub(crate) only_one: Option<String>,
}

/// What is needed.
#[derive(Debug, Clone)]
pub(crate) enum Needed {
    /// A program on the `PATH`.
    Program {
        name: String,
        /// Absent: its version is not looked at.
        version: Option<VersionSource>,
    },
    /// A module of PowerShell. Its versions are folders.
    PowerShellModule(String),
}

/// Where a program's version is found.
#[derive(Debug, Clone)]
pub(crate) enum VersionSource {
    /// In the name of a file or folder: paths, seen from the program's own folder, in which `*` stands for any characters.
    Names(Vec<String>),
    /// In a file, seen from the program's own folder.
    File {
        path: String,
        pattern: Option<Pattern>,
    },
    /// In what the program says with these arguments.
    Ask {
        arguments: Vec<String>,
        pattern: Option<Pattern>,
    },
}

/// Versions that do not work.
#[derive(Debug, Clone)]
pub(crate) struct BadVersions {
    /// The first of them; absent: all before `below`.
    pub(crate) from: Option<Version>,
    /// The first that works again.
    pub(crate) below: Option<Version>,
    /// Only together with a version of this program that is older.
    pub(crate) with: Option<(String, Version)>,
    pub(crate) why: String,
    pub(crate) advice: String,
    /// Whether it is not certain.
    pub(crate) doubt: bool,
}

/// What is wrong with what is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) advice: String,
    /// Whether it may work all the same.
    pub(crate) doubt: bool,
}

impl Need {
    /// The name of the program or of the PowerShell module.
    pub(crate) fn name(&self) -> &str {
        match &self.what {
            Needed::Program { name, .. } | Needed::PowerShellModule(name) => name,
        }
    }

    /// What it is, for a sentence: "the PowerShell module X".
    pub(crate) fn kind(&self) -> &'static str {
        match self.what {
            Needed::Program { .. } => "the program",
            Needed::PowerShellModule(_) => "the PowerShell module",
        }
    }

    /// What a person does where it is missing, in a sentence.
    pub(crate) fn missing_advice(&self) -> String {
        format!("{} `mm doctor` tells what it finds.", self.install)
    }

    /// What is wrong where these versions are installed, the oldest first: the newest is the one that runs. `beside` gives
    /// the version of another program.
    pub(crate) fn faults(
        &self,
        versions: &[Version],
        beside: impl Fn(&str) -> Option<Version>,
    ) -> Vec<Fault> {
        let Some(newest) = versions.last() else {
            return Vec::new();
        };
        let name = self.name();
        let mut faults: Vec<Fault> = self
            .bad
            .iter()
            .filter(|bad| bad.has(newest, &beside))
            .map(|bad| Fault {
                message: format!("{name} {newest} {}", bad.why),
                advice: bad.advice.clone(),
                doubt: bad.doubt,
            })
            .collect();
        if let Some(oldest) = self.at_least.as_ref().filter(|oldest| newest < *oldest)
            && faults.is_empty()
        {
            faults.push(Fault {
                message: format!("{name} {newest} is too old: {oldest} or later is needed"),
                advice: self.update.as_ref().unwrap_or(&self.install).clone(),
                doubt: false,
            });
        }
        if let Some(why) = &self.only_one
            && versions.len() > 1
        {
            faults.push(Fault {
                message: format!("{} versions of {name} are installed: {why}", versions.len()),
                advice: format!("remove all but {newest}"),
                doubt: false,
            });
        }
        faults
    }
}

impl BadVersions {
    fn has(&self, version: &Version, beside: impl Fn(&str) -> Option<Version>) -> bool {
        let reached = self.from.as_ref().is_none_or(|from| version >= from);
        let passed = self.below.as_ref().is_some_and(|below| version >= below);
        let together = self
            .with
            .as_ref()
            .is_none_or(|(program, below)| beside(program).is_some_and(|version| version < *below));
        reached && !passed && together
    }

    /// Which versions these are, in words.
    pub(crate) fn range(&self) -> String {
        let versions = match (&self.from, &self.below) {
            (Some(from), Some(below)) => format!("from {from}, before {below}"),
            (Some(from), None) => format!("{from} and later"),
            (None, Some(below)) => format!("before {below}"),
            (None, None) => "any version".to_owned(),
        };
        match &self.with {
            Some((program, below)) => format!("{versions}, with {program} before {below}"),
            None => versions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("it is a version")
    }

    fn need() -> Need {
        Need {
            what: Needed::PowerShellModule("Shop".to_owned()),
            install: "Install it.".to_owned(),
            update: Some("Update it.".to_owned()),
            at_least: Some(version("2")),
            tried: None,
            bad: vec![
                BadVersions {
                    from: Some(version("2.3")),
                    below: Some(version("2.5")),
                    with: None,
                    why: "forgets its sign-in".to_owned(),
                    advice: "update it".to_owned(),
                    doubt: true,
                },
                BadVersions {
                    from: Some(version("3")),
                    below: None,
                    with: Some(("pwsh".to_owned(), version("7.6"))),
                    why: "needs PowerShell 7.6".to_owned(),
                    advice: "update PowerShell".to_owned(),
                    doubt: false,
                },
            ],
            only_one: Some("they get into each other's way".to_owned()),
        }
    }

    fn messages(versions: &[&str], pwsh: Option<&str>) -> Vec<String> {
        let versions: Vec<Version> = versions.iter().map(|text| version(text)).collect();
        let beside = |name: &str| (name == "pwsh").then(|| pwsh.map(version)).flatten();
        let faults = need().faults(&versions, beside);
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn the_newest_version_is_judged() {
        assert!(messages(&[], None).is_empty());
        assert!(messages(&["2.2"], None).is_empty());
        assert!(messages(&["2.5.0"], None).is_empty());
        assert_eq!(
            messages(&["1.9"], None),
            ["Shop 1.9 is too old: 2 or later is needed"]
        );
        assert_eq!(
            messages(&["2.3.0"], None),
            ["Shop 2.3.0 forgets its sign-in"]
        );
        assert_eq!(
            messages(&["2.4", "2.6"], None),
            ["2 versions of Shop are installed: they get into each other's way"]
        );
    }

    #[test]
    fn some_versions_are_bad_only_together() {
        assert!(messages(&["3.1"], None).is_empty());
        assert!(messages(&["3.1"], Some("7.6.0")).is_empty());
        assert_eq!(
            messages(&["3.1"], Some("7.5.4")),
            ["Shop 3.1 needs PowerShell 7.6"]
        );
        let need = need();
        let ranges: Vec<String> = need.bad.iter().map(BadVersions::range).collect();
        assert_eq!(
            ranges,
            ["from 2.3, before 2.5", "3 and later, with pwsh before 7.6"]
        );
    }
}
