//! The store: a DynamoDB client and the tables that a function may use.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::change::Expression;
use super::pauses::Pauses;
use super::record::{from_item, to_item};
use super::{Change, Condition, Item, Key, Record, StoreError, Table};
use crate::aws;
use crate::environment::{Environment, StartError, rng};

/// DynamoDB, with the names of the tables that the function was given.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    tables: Arc<BTreeMap<Table, String>>,
}

impl Store {
    /// A store of these tables; their names are variables of the environment.
    ///
    /// # Errors
    /// Where a variable is missing.
    pub fn connect(environment: &Environment, tables: &[Table]) -> Result<Self, StartError> {
        let named = |table: &Table| Ok((*table, environment.variable(table.variable())?.to_owned()));
        let tables = tables.iter().map(named).collect::<Result<_, StartError>>()?;
        Ok(Self { client: aws::dynamodb(environment)?, tables: Arc::new(tables) })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn name(&self, table: Table) -> Result<&str, StoreError> {
        let name = self.tables.get(&table).map(String::as_str);
        name.ok_or_else(|| StoreError::inconsistent(format!("the function did not ask for {}", table.variable())))
    }

    pub(super) fn table(&self, name: &str) -> Option<Table> {
        self.tables.iter().find(|(_, known)| known.as_str() == name).map(|(table, _)| *table)
    }

    /// One record by its key.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        let request = self.client.get_item().table_name(self.name(key.table)?);
        let output = request
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("GetItem", &error))?;
        output.item.map(from_item).transpose()
    }

    /// Writes one record over whatever is there.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn put<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(self.name(record.key().table)?);
        let request = request.set_item(Some(to_item(record)?));
        let sent = past_transactions(|| request.clone().send()).await;
        sent.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error))
    }

    /// Writes one record that nobody else can have written: its key is random.
    ///
    /// A repeat by the SDK after a lost answer finds the record there, and leaves it as others may have
    /// changed it since.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn create<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(self.name(record.key().table)?);
        let request = request.set_item(Some(to_item(record)?)).condition_expression("attribute_not_exists(pk)");
        match past_transactions(|| request.clone().send()).await {
            Err(SdkError::ServiceError(e)) if matches!(e.err(), PutItemError::ConditionalCheckFailedException(_)) => {
                Ok(())
            }
            sent => sent.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error)),
        }
    }

    /// Writes one record where a condition holds of what is there; `false` where it does not.
    ///
    /// A repeat by the SDK after a lost answer may find its own work done and answer `false`: use it
    /// only where that is harmless, else a [`super::Transaction`], which has a token against it.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn put_if<R: Record>(&self, record: &R, condition: &Condition) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        let condition = expression.condition(Some(condition));
        let request = self.client.put_item().table_name(self.name(record.key().table)?);
        let request = request
            .set_item(Some(to_item(record)?))
            .set_condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values());
        match past_transactions(|| request.clone().send()).await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(e)) if matches!(e.err(), PutItemError::ConditionalCheckFailedException(_)) => {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("PutItem", &error)),
        }
    }

    /// Changes one item where a condition holds; `false` where it does not.
    ///
    /// A repeat by the SDK after a lost answer may find its own work done and answer `false`: use it
    /// only where that is harmless, else a [`super::Transaction`], which has a token against it.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn update(&self, key: &Key, change: &Change, condition: Option<&Condition>) -> Result<bool, StoreError> {
        let mut expression = Expression::default();
        let update = change.write(&mut expression);
        let condition = expression.condition(condition);
        let request = self.client.update_item().table_name(self.name(key.table)?);
        let request = request
            .set_key(Some(key.attributes()))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values());
        match past_transactions(|| request.clone().send()).await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(e))
                if matches!(e.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Changes one item where a condition holds; else gives the item that is in the way, where there is
    /// one.
    ///
    /// Once only is not promised: a repeat by the SDK after a lost answer may change it twice.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) async fn update_or_see(
        &self,
        key: &Key,
        change: &Change,
        condition: &Condition,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        let mut expression = Expression::default();
        let update = change.write(&mut expression);
        let condition = expression.condition(Some(condition));
        let request = self.client.update_item().table_name(self.name(key.table)?);
        let request = request
            .set_key(Some(key.attributes()))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match past_transactions(|| request.clone().send()).await {
            Ok(_) => Ok(Ok(())),
            Err(SdkError::ServiceError(e)) => match e.err() {
                UpdateItemError::ConditionalCheckFailedException(refused) => Ok(Err(refused.item.clone())),
                _ => Err(StoreError::from_sdk("UpdateItem", &SdkError::ServiceError(e))),
            },
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Deletes one item, there or not.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(self.name(key.table)?);
        let request = request.set_key(Some(key.attributes()));
        let sent = past_transactions(|| request.clone().send()).await;
        sent.map(drop).map_err(|error| StoreError::from_sdk("DeleteItem", &error))
    }
}

/// Sends a single write, and sends it again where a transaction is at its item: DynamoDB refuses it then at once, having
/// done nothing, and the SDK takes that for the caller's own fault.
async fn past_transactions<T, E, F>(send: impl Fn() -> F) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let mut pauses = Pauses::between_writes();
    loop {
        let sent = send().await;
        let code = sent.as_ref().err().and_then(|error| error.as_service_error()?.code());
        let pause = match code {
            Some("TransactionConflictException") => pauses.next(&mut rng()),
            _ => None,
        };
        let Some(pause) = pause else { return sent };
        tokio::time::sleep(pause).await;
    }
}
