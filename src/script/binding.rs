//! Secrets in a command: bound to names in lines of their own before it, referred to by those names in it, and gone after
//! it. PowerShell shows the line in which an error happened, so the line of the command must not hold them.

use zeroize::Zeroizing;

use super::Quoting;

impl Quoting {
    /// How a command refers to a value that is bound as `name`, as one argument.
    pub(crate) fn reference(self, name: &str) -> String {
        match self {
            Self::PowerShell => format!("$mmBound.{name}"),
            Self::Plain | Self::Posix => format!("\"$mm_{name}\""),
        }
    }

    /// `command` with `values` bound before it and gone after it, however it ends. Without values it is `command` itself.
    ///
    /// In PowerShell the names are in one variable, which is removed; in a POSIX shell the whole runs in a subshell, because
    /// only that keeps the exit status and lets the names go. The text is wiped when it is dropped.
    pub(crate) fn bind(self, command: &str, values: &[(&str, &str)]) -> Zeroizing<String> {
        if values.is_empty() {
            return Zeroizing::new(command.to_owned());
        }
        // Large enough for every value with every character doubled: a text that moves leaves a copy behind.
        let room = |(name, value): &(&str, &str)| name.len() + 4 * value.len() + 16;
        let mut text = Zeroizing::new(String::with_capacity(
            command.len() + values.iter().map(room).sum::<usize>() + 128,
        ));
        match self {
            Self::PowerShell => {
                text.push_str("$mmBound = @{");
                for (name, value) in values {
                    text.push_str(name);
                    text.push('=');
                    text.push_str(&Zeroizing::new(self.quote(value)));
                    text.push(';');
                }
                text.push_str("}\ntry { ");
                text.push_str(command);
                text.push_str(
                    " } finally { Remove-Variable mmBound -Scope Global -ErrorAction Ignore }",
                );
            }
            Self::Plain | Self::Posix => {
                text.push_str("(\n");
                for (name, value) in values {
                    text.push_str("mm_");
                    text.push_str(name);
                    text.push('=');
                    text.push_str(&Zeroizing::new(Self::Posix.quote(value)));
                    text.push('\n');
                }
                text.push_str(command);
                text.push_str("\n)");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_refers_to_what_is_bound_and_does_not_hold_it() {
        let name = Quoting::PowerShell.reference("client_secret");
        let command = format!("Connect-It -Secret {name}");
        let bound = Quoting::PowerShell.bind(&command, &[("client_secret", "it's’s")]);
        assert_eq!(
            bound.as_str(),
            "$mmBound = @{client_secret='it''s’’s';}\n\
             try { Connect-It -Secret $mmBound.client_secret } \
             finally { Remove-Variable mmBound -Scope Global -ErrorAction Ignore }"
        );
        assert!(
            bound
                .lines()
                .nth(1)
                .is_some_and(|line| !line.contains("it'"))
        );
    }

    #[test]
    fn nothing_to_bind_changes_nothing() {
        let same = Quoting::PowerShell.bind("Connect-It", &[]);
        assert_eq!(same.as_str(), "Connect-It");
    }

    #[test]
    fn a_posix_shell_forgets_the_names_and_keeps_the_status() {
        let name = Quoting::Posix.reference("client_secret");
        let secret = "it's $HOME `x`\\";
        let command = format!("printf '%s' {name}; exit 3");
        let script = Quoting::Posix.bind(&command, &[("client_secret", secret)]);
        let script = format!(
            "{}\nprintf ' %s %s' $? \"${{mm_client_secret-gone}}\"",
            *script
        );
        let output = std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
            .expect("bash is there");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{secret} 3 gone")
        );
    }

    proptest::proptest! {
        #[test]
        fn the_room_is_always_enough(name in "[a-z_]{1,20}", value in "\\PC{0,60}|['’]{0,60}") {
            for quoting in [Quoting::PowerShell, Quoting::Posix] {
                let one = [(name.as_str(), value.as_str())];
                let text = quoting.bind("x", &one);
                let room = 1 + name.len() + 4 * value.len() + 16 + 128;
                proptest::prop_assert!(text.len() <= room, "{}", text.len());
            }
        }
    }
}
