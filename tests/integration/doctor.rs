//! `mm doctor` with a made-up PATH and home: real programs, stand-ins for those of a machine, and daemons that are not ours.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon, faketime, finish, told};

/// A machine: what is in the only folder of its PATH.
struct Machine {
    daemon: TestDaemon,
}

/// What `mm doctor --json` said.
struct Report {
    all: Finished,
    findings: Vec<Value>,
}

impl Machine {
    /// With bash, which every machine has.
    fn new() -> Self {
        let daemon = TestDaemon::new();
        fs::create_dir_all(daemon.path("bin")).expect("a new folder");
        symlink("/bin/bash", daemon.path("bin/bash")).expect("a new link");
        Self { daemon }
    }

    /// With a PowerShell that says this version.
    fn with_pwsh(version: &str) -> Self {
        let machine = Self::new();
        machine.program("pwsh", &format!("echo PowerShell {version}"));
        machine
    }

    /// A program on the PATH: these lines of shell.
    fn program(&self, name: &str, lines: &str) {
        self.file(&format!("bin/{name}"), &format!("#!/bin/sh\n{lines}\n"));
    }

    /// A file that can be executed.
    fn file(&self, path: &str, text: &str) -> PathBuf {
        let file = self.daemon.path(path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a new folder");
        fs::write(&file, text).expect("a new file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("it is ours");
        file
    }

    /// A PowerShell module, `NAME/VERSION`.
    fn module(&self, path: &str) {
        let modules = self.daemon.path(".local/share/powershell/Modules");
        fs::create_dir_all(modules.join(path)).expect("a new folder");
    }

    fn doctor(&self) -> Report {
        self.doctor_with(&[])
    }

    /// With these variables besides.
    fn doctor_with(&self, variables: &[(&str, &str)]) -> Report {
        let mut command = self.daemon.mm(&["doctor", "--json"]);
        command.env("PATH", self.daemon.path("bin"));
        command.envs(variables.iter().copied());
        let all = finish(command, b"");
        let report: Value = serde_json::from_str(&all.stdout).expect("it is JSON");
        let findings = report["findings"].as_array().expect("a list").clone();
        Report { all, findings }
    }
}

impl Report {
    /// The level and help of the finding about this whose message holds `says`.
    fn finding(&self, about: &str, says: &str) -> (&str, &str) {
        let found = self.finds(about, says);
        let found = found.unwrap_or_else(|| panic!("{about}: {says}: {:#?}", self.findings));
        (
            found["level"].as_str().expect("a word"),
            found["help"].as_str().unwrap_or_default(),
        )
    }

    fn finds(&self, about: &str, says: &str) -> Option<&Value> {
        let message = |one: &Value| one["message"].as_str().unwrap_or_default().to_owned();
        let mut all = self.findings.iter();
        all.find(|one| one["about"] == about && message(one).contains(says))
    }
}

#[test]
fn it_says_what_is_wrong_and_how_to_mend_it() {
    let machine = Machine::new();
    let bare = machine.doctor();
    assert_eq!(bare.all.code, 1, "{:?}", bare.all);
    let (level, help) = bare.finding("pwsh", "not installed");
    assert!(level == "error" && help.contains("7.4"), "{help}");
    assert_eq!(bare.finding("modules", "no module finds all").0, "warning");
    assert_eq!(bare.finding("daemon", "not running").0, "ok");

    machine.program("pwsh", "echo PowerShell 7.6.5");
    for version in [
        "ExchangeOnlineManagement/3.9.2",
        "PnP.PowerShell/3.1.0",
        "Microsoft.Graph.Authentication/2.40.0",
    ] {
        machine.module(version);
    }
    fs::write(
        machine.daemon.path("connections.json"),
        r#"{"connections": {"A": {"tenant": 7}, "B": {"tenant": "b.com"}}}"#,
    )
    .expect("it is ours");
    let some = machine.doctor();
    assert_eq!(some.all.code, 1, "{:?}", some.all);
    assert_eq!(some.finding("pwsh", "7.6.5").0, "ok");
    assert_eq!(some.finding("exo", "3.9.2").0, "ok");
    assert_eq!(some.finding("pnp", "3.1.0 needs a desktop").0, "error");
    assert_eq!(some.finding("graph", "2.40.0").0, "ok");
    let (level, help) = some.finding("teams", "not installed");
    assert!(
        level == "note" && help.contains("Install-PSResource MicrosoftTeams"),
        "{help}"
    );
    assert_eq!(some.finding("connections", "A: ").0, "error");
    assert_eq!(some.finding("connections", "B: ").0, "warning");
    assert_eq!(some.finding("connections", "1 can be used").0, "ok");
}

#[test]
fn a_sound_machine_is_told_so() {
    let machine = Machine::with_pwsh("7.6.5");
    machine.module("ExchangeOnlineManagement/3.10.1");
    machine.daemon.sign_in();
    let sound = machine.doctor();
    assert_eq!(sound.all.code, 0, "{:?}", sound.all);
    assert_eq!(sound.finding("daemon", "1 signed in").0, "ok");
    assert!(sound.finds("daemon", "another build").is_none());
    let mut shown = machine.daemon.mm(&["doctor"]);
    shown.env("PATH", machine.daemon.path("bin"));
    let shown = finish(shown, b"");
    assert!(shown.stdout.ends_with("warnings: 0\n"), "{shown:?}");

    let state = machine.daemon.path("state");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let open = machine.doctor();
    assert_eq!(open.all.code, 1, "{:?}", open.all);
    assert!(
        open.finding("state", "others can look")
            .1
            .contains("chmod 700")
    );
}

/// As programs read it, with what differs from machine to machine taken out.
#[test]
fn its_json_stays_as_it_is() {
    let machine = Machine::with_pwsh("7.6.5");
    machine.module("ExchangeOnlineManagement/3.10.1");
    let report = machine.doctor_with(&[("LANG", "C.UTF-8")]);
    let folder = machine.daemon.path("");
    let folder = folder.to_string_lossy();
    let home = folder.trim_end_matches('/').to_owned();
    let program = env!("CARGO_BIN_EXE_mm");
    insta::with_settings!({ filters => vec![
        (regex::escape(&home).as_str(), "[home]"),
        (regex::escape(program).as_str(), "[mm]"),
        (r"bash \d+(\.\d+)+", "bash [version]"),
    ]}, {
        insta::assert_snapshot!(report.all.stdout);
    });
}

#[test]
fn versions_that_do_not_work_are_named_with_a_way_out() {
    let machine = Machine::with_pwsh("7.5.2");
    for version in [
        "ExchangeOnlineManagement/3.10.1",
        "Az.Accounts/3.0.0",
        "MicrosoftTeams/8.0.0",
        "Microsoft.Graph.Authentication/2.33.0",
        "Microsoft.Graph.Authentication/2.35.1",
    ] {
        machine.module(version);
    }
    let report = machine.doctor();
    assert_eq!(report.all.code, 1, "{:?}", report.all);
    let (level, help) = report.finding("exo", "3.10.1 needs PowerShell 7.6");
    assert!(level == "error" && help.contains("3.9.2"), "{help}");
    assert_eq!(
        report.finding("azure", "3.0.0 fails with device codes").0,
        "error"
    );
    assert_eq!(
        report.finding("teams", "8.0.0 is of a new major version").0,
        "warning"
    );
    assert_eq!(
        report.finding("graph", "fails after a good sign-in").0,
        "error"
    );
    assert_eq!(
        report.finding("graph", "2 versions").1,
        "remove all but 2.35.1"
    );

    let old = Machine::with_pwsh("7.2.0").doctor();
    assert_eq!(old.finding("pwsh", "too old: 7.4 or later").0, "error");
    let broken = Machine::new();
    broken.program("pwsh", "exit 1");
    let broken = broken.doctor();
    assert_eq!(
        broken.finding("pwsh", "does not say its version").0,
        "error"
    );
}

/// What `az`, `m365` and `pac` are is read from their packages; they are not started.
#[test]
fn programs_and_their_versions_are_read_from_disk() {
    let machine = Machine::new();
    // Any of them would fail the test if it were started.
    let program = "#!/bin/sh\ntouch \"$HOME/was-started\"\n";
    let link = |target: PathBuf, name: &str| {
        let bin = machine.daemon.path("bin");
        symlink(target, bin.join(name)).expect("a new link");
    };
    link(machine.file("azure/bin/az", program), "az");
    let packages = "azure/lib/python3.12/site-packages";
    machine.file(
        &format!("{packages}/azure_cli-2.91.0.dist-info/METADATA"),
        "",
    );
    let m365 = "node_modules/@pnp/cli-microsoft365";
    link(
        machine.file(&format!("{m365}/dist/index.js"), program),
        "m365",
    );
    machine.file(
        &format!("{m365}/package.json"),
        r#"{"name": "@pnp/cli-microsoft365", "version": "10.1.0"}"#,
    );
    machine.program("node", "echo v18.20.0");
    link(machine.file(".dotnet/tools/pac", program), "pac");
    machine.file(
        ".dotnet/tools/.store/microsoft.powerapps.cli.tool/1.30.3/x",
        "",
    );
    let report = machine.doctor();
    assert_eq!(report.finding("az", "2.91.0").0, "ok");
    assert_eq!(report.finding("m365", "10.1.0").0, "ok");
    assert_eq!(report.finding("m365", "node 18.20.0 is too old").0, "error");
    let (level, help) = report.finding("powerplatform", "1.30.3");
    assert!(
        level == "error" && help.contains("dotnet tool update"),
        "{help}"
    );
    // A machine for `az` needs no PowerShell.
    assert_eq!(report.finding("pwsh", "not installed").0, "note");
    assert_eq!(report.finding("mcp", "with the argument mcp").0, "note");
    assert_eq!(report.finding("terminal", "not UTF-8").0, "note");
    assert!(!machine.daemon.path("was-started").exists());
}

#[test]
fn a_module_of_ones_own_is_judged_as_the_built_in_ones_are() {
    let machine = Machine::new();
    machine.program("shop", "echo 'shop of libc 9.9, version 2.3.1'");
    let write = |extra: &str| {
        let text = format!(
            "module: shop\ntitle: The shop\nshell: bash\nrun: shop {{command}}\nneeds:\n  - program: shop\n    install: \
             Install shop.\n    version: {{ask: [--version], pattern: 'version (?<version>[0-9.]+)'}}\n{extra}"
        );
        machine.file(".config/mm/modules.d/shop.yaml", &text);
    };
    write("");
    assert_eq!(machine.doctor().finding("shop", "shop 2.3.1 (").0, "ok");
    write("    at_least: '2.10'\n");
    let report = machine.doctor();
    let (level, help) = report.finding("shop", "shop 2.3.1 is too old: 2.10 or later");
    assert!(level == "error" && help == "Install shop.", "{help}");
    write("    bad:\n      - {below: '2.4', why: forgets who signed in, advice: use 2.4}\n");
    let report = machine.doctor();
    assert_eq!(report.finding("shop", "2.3.1 forgets who").1, "use 2.4");
    fs::remove_file(machine.daemon.path("bin/shop")).expect("it is ours");
    let missing = machine.doctor();
    let expected = ("note", "Install shop.");
    assert_eq!(missing.finding("shop", "the program shop is not"), expected);

    write("    titel: x\n");
    let broken = machine.doctor();
    assert_eq!(broken.all.code, 1, "{:?}", broken.all);
    let (level, help) = broken.finding("shop", "cannot be used");
    assert!(
        level == "error" && help.contains("mm modules check"),
        "{help}"
    );
}

/// `loginctl` and `timedatectl` as systemd has them, and as machines without it do not.
#[test]
fn logouts_and_clocks_are_asked_for() {
    let machine = Machine::new();
    assert!(machine.doctor().finds("linger", "").is_none());
    let me = fs::metadata(machine.daemon.path("bin")).expect("it is there");
    let me = std::os::unix::fs::MetadataExt::uid(&me);
    machine.program(
        "loginctl",
        &format!("[ \"$*\" = 'show-user {me} -p Linger --value' ] && echo no"),
    );
    machine.program("timedatectl", "echo no");
    let report = machine.doctor();
    let (level, help) = report.finding("linger", "the last logout may end the daemon");
    assert_eq!((level, help), ("warning", "loginctl enable-linger"));
    assert_eq!(report.finding("clock", "not synchronized").0, "warning");
    let socket = [("MM_SOCKET", "/run/user/0/mm.sock")];
    let report = machine.doctor_with(&socket);
    assert_eq!(
        report.finding("linger", "removes the daemon's socket").0,
        "warning"
    );

    machine.program("loginctl", "echo yes");
    machine.program("timedatectl", "echo yes");
    let report = machine.doctor();
    assert!(report.finds("linger", "").is_none() && report.finds("clock", "").is_none());
    machine.program("loginctl", "exit 1");
    assert!(machine.doctor().finds("linger", "").is_none());
}

#[test]
fn a_clock_that_is_behind_is_an_error() {
    let Some(library) = faketime() else {
        told("libfaketime is not installed");
        return;
    };
    let machine = Machine::new();
    let library = library.to_string_lossy();
    let then = [("LD_PRELOAD", &*library), ("FAKETIME", "-3000d")];
    let report = machine.doctor_with(&then);
    let (level, help) = report.finding("clock", "h behind");
    assert!(
        level == "error" && help.contains("set this machine's clock"),
        "{help}"
    );
}

#[test]
fn what_the_environment_gives_to_sessions_is_told_by_name_only() {
    let machine = Machine::new();
    let proxy = [
        ("HTTPS_PROXY", "http://ada:hunter2@proxy:8080"),
        ("NO_PROXY", ""),
    ];
    let report = machine.doctor_with(&proxy);
    let (level, _) = report.finding("environment", "gives sessions HTTPS_PROXY");
    assert_eq!(level, "note");
    assert!(
        report.finds("environment", "NO_PROXY").is_none(),
        "it is empty"
    );
    assert!(!report.all.stdout.contains("hunter2"));
}

#[test]
fn a_state_folder_of_somebody_else_is_an_error() {
    let machine = Machine::new();
    let state = machine.daemon.path("state");
    fs::create_dir(&state).expect("a new folder");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("it is ours");
    assert_eq!(machine.doctor().finding("state", "state").0, "ok");
    if std::os::unix::fs::chown(&state, Some(12_345), None).is_err() {
        told("only root gives a folder away");
        return;
    }
    let report = machine.doctor();
    let (level, help) = report.finding("state", "belongs to the user with the number 12345");
    assert!(level == "error" && help.contains("without sudo"), "{help}");
}

#[test]
fn a_daemon_of_another_build_is_told_everywhere() {
    let machine = Machine::new();
    let copy = machine.daemon.path("mm");
    fs::copy(env!("CARGO_BIN_EXE_mm"), &copy).expect("it can be copied");
    let start = |text: &str| {
        let like = machine.daemon.mm(&[]);
        finish(machine.daemon.shell(&like, text), b"")
    };
    // The same bytes in another file are the same build.
    let started = start("./mm daemon start");
    assert_eq!(started.code, 0, "{started:?}");
    assert!(machine.doctor().finds("daemon", "another build").is_none());
    let other = start("./mm daemon stop && cp mm newer && echo >>newer && ./newer daemon start");
    assert_eq!(other.code, 0, "{other:?}");
    let report = machine.doctor();
    let (level, help) = report.finding("daemon", "another build of this version");
    assert!(
        level == "warning" && help.contains("mm daemon restart"),
        "{help}"
    );
    for verb in [&["status"][..], &["daemon", "status"]] {
        let said = machine.daemon.run(verb);
        assert!(
            said.stderr.contains("`mm daemon restart` starts this one"),
            "{said:?}"
        );
    }
    let before = machine.daemon.pid();
    let restarted = machine.daemon.run(&["daemon", "restart"]);
    assert_eq!(restarted.code, 0, "{restarted:?}");
    assert_ne!(machine.daemon.pid(), before);
    assert!(machine.doctor().finds("daemon", "another build").is_none());
}

#[test]
fn a_restart_loses_no_sign_in_unasked() {
    let machine = Machine::new();
    machine.daemon.sign_in();
    let before = machine.daemon.pid();
    let refused = machine.daemon.run(&["daemon", "restart"]);
    assert!(
        refused.code != 0 && refused.stderr.contains("with `--force`"),
        "{refused:?}"
    );
    assert_eq!(machine.daemon.pid(), before);
    let forced = machine.daemon.run(&["daemon", "restart", "--force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    assert_ne!(machine.daemon.pid(), before);
}

/// A stand-in for the daemon of an older release: it answers one question, and says its version.
#[test]
fn a_daemon_of_another_version_is_told() {
    let machine = Machine::new();
    let socket = machine.daemon.socket();
    fs::create_dir_all(socket.parent().expect("it lies in a folder")).expect("a new folder");
    let listener = UnixListener::bind(&socket).expect("a new socket");
    let info =
        json!({"version": "0.0.9", "pid": 1, "started_at": "2026-01-01T00:00:00Z"}).to_string();
    let served = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client comes");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).expect("a request comes whole");
            head.push(byte[0]);
        }
        let length = info.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nmm-version: 0.0.9\r\n\r\n{info}"
        );
        client
            .write_all(answer.as_bytes())
            .expect("the client reads");
    });
    let report = machine.doctor();
    let (level, help) = report.finding("daemon", "it is of version 0.0.9");
    assert!(
        level == "warning" && help.contains("mm daemon restart"),
        "{help}"
    );
    served.join().expect("it served");
}
