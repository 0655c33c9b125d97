//! What a connection can fill into a module's commands, and the keys of its entry that people write.

/// A hole of a module's commands, and the key that fills it. Values are quoted for the shell.
pub(crate) const VALUES: [(&str, &str); 10] = [
    ("tenant", "tenant"),
    ("tenant_id", "tenantId"),
    ("organization", "organization"),
    ("sharepoint_host", "sharepoint_host"),
    ("sharepoint_domain", "cloud"),
    ("app_id", "appId"),
    ("expected_email", "expectedEmail"),
    ("delegated_organization", "delegatedOrganization"),
    ("certificate_file", "signIn.certificateFile"),
    ("managed_identity_id", "signIn.managedIdentityId"),
];

/// A hole that stands for a secret, and the key with the reference to it. Only a connect command has such holes, and its
/// text never holds their values: it refers to what was bound before it.
pub(crate) const SECRETS: [(&str, &str); 5] = [
    ("certificate_password", "signIn.certificatePassword"),
    ("client_secret", "signIn.clientSecret"),
    ("access_token", "signIn.accessToken"),
    ("graph_access_token", "signIn.graphAccessToken"),
    ("federated_token", "signIn.federatedToken"),
];

/// The one secret that may be missing where a command names it: a certificate without a password has an empty one.
pub(crate) const MAY_BE_EMPTY: &str = "certificate_password";

/// The key of a connection's entry that fills `hole`; the hole's own name where no key does.
pub(crate) fn key_of(hole: &str) -> &str {
    VALUES
        .iter()
        .chain(&SECRETS)
        .find(|(name, _)| *name == hole)
        .map_or(hole, |(_, key)| key)
}

/// Whether `hole` stands for a secret.
pub(crate) fn is_secret(hole: &str) -> bool {
    SECRETS.iter().any(|(name, _)| *name == hole)
}
