//! `output`: what a run has written, again: a page of it, lines of it, its objects in another shape, or a file of it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::run::{before, default_shape, more, sentence, wait_for};
use crate::api::{Mode, Run, RunState};
use crate::client::Client;
use crate::mcp::args::{Format, OutputArgs, page};
use crate::mcp::call::Call;
use crate::mcp::clean;
use crate::mcp::excerpt::{Found, Source, all, excerpt, search};
use crate::mcp::reply::{Refusal, Reply, a_call};
use crate::mcp::shape::Shape;
use crate::mcp::tell;

/// Shows output.
pub(in crate::mcp) async fn output(call: &Call, args: OutputArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let shown = read(call, &client, &args);
    tokio::select! {
        reply = shown => reply,
        () = call.left() => Err(Refusal::caller_left()),
    }
}

async fn read(call: &Call, client: &Client, args: &OutputArgs) -> Result<Reply, Refusal> {
    let run = client.show(&args.run_id).await?;
    let shape = shape(&run, args)?;
    let max = page(args.max_chars);
    let (made, note) = if run.mode == Mode::Records {
        let made = shape.show(&all(client, &run).await?);
        (Some(made.text), made.note)
    } else if args.search.is_some() || args.export {
        (Some(clean::text(&all(client, &run).await?)), String::new())
    } else {
        (None, String::new())
    };
    if let (true, Some(made)) = (args.export, &made) {
        return exported(&call.place().state_dir, &run, shape.format, made);
    }
    if let (Some(wanted), Some(made)) = (&args.search, &made) {
        return Ok(searched(&run, &search(made, wanted, max)));
    }
    let source = match &made {
        Some(made) => Source::Made(made),
        None => Source::Kept { client, run: &run },
    };
    let page = excerpt(&source, args.from, args.part, max).await?;
    // What was written as text has its errors in it.
    let errors = if made.is_some() && page.next.is_none() {
        tell::errors(&run, &page.body)
    } else {
        String::new()
    };
    if page.body.is_empty() && errors.is_empty() {
        return Ok(nothing(&run, &source));
    }
    let reply = Reply::new(format!("{}{note}", sentence(&run)));
    let reply = match page.next {
        Some(next) => reply.next(more(&run, &shape, next, page.missing)),
        None if page.before > 0 => reply.next(before(&run, &shape, page.before)),
        None => reply,
    };
    let body = format!("{}{errors}", page.body);
    Ok(reply.data(&format!("output of {}", run.id), &body))
}

fn searched(run: &Run, found: &Found) -> Reply {
    let lines = if found.count == 1 {
        "line has"
    } else {
        "lines have"
    };
    let all = if found.shown < found.count {
        format!(", and the first {} are shown", found.shown)
    } else {
        String::new()
    };
    let reply = Reply::new(format!(
        "Run {}: {} {lines} this text{all}.",
        run.id, found.count
    ));
    let reply = if found.shown < found.count {
        reply.next("search for more of the text, or with a larger max_chars")
    } else {
        reply
    };
    if found.count == 0 {
        return reply.next(a_call("output", &json!({"run_id": run.id})));
    }
    reply.data(&format!("lines of {}", run.id), &found.lines)
}

/// There is nothing at the place that was asked for: it is the end, or there never was anything.
fn nothing(run: &Run, source: &Source<'_>) -> Reply {
    let here = match source.length() {
        0 => "Nothing was written".to_owned(),
        length => format!("Nothing is there: its output ends at {length}"),
    };
    let reply = Reply::new(format!("{} {here}.", sentence(run)));
    if run.state == RunState::Ended {
        reply
    } else {
        reply.next(wait_for(run))
    }
}

fn shape(run: &Run, args: &OutputArgs) -> Result<Shape, Refusal> {
    let asked = Shape {
        format: args.format.unwrap_or_default(),
        select: args.select.clone(),
        first: args.first,
    };
    match run.mode {
        Mode::Records if asked.needs_records() => Ok(asked),
        Mode::Records => Ok(default_shape(run)),
        Mode::Text if asked.needs_records() => Err(Refusal::new(
            format!("run {} was made as text and has no objects", run.id),
            "`run` the command again with a format, if it only reads; or leave format, select and first out",
        )),
        Mode::Text => Ok(Shape::default()),
    }
}

/// Writes the output to a file in the state folder: a model does not choose where.
fn exported(state_dir: &Path, run: &Run, format: Format, text: &str) -> Result<Reply, Refusal> {
    let extension = match format {
        Format::Json => "jsonl",
        Format::Csv => "csv",
        Format::Text | Format::Count | Format::List => "txt",
    };
    let path = write(state_dir, &format!("{}.{extension}", run.id), text).map_err(|error| {
        Refusal::new(
            format!("the output cannot be written to a file: {error}"),
            "tell the person, or read it page by page",
        )
    })?;
    let so_far = if run.state == RunState::Ended {
        ""
    } else {
        " It goes on; this is what it had written so far."
    };
    Ok(Reply::new(format!(
        "Run {}: {} bytes are in `{}`.{so_far}",
        run.id,
        text.len(),
        path.display()
    ))
    .next("tell the person where it is; it holds what the tenant said, and is kept for 30 days"))
}

fn write(state_dir: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let folder = state_dir.join("exports");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let path = folder.join(name);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}
