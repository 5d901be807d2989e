//! What the templates describe, as far as the local portal does it: functions with their variables,
//! what starts them, and the tables, buckets and secrets that they stand on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::names::{bucket_name, kebab};
use crate::pattern::Pattern;
use crate::resolve::{Resource, Stacks, as_text};
use crate::routes::{Route, RouteKey};
use crate::template::{self, TemplateError};

/// Lambda's own, for a function that the template gives none.
const LAMBDA_TIMEOUT: Duration = Duration::from_secs(3);

/// Everything that the templates describe and the local portal makes.
#[derive(Debug, Default)]
pub struct Deployment {
    /// Each function's variables, by its name.
    pub functions: BTreeMap<String, BTreeMap<String, String>>,
    /// How long each function may take for a call, by its name.
    pub timeouts: BTreeMap<String, Duration>,
    /// The routes of the HTTP API.
    pub routes: Vec<Route>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The names of the buckets.
    pub buckets: Vec<String>,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// Which function reads which table's stream.
    pub streams: Vec<StreamMapping>,
    /// Which function runs how often.
    pub schedules: Vec<Schedule>,
    /// Which function an event on the bus starts.
    pub rules: Vec<Rule>,
    /// The queues: how often each hands a message over before it is a dead letter, by name.
    pub queues: BTreeMap<String, u32>,
    /// Which event on the bus goes into a queue.
    pub queue_rules: Vec<QueueRule>,
    /// Which function reads which queue.
    pub queue_readers: Vec<QueueMapping>,
}

/// A queue that takes events of the bus.
#[derive(Debug, Clone)]
pub struct QueueRule {
    /// The queue's name.
    pub queue: String,
    /// The events that go into it.
    pub pattern: Pattern,
}

/// A function that reads a queue, one message a call.
#[derive(Debug, Clone)]
pub struct QueueMapping {
    /// The function's name.
    pub function: String,
    /// The queue's name.
    pub queue: String,
    /// How many messages are handed over at the same time; nobody reads where it is 0.
    pub at_once: usize,
    /// How often a message is handed over before it is a dead letter.
    pub most_receives: u32,
    /// Whether the function's answer names the messages that failed.
    pub reports_item_failures: bool,
}

/// A table, as `CreateTable` and `UpdateTimeToLive` take it.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The body of `CreateTable`.
    pub create: Value,
    /// The attribute that says when an item may go.
    pub ttl: Option<String>,
}

/// A secret and how its first value is made.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// `GenerateSecretString`, or null.
    pub generator: Value,
    /// A value that the template gives.
    pub value: Option<String>,
}

/// A function that reads a table's stream.
#[derive(Debug, Clone)]
pub struct StreamMapping {
    /// The function's name.
    pub function: String,
    /// The table's name.
    pub table: String,
    /// How many records one call gets at most.
    pub batch_size: usize,
    /// Records that match none of them are skipped; none at all means every record.
    pub filters: Vec<Pattern>,
    /// Whether the function's answer names the records that failed.
    pub reports_item_failures: bool,
    /// How often a batch is tried again before it is given up.
    pub retries: u32,
}

/// A function that runs every so often.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The function's name.
    pub function: String,
    /// From one run to the next.
    pub every: Duration,
    /// The event, where the template gives one.
    pub input: Option<Value>,
}

/// A function that an event on the bus starts.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The function's name.
    pub function: String,
    /// The events that start it.
    pub pattern: Pattern,
}

impl Deployment {
    /// Reads the project's own templates, with these parameters of the root.
    ///
    /// # Errors
    /// Where they say what the local portal cannot do; the error names file and resource.
    pub fn read(parameters: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        Self::of(&Stacks::load("template.yaml", template::of_project, parameters)?)
    }

    fn of(stacks: &Stacks) -> Result<Self, TemplateError> {
        let mut deployment = Self::default();
        for resource in stacks.resources()? {
            let reader = Reader { stacks, resource };
            match resource.kind {
                "AWS::Serverless::Function" => deployment.add_function(&reader)?,
                "AWS::DynamoDB::Table" => deployment.tables.push(reader.table()?),
                "AWS::SQS::Queue" => {
                    let most = reader.property("RedrivePolicy")?["maxReceiveCount"].as_u64();
                    let most = most.and_then(|most| u32::try_from(most).ok()).unwrap_or(u32::MAX);
                    deployment.queues.insert(resource.id.to_owned(), most);
                }
                "AWS::Events::Rule" => deployment.queue_rules.extend(reader.queue_rules()?),
                "AWS::S3::Bucket" => deployment.buckets.push(bucket_name(resource.id)),
                "AWS::SecretsManager::Secret" => deployment.secrets.push(Secret {
                    name: resource.id.to_owned(),
                    generator: reader.property("GenerateSecretString")?,
                    value: reader.property("SecretString")?.as_str().map(str::to_owned),
                }),
                _ => {}
            }
        }
        for mapping in &mut deployment.queue_readers {
            mapping.most_receives = *deployment.queues.get(&mapping.queue).unwrap_or(&u32::MAX);
        }
        Ok(deployment)
    }

    fn add_function(&mut self, reader: &Reader<'_>) -> Result<(), TemplateError> {
        let function = reader.function_name();
        let mut variables = BTreeMap::new();
        let global = &reader.stacks.globals(&reader.resource)["Function"]["Environment"]["Variables"];
        for source in [global, &reader.resource.body["Properties"]["Environment"]["Variables"]] {
            let resolved = reader.stacks.resolve(&reader.resource, source)?.unwrap_or_default();
            for (name, value) in resolved.as_object().into_iter().flatten() {
                variables.insert(name.clone(), as_text(value));
            }
        }
        let own = reader.property("Timeout")?;
        let global = &reader.stacks.globals(&reader.resource)["Function"]["Timeout"];
        let seconds = own.as_u64().or_else(|| global.as_u64()).map_or(LAMBDA_TIMEOUT, Duration::from_secs);
        self.timeouts.insert(function.clone(), seconds);
        if self.functions.insert(function.clone(), variables).is_some() {
            return Err(reader.error(format!("there are two functions named {function}")));
        }
        for event in reader.resource.body["Properties"]["Events"].as_object().into_iter().flat_map(Map::values) {
            let properties = reader.stacks.resolve(&reader.resource, &event["Properties"])?.unwrap_or_default();
            match event["Type"].as_str() {
                Some("HttpApi") => self.routes.push(reader.route(&function, &properties)?),
                Some("Schedule" | "ScheduleV2") => self.schedules.extend(reader.schedule(&function, &properties)?),
                Some("DynamoDB") => self.streams.push(reader.stream(&function, &properties)?),
                Some("SQS") => self.queue_readers.push(reader.queue(&function, &properties)?),
                Some("EventBridgeRule" | "CloudWatchEvent") => {
                    let pattern = reader.pattern(&properties["Pattern"])?;
                    self.rules.push(Rule { function: function.clone(), pattern });
                }
                other => {
                    let kind = other.unwrap_or("without a Type");
                    return Err(reader.error(format!("an event {kind} is not known to the local portal")));
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    stacks: &'a Stacks,
    resource: Resource<'a>,
}

impl Reader<'_> {
    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(self.resource.file, self.resource.id, problem)
    }

    fn property(&self, name: &str) -> Result<Value, TemplateError> {
        Ok(self.stacks.resolve(&self.resource, &self.resource.body["Properties"][name])?.unwrap_or_default())
    }

    /// The binary that is built for it, else its id: `ForgotPasswordFunction` is `forgot-password`.
    fn function_name(&self) -> String {
        let id = self.resource.id;
        self.resource.body["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .map_or_else(|| kebab(id.strip_suffix("Function").unwrap_or(id)), str::to_owned)
    }

    fn table(&self) -> Result<Table, TemplateError> {
        // Only what the engine does; backups, encryption and protection are AWS's.
        let mut create = json!({"TableName": self.resource.id, "BillingMode": "PAY_PER_REQUEST"});
        for name in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            let value = self.property(name)?;
            if !value.is_null() {
                create[name] = value;
            }
        }
        let stream = self.property("StreamSpecification")?;
        if let Some(view) = stream["StreamViewType"].as_str() {
            create["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view});
        }
        let ttl = self.property("TimeToLiveSpecification")?;
        let ttl = (ttl["Enabled"] == true).then(|| ttl["AttributeName"].as_str().map(str::to_owned)).flatten();
        Ok(Table { name: self.resource.id.to_owned(), create, ttl })
    }

    fn route(&self, function: &str, properties: &Value) -> Result<Route, TemplateError> {
        let key = match (properties["Method"].as_str(), properties["Path"].as_str()) {
            (None, None | Some("$default")) | (Some("$default"), _) => RouteKey::Default,
            (Some(method), Some(path)) if path.starts_with('/') => RouteKey::path(method, path),
            _ => return Err(self.error("an HttpApi event has Path and Method, or neither of them")),
        };
        Ok(Route { key, function: function.to_owned() })
    }

    fn schedule(&self, function: &str, properties: &Value) -> Result<Option<Schedule>, TemplateError> {
        if properties["Enabled"] == false || properties["State"] == "DISABLED" {
            return Ok(None);
        }
        let expression =
            properties["ScheduleExpression"].as_str().or_else(|| properties["Schedule"].as_str()).unwrap_or_default();
        let every = rate(expression)
            .ok_or_else(|| self.error(format!("of schedules the local portal knows rate(…) only: {expression}")))?;
        let input = match properties["Input"].as_str() {
            None => None,
            Some(text) => {
                Some(serde_json::from_str(text).map_err(|error| self.error(format!("a schedule's Input: {error}")))?)
            }
        };
        Ok(Some(Schedule { function: function.to_owned(), every, input }))
    }

    fn stream(&self, function: &str, properties: &Value) -> Result<StreamMapping, TemplateError> {
        let arn = properties["Stream"].as_str().unwrap_or_default();
        let table = arn.split("table/").nth(1).and_then(|rest| rest.split('/').next());
        let filters = properties["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
        Ok(StreamMapping {
            function: function.to_owned(),
            table: table.ok_or_else(|| self.error(format!("{arn:?} is not a table's stream")))?.to_owned(),
            // Lambda's own default.
            batch_size: usize::try_from(properties["BatchSize"].as_u64().unwrap_or(100)).unwrap_or(100).clamp(1, 1000),
            filters: filters.map(|filter| self.filter(&filter["Pattern"])).collect::<Result<_, _>>()?,
            reports_item_failures: reports_item_failures(properties),
            // Lambda's default is to try for a day; nobody waits for that at a desk.
            retries: properties["MaximumRetryAttempts"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(10),
        })
    }

    /// A rule of its own: of its targets the local portal knows queues.
    fn queue_rules(&self) -> Result<Vec<QueueRule>, TemplateError> {
        let pattern = self.pattern(&self.property("EventPattern")?)?;
        let targets = self.property("Targets")?;
        let targets = targets.as_array().into_iter().flatten();
        targets
            .map(|target| Ok(QueueRule { queue: self.queue_name(&target["Arn"])?, pattern: pattern.clone() }))
            .collect()
    }

    fn queue_name(&self, arn: &Value) -> Result<String, TemplateError> {
        let name = arn.as_str().and_then(|arn| arn.strip_prefix("arn:aws:sqs:")?.rsplit(':').next());
        Ok(name.ok_or_else(|| self.error(format!("{arn} is not a queue")))?.to_owned())
    }

    fn queue(&self, function: &str, properties: &Value) -> Result<QueueMapping, TemplateError> {
        if properties["BatchSize"] != 1 {
            return Err(self.error("of queues the local portal knows a BatchSize of 1 only"));
        }
        let at_once = &properties["ScalingConfig"]["MaximumConcurrency"];
        let at_once = at_once.as_u64().or_else(|| at_once.as_str()?.parse().ok());
        Ok(QueueMapping {
            function: function.to_owned(),
            queue: self.queue_name(&properties["Queue"])?,
            at_once: at_once.and_then(|count| usize::try_from(count).ok()).unwrap_or(1),
            most_receives: u32::MAX,
            reports_item_failures: reports_item_failures(properties),
        })
    }

    fn filter(&self, pattern: &Value) -> Result<Pattern, TemplateError> {
        let text = pattern.as_str().ok_or_else(|| self.error("a filter's Pattern is a text"))?;
        let pattern = serde_json::from_str(text).map_err(|error| self.error(format!("a filter's Pattern: {error}")))?;
        self.pattern(&pattern)
    }

    fn pattern(&self, pattern: &Value) -> Result<Pattern, TemplateError> {
        Pattern::parse(pattern).map_err(|problem| self.error(problem))
    }
}

fn reports_item_failures(properties: &Value) -> bool {
    let types = properties["FunctionResponseTypes"].as_array();
    types.is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures"))
}

/// The time of `rate(5 minutes)`.
fn rate(expression: &str) -> Option<Duration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim().trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    count.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
#[path = "deployment_tests.rs"]
mod tests;
