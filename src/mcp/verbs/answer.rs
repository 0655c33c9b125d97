//! `answer`: answers what a run asks, never a secret.

use super::wait;
use crate::api::{AnswerRequest, ApiError, ErrorCode, QuestionKind, RunState};
use crate::client::{Client, ClientError};
use crate::mcp::args::{AnswerArgs, default_wait};
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::{clean, tell};
use crate::secret::Secret;

/// Answers, then waits for what comes of it.
pub(in crate::mcp) async fn answer(call: &Call, args: AnswerArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let run = client.show(&args.run_id).await?;
    let is_secret = run
        .question
        .as_ref()
        .is_some_and(|question| question.kind == QuestionKind::Secret);
    if is_secret && run.state == RunState::Asking {
        return Err(Refusal::new(
            format!(
                "run {} asks for a secret, which must not pass through a model",
                run.id
            ),
            format!(
                "ask the person to type it in a terminal: `mm answer {}`",
                run.id
            ),
        ));
    }
    let request = AnswerRequest {
        text: Secret::new(args.text),
        secret: false,
    };
    match client.answer(&args.run_id, &request).await {
        // Which answers there are is the program's own words.
        Err(ClientError::Api(error)) if error.code == ErrorCode::BadAnswer => {
            return again(&client, &args.run_id, &error).await;
        }
        other => other?,
    };
    wait::run(call, &client, &args.run_id, default_wait()).await
}

/// The answer was not taken, and the question stands.
async fn again(client: &Client, id: &str, error: &ApiError) -> Result<Reply, Refusal> {
    let run = client.show(id).await?;
    let Some(question) = &run.question else {
        return Err(ClientError::Api(error.clone()).into());
    };
    Ok(Reply::new(clean::line(&error.message, 300))
        .next("call `answer` again with one that the question takes")
        .data(
            &format!("question of {}", run.id),
            &tell::question(question),
        )
        .failed(true))
}
