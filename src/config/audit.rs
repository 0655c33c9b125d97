//! [`OnAuditFailure`]: what may run while nothing can be written down.

use super::ConfigError;

/// What may run while the audit cannot be written, or was changed and nobody has accepted that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnAuditFailure {
    /// Nothing.
    #[default]
    Refuse,
    /// What is known to read and nothing else.
    AllowReads,
}

impl OnAuditFailure {
    /// From its word.
    pub(super) fn read(word: &str) -> Result<Self, ConfigError> {
        match word {
            "refuse" => Ok(Self::Refuse),
            "allow_reads" => Ok(Self::AllowReads),
            other => Err(ConfigError::OnAuditFailure {
                found: other.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_two_words_are_read() {
        assert_eq!(
            OnAuditFailure::read("refuse").ok(),
            Some(OnAuditFailure::Refuse)
        );
        assert_eq!(
            OnAuditFailure::read("allow_reads").ok(),
            Some(OnAuditFailure::AllowReads)
        );
        let error = OnAuditFailure::read("allow").expect_err("it is none");
        assert_eq!(error.to_string(), "MM_AUDIT_ON_FAILURE is `allow`");
    }
}
