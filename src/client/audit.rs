//! The verbs for the audit.

use serde_json::value::RawValue;

use super::transport::json;
use super::verbs::query;
use super::{Client, ClientError};
use crate::api::{
    AcceptAuditRequest, AcceptedAudit, AuditHead, AuditPage, AuditReport, VerifyAuditRequest,
};

/// Which rows of the audit; absent fields let everything through.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditQuery {
    /// Names of the fields of `GET /v1/audit`, with what they have to be.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) limit: usize,
}

impl Client {
    /// A page of the audit; `place` is `after` or `before` with a row's number.
    pub(crate) async fn audit_page(
        &self,
        which: &AuditQuery,
        place: Option<(&'static str, u64)>,
    ) -> Result<AuditPage, ClientError> {
        let limit = which.limit.to_string();
        let place = place.map(|(name, number)| (name, number.to_string()));
        let mut values: Vec<(&str, Option<&str>)> = vec![("limit", Some(&limit))];
        values.extend(
            which
                .fields
                .iter()
                .map(|(name, value)| (*name, Some(value.as_str()))),
        );
        values.extend(
            place
                .as_ref()
                .map(|(name, number)| (*name, Some(number.as_str()))),
        );
        self.get(&query("/v1/audit", &values)).await
    }

    /// One row of the audit, as it is exported.
    pub(crate) async fn audit_row(&self, number: u64) -> Result<Box<RawValue>, ClientError> {
        self.get(&format!("/v1/audit/{number}")).await
    }

    /// Reads the whole audit, and compares it with rows that are known from elsewhere.
    pub(crate) async fn verify_audit(
        &self,
        heads: Vec<AuditHead>,
    ) -> Result<AuditReport, ClientError> {
        let request = VerifyAuditRequest { heads };
        json(self.post("/v1/audit/verify", &request).await?).await
    }

    /// Takes an audit that was changed as it is.
    pub(crate) async fn accept_audit(&self, reason: &str) -> Result<AcceptedAudit, ClientError> {
        let reason = reason.to_owned();
        json(
            self.post("/v1/audit/accept", &AcceptAuditRequest { reason })
                .await?,
        )
        .await
    }
}
