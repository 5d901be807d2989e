//! From what was measured to dollars.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde_json::Value;

use crate::prices::{Assumed, Prices};

/// What one request of a kind takes, and what it leaves to be done behind the scenes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
    /// What is billed: milliseconds times gigabytes, of all functions.
    pub(crate) gb_ms: f64,
    /// Of the function that answers.
    pub(crate) billed_ms: f64,
    pub(crate) invocations: f64,
    pub(crate) mails: f64,
    pub(crate) log_bytes: f64,
    pub(crate) answer_bytes: f64,
}

impl Taken {
    /// Adds a function's line: its own time here, and the waits for services that are not here.
    pub(crate) fn add_line(&mut self, line: &Value, waits: f64, memory: &BTreeMap<String, f64>, assumed: &Assumed) {
        let number = |name: &str| line[name].as_f64().unwrap_or_default();
        let function = line["function"].as_str().unwrap_or_default();
        let gb = memory.get(function).copied().unwrap_or_default() / 1024.0;
        let mails = number("mails_sent");
        let waited = waits * assumed.dynamodb_round_trip_ms + mails * assumed.other_service_ms;
        // To the next millisecond, and a start every now and then.
        let billed = (number("latency_ms") + waited).ceil() + assumed.cold_share * assumed.cold_ms;
        if line.get("route").is_some() {
            self.billed_ms += billed;
        }
        self.gb_ms += billed * gb;
        self.invocations += 1.0;
        self.read_units += number("read_units");
        self.write_units += number("write_units");
        self.mails += mails;
        #[allow(clippy::cast_precision_loss, reason = "some hundred bytes")]
        let bytes = line.to_string().len() as f64 + 1.0;
        self.log_bytes += bytes;
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            read_units: self.read_units * factor,
            write_units: self.write_units * factor,
            gb_ms: self.gb_ms * factor,
            billed_ms: self.billed_ms * factor,
            invocations: self.invocations * factor,
            mails: self.mails * factor,
            log_bytes: self.log_bytes * factor,
            answer_bytes: self.answer_bytes * factor,
        }
    }
}

impl AddAssign for Taken {
    fn add_assign(&mut self, other: Self) {
        self.read_units += other.read_units;
        self.write_units += other.write_units;
        self.gb_ms += other.gb_ms;
        self.billed_ms += other.billed_ms;
        self.invocations += other.invocations;
        self.mails += other.mails;
        self.log_bytes += other.log_bytes;
        self.answer_bytes += other.answer_bytes;
    }
}

/// What a million requests cost, each of which takes this; by service, in dollars.
pub(crate) fn of_million(each: &Taken, prices: &Prices, assumed: &Assumed) -> [(&'static str, f64); 9] {
    const GB: f64 = 1e9;
    let logs = each.log_bytes + assumed.access_log_bytes;
    [
        ("Lambda", each.gb_ms * 1e3 * prices.lambda_gb_second + each.invocations * prices.lambda_million_requests),
        ("HTTP API", prices.http_api_million_requests),
        (
            "DynamoDB",
            each.read_units * prices.dynamodb_million_read_units
                + each.write_units * prices.dynamodb_million_write_units,
        ),
        ("SES", each.mails * 1e3 * prices.ses_thousand_mails),
        ("logs", logs * 1e6 / GB * (prices.logs_gb_taken_in + prices.logs_gb_month_kept)),
        (
            "CloudFront",
            100.0 * prices.cloudfront_ten_thousand_requests
                + (each.answer_bytes + assumed.header_bytes) * 1e6 / GB * prices.cloudfront_gb_out,
        ),
        ("WAF", prices.waf_million_requests),
        ("X-Ray", assumed.traced_share * prices.xray_million_traces),
        ("secrets", assumed.cold_share * 100.0 * prices.secrets_ten_thousand_calls),
    ]
}
