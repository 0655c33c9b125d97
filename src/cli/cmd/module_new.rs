//! `mm modules new`: a commented module file from a few answers, judged at once as the daemon would judge it.

use std::io::Write as _;
use std::path::Path;

use super::connections::answer;
use crate::cli::args::NewModuleArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::name::ModuleName;
use crate::spec::{Catalog, check_file};

/// Writes the file of a new module into `folder`. At a terminal, what is not given is asked for.
pub(crate) fn new(
    mut args: NewModuleArgs,
    folder: &Path,
    catalog: &Catalog,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let name: ModuleName = args.name.parse().map_err(|error: crate::name::NameError| {
        CliError::usage(error.to_string(), error.help())
    })?;
    let file = folder.join(format!("{name}.yaml"));
    // Before anybody is asked.
    if file.exists() {
        return Err(CliError::usage(
            format!("there is already a file `{}`", file.display()),
            "edit it, or choose another name",
        ));
    }
    if screen.asks_people() {
        ask(&mut args, screen)?;
    }
    let text = written(&name, &args)?;
    write(&file, &text).map_err(|source| CliError::Io {
        what: format!("`{}` cannot be written", file.display()),
        source,
    })?;
    screen.text(&format!("{} is written", file.display()))?;
    match check_file(&file, catalog) {
        Ok(checked) => {
            if checked.warnings.iter().next().is_some() {
                screen.text(&checked.warnings.render(false))?;
            }
        }
        Err(findings) => {
            screen.text(&findings.render(false))?;
            screen.note(&format!(
                "mend it, then: mm modules check '{}'",
                file.display()
            ));
            return Ok(Exit::BadSpec);
        }
    }
    screen.note(&format!(
        "`mm modules show {name}` says what it does; `mm run -c CONNECTION -m {name} COMMAND` tries it"
    ));
    Ok(Exit::Done)
}

fn ask(args: &mut NewModuleArgs, screen: &mut Screen) -> Result<(), CliError> {
    let mut fill = |value: &mut Option<String>, question: &str| -> Result<(), CliError> {
        if value.is_none() {
            *value = answer(question, screen)?;
        }
        Ok(())
    };
    fill(&mut args.title, "What people call it")?;
    fill(
        &mut args.shell,
        "The shell it runs in: pwsh or bash; empty for pwsh",
    )?;
    fill(
        &mut args.connect,
        "The command that signs in; empty if it needs none",
    )?;
    if args.connect.is_none() {
        return fill(
            &mut args.run,
            "What a command is put into, such as sqlite3 my.db {command}; empty if it goes in as it is",
        );
    }
    fill(
        &mut args.identity,
        "The command that tells who is signed in",
    )?;
    fill(
        &mut args.account,
        "The property that names the account; empty for Account",
    )?;
    fill(
        &mut args.tenant,
        "The property that names the tenant; empty for TenantId",
    )?;
    fill(
        &mut args.proof,
        "A command that only a living sign-in can answer; empty for none",
    )?;
    fill(
        &mut args.disconnect,
        "The command that signs out; empty for none",
    )
}

/// Made whole or not at all: a file that is there is somebody's work.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)?;
    file.write_all(text.as_bytes())
}

/// How a new file shows what `needs` is for: with the program that it begins with, where that is a name.
fn needs(args: &NewModuleArgs) -> Vec<String> {
    let command = args.run.as_deref().or(args.connect.as_deref());
    let word = command.and_then(|command| command.split_whitespace().next());
    let is_name = |word: &&str| {
        let mut bytes = word.bytes();
        bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    let program = word.filter(is_name).unwrap_or("my-program");
    vec![
        "# What has to be installed: `mm doctor` looks for it, and `mm modules keys needs` says more.".to_owned(),
        "# needs:".to_owned(),
        format!("#   - program: {program}"),
        format!("#     install: Install it from where it comes from, and see that `{program}` is on the PATH."),
        "#     version: {ask: [--version]}".to_owned(),
    ]
}

/// A program that takes a command as an argument runs in bash.
fn usual_shell(args: &NewModuleArgs) -> &'static str {
    if args.run.is_some() { "bash" } else { "pwsh" }
}

/// The file's text.
fn written(name: &ModuleName, args: &NewModuleArgs) -> Result<String, CliError> {
    let value =
        |value: &Option<String>, otherwise: &str| quoted(value.as_deref().unwrap_or(otherwise));
    let mut lines = vec![
        format!("# What this module does in words: mm modules show {name}"),
        "# Every key there is: mm modules keys; for editors that read a schema: mm modules schema".to_owned(),
        format!("module: {name}"),
        format!("title: {}", value(&args.title, name.as_str())),
        "# How its program is started and how commands go in: `pwsh`, `bash`, or a file of your own in shells/.".to_owned(),
        format!("shell: {}", value(&args.shell, usual_shell(args))),
    ];
    if let Some(run) = &args.run {
        lines.push("# What a person's command is put into, quoted.".to_owned());
        lines.push(format!("run: {}", quoted(run)));
    }
    let needs = needs(args);
    let Some(connect) = &args.connect else {
        if args.identity.is_some() || args.proof.is_some() || args.disconnect.is_some() {
            return Err(CliError::usage(
                "a module that signs in needs the command that does",
                "give it with --connect",
            ));
        }
        lines.extend(needs);
        return Ok(lines.join("\n") + "\n");
    };
    let Some(identity) = &args.identity else {
        return Err(CliError::usage(
            "a module that signs in needs a command that tells who is signed in",
            "give it with --identity: one object with the account and the tenant",
        ));
    };
    lines.extend(
        [
            "",
            "sign_in:",
            "  # Microsoft's device-code prompts and what its errors mean. Leave it out for another service.",
            "  include: [microsoft]",
            "  # Holes, each filled as a quoted text: {tenant}, {tenant_id}, {sharepoint_host}, {app_id}, {expected_email}.",
            "  ways:",
            "    - name: device_code",
        ]
        .map(str::to_owned),
    );
    lines.push(format!("      connect: {}", quoted(connect)));
    lines.push("      within: 15m".to_owned());
    lines.push("  # One object, with these properties. Nobody runs a command before it fits the connection.".to_owned());
    lines.push("  identity:".to_owned());
    lines.push(format!("    command: {}", quoted(identity)));
    lines.push(format!("    account: {}", value(&args.account, "Account")));
    lines.push(format!("    tenant: {}", value(&args.tenant, "TenantId")));
    if let Some(proof) = &args.proof {
        lines.push("  # Asks the service: an identity may outlive its token.".to_owned());
        lines.push(format!("  proof: {}", quoted(proof)));
    }
    if let Some(disconnect) = &args.disconnect {
        lines.push(format!("  disconnect: {}", quoted(disconnect)));
    }
    lines.extend(
        [
            "  # What failures mean, where the shared table does not say it:",
            "  # failures:",
            "  #   - pattern: 'no such customer'",
            "  #     name: customer-unknown",
            "  #     advice: Look for a typing error in the connection's tenant.",
        ]
        .map(str::to_owned),
    );
    lines.push(String::new());
    lines.extend(needs);
    lines.extend(
        [
            "",
            "# Limits that people should know of, and what you could not verify:",
            "# notes:",
            "#   - 'Not verified: what it says where a code has expired.'",
        ]
        .map(str::to_owned),
    );
    Ok(lines.join("\n") + "\n")
}

/// A YAML text in single quotes; a line end in it would be a space.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
