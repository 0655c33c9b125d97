//! `graph_request`: a request of Microsoft Graph, sent by the cmdlet of a signed-in `graph` session, so that it is judged and
//! kept as every command is.

use std::fmt::Write as _;

use serde_json::Value;

use super::args::{Method, OldArgs};
use super::run::{Came, ended, shown};
use super::{session, text};
use crate::api::Mode;
use crate::client::Client;
use crate::mcp::call::Call;
use crate::mcp::excerpt::all;
use crate::mcp::reply::Refusal;
use crate::mcp::shape::Shape;

/// The module whose cmdlet sends it.
const MODULE: &str = "graph";

/// Microsoft Graph's own hosts, of all national clouds: an answer's link to its next page has one, and may be handed back.
const HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// What is kept of an answer's remarks about itself: the ways to the rest of it.
const KEPT: [&str; 2] = ["@odata.nextLink", "@odata.deltaLink"];

/// Sends the request.
pub(super) async fn request(
    call: &Call,
    client: &Client,
    mut args: OldArgs,
) -> Result<String, Refusal> {
    let endpoint = args.endpoint.take();
    let (Some(_), Some(endpoint)) = (args.named(), endpoint) else {
        return Ok("Error: connection and endpoint are required".to_owned());
    };
    if let Some(other) = args.resource.as_deref().filter(|name| *name != "graph") {
        let other = crate::mcp::clean::line(other, 80);
        return Ok(format!("Error: the resource `{other}` is not offered"));
    }
    let command = command(args.method, &endpoint, args.body.as_ref())?;
    args.module = Some(MODULE.to_owned());
    let session = session::which(client, &args).await?;
    let run = match ended(call, client, &session, command, Mode::Records).await? {
        Came::Run(run) => run,
        Came::SignIn(session) => return Ok(text::device_code(&session, "Tool: Graph API")),
        Came::Later(text) => return Ok(text),
    };
    let mut objects = Shape::objects(&all(client, &run).await?);
    objects.iter_mut().for_each(strip);
    shown(&run, objects).await
}

/// The cmdlet's call. Both values are written so that they hold no quotation mark of any kind.
fn command(method: Method, endpoint: &str, body: Option<&Value>) -> Result<String, Refusal> {
    let mut command = format!(
        "Invoke-MgGraphRequest -Method {} -Uri '{}'",
        method.name(),
        uri(endpoint)?
    );
    if let Some(body) = body {
        write!(
            command,
            " -Body '{}' -ContentType 'application/json'",
            plain_json(body)
        )
        .expect("a string takes everything");
    }
    Ok(command)
}

/// The path, with a version, everything but a URI's own characters encoded (RFC 3986), and the quotation mark too.
fn uri(endpoint: &str) -> Result<String, Refusal> {
    let path = HOSTS
        .iter()
        .find_map(|host| endpoint.strip_prefix(host))
        .unwrap_or(endpoint);
    if path.contains("://") && !path.starts_with('/') {
        return Err(Refusal::new(
            "endpoint is not one of Microsoft Graph",
            "give the path alone, for example `/me/messages`",
        ));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    let is_versioned = [path, &format!("/{path}")]
        .iter()
        .any(|path| path.starts_with("/v1.0/") || path.starts_with("/beta/"));
    let version = if is_versioned { "" } else { "/v1.0" };
    let mut uri = format!("{version}{slash}");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("a string takes everything");
        }
    }
    Ok(uri)
}

/// JSON of ASCII without an apostrophe: PowerShell takes the typographic ones for quotation marks too.
fn plain_json(value: &Value) -> String {
    let mut plain = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\'' {
            plain.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(plain, "\\u{unit:04x}").expect("a string takes everything");
        }
    }
    plain
}

/// Leaves out what an answer remarks about itself, as the old program did.
fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !key.starts_with("@odata.") || KEPT.contains(&key.as_str()));
            object.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_endpoint_gets_a_version_unless_it_has_one() {
        for (endpoint, wanted) in [
            ("/me", "/v1.0/me"),
            ("me/messages?$top=5", "/v1.0/me/messages?$top=5"),
            ("/beta/me", "/beta/me"),
            ("v1.0/me", "/v1.0/me"),
            (
                "https://graph.microsoft.com/v1.0/users?$skiptoken=x",
                "/v1.0/users?$skiptoken=x",
            ),
            (
                "/users?$filter=displayName eq 'O’Hara'",
                "/v1.0/users?$filter=displayName%20eq%20%27O%E2%80%99Hara%27",
            ),
        ] {
            assert_eq!(uri(endpoint).expect("it is one"), wanted);
        }
        assert!(uri("https://example.org/v1.0/me").is_err());
    }

    #[test]
    fn no_value_ends_its_quotation() {
        let body = json!({"subject": "It's ‘so’; Remove-Mailbox x"});
        let command = command(Method::Post, "/me'; exit; '", Some(&body)).expect("it is one");
        assert_eq!(
            command,
            r#"Invoke-MgGraphRequest -Method POST -Uri '/v1.0/me%27;%20exit;%20%27' -Body '{"subject":"It\u0027s \u2018so\u2019; Remove-Mailbox x"}' -ContentType 'application/json'"#
        );
        let quoted = command.split('\'').nth(3).expect("it is the body");
        assert_eq!(
            serde_json::from_str::<Value>(quoted).expect("it is JSON"),
            body
        );
    }

    #[test]
    fn remarks_are_left_out_but_for_the_next_page() {
        let mut answer = json!({"@odata.context": "x", "@odata.nextLink": "y",
            "value": [{"@odata.etag": "z", "id": 1}]});
        strip(&mut answer);
        assert_eq!(
            answer,
            json!({"@odata.nextLink": "y", "value": [{"id": 1}]})
        );
    }
}
