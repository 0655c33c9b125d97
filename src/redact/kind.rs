//! [`FindingKind`]: what kind of secret something is.

use std::fmt;

/// What kind of secret something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FindingKind {
    /// One that was named, or that was typed as one.
    Named,
    /// A token, signed or not.
    Token,
    /// A password or another secret given by its key.
    Password,
    /// An e-mail address or sign-in name.
    Email,
    /// An id of a tenant, an application, a request.
    Guid,
    /// A tenant's name in a domain.
    Tenant,
    /// A code to sign in with.
    UserCode,
    /// A frame that is no base64 of text: nobody can say what is in it.
    Unreadable,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "a named secret",
            Self::Token => "a token",
            Self::Password => "a password",
            Self::Email => "an e-mail address",
            Self::Guid => "an id",
            Self::Tenant => "a tenant's name",
            Self::UserCode => "a sign-in code",
            Self::Unreadable => "a frame that cannot be decoded",
        })
    }
}
