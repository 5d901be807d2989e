//! What each call to DynamoDB consumed: asked for, and added up for the request under way.
//!
//! In one place for all operations, so that no call can be made that is not counted. DynamoDB tells it of what
//! succeeded only: what a write consumed whose condition failed, nobody is told.

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use crate::invocation;

/// Asks for the capacity, and hands what is answered to the invocation under way.
#[derive(Debug)]
pub(crate) struct Capacity;

#[dyn_dispatch_hint]
impl Intercept for Capacity {
    fn name(&self) -> &'static str {
        "Capacity"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        macro_rules! ask {
            ($($input:ident)+) => {$(
                if let Some(input) = context.input_mut().downcast_mut::<$input>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                    return Ok(());
                }
            )+};
        }
        ask!(BatchGetItemInput QueryInput GetItemInput ScanInput);
        ask!(TransactWriteItemsInput PutItemInput UpdateItemInput DeleteItemInput);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        macro_rules! add {
            ($($output:ident: $add:ident $($of_each:ident)?,)+) => {$(
                if let Some(output) = output.downcast_ref::<$output>() {
                    output.consumed_capacity.iter()$(.$of_each())?.for_each($add);
                    return Ok(());
                }
            )+};
        }
        add!(
            BatchGetItemOutput: read flatten,
            QueryOutput: read,
            GetItemOutput: read,
            ScanOutput: read,
            TransactWriteItemsOutput: written flatten,
            PutItemOutput: written,
            UpdateItemOutput: written,
            DeleteItemOutput: written,
        );
        Ok(())
    }
}

fn read(consumed: &ConsumedCapacity) {
    invocation::consumed(consumed.capacity_units.unwrap_or_default(), 0.0);
}

/// A repeat of a transaction that was committed already consumes units of reading, and says so.
fn written(consumed: &ConsumedCapacity) {
    let all = consumed.capacity_units.unwrap_or_default();
    let read = consumed.read_capacity_units.unwrap_or_default().min(all);
    invocation::consumed(read, all - read);
}
