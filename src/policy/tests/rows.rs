//! What the facts about each module say has to be guarded, row by row, and the set that mail fraud uses.

use super::effects_in;

/// Module, row, text, and the effects that it has at least.
static ROWS: &[(&str, &str, &str, &str)] = &[
    (
        "exo",
        "Set-Mailbox -Forwarding*",
        "Set-Mailbox u -ForwardingAddress e",
        "forwards_mail",
    ),
    (
        "exo",
        "Set-Mailbox -Forwarding*",
        "Set-Mailbox u -ForwardingSmtpAddress e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "Set-Mailbox -Forwarding*",
        "Set-Mailbox u -Forwarding e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set-InboxRule Forward*",
        "New-InboxRule r -ForwardAsAttachmentTo e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set-InboxRule Redirect*",
        "Set-InboxRule r -RedirectTo e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set/Enable-TransportRule",
        "New-TransportRule r -BlindCopyTo e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set/Enable-TransportRule",
        "Set-TransportRule r -RedirectMessageTo e@x.y",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set/Enable-TransportRule",
        "Enable-TransportRule r",
        "forwards_mail",
    ),
    (
        "exo",
        "Add-MailboxPermission",
        "Add-MailboxPermission u -User v -AccessRights FullAccess",
        "changes_rights",
    ),
    (
        "exo",
        "Add-RecipientPermission",
        "Add-RecipientPermission u -Trustee v -AccessRights SendAs",
        "changes_rights",
    ),
    (
        "exo",
        "New/Set-*Connector",
        "New-InboundConnector c",
        "forwards_mail",
    ),
    (
        "exo",
        "New/Set-*Connector",
        "Set-OutboundConnector c",
        "forwards_mail",
    ),
    (
        "exo",
        "Set-RemoteDomain -AutoForwardEnabled",
        "Set-RemoteDomain Default -AutoForwardEnabled $true",
        "forwards_mail",
    ),
    (
        "exo",
        "Set-HostedOutboundSpamFilterPolicy -AutoForwardingMode",
        "Set-HostedOutboundSpamFilterPolicy p -AutoForwardingMode On",
        "forwards_mail",
    ),
    ("exo", "Remove-*", "Remove-Mailbox u", "destroys"),
    ("exo", "Disable-*", "Disable-Mailbox u", "destroys"),
    (
        "exo",
        "New-ManagementRoleAssignment",
        "New-ManagementRoleAssignment -Role r -User u",
        "changes_rights",
    ),
    (
        "exo",
        "Add-RoleGroupMember",
        "Add-RoleGroupMember g -Member u",
        "changes_rights",
    ),
    (
        "exo",
        "Set-OrganizationConfig",
        "Set-OrganizationConfig -AuditDisabled $true",
        "changes_rights",
    ),
    (
        "exo",
        "Set-AdminAuditLogConfig",
        "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $false",
        "changes_rights",
    ),
    (
        "exo",
        "Set-MailboxAuditBypassAssociation",
        "Set-MailboxAuditBypassAssociation u -AuditBypassEnabled $true",
        "changes_rights",
    ),
    (
        "exo",
        "Search-Mailbox -DeleteContent",
        "Search-Mailbox u -DeleteContent",
        "destroys",
    ),
    (
        "ipps",
        "New-ComplianceSearchAction -Purge",
        "New-ComplianceSearchAction -SearchName s -Purge",
        "destroys",
    ),
    (
        "ipps",
        "Remove-*",
        "Remove-RetentionCompliancePolicy p",
        "destroys",
    ),
    (
        "ipps",
        "Remove-* with a -WhatIf that does nothing",
        "Remove-Label l -WhatIf",
        "destroys",
    ),
    (
        "ipps",
        "Set-DlpCompliancePolicy",
        "Set-DlpCompliancePolicy p -Mode Disable",
        "writes",
    ),
    (
        "ipps",
        "Set/Remove-RetentionCompliancePolicy",
        "Set-RetentionCompliancePolicy p -Enabled $false",
        "writes",
    ),
    ("ipps", "Remove-Label", "Remove-Label l", "destroys"),
    (
        "azure",
        "New/Remove-AzRoleAssignment",
        "New-AzRoleAssignment -ObjectId o",
        "changes_rights",
    ),
    (
        "azure",
        "New/Remove-AzRoleAssignment",
        "Remove-AzRoleAssignment -ObjectId o",
        "changes_rights destroys",
    ),
    ("azure", "Remove-Az*", "Remove-AzVM x", "destroys"),
    (
        "azure",
        "Set/Remove-AzKeyVaultAccessPolicy",
        "Set-AzKeyVaultAccessPolicy v",
        "changes_rights",
    ),
    (
        "azure",
        "Set/Remove-AzKeyVaultAccessPolicy",
        "Remove-AzKeyVaultAccessPolicy v",
        "changes_rights destroys",
    ),
    (
        "azure",
        "Get-AzKeyVaultSecret -AsPlainText",
        "Get-AzKeyVaultSecret v -Name n -AsPlainText",
        "reveals_secret",
    ),
    (
        "azure",
        "Get-AzAccessToken",
        "Get-AzAccessToken",
        "reveals_secret",
    ),
    (
        "azure",
        "New/Remove-AzAD*",
        "New-AzADApplication -DisplayName a",
        "changes_rights",
    ),
    (
        "azure",
        "New/Remove-AzAD*",
        "Remove-AzADServicePrincipal -ObjectId o",
        "changes_rights destroys",
    ),
    (
        "azure",
        "New-AzADAppCredential",
        "New-AzADAppCredential -ObjectId o",
        "changes_rights",
    ),
    (
        "azure",
        "Invoke-AzVMRunCommand",
        "Invoke-AzVMRunCommand -ScriptPath x",
        "unknown_code",
    ),
    (
        "azure",
        "Set-AzVMExtension",
        "Set-AzVMExtension -Name x",
        "unknown_code",
    ),
    (
        "azure",
        "Remove-AzResourceLock",
        "Remove-AzResourceLock x",
        "changes_rights destroys",
    ),
    ("azure", "Stop-AzVM", "Stop-AzVM x", "destroys"),
    (
        "azure",
        "Invoke-AzRestMethod (non-GET)",
        "Invoke-AzRestMethod -Path /x -Meth PUT",
        "writes",
    ),
    (
        "azure",
        "Invoke-AzRestMethod (non-GET)",
        "Invoke-AzRestMethod -Method DELETE -Path /x",
        "destroys",
    ),
    ("azure", "Move-AzResource", "Move-AzResource x", "destroys"),
    (
        "azure",
        "Set-AzContext/Select-AzContext",
        "Set-AzContext -Subscription x",
        "writes",
    ),
    (
        "azure",
        "Set-AzContext/Select-AzContext",
        "Select-AzContext x",
        "writes",
    ),
    ("teams", "Remove-Team", "Remove-Team -GroupId g", "destroys"),
    (
        "teams",
        "Remove-TeamUser/Channel",
        "Remove-TeamUser -GroupId g",
        "destroys",
    ),
    (
        "teams",
        "Remove-TeamUser/Channel",
        "Remove-TeamChannel -GroupId g",
        "destroys",
    ),
    (
        "teams",
        "Set-CsTenantFederationConfiguration",
        "Set-CsTenantFederationConfiguration -AllowFederatedUsers $true",
        "changes_rights",
    ),
    (
        "teams",
        "Grant-Cs* -Global",
        "Grant-CsTeamsMeetingPolicy -PolicyName p -Global",
        "changes_rights",
    ),
    (
        "teams",
        "Set-Cs*Policy -Identity Global",
        "Set-CsTeamsMeetingPolicy -Identity Global",
        "changes_rights",
    ),
    (
        "teams",
        "Set-CsTeamsAppPermissionPolicy",
        "Set-CsTeamsAppPermissionPolicy -Identity p",
        "changes_rights",
    ),
    (
        "teams",
        "Remove-Cs*",
        "Remove-CsOnlineVoiceRoute x",
        "destroys",
    ),
    (
        "teams",
        "Set/Remove-CsPhoneNumberAssignment",
        "Set-CsPhoneNumberAssignment x",
        "destroys",
    ),
    (
        "teams",
        "Set/Remove-CsPhoneNumberAssignment",
        "Remove-CsPhoneNumberAssignment x",
        "destroys",
    ),
    (
        "teams",
        "New-CsBatch*",
        "New-CsBatchPolicyAssignmentOperation",
        "destroys",
    ),
    ("pnp", "Remove-PnP*", "Remove-PnPList x", "destroys"),
    (
        "pnp",
        "Set-PnPTenant",
        "Set-PnPTenant -SharingCapability x",
        "changes_rights",
    ),
    (
        "pnp",
        "Set-PnPTenantSite (owners/sharing)",
        "Set-PnPTenantSite x -Owners u",
        "changes_rights",
    ),
    (
        "pnp",
        "Set-PnPSite -Owners",
        "Set-PnPSite -Owners u",
        "changes_rights",
    ),
    (
        "pnp",
        "Add-PnPSiteCollectionAdmin",
        "Add-PnPSiteCollectionAdmin -Owners u",
        "changes_rights",
    ),
    (
        "pnp",
        "Grant-PnPEntraIDAppSitePermission",
        "Grant-PnPEntraIDAppSitePermission -AppId a",
        "changes_rights",
    ),
    (
        "pnp",
        "Grant-PnPAzureADAppSitePermission",
        "Grant-PnPAzureADAppSitePermission -AppId a",
        "changes_rights",
    ),
    (
        "pnp",
        "Register-PnP*App*",
        "Register-PnPEntraIDApp -ApplicationName a",
        "changes_rights",
    ),
    (
        "pnp",
        "Invoke-PnPSPRestMethod non-GET",
        "Invoke-PnPSPRestMethod -Url /_api/x -Method Post",
        "writes",
    ),
    (
        "pnp",
        "Invoke-PnPGraphMethod non-GET",
        "Invoke-PnPGraphMethod -Url v1.0/x -Method Delete",
        "destroys",
    ),
    (
        "pnp",
        "Clear-PnPRecycleBinItem",
        "Clear-PnPRecycleBinItem -All",
        "destroys",
    ),
    (
        "pnp",
        "Submit-PnPTeamsChannelMessage (sends)",
        "Submit-PnPTeamsChannelMessage x",
        "sends",
    ),
    ("graph", "Remove-Mg*", "Remove-MgUser -UserId u", "destroys"),
    (
        "graph",
        "Update-MgUser",
        "Update-MgUser -UserId u",
        "writes",
    ),
    (
        "graph",
        "Set-MgUserLicense",
        "Set-MgUserLicense -UserId u",
        "writes",
    ),
    (
        "graph",
        "Invoke-MgGraphRequest non-GET",
        "Invoke-MgGraphRequest PATCH /v1.0/me",
        "writes",
    ),
    (
        "graph",
        "Invoke-MgGraphRequest non-GET",
        "Invoke-MgGraphRequest -Uri /v1.0/me -Me:DELETE",
        "destroys",
    ),
    (
        "graph",
        "New-MgDirectoryRoleMemberByRef",
        "New-MgDirectoryRoleMemberByRef -DirectoryRoleId r",
        "changes_rights",
    ),
    (
        "graph",
        "New-MgRoleManagement*Assignment*",
        "New-MgRoleManagementDirectoryRoleAssignment",
        "changes_rights",
    ),
    (
        "graph",
        "New-MgServicePrincipalAppRoleAssignment",
        "New-MgServicePrincipalAppRoleAssignment",
        "changes_rights",
    ),
    (
        "graph",
        "New-MgOauth2PermissionGrant",
        "New-MgOauth2PermissionGrant -BodyParameter $p",
        "changes_rights",
    ),
    (
        "graph",
        "Add-MgApplicationPassword/Key",
        "Add-MgApplicationPassword -ApplicationId a",
        "changes_rights reveals_secret",
    ),
    (
        "graph",
        "Add-MgApplicationPassword/Key",
        "Add-MgApplicationKey -ApplicationId a",
        "changes_rights",
    ),
    (
        "graph",
        "Add-MgServicePrincipalPassword",
        "Add-MgServicePrincipalPassword",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgIdentityConditionalAccess*",
        "New-MgIdentityConditionalAccessPolicy",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgIdentityConditionalAccess*",
        "Update-MgIdentityConditionalAccessPolicy -State disabled",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgIdentityConditionalAccess*",
        "Remove-MgIdentityConditionalAccessPolicy",
        "changes_rights destroys",
    ),
    (
        "graph",
        "Revoke-MgUserSignInSession",
        "Revoke-MgUserSignInSession -UserId u",
        "destroys",
    ),
    (
        "graph",
        "Reset-MgUserAuthenticationMethodPassword",
        "Reset-MgUserAuthenticationMethodPassword",
        "changes_rights",
    ),
    (
        "graph",
        "Send-MgUserMail",
        "Send-MgUserMail -UserId u",
        "sends",
    ),
    (
        "graph",
        "New-MgChatMessage",
        "New-MgChatMessage -ChatId c",
        "sends",
    ),
    (
        "graph",
        "New-MgTeamChannelMessage",
        "New-MgTeamChannelMessage -TeamId t",
        "sends",
    ),
    (
        "graph",
        "*-MgBeta* twins",
        "Remove-MgBetaUser -UserId u",
        "destroys",
    ),
    ("graph", "*-MgBeta* twins", "New-MgBetaChatMessage", "sends"),
    ("graph", "*-MgBeta* twins", "Send-MgBetaUserMail", "sends"),
    (
        "graph",
        "*-MgBeta* twins",
        "Add-MgBetaApplicationPassword",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgBeta* twins",
        "New-MgBetaIdentityConditionalAccessPolicy",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgBeta* twins",
        "New-MgBetaOauth2PermissionGrant",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgBeta* twins",
        "New-MgBetaDirectoryRoleMemberByRef",
        "changes_rights",
    ),
    (
        "graph",
        "*-MgBeta* twins",
        "Update-MgBetaUser -UserId u",
        "writes",
    ),
    (
        "powerplatform",
        "pac admin delete",
        "pac admin delete --environment x",
        "destroys",
    ),
    (
        "powerplatform",
        "pac admin reset",
        "pac admin reset --environment x",
        "destroys",
    ),
    (
        "powerplatform",
        "pac admin restore",
        "pac admin restore",
        "destroys",
    ),
    (
        "powerplatform",
        "pac admin copy",
        "pac admin copy",
        "destroys",
    ),
    (
        "powerplatform",
        "pac solution delete",
        "pac solution delete",
        "destroys",
    ),
    (
        "powerplatform",
        "pac solution import",
        "pac solution import",
        "destroys",
    ),
    (
        "powerplatform",
        "pac admin assign-user",
        "pac admin assign-user",
        "changes_rights",
    ),
    (
        "powerplatform",
        "pac admin create-service-principal",
        "pac admin create-service-principal",
        "changes_rights",
    ),
    (
        "powerplatform",
        "pac org update-settings",
        "pac org update-settings",
        "changes_rights",
    ),
    (
        "powerplatform",
        "pac data delete",
        "pac data delete",
        "destroys",
    ),
    (
        "powerplatform",
        "pac auth clear",
        "pac auth clear",
        "destroys signs_in_or_out",
    ),
    (
        "azure",
        "read-looking: Get-AzAccessToken",
        "(Get-AzAccessToken).Token",
        "reveals_secret",
    ),
    (
        "pnp",
        "read-looking: Get-PnPAccessToken",
        "Get-PnPAccessToken",
        "reveals_secret",
    ),
    (
        "azure",
        "read-looking: Get-AzKeyVaultSecret",
        "Get-AzKeyVaultSecret v n",
        "reveals_secret",
    ),
    (
        "exo",
        "read-looking: Start-HistoricalSearch",
        "Start-HistoricalSearch -ReportTitle r",
        "writes",
    ),
    (
        "graph",
        "read-looking: Invoke-RestMethod/WebRequest",
        "Invoke-RestMethod https://x",
        "unknown_code",
    ),
    (
        "graph",
        "read-looking: Invoke-RestMethod/WebRequest",
        "Invoke-WebRequest https://x",
        "unknown_code",
    ),
    (
        "exo",
        "read-looking: Export-*",
        "Export-TransportRuleCollection",
        "writes_local_files",
    ),
    (
        "exo",
        "read-looking: Get-… as argument to a piped writer",
        "Get-Mailbox | Set-Mailbox -Type Shared",
        "writes",
    ),
    (
        "m365",
        "m365 remove",
        "m365 spo site remove --url x",
        "destroys",
    ),
    (
        "m365",
        "m365 mail",
        "m365 outlook mail send --to x",
        "sends",
    ),
    (
        "m365",
        "m365 roles",
        "m365 entra roleassignment add --roleDefinitionName r",
        "changes_rights",
    ),
    (
        "az",
        "az role assignment",
        "az role assignment create --assignee u",
        "changes_rights",
    ),
    ("az", "az delete", "az group delete -n r", "destroys"),
];

/// Row, text, and the effects that it has at least.
static FRAUD: &[(&str, &str, &str)] = &[
    (
        "mailbox forwarding",
        "Set-Mailbox u -DeliverToMailboxAndForward $true",
        "forwards_mail",
    ),
    (
        "mailbox forwarding by splat",
        "Set-Mailbox u @p",
        "unknown_code",
    ),
    (
        "inbox rule: forwards",
        "New-InboxRule -Mailbox u -Name r -ForwardTo e@x.y",
        "forwards_mail",
    ),
    (
        "inbox rule: redirects",
        "New-InboxRule r -RedirectTo e@x.y",
        "forwards_mail",
    ),
    (
        "inbox rule: deletes",
        "New-InboxRule r -DeleteMessage $true",
        "forwards_mail",
    ),
    (
        "inbox rule: moves",
        "New-InboxRule r -MoveToFolder RSS",
        "forwards_mail",
    ),
    ("inbox rule by splat", "New-InboxRule @p", "unknown_code"),
    (
        "inbox rule by Graph",
        "New-MgUserMailFolderMessageRule -UserId u",
        "forwards_mail",
    ),
    (
        "inbox rule by request",
        "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/mailFolders/inbox/messageRules -Body $b",
        "forwards_mail",
    ),
    (
        "transport rule",
        "New-TransportRule r -RedirectMessageTo e@x.y",
        "forwards_mail",
    ),
    (
        "journal rule",
        "New-JournalRule r -JournalEmailAddress e@x.y",
        "forwards_mail",
    ),
    (
        "outbound auto-forward policy",
        "Set-HostedOutboundSpamFilterPolicy p -AutoForwardingMode On",
        "forwards_mail",
    ),
    (
        "FullAccess grant",
        "Add-MailboxPermission u -User v -AccessRights FullAccess",
        "changes_rights",
    ),
    (
        "SendAs grant",
        "Add-RecipientPermission u -Trustee v -AccessRights SendAs",
        "changes_rights",
    ),
    (
        "SendOnBehalf grant",
        "Set-Mailbox u -GrantSendOnBehalfTo v",
        "changes_rights",
    ),
    (
        "OAuth grant",
        "New-MgOauth2PermissionGrant -BodyParameter $p",
        "changes_rights",
    ),
    (
        "OAuth grant by request",
        "Invoke-MgGraphRequest -Method POST -Uri /v1.0/oauth2PermissionGrants -Body $b",
        "changes_rights",
    ),
    (
        "app role grant",
        "New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId s",
        "changes_rights",
    ),
    (
        "app credential",
        "Add-MgApplicationPassword -ApplicationId a",
        "changes_rights reveals_secret",
    ),
    (
        "app credential in Azure",
        "New-AzADAppCredential -ObjectId o",
        "changes_rights",
    ),
    (
        "app credential by request",
        "Invoke-MgGraphRequest -Method POST -Uri /v1.0/applications/a/addPassword",
        "changes_rights",
    ),
    (
        "directory role",
        "New-MgDirectoryRoleMemberByRef -DirectoryRoleId r",
        "changes_rights",
    ),
    (
        "conditional access edit",
        "Update-MgIdentityConditionalAccessPolicy -State disabled",
        "changes_rights",
    ),
    (
        "conditional access by request",
        "Invoke-MgGraphRequest -Method PATCH -Uri /v1.0/identity/conditionalAccess/policies/p",
        "changes_rights",
    ),
    (
        "audit off: mailbox",
        "Set-Mailbox u -AuditEnabled $false",
        "changes_rights",
    ),
    (
        "audit off: tenant",
        "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $false",
        "changes_rights",
    ),
    (
        "audit off: bypass",
        "Set-MailboxAuditBypassAssociation u -AuditBypassEnabled $true",
        "changes_rights",
    ),
    (
        "mail in somebody's name",
        "Invoke-MgGraphRequest POST /v1.0/me/sendMail -Body $b",
        "sends",
    ),
];

/// The rows whose text lacks an effect.
fn wrong<'r>(rows: impl Iterator<Item = (&'r str, &'r str, &'r str, &'r str)>) -> Vec<String> {
    rows.filter_map(|(module, row, text, wanted)| {
        let found = effects_in(module, text);
        let has = |word: &str| found.split(' ').any(|other| other == word);
        (!wanted.split(' ').all(has))
            .then(|| format!("{module}, {row}: `{text}` {found}, not {wanted}"))
    })
    .collect()
}

#[test]
fn every_row_of_every_module_is_guarded() {
    let wrong = wrong(ROWS.iter().copied());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_of_the_fraud_set_is_known() {
    for module in ["exo", "graph"] {
        let rows = FRAUD.iter();
        let wrong = wrong(rows.map(|(row, text, wanted)| (module, *row, *text, *wanted)));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
