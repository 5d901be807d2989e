//! Writes that happen together or not at all, each under its condition.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use rand::CryptoRng;

use super::change::Expression;
use super::pauses::Pauses;
use super::record::{from_item, to_item};
use super::{Change, Condition, Key, Record, Store, StoreError};

/// Writes to commit together; at most [`Transaction::MOST`].
#[derive(Default)]
pub struct Transaction {
    pub(super) steps: Vec<Write>,
}

pub(super) struct Write {
    pub(super) key: Key,
    pub(super) act: Act,
    pub(super) condition: Option<Condition>,
}

pub(super) enum Act {
    Put(super::Item),
    Update(Change),
    Delete,
    Check,
}

/// One write of a transaction, to ask afterwards whether its condition failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step(usize);

/// How a transaction ended.
#[must_use]
pub enum Outcome {
    /// All of it happened.
    Committed,
    /// None of it happened, because conditions did not hold.
    Refused(Refused),
}

/// The conditions that did not hold.
pub struct Refused {
    pub(super) reasons: Vec<CancellationReason>,
}

impl Refused {
    /// Whether this step's condition did not hold.
    #[must_use]
    pub fn failed(&self, step: Step) -> bool {
        self.reasons.get(step.0).is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"))
    }

    /// The item that stood in this step's way.
    pub(super) fn item(&self, step: Step) -> Option<&super::Item> {
        self.reasons.get(step.0).and_then(CancellationReason::item).filter(|item| !item.is_empty())
    }

    /// What stood in this step's way.
    ///
    /// # Errors
    /// Where the item is not such a record.
    pub fn existing<R: Record>(&self, step: Step) -> Result<Option<R>, StoreError> {
        self.item(step).map(|item| from_item(item.clone())).transpose()
    }
}

impl Transaction {
    /// DynamoDB's limit for one transaction.
    pub const MOST: usize = 100;

    /// A transaction of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many writes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Writes a record that must not be there yet.
    ///
    /// # Errors
    /// Where the record cannot be an item.
    pub fn create<R: Record>(&mut self, record: &R) -> Result<Step, StoreError> {
        Ok(self.push(record.key(), Act::Put(to_item(record)?), Some(Condition::Absent)))
    }

    /// Writes a record, over what is there where `condition` holds of it.
    ///
    /// # Errors
    /// Where the record cannot be an item.
    pub fn put<R: Record>(&mut self, record: &R, condition: Option<Condition>) -> Result<Step, StoreError> {
        Ok(self.push(record.key(), Act::Put(to_item(record)?), condition))
    }

    /// Changes an item.
    pub fn update(&mut self, key: Key, change: Change, condition: Condition) -> Step {
        self.push(key, Act::Update(change), Some(condition))
    }

    /// Deletes an item.
    pub fn delete(&mut self, key: Key, condition: Option<Condition>) -> Step {
        self.push(key, Act::Delete, condition)
    }

    /// Writes nothing, but demands that a condition holds.
    pub fn check(&mut self, key: Key, condition: Condition) -> Step {
        self.push(key, Act::Check, Some(condition))
    }

    fn push(&mut self, key: Key, act: Act, condition: Option<Condition>) -> Step {
        self.steps.push(Write { key, act, condition });
        Step(self.steps.len() - 1)
    }
}

impl Store {
    /// Commits a transaction, trying again where others hold one of its items, or there is no capacity for one: the SDK
    /// repeats neither, as it does not look at why a transaction was cancelled.
    ///
    /// # Errors
    /// Where the store fails, or conflicts do not end.
    pub async fn commit(&self, transaction: &Transaction, rng: &mut impl CryptoRng) -> Result<Outcome, StoreError> {
        let items = transaction.steps.iter().map(|write| self.to_sdk(write)).collect::<Result<Vec<_>, _>>()?;
        let (mut conflicts, mut throttles) = (Pauses::between_writes(), Pauses::without_capacity());
        loop {
            let sent = self.client().transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let reasons = match sent {
                Ok(_) => return Ok(Outcome::Committed),
                Err(error) => match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        cancelled.cancellation_reasons().to_vec()
                    }
                    _ => return Err(StoreError::from_sdk("TransactWriteItems", &error)),
                },
            };
            match reasons
                .iter()
                .filter_map(CancellationReason::code)
                .find(|code| !matches!(*code, "None" | "ConditionalCheckFailed"))
            {
                None => return Ok(Outcome::Refused(Refused { reasons })),
                Some("TransactionConflict") => {
                    let pause = conflicts.next(rng).ok_or(StoreError::Contention)?;
                    tokio::time::sleep(pause).await;
                }
                Some(code @ ("ThrottlingError" | "ProvisionedThroughputExceeded")) => {
                    let pause = throttles.next(rng).ok_or_else(|| StoreError::Unavailable {
                        operation: "TransactWriteItems",
                        code: code.to_owned(),
                    })?;
                    tokio::time::sleep(pause).await;
                }
                Some(code) => {
                    let message = reasons.iter().find_map(CancellationReason::message).unwrap_or_default().to_owned();
                    return Err(StoreError::Refused {
                        operation: "TransactWriteItems",
                        code: code.to_owned(),
                        message,
                    });
                }
            }
        }
    }

    fn to_sdk(&self, write: &Write) -> Result<TransactWriteItem, StoreError> {
        let table = self.name(write.key.table)?;
        let key = || Some(write.key.attributes());
        let seen = Some(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut expression = Expression::default();
        let item = TransactWriteItem::builder();
        let unfit = |error| StoreError::inconsistent(format!("a write cannot be built: {error}"));
        Ok(match &write.act {
            Act::Put(fields) => {
                let put = Put::builder().table_name(table).set_item(Some(fields.clone()));
                let put = put
                    .set_condition_expression(expression.condition(write.condition.as_ref()))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(seen);
                item.put(put.build().map_err(unfit)?)
            }
            Act::Update(change) => {
                let update = Update::builder().table_name(table).set_key(key());
                let update = update
                    .update_expression(change.write(&mut expression))
                    .set_condition_expression(expression.condition(write.condition.as_ref()))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(seen);
                item.update(update.build().map_err(unfit)?)
            }
            Act::Delete => {
                let delete = Delete::builder().table_name(table).set_key(key());
                let delete = delete
                    .set_condition_expression(expression.condition(write.condition.as_ref()))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(seen);
                item.delete(delete.build().map_err(unfit)?)
            }
            Act::Check => {
                let check = ConditionCheck::builder().table_name(table).set_key(key());
                let check = check
                    .set_condition_expression(expression.condition(write.condition.as_ref()))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .set_return_values_on_condition_check_failure(seen);
                item.condition_check(check.build().map_err(unfit)?)
            }
        }
        .build())
    }
}
