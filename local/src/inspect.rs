//! What one can ask of a running portal.

use std::io;

use portal::clock::Clock;
use portal::domain::fund_day;
use portal::environment::{Environment, StartError};
use portal::store::{Store, StoreError, Table};
use serde_json::Value;

use crate::demo::{self, Unclaimed};
use crate::deployment::Deployment;
use crate::functions::InvokeError;
use crate::mailbox::{Fate, Mail};
use crate::routes::Route;
use crate::start::Portal;

impl Portal {
    /// Where it is: `http://localhost:8080`, without a slash at its end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.origin
    }

    /// Its clock; moving it moves the portal's.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The mails sent so far, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.mailbox.all()
    }

    /// Decides what becomes of the mails to an address from now on, as its mailbox would.
    pub fn decide_mails_to(&self, address: &str, fate: Fate) {
        self.mailbox.decide(address, fate);
    }

    /// From now on SES tells nothing of what becomes of mails, as its events come at best: for whoever counts what a
    /// function does and wants no other to come between.
    pub fn tell_nothing_of_mails(&self) {
        self.bus.hush();
    }

    /// The log lines so far, where they are kept in memory.
    #[must_use]
    pub fn log_lines(&self) -> Vec<Value> {
        self.lines.all()
    }

    /// What readers of streams and queues gave up on in this run.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Value> {
        self.dead_letters.all()
    }

    /// Sends the dead letters of all queues once more; says how many there were.
    #[must_use]
    pub fn redrive(&self) -> usize {
        self.queues.redrive()
    }

    /// The routes of the HTTP API.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.deployment.routes
    }

    /// What the templates describe.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What a function was given, by its name.
    #[must_use]
    pub fn environment_of(&self, function: &str) -> Option<&Environment> {
        self.environments.get(function)
    }

    /// Waits until everything written so far, and everything that its handling wrote, was handed to the
    /// functions that read streams and queues.
    ///
    /// # Errors
    /// Where the engine fails or the portal is stopping.
    pub async fn drain(&self) -> io::Result<()> {
        let mut progress = self.progress.clone();
        self.queues.idle().await;
        self.bus.idle().await;
        // A reader that was quiet may get something from one that is asked after it and was in the middle of
        // a batch: only the second quiet pass in a row is the end.
        let mut quiet = 0;
        while quiet < 2 {
            let mut moved = false;
            for reader in &mut progress {
                moved |= reader.catch_up(&self.functions).await?;
            }
            if !self.queues.are_idle() || !self.bus.is_idle() {
                moved = true;
                self.queues.idle().await;
                self.bus.idle().await;
            }
            quiet = if moved { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    /// Hands one event to a function, as its source would.
    ///
    /// # Errors
    /// Where there is no such function or it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        self.functions.invoke(function, event).await
    }

    /// An environment with the variables of all functions, past every hook.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A DynamoDB client at the engine, past every hook.
    ///
    /// # Errors
    /// None as long as the portal gives itself region and credentials.
    pub fn dynamodb(&self) -> Result<aws_sdk_dynamodb::Client, StartError> {
        portal::aws::dynamodb(&self.environment)
    }

    /// An S3 client at the feed bucket's endpoint, past every hook. Unlike a function's it waits as long as
    /// it takes: a feed of ten years is one upload, and a slow disk is no reason to give it up.
    ///
    /// # Errors
    /// None as long as the portal gives itself region and credentials.
    pub fn s3(&self) -> Result<aws_sdk_s3::Client, StartError> {
        let unhurried = aws_sdk_s3::config::timeout::TimeoutConfig::disabled();
        let config = portal::aws_config!(aws_sdk_s3, &self.environment, "S3").timeout_config(unhurried);
        Ok(aws_sdk_s3::Client::from_conf(config.build()))
    }

    /// A store of all tables, past every hook.
    ///
    /// # Errors
    /// Where no function has the variable that names a table.
    pub fn store(&self) -> Result<Store, StartError> {
        Store::connect(&self.environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])
    }

    /// The name of a table.
    ///
    /// # Errors
    /// Where no function has the variable that names it.
    pub fn table(&self, table: Table) -> Result<&str, StartError> {
        self.environment.variable(table.variable())
    }

    /// An establishment of the demo feed that nobody claimed yet.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn unclaimed_demo_establishment(&self) -> Result<Option<Unclaimed>, StoreError> {
        match self.store() {
            Ok(store) => demo::unclaimed(&store, fund_day(self.environment.clock.now())).await,
            Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Portal};

    #[tokio::test]
    async fn an_upload_takes_as_long_as_it_takes() {
        let portal = Portal::prepare(Options::default()).await.unwrap();
        let s3 = portal.s3().unwrap();
        let limits = s3.config().timeout_config().unwrap();
        assert!(limits.operation_timeout().is_none() && limits.operation_attempt_timeout().is_none());
    }
}
