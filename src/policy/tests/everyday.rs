//! What an administrator and an assistant do all day: reading asks nobody, and what changes something is called what it is.

use super::{bash_effects, effects, effects_in};

/// Every one of these only reads.
pub(super) static READS: &[&str] = &[
    "Get-Mailbox -ResultSize Unlimited | Select-Object DisplayName, PrimarySmtpAddress",
    "Get-EXOMailbox -PropertySets All -ResultSize 100 | Where-Object { $_.RecipientTypeDetails -eq 'SharedMailbox' }",
    "Get-Mailbox | Where-Object { $_.ForwardingSmtpAddress -ne $null } | Format-Table Name, ForwardingSmtpAddress",
    "Get-InboxRule -Mailbox user@contoso.com | Format-List Name, ForwardTo, RedirectTo",
    "Get-MailboxPermission user | ? { $_.User -notlike 'NT AUTHORITY*' }",
    "Get-TransportRule | Sort-Object Priority | ft Name, State",
    "Get-MessageTraceV2 -RecipientAddress a@b.c -StartDate (Get-Date).AddDays(-2) -EndDate (Get-Date)",
    "Search-UnifiedAuditLog -StartDate (Get-Date).AddDays(-7) -EndDate (Get-Date) -Operations New-InboxRule -ResultSize 500",
    "Get-MailboxStatistics user | Select-Object @{n='GB';e={[math]::Round($_.TotalItemSize.Value.ToString().Split('(')[1].Split(' ')[0].Replace(',','') / 1GB, 2)}}",
    "Get-DistributionGroupMember 'All staff' | Measure-Object",
    "Get-AcceptedDomain; Get-RemoteDomain | Select-Object Name, AutoForwardEnabled",
    "Get-HostedOutboundSpamFilterPolicy | fl AutoForwardingMode",
    "Get-MobileDeviceStatistics -Mailbox user | Group-Object DeviceModel",
    "Get-CASMailbox user | ConvertTo-Json",
    "Get-QuarantineMessage -StartReceivedDate (Get-Date).AddDays(-1) | Select-Object -First 20",
    "$m = Get-Mailbox -ResultSize 10; foreach ($x in $m) { Get-MailboxStatistics $x.Identity }",
    "$r = @(); foreach ($m in Get-Mailbox) { $r += [pscustomobject]@{ Name = $m.Name; Size = (Get-MailboxStatistics $m).TotalItemSize } }; $r | Sort-Object Size",
    "$list = [System.Collections.Generic.List[object]]::new(); Get-Mailbox | ForEach-Object { $list.Add($_) }; $list.Count",
    "try { Get-Mailbox nobody -ErrorAction Stop } catch { Write-Warning $_.Exception.Message }",
    "Get-ConnectionInformation | Select-Object UserPrincipalName, TenantID, State",
    "Get-RoleGroupMember 'Organization Management'",
    "Get-ManagementRoleAssignment -RoleAssignee admin | Format-Table Role",
    "Get-RetentionCompliancePolicy | Select-Object Name, Enabled",
    "Get-DlpCompliancePolicy; Get-Label",
    "Get-ComplianceSearch | ? Status -eq 'Completed'",
    "Get-AzSubscription | Select-Object Name, Id",
    "Get-AzVM -Status | Select-Object Name, ResourceGroupName, PowerState",
    "Get-AzRoleAssignment -Scope /subscriptions/x | Where-Object RoleDefinitionName -eq 'Owner'",
    "Get-AzResource -ResourceType Microsoft.Storage/storageAccounts",
    "Get-AzStorageAccount | Where-Object { $_.AllowBlobPublicAccess } | Select-Object StorageAccountName, Location",
    "Get-AzStorageAccount -Name x | Sort-Object Location | ft -AutoSize StorageAccountName, Kind",
    "(Get-AzStorageAccount -ResourceGroupName r -Name n).PrimaryEndpoints.Blob; (Get-AzWebApp).Count",
    "Get-AzStorageAccount | Measure-Object; Get-AzWebApp | group State -NoElement",
    "Get-AzWebApp | select -First 3 -Property Name, State; Get-AzFunctionApp | fl Name, Runtime",
    "Get-AzWebApp | ? State -eq 'Running' | select -ExpandProperty DefaultHostName",
    "Get-AzKeyVault -VaultName v",
    "Get-AzNetworkSecurityGroup -Name n -ResourceGroupName r | Get-AzNetworkSecurityRuleConfig",
    "Get-AzActivityLog -StartTime (Get-Date).AddHours(-4) -WarningAction SilentlyContinue",
    "Get-AzContext; Get-AzTenant",
    "Invoke-AzRestMethod -Path '/subscriptions/x/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01' -Method GET",
    "Get-AzADUser -UserPrincipalName u@contoso.com",
    "Search-AzGraph -Query 'Resources | where type =~ \"microsoft.compute/virtualmachines\" | project name'",
    "Get-Team | Select-Object DisplayName, Visibility, GroupId",
    "Get-TeamUser -GroupId $g -Role Owner",
    "Get-CsOnlineUser -Filter \"LineUri -ne ''\" | Select-Object UserPrincipalName, LineUri",
    "Get-CsTenantFederationConfiguration; Get-CsTeamsMeetingPolicy -Identity Global",
    "Get-CsPhoneNumberAssignment -CapabilitiesContain UserAssignment -Top 1000",
    "Get-PnPTenantSite -Detailed | Where-Object { $_.SharingCapability -ne 'Disabled' } | Select-Object Url, Owner",
    "Get-PnPListItem -List Documents -PageSize 500 | ForEach-Object { $_['FileRef'] }",
    "Get-PnPSiteCollectionAdmin; Get-PnPGroup | Get-PnPGroupMember",
    "Invoke-PnPSPRestMethod -Url '/_api/web/lists?$select=Title' -Method Get",
    "Get-PnPAuditing; Get-PnPRecycleBinItem -RowLimit 50",
    "Get-PnPFile -Url /sites/x/Shared/a.txt -AsString",
    "Get-MgUser -All -Property Id,DisplayName,AccountEnabled,SignInActivity | ? { -not $_.AccountEnabled }",
    "Get-MgUser -Filter \"startswith(displayName,'A')\" -ConsistencyLevel eventual -CountVariable c -Top 5",
    "Get-MgGroupMember -GroupId x -All | % { $_.AdditionalProperties['userPrincipalName'] }",
    "Get-MgDirectoryRole -ExpandProperty members",
    "Get-MgSubscribedSku | Select-Object SkuPartNumber, ConsumedUnits, @{n='Total';e={$_.PrepaidUnits.Enabled}}",
    "Get-MgUserAuthenticationMethod -UserId u@contoso.com",
    "Get-MgIdentityConditionalAccessPolicy | Select-Object DisplayName, State | Sort-Object State",
    "Get-MgAuditLogSignIn -Filter \"userPrincipalName eq 'u@contoso.com'\" -Top 20 | ft CreatedDateTime, AppDisplayName, IPAddress",
    "Invoke-MgGraphRequest -Method GET -Uri \"https://graph.microsoft.com/v1.0/users/$id/memberOf\"",
    "Invoke-MgGraphRequest GET 'v1.0/organization?$select=id,displayName'",
    "Get-MgContext | Select-Object -ExpandProperty Scopes",
    "Get-MgServicePrincipal -All | Where-Object { $_.PasswordCredentials.EndDateTime -lt (Get-Date).AddDays(30) }",
    "(Get-MgUser -UserId x).SignInActivity.LastSignInDateTime.ToString('yyyy-MM-dd')",
    "Get-Mailbox | Out-String -Width 200 | Select-String shared",
    "$props = 'Name','Alias'; Get-Mailbox | Select-Object $props",
    "Get-Mailbox -Filter \"WhenCreated -gt '$((Get-Date).AddDays(-30))'\"",
    "[datetime]::UtcNow.AddDays(-1); \"$env:USERNAME on $([Environment]::MachineName)\"",
    "$h = @{}; Get-Mailbox | % { $h[$_.Alias] = $_.Name }; $h.GetEnumerator() | Sort-Object Name",
    "'{0} of {1}' -f 1, 2; 'a,b' -split ',' -join ';' -replace 'a', 'b'",
    "Get-Mailbox | Where-Object { $_.EmailAddresses -match 'smtp:' } | ForEach-Object { \"$($_.Name): $($_.EmailAddresses -join ', ')\" }",
    "function Size($m) { (Get-MailboxStatistics $m).TotalItemSize }; Size user",
    "$o = New-Object PSObject -Property @{ A = 1 }; $o",
    "Get-Help Get-Mailbox -Examples; Get-Command -Module ExchangeOnlineManagement *Mailbox*",
    "Remove-Mailbox user -WhatIf",
    "Get-Mailbox | Set-Mailbox -MaxSendSize 10MB -WhatIf",
    "(Get-Mailbox).Where({ $_.Name -like 'a*' })",
    "Get-Mailbox | Where-Object Alias -in $names",
    // What the session holds in these is looked up before.
    "Get-Mailbox | Sort-Object $by -Descending | Select-Object -First $n -Property Name, $also",
    "Get-Mailbox | Select-Object Name, @{n='Size';e={(Get-MailboxStatistics $_).TotalItemSize}}, @{n='By';e=$by}",
    "$by = 'Name'; $text = \"by $by\"; Get-Mailbox | Sort-Object $by | ft Alias, $by",
    "$domain = 'contoso.com'; Get-Mailbox | % { $_.Alias -replace '@.*', $domain }",
    "(Get-Mailbox).PrimarySmtpAddress -split '@' -replace $pattern, ''",
    "switch ((Get-Mailbox x).RecipientTypeDetails) {\n'SharedMailbox' { 1 }\n$other { 2 }\ndefault { 3 }\n}",
    "Get-MailboxPermission shared | Get-User -Filter $filter",
    "Get-Mailbox | Get-MailboxStatistics -StoreMailboxIdentity (Get-Date).ToString()",
];

/// The same in a Bash session.
static BASH_READS: &[&str] = &[
    "az vm list -d -o table",
    "az account list --query '[].{name:name,id:id}' -o tsv",
    "az group list | jq -r '.[].name' | sort | uniq -c",
    "az role assignment list --all --assignee u@contoso.com -o json",
    "az ad user list --filter \"startswith(displayName,'A')\" --query '[].userPrincipalName' -o tsv | wc -l",
    "az keyvault secret list --vault-name v",
    "az rest --method get --url https://graph.microsoft.com/v1.0/me",
    "az rest --url '/subscriptions?api-version=2022-12-01'",
    "az resource list -g rg --query \"[?type=='Microsoft.Web/sites']\"",
    "az monitor activity-log list --offset 1d | head -n 50",
    "az graph query -q 'Resources | summarize count() by type'",
    "az network nsg rule list -g rg --nsg-name n -o table | grep -i allow",
    "az storage account list | jq '[.[] | {name, kind}]'",
    "m365 spo site list --output json",
    "m365 entra user get --userName u@contoso.com",
    "m365 teams team list | jq length",
    "m365 status",
    "m365 request --url 'https://graph.microsoft.com/v1.0/me'",
    "pac auth list",
    "pac auth who",
    "pac org who; pac env list",
    "pac admin list",
    "pac solution list --environment e",
    "pac solution check --path x",
    "diff <(az vm list -o tsv) <(az vm list -g rg -o tsv)",
    "printf '%s\\n' a b | sort -u",
    "if [ -n \"$x\" ]; then echo yes; fi",
    "RG=prod; echo $RG",
    "az vm list 2>&1 | tail -5",
    "az vm list --query \"[?powerState=='VM running'] | [].name\" -o tsv | cut -d- -f1 | tr a-z A-Z",
];

/// By module: the text, and exactly the effects that it has.
static WRITES: &[(&str, &str, &str)] = &[
    ("exo", "Set-Mailbox u -Type Shared", "writes"),
    (
        "exo",
        "Add-DistributionGroupMember staff -Member u",
        "writes changes_rights",
    ),
    (
        "exo",
        "Remove-DistributionGroupMember staff -Member u",
        "destroys",
    ),
    ("exo", "New-DistributionGroup -Name staff", "writes"),
    (
        "exo",
        "Set-MailboxAutoReplyConfiguration u -AutoReplyState Enabled",
        "writes forwards_mail",
    ),
    (
        "exo",
        "Set-MailboxRegionalConfiguration u -Language de-DE",
        "writes",
    ),
    (
        "exo",
        "Set-CalendarProcessing room -AutomateProcessing AutoAccept",
        "writes",
    ),
    ("exo", "Enable-Mailbox u -Archive", "writes"),
    ("exo", "New-Mailbox -Shared -Name s", "writes"),
    (
        "exo",
        "Set-Mailbox u -ForwardingSmtpAddress e@x.y",
        "writes forwards_mail",
    ),
    ("exo", "Remove-InboxRule -Mailbox u -Identity r", "destroys"),
    ("exo", "Start-ManagedFolderAssistant u", "writes"),
    (
        "exo",
        "Import-Csv users.csv | ForEach-Object { Set-Mailbox $_.Mail -Type Shared }",
        "writes reads_local_files",
    ),
    (
        "exo",
        "Get-Mailbox | Export-Csv mailboxes.csv -NoTypeInformation",
        "writes_local_files",
    ),
    (
        "exo",
        "Add-MailboxFolderPermission u:\\Calendar -User v -AccessRights Reviewer",
        "writes changes_rights",
    ),
    (
        "exo",
        "Release-QuarantineMessage -Identity q -ReleaseToAll",
        "writes",
    ),
    (
        "exo",
        "Set-TransportRule r -State Disabled",
        "writes forwards_mail",
    ),
    (
        "exo",
        "Set-CASMailbox u -PopEnabled $false",
        "writes changes_rights",
    ),
    (
        "ipps",
        "New-ComplianceSearch -Name s -ExchangeLocation all",
        "writes",
    ),
    (
        "ipps",
        "New-ComplianceSearchAction -SearchName s -Purge",
        "writes destroys",
    ),
    (
        "azure",
        "New-AzResourceGroup -Name r -Location westeurope",
        "writes",
    ),
    ("azure", "Start-AzVM -Name v -ResourceGroupName r", "writes"),
    (
        "azure",
        "Stop-AzVM -Name v -ResourceGroupName r",
        "destroys",
    ),
    ("azure", "Remove-AzResourceGroup -Name r", "destroys"),
    (
        "azure",
        "New-AzRoleAssignment -ObjectId o -RoleDefinitionName Reader",
        "writes changes_rights",
    ),
    ("azure", "Set-AzContext -Subscription s", "writes"),
    (
        "azure",
        "Update-AzTag -ResourceId r -Tag @{ a = 'b' } -Operation Merge",
        "writes",
    ),
    ("teams", "New-Team -DisplayName t", "writes"),
    (
        "teams",
        "Add-TeamUser -GroupId g -User u",
        "writes changes_rights",
    ),
    (
        "teams",
        "Grant-CsTeamsMeetingPolicy -Identity u -PolicyName p",
        "writes",
    ),
    (
        "teams",
        "Set-CsPhoneNumberAssignment -Identity u -PhoneNumber 1 -PhoneNumberType DirectRouting",
        "writes destroys",
    ),
    (
        "pnp",
        "Set-PnPListItem -List l -Identity 1 -Values @{ Title = 'x' }",
        "writes",
    ),
    ("pnp", "Add-PnPFile -Path x -Folder Documents", "writes"),
    (
        "pnp",
        "Set-PnPTenantSite -Identity s -SharingCapability Disabled",
        "writes changes_rights",
    ),
    ("pnp", "Restore-PnPRecycleBinItem -Identity r", "writes"),
    (
        "graph",
        "New-MgUser -DisplayName u",
        "writes changes_rights",
    ),
    (
        "graph",
        "Update-MgUser -UserId u -AccountEnabled:$false",
        "writes changes_rights",
    ),
    (
        "graph",
        "Set-MgUserLicense -UserId u -AddLicenses @() -RemoveLicenses @()",
        "writes changes_rights",
    ),
    (
        "graph",
        "Revoke-MgUserSignInSession -UserId u",
        "destroys changes_rights",
    ),
    (
        "graph",
        "Send-MgUserMail -UserId u -BodyParameter $b",
        "writes sends",
    ),
    (
        "graph",
        "Invoke-MgGraphRequest -Method PATCH -Uri /v1.0/users/u -Body $b",
        "writes",
    ),
    ("az", "az vm start -n v -g r", "writes"),
    ("az", "az vm deallocate -n v -g r", "writes destroys"),
    ("az", "az group create -n r -l westeurope", "writes"),
    (
        "az",
        "az role assignment create --assignee u --role Reader",
        "writes changes_rights",
    ),
    (
        "m365",
        "m365 spo site remove --url https://x",
        "writes destroys",
    ),
    (
        "powerplatform",
        "pac solution import --path s.zip",
        "writes destroys",
    ),
];

#[test]
fn everyday_reading_only_reads() {
    assert!(READS.len() >= 60);
    let wrong: Vec<String> = READS
        .iter()
        .map(|text| (text, effects(text)))
        .chain(BASH_READS.iter().map(|text| (text, bash_effects(text))))
        .filter(|(_, found)| found != "reads")
        .map(|(text, found)| format!("{text}: {found}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn everyday_writing_is_called_what_it_is() {
    assert!(WRITES.len() >= 40);
    let wrong: Vec<String> = WRITES
        .iter()
        .map(|(module, text, wanted)| (text, wanted, effects_in(module, text)))
        .filter(|(_, wanted, found)| found != *wanted)
        .map(|(text, wanted, found)| format!("{text}: {found}, not {wanted}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
