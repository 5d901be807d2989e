//! What can go wrong with the store that is not an outcome.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, timed out or out of reach: worth trying again.
    #[error("{operation} is not possible at the moment ({code})")]
    Unavailable {
        /// The DynamoDB operation.
        operation: &'static str,
        /// DynamoDB's error code, or the kind of transport failure.
        code: String,
    },
    /// Others wrote the same items all the time: worth trying again.
    #[error("a transaction gave up after conflicts with others")]
    Contention,
    /// DynamoDB will never accept this call: a defect, or a missing permission.
    #[error("{operation} was refused ({code}: {message})")]
    Refused {
        /// The DynamoDB operation.
        operation: &'static str,
        /// DynamoDB's error code.
        code: String,
        /// DynamoDB's message.
        message: String,
    },
    /// What is stored is not what the code wrote.
    #[error("stored data make no sense: {what}")]
    Inconsistent {
        /// What was expected, without the data themselves.
        what: String,
    },
}

/// The codes of writes that DynamoDB refuses for what they hold, of the call or of one of its items: an item of more than
/// 400 KB, more than 4 MB at once, a key or number beyond its bounds; or an account's partition has 10 GB.
const OF_CONTENT: [&str; 3] = ["ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"];

impl StoreError {
    /// Tells whether the store will never hold what it was given: sent again, it is refused again, and other writes are not.
    #[must_use]
    pub fn is_of_content(&self) -> bool {
        let Self::Refused { operation, code, .. } = self else { return false };
        *operation == "TransactWriteItems" && OF_CONTENT.contains(&code.as_str())
    }

    pub(super) fn inconsistent(what: impl Into<String>) -> Self {
        Self::Inconsistent { what: what.into() }
    }

    /// Tells passing faults from defects.
    pub(super) fn from_sdk<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let unavailable = |code: &str| Self::Unavailable { operation, code: code.to_owned() };
        match error {
            SdkError::TimeoutError(_) => unavailable("time-out"),
            SdkError::DispatchFailure(_) => unavailable("connection"),
            SdkError::ResponseError(_) => unavailable("response"),
            SdkError::ServiceError(service) => {
                let status = service.raw().status();
                let code = service.err().code().map_or_else(|| status.to_string(), str::to_owned);
                // A 5xx passes whatever it calls itself: it may not even be DynamoDB's own.
                let passing = matches!(
                    code.as_str(),
                    "ProvisionedThroughputExceededException"
                        | "RequestLimitExceeded"
                        | "ThrottlingException"
                        | "TransactionConflictException"
                        | "TransactionInProgressException"
                );
                if passing || status.is_server_error() {
                    return Self::Unavailable { operation, code };
                }
                Self::Refused { operation, code, message: service.err().message().unwrap_or_default().to_owned() }
            }
            other => Self::Refused { operation, code: "construction".to_owned(), message: other.to_string() },
        }
    }
}
