//! The one prompt: a person asks for a tenant to be connected.

use rmcp::ErrorData;
use rmcp::model::{
    GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role,
};

use super::clean;

/// The prompt's name.
pub(super) const NAME: &str = "connect";

/// As clients see it.
pub(super) fn listed() -> Prompt {
    let argument = |name: &str, description: &str| {
        PromptArgument::new(name)
            .with_description(description)
            .with_required(false)
    };
    let arguments = vec![
        argument("connection", "Which tenant: the name of a connection"),
        argument("module", "Which module: exo, azure, teams, ..."),
    ];
    Prompt::new(
        NAME,
        Some("Sign in to a Microsoft 365 tenant"),
        Some(arguments),
    )
    .with_title("Connect a tenant")
}

/// The prompt's text.
pub(super) fn get(request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    if request.name != NAME {
        let message = format!("there is no prompt `{}`", clean::line(&request.name, 100));
        return Err(ErrorData::invalid_params(message, None));
    }
    let given = |name: &str| {
        let value = request.arguments.as_ref()?.get(name)?.as_str()?;
        (!value.is_empty()).then(|| format!(" {name} `{}`", clean::line(value, 100)))
    };
    let which = match (given("connection"), given("module")) {
        (None, None) => " a tenant; ask me which, after calling `connections`".to_owned(),
        (connection, module) => {
            let parts: Vec<String> = connection.into_iter().chain(module).collect();
            parts.join(" with")
        }
    };
    let text = format!(
        "Connect{which}. Call `login`, show me the code, the page and the account I have to use, then call `wait` until I am signed in, and tell me as whom. Run nothing else."
    );
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_names_what_was_given() {
        let mut request = GetPromptRequestParams::new(NAME);
        let text = |request: &GetPromptRequestParams| {
            let result = get(request).expect("it is the prompt");
            serde_json::to_string(&result.messages).expect("it is JSON")
        };
        assert!(text(&request).contains("ask me which"));
        let arguments = serde_json::json!({"connection": "Contoso", "module": "exo"});
        request.arguments = arguments.as_object().cloned();
        assert!(text(&request).contains("Connect connection `Contoso` with module `exo`."));
        assert!(get(&GetPromptRequestParams::new("other")).is_err());
    }
}
