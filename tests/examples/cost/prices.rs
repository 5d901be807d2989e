//! The file of prices.

use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) region: String,
    pub(crate) as_of: String,
    /// Whether somebody held the prices against AWS's pages.
    pub(crate) checked: bool,
    pub(crate) prices: Prices,
    pub(crate) assumed: Assumed,
}

/// In dollars.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    pub(crate) lambda_gb_second: f64,
    pub(crate) lambda_million_requests: f64,
    pub(crate) http_api_million_requests: f64,
    pub(crate) dynamodb_million_read_units: f64,
    pub(crate) dynamodb_million_write_units: f64,
    pub(crate) ses_thousand_mails: f64,
    pub(crate) logs_gb_taken_in: f64,
    pub(crate) logs_gb_month_kept: f64,
    pub(crate) metric_month: f64,
    pub(crate) alarm_month: f64,
    pub(crate) dashboard_month: f64,
    pub(crate) cloudfront_ten_thousand_requests: f64,
    pub(crate) cloudfront_gb_out: f64,
    pub(crate) waf_million_requests: f64,
    pub(crate) waf_acl_month: f64,
    pub(crate) waf_rule_month: f64,
    pub(crate) kms_key_month: f64,
    pub(crate) kms_ten_thousand_requests: f64,
    pub(crate) secret_month: f64,
    pub(crate) secrets_ten_thousand_calls: f64,
    pub(crate) xray_million_traces: f64,
}

/// What cannot be measured here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assumed {
    pub(crate) dynamodb_round_trip_ms: f64,
    pub(crate) other_service_ms: f64,
    pub(crate) cold_share: f64,
    pub(crate) cold_ms: f64,
    pub(crate) access_log_bytes: f64,
    pub(crate) header_bytes: f64,
    pub(crate) traced_share: f64,
    pub(crate) waf_rules: f64,
    pub(crate) kms_requests_month: f64,
}

/// Reads the file.
pub(crate) fn read() -> File {
    serde_yaml_ng::from_str(include_str!("prices.yaml")).expect("prices.yaml")
}
