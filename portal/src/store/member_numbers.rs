//! Every account's number: what a walk over all ledgers goes by.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Store, StoreError, Table};
use crate::domain::MemberNumber;

impl Store {
    /// The numbers of all member accounts.
    ///
    /// A scan of the members table, which is small beside the ledger (three items an account), and not
    /// consistent: what came within the last second may be missing. In memory a number takes some 50 bytes, and
    /// there are at most a million.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn member_numbers(&self) -> Result<BTreeSet<MemberNumber>, StoreError> {
        let mut numbers = BTreeSet::new();
        let mut after = None;
        loop {
            // What leaves the table are keys; nobody's address and name.
            let request = self.client().scan().table_name(self.name(Table::Members)?);
            let output = request
                .projection_expression("pk")
                .filter_expression("sk = :account")
                .expression_attribute_values(":account", AttributeValue::S("ACCOUNT".to_owned()))
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk("Scan", &error))?;
            for item in output.items.unwrap_or_default() {
                let number = item.get("pk").and_then(|pk| pk.as_s().ok()?.strip_prefix("ACCOUNT#"));
                let number = number.and_then(|number| MemberNumber::parse(number).ok());
                numbers.insert(number.ok_or_else(|| StoreError::inconsistent("an account without a number"))?);
            }
            after = output.last_evaluated_key;
            if after.is_none() {
                return Ok(numbers);
            }
        }
    }
}
