//! Requests that a command sends with the session's sign-in: by which method, and whether they stay with the service. A token
//! goes wherever the address says.

use super::literal::VARIES;
use super::parsed::{Command, Element, Value};
use crate::script::{Effect, Glob};

/// Commands that send a request of the caller's, in lower case.
const REQUESTS: [&str; 6] = [
    "invoke-mggraphrequest",
    "invoke-graphrequest",
    "invoke-azrestmethod",
    "invoke-azrest",
    "invoke-pnpsprestmethod",
    "invoke-pnpgraphmethod",
];

/// Their parameters that take a value.
const TAKES: [&str; 26] = [
    "Method",
    "Uri",
    "Url",
    "Path",
    "Body",
    "Headers",
    "OutputFilePath",
    "OutFile",
    "ContentType",
    "OutputType",
    "SessionVariable",
    "ResourceId",
    "ApiVersion",
    "Payload",
    "SubscriptionId",
    "ResourceGroupName",
    "ResourceProviderName",
    "ResourceType",
    "Name",
    "Connection",
    "Content",
    "Accept",
    "UserAgent",
    "InputFilePath",
    "ConsistencyLevel",
    "AdditionalHeaders",
];

/// Hosts of the services.
const HOSTS: [&str; 12] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
    "management.azure.com",
    "management.usgovcloudapi.net",
    "management.chinacloudapi.cn",
    ".sharepoint.com",
    ".sharepoint.us",
    ".sharepoint-mil.us",
    ".sharepoint.cn",
    "api.loganalytics.azure.com",
];

/// Parts of addresses whose answer is a secret, in lower case.
const SECRETS: [&str; 8] = [
    "recoverykeys",
    "devicelocalcredentials",
    "listkeys",
    "listsecrets",
    "listaccountsas",
    "listservicesas",
    "/secrets",
    "publishxml",
];

/// What a request does beside what the rules say of its method.
pub(super) fn doubts(name: &str, command: &Command) -> Vec<(Effect, &'static str)> {
    if !REQUESTS.contains(&name) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let named = |wanted: &'static str| {
        command.parameters().filter_map(move |(name, value)| {
            let is_it = Glob::new(wanted).fits_parameter(&name.to_lowercase());
            is_it.then_some(value).flatten()
        })
    };
    let mut free = free(command);
    if named("Method").next().is_none()
        && let Some(first) = free.first()
    {
        // In this place stands the method: a word may be cut short, or be its number.
        let is_get = first
            .as_text()
            .is_some_and(|text| text.eq_ignore_ascii_case("get"));
        if is_get {
            free.remove(0);
        } else if !is_address(first) {
            let why = "it may be a method that is no GET";
            found.extend([(Effect::Writes, why), (Effect::Destroys, why)]);
        }
    }
    let addresses = named("Uri")
        .chain(named("Url"))
        .chain(named("Path"))
        .chain(free);
    for address in addresses {
        if !stays_home(address) {
            let why = "the request, and the session's token with it, may go to an address that is not the service's";
            found.push((Effect::UnknownCode, why));
        }
        if matches!(address, Value::Text(text) | Value::Pattern(text) if is_secret(text)) {
            found.push((Effect::RevealsSecret, "the answer is a secret"));
        }
    }
    found
}

/// Arguments that are not the value of a parameter.
fn free(command: &Command) -> Vec<&Value> {
    let elements = command.elements.iter().enumerate();
    elements
        .filter_map(|(at, element)| {
            let Element::Argument(value) = element else {
                return None;
            };
            let before = at.checked_sub(1).and_then(|at| command.elements.get(at));
            let is_taken = matches!(before, Some(Element::Parameter { name, value: None })
                if TAKES.iter().any(|full| Glob::new(full).fits_parameter(&name.to_lowercase())));
            (!is_taken).then_some(value)
        })
        .collect()
}

/// Whether what is at an address is a secret.
pub(super) fn is_secret(address: &str) -> bool {
    let address = address.to_lowercase();
    SECRETS.iter().any(|part| address.contains(part))
}

/// Whether a value can be nothing but an address.
fn is_address(value: &Value) -> bool {
    matches!(value, Value::Text(text) | Value::Pattern(text) if text.contains('/'))
}

/// Whether an address is one of the service: relative to it, or on one of its hosts. What is not known is not.
pub(super) fn stays_home(address: &Value) -> bool {
    let (text, is_whole) = match address {
        Value::Text(text) => (text.as_str(), true),
        Value::Pattern(text) => (text.split(VARIES).next().unwrap_or_default(), false),
        _ => return false,
    };
    let lower = text.to_lowercase();
    if let Some(rest) = lower.strip_prefix("https://") {
        let Some(end) = rest.find(['/', '?', '#', '\\']) else {
            return is_whole && is_service(rest);
        };
        return is_service(&rest[..end]) && !rest[end..].starts_with('\\');
    }
    let mut chars = lower.chars();
    match (chars.next(), chars.next()) {
        // `//host` and the like are addresses of another host.
        (Some('/'), second) => {
            second.is_some_and(char::is_alphanumeric)
                || second.is_some_and(|c| c == '_' || c == '?')
                || (second.is_none() && is_whole)
        }
        (Some(first), _) if first.is_alphanumeric() || first == '_' => {
            match lower.find(['/', '?', '(']) {
                Some(end) => !lower[..end].contains([':', '@', '\\']),
                None => is_whole && !lower.contains([':', '@', '\\']),
            }
        }
        _ => false,
    }
}

fn is_service(host: &str) -> bool {
    !host.contains(['@', ':'])
        && HOSTS.iter().any(|known| match known.strip_prefix('.') {
            Some(_) => host.ends_with(known),
            None => host == *known,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_home_or_is_said_not_to() {
        let home = |text: &str| stays_home(&Value::Text(text.to_owned()));
        for text in [
            "/v1.0/me",
            "v1.0/users?$top=5",
            "https://graph.microsoft.com/beta/users",
            "users",
            "/_api/web",
            "https://contoso.sharepoint.com/_api/web",
            "/subscriptions/x?api-version=1",
        ] {
            assert!(home(text), "{text}");
        }
        for text in [
            "https://evil.example/v1.0",
            "http://graph.microsoft.com/x",
            "//evil.example/x",
            "/\\evil.example",
            "https://graph.microsoft.com@evil.example/",
            "https://graph.microsoft.com.evil.example/",
            "https://evil.example/.sharepoint.com/",
            "https:evil",
            "@evil.example/",
            "",
        ] {
            assert!(!home(text), "{text}");
        }
        let begins = |text: &str| stays_home(&Value::Pattern(format!("{text}\0")));
        assert!(begins("/v1.0/users/") && begins("https://graph.microsoft.com/v1.0/"));
        assert!(!begins("/") && !begins("https://graph.microsoft.com") && !begins("users"));
        assert!(!stays_home(&Value::Unknown));
    }
}
