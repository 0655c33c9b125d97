//! The modules of programs that are no PowerShell, from sign-in to sign-out: a real bash, and stand-ins for `az`, `m365` and `pac`
//! (`fixtures/programs/`) first on its `PATH`. `tests/programs/run` drives the real `az` and `m365`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon, finish};

/// The module, its program, a command that the service has to answer, and what its text shows.
const MODULES: [(&str, &str, &str, &str); 3] = [
    ("az", "az", "az group list", "rg-production"),
    ("m365", "m365", "m365 spo site list", "Team 3"),
    (
        "powerplatform",
        "pac",
        "pac env list",
        "contoso.crm4.dynamics.com",
    ),
];

const CODE: &str = "C4NTS7K9Q";

/// A daemon that finds the stand-ins, and the tenant that they ask.
struct World {
    daemon: TestDaemon,
}

impl World {
    /// With the connections `Contoso` and `Fabrikam`, and a user who approves at once.
    fn new() -> Self {
        let daemon = TestDaemon::new();
        let connection = |tenant: &str, id: &str, account: &str| {
            json!({
                "tenant": tenant,
                "tenantId": id,
                "expectedEmail": account,
                "appId": "11111111-2222-3333-4444-555555555555",
            })
        };
        let connections = json!({"connections": {
            "Contoso": connection("contoso.com", "aaaabbbb-0000-cccc-1111-dddd2222eeee", "ada@contoso.com"),
            "Fabrikam": connection("fabrikam.com", "ffff0000-0000-4000-8000-eeee1111dddd", "bob@fabrikam.com"),
        }});
        std::fs::write(daemon.path("connections.json"), connections.to_string())
            .expect("the folder can be written");
        std::fs::create_dir(daemon.path("programs")).expect("the folder can be written");
        let world = Self { daemon };
        for file in ["az", "m365", "pac", "entra.sh"] {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programs");
            world.link(&program.join(file), file);
        }
        world.tenant("approved", "ada@contoso.com", 1);
        world
    }

    fn link(&self, target: &Path, name: &str) {
        std::os::unix::fs::symlink(target, self.daemon.path("programs").join(name))
            .expect("the folder can be written");
    }

    /// What the tenant says from now on. An account's tenant follows from its domain.
    fn tenant(&self, outcome: &str, account: &str, generation: u32) {
        let tenant = if account.ends_with("@contoso.com") {
            "aaaabbbb-0000-cccc-1111-dddd2222eeee"
        } else {
            "ffff0000-0000-4000-8000-eeee1111dddd"
        };
        let text = format!(
            "account={account}\ntenant={tenant}\noutcome={outcome}\ngeneration={generation}\n"
        );
        // Whole at every moment: the stand-ins read it while they wait.
        let new = self.daemon.path("programs/tenant.new");
        std::fs::write(&new, text).expect("the folder can be written");
        std::fs::rename(new, self.daemon.path("programs/tenant"))
            .expect("the folder can be written");
    }

    /// `mm` with only the stand-ins and the system's programs to find.
    fn mm(&self, arguments: &[&str]) -> Finished {
        let mut command = self.daemon.mm(arguments);
        let mut path = self.daemon.path("programs").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        command.env("PATH", path);
        finish(command, b"")
    }

    fn run(&self, connection: &str, module: &str, command: &str) -> Finished {
        self.mm(&["run", "-c", connection, "-m", module, command])
    }

    fn disconnect(&self, connection: &str, module: &str) {
        let ended = self.mm(&["disconnect", "-c", connection, "-m", module]);
        assert_eq!(ended.code, 0, "{module}: {ended:?}");
    }

    fn home(&self, connection: &str, module: &str) -> PathBuf {
        self.daemon
            .path(&format!("state/homes/{module}@{connection}"))
    }

    /// The files below a session's home that hold an account.
    fn kept(&self, connection: &str, module: &str) -> Vec<PathBuf> {
        let mut folders = vec![self.home(connection, module)];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.expect("the entry can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains('@')) {
                    found.push(path);
                }
            }
        }
        found
    }
}

#[test]
fn a_program_is_signed_in_once_and_proven() {
    let world = World::new();
    for (module, _, command, shows) in MODULES {
        let first = world.run("Contoso", module, command);
        assert_eq!(first.code, 0, "{module}: {first:?}");
        assert!(first.stderr.contains(CODE), "{module}: {first:?}");
        assert!(first.stdout.contains(shows), "{module}: {first:?}");
        let second = world.mm(&["run", "-c", "Contoso", "-m", module, "--json", command]);
        assert!(!second.stderr.contains(CODE), "{module}: {second:?}");
        let report: Value = serde_json::from_str(&second.stdout).expect("it is JSON");
        assert_eq!(report["account"], "ada@contoso.com", "{module}: {report}");
        assert_eq!(
            report["tenant"], "aaaabbbb-0000-cccc-1111-dddd2222eeee",
            "{module}: {report}"
        );
        assert_eq!(report["outcome"], "succeeded", "{module}: {report}");
        if module != "powerplatform" {
            // What the program prints is JSON; pac's is not.
            let said = report["objects"][0].to_string();
            assert!(said.contains(shows), "{module}: {report}");
        }
        world.disconnect("Contoso", module);
        assert_eq!(
            world.kept("Contoso", module),
            Vec::<PathBuf>::new(),
            "{module}"
        );
    }
}

#[test]
fn a_program_that_keeps_its_sign_in_comes_back_without_a_code() {
    let world = World::new();
    for (module, _, command, _) in MODULES {
        let first = world.run("Contoso", module, command);
        assert_eq!(first.code, 0, "{module}: {first:?}");
    }
    // Nothing is lost, so nothing has to be forced.
    let stopped = world.mm(&["daemon", "stop"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    // Whoever asked for a code now would wait for ever.
    world.tenant("pending", "ada@contoso.com", 1);
    for (module, _, command, shows) in MODULES {
        let back = world.run("Contoso", module, command);
        assert_eq!(back.code, 0, "{module}: {back:?}");
        assert!(!back.stderr.contains(CODE), "{module}: {back:?}");
        assert!(back.stdout.contains(shows), "{module}: {back:?}");
    }
}

#[test]
fn a_kept_sign_in_that_was_revoked_asks_for_a_new_code() {
    let world = World::new();
    for (module, _, command, _) in MODULES {
        let first = world.run("Contoso", module, command);
        assert_eq!(first.code, 0, "{module}: {first:?}");
    }
    let stopped = world.mm(&["daemon", "stop"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    world.tenant("approved", "ada@contoso.com", 2);
    for (module, _, command, shows) in MODULES {
        let back = world.run("Contoso", module, command);
        assert_eq!(back.code, 0, "{module}: {back:?}");
        assert!(back.stderr.contains(CODE), "{module}: {back:?}");
        assert!(back.stdout.contains(shows), "{module}: {back:?}");
    }
}

#[test]
fn a_token_that_dies_is_an_error_of_the_command() {
    let world = World::new();
    for (number, (module, _, command, _)) in (1..).zip(MODULES) {
        let first = world.run("Contoso", module, command);
        assert_eq!(first.code, 0, "{module}: {first:?}");
        world.tenant("approved", "ada@contoso.com", number + 1);
        let failed = world.run("Contoso", module, command);
        assert_eq!(failed.code, 1, "{module}: {failed:?}");
        // Whoever signs in anew works on.
        world.disconnect("Contoso", module);
        let again = world.run("Contoso", module, command);
        assert_eq!(again.code, 0, "{module}: {again:?}");
        assert!(again.stderr.contains(CODE), "{module}: {again:?}");
    }
}

#[test]
fn somebody_else_is_refused_and_signed_out() {
    let world = World::new();
    world.tenant("approved", "bob@fabrikam.com", 1);
    for (module, _, command, _) in MODULES {
        let refused = world.run("Contoso", module, command);
        assert_eq!(refused.code, 3, "{module}: {refused:?}");
        assert!(
            refused.stderr.contains("bob@fabrikam.com")
                && refused.stderr.contains("ada@contoso.com"),
            "{module}: {refused:?}"
        );
        assert_eq!(refused.stdout, "", "{module}: nothing ran");
        assert_eq!(
            world.kept("Contoso", module),
            Vec::<PathBuf>::new(),
            "{module}"
        );
    }
}

#[test]
fn a_refusal_is_named_and_says_what_to_do() {
    let world = World::new();
    // m365 shows MSAL's word for the error only, so being blocked has no name there.
    let known = [
        ("declined", ["declined", "declined", "declined"]),
        ("expired", ["code-expired", "code-expired", "code-expired"]),
        (
            "blocked",
            [
                "blocked-by-policy",
                "refused-by-service",
                "blocked-by-policy",
            ],
        ),
    ];
    for (outcome, names) in known {
        world.tenant(outcome, "ada@contoso.com", 1);
        for ((module, ..), name) in MODULES.into_iter().zip(names) {
            let refused = world.mm(&["login", "-c", "Contoso", "-m", module, "--json"]);
            assert_eq!(refused.code, 3, "{module}: {refused:?}");
            assert!(refused.stdout.contains(name), "{module}: {refused:?}");
            assert!(
                !refused.stdout.contains("without saying"),
                "{module}: {refused:?}"
            );
        }
    }
}

#[test]
fn an_application_signs_in_and_its_secret_is_in_no_argument() {
    let world = World::new();
    let secret = "it's $HOME `id` \\ \"quoted\"";
    let text = std::fs::read_to_string(world.daemon.path("programs/tenant")).expect("it is there");
    std::fs::write(
        world.daemon.path("programs/tenant"),
        format!("{text}secret={secret}\n"),
    )
    .expect("it is ours");
    let file = world.daemon.path("secret");
    std::fs::write(&file, secret).expect("the folder can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let app = "11111111-2222-3333-4444-555555555555";
    let connections = json!({"connections": {"Contoso": {
        "tenant": "contoso.com",
        "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
        "expectedEmail": "ada@contoso.com",
        "appId": app,
        "signIn": {"way": "client_secret", "clientSecret": format!("file:{}", file.display())},
    }}});
    let connections_file = world.daemon.path("connections.json");
    std::fs::write(&connections_file, connections.to_string()).expect("it can be written");
    for (module, _, command, shows) in &MODULES[..2] {
        let asked = world.run("Contoso", module, command);
        assert_eq!(asked.code, 0, "{module}: {asked:?}");
        assert!(!asked.stderr.contains(CODE), "{module}: {asked:?}");
        assert!(asked.stdout.contains(shows), "{module}: {asked:?}");
        let status = world.mm(&["status", "--json"]);
        assert!(status.stdout.contains(app), "{module}: {status:?}");
        // The stand-ins take a secret from a file only.
        world.disconnect("Contoso", module);
    }
    std::fs::write(&file, "another").expect("it is ours");
    for (module, ..) in &MODULES[..2] {
        let refused = world.mm(&["login", "-c", "Contoso", "-m", module, "--json"]);
        assert_eq!(refused.code, 3, "{module}: {refused:?}");
        assert!(!refused.stdout.contains("another"), "{module}: {refused:?}");
    }
}

#[test]
fn two_connections_never_share_a_sign_in() {
    let world = World::new();
    for (module, _, command, _) in MODULES {
        world.tenant("approved", "ada@contoso.com", 1);
        let first = world.run("Contoso", module, command);
        assert_eq!(first.code, 0, "{module}: {first:?}");
        world.tenant("approved", "bob@fabrikam.com", 1);
        let second = world.run("Fabrikam", module, command);
        assert_eq!(second.code, 0, "{module}: {second:?}");
        assert!(second.stderr.contains(CODE), "{module}: {second:?}");
        for (connection, account) in [
            ("Contoso", "ada@contoso.com"),
            ("Fabrikam", "bob@fabrikam.com"),
        ] {
            let kept = world.kept(connection, module);
            assert_eq!(kept.len(), 1, "{module}: {kept:?}");
            let text = std::fs::read_to_string(&kept[0]).expect("it can be read");
            assert!(text.contains(account), "{module}: {text}");
        }
    }
}

#[test]
fn a_sign_in_that_is_cancelled_costs_nothing() {
    let world = World::new();
    world.tenant("pending", "ada@contoso.com", 1);
    for (module, _, command, _) in MODULES {
        let login = world.mm(&["login", "-c", "Contoso", "-m", module, "--no-wait"]);
        assert_eq!(login.code, 3, "{module}: {login:?}");
        world.disconnect("Contoso", module);
        world.tenant("approved", "ada@contoso.com", 1);
        let again = world.run("Contoso", module, command);
        assert_eq!(again.code, 0, "{module}: {again:?}");
        world.tenant("pending", "ada@contoso.com", 1);
    }
}

#[test]
fn the_stand_in_for_powershell_does_not_play_a_program() {
    let daemon = TestDaemon::new();
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "az", "az group list"]);
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("stands in"), "{refused:?}");
}

#[test]
fn a_program_that_is_not_installed_is_named() {
    let world = World::new();
    for (module, program, ..) in MODULES {
        std::fs::remove_file(world.daemon.path("programs").join(program)).expect("it is there");
        // Only what a session itself needs: the machine may have the real program.
        let only = world.daemon.path(&format!("only-{module}"));
        std::fs::create_dir(&only).expect("the folder can be written");
        std::os::unix::fs::symlink("/bin/bash", only.join("bash")).expect("it can be written");
        let stopped = world.mm(&["daemon", "stop", "--force"]);
        assert!(stopped.code == 0 || stopped.code == 8, "{stopped:?}");
        let mut command = world.daemon.mm(&["login", "-c", "Contoso", "-m", module]);
        command.env("PATH", &only);
        let refused = finish(command, b"");
        assert_eq!(refused.code, 3, "{module}: {refused:?}");
        assert!(
            refused
                .stderr
                .contains(&format!("{program}: command not found")),
            "{module}: {refused:?}"
        );
        assert!(refused.stderr.contains("PATH"), "{module}: {refused:?}");
    }
}
