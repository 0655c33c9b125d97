//! Completion: what a person may mean who fills in the prompt's arguments or the parts of an address.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use super::call::Call;
use super::reply::Refusal;
use super::{prompt, resources};

/// What the argument may be, of which a part was typed.
pub(super) async fn complete(
    call: &Call,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let is_ours = match &request.r#ref {
        Reference::Prompt(named) => named.name == prompt::NAME,
        Reference::Resource(named) => {
            let mut templates = resources::templates().into_iter();
            templates.any(|template| template.uri_template == named.uri)
        }
        _ => false,
    };
    if !is_ours {
        let message = "there is nothing of that name to complete";
        return Err(ErrorData::invalid_params(message, None));
    }
    let all = names(call, request).await.map_err(resources::broken)?;
    let fitting = fitting(all, &request.argument.value);
    let total = u32::try_from(fitting.len()).ok();
    let more = fitting.len() > CompletionInfo::MAX_VALUES;
    let shown: Vec<String> = fitting
        .into_iter()
        .take(CompletionInfo::MAX_VALUES)
        .collect();
    let info = CompletionInfo::with_pagination(shown, total, more);
    info.map(CompleteResult::new)
        .map_err(|error| ErrorData::internal_error(error, None))
}

/// Everything that the argument can be.
async fn names(call: &Call, request: &CompleteRequestParams) -> Result<Vec<String>, Refusal> {
    let client = call.client().await?;
    Ok(match request.argument.name.as_str() {
        "connection" => {
            let connections = client.offers().await?.connections;
            let names = connections.into_iter().map(|one| one.name.to_string());
            names.collect()
        }
        "module" => {
            let offers = client.offers().await?;
            let given = request.context.as_ref().and_then(|context| {
                let given = context.arguments.as_ref()?.get("connection")?;
                let mut all = offers.connections.iter();
                all.find(|one| one.name.as_str() == given)?.modules.clone()
            });
            let modules = offers.modules.into_iter().map(|one| one.name);
            let usable =
                modules.filter(|name| given.as_ref().is_none_or(|given| given.contains(name)));
            usable.map(|name| name.to_string()).collect()
        }
        "run_id" => {
            let runs = client.runs(None, None, CompletionInfo::MAX_VALUES).await?;
            runs.into_iter().map(|run| run.id.to_string()).collect()
        }
        _ => Vec::new(),
    })
}

/// Those that begin with what was typed, and after them those that have it in them; case does not count.
fn fitting(all: Vec<String>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    let having = all
        .into_iter()
        .filter(|name| name.to_lowercase().contains(&typed));
    let (mut first, then): (Vec<String>, Vec<String>) =
        having.partition(|name| name.to_lowercase().starts_with(&typed));
    first.extend(then);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_so_comes_first() {
        let all = ["New Contoso", "Contoso", "Fabrikam"].map(str::to_owned);
        assert_eq!(
            fitting(all.to_vec(), "con"),
            ["Contoso".to_owned(), "New Contoso".to_owned()]
        );
        assert_eq!(fitting(all.to_vec(), ""), all);
        assert!(fitting(all.to_vec(), "x").is_empty());
    }
}
