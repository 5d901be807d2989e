use super::*;

fn read(yaml: &str) -> Result<Deployment, TemplateError> {
    let read = |path: &str| crate::template::parse(path, yaml.as_bytes());
    Deployment::of(&Stacks::load("template.yaml", read, BTreeMap::new())?)
}

#[test]
fn a_function_has_its_variables_its_globals_and_its_routes() {
    let deployment = read(
        r"
Globals: {Function: {Environment: {Variables: {A: 1, B: global}}}}
Resources:
  ForgotPasswordFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {B: !Ref Users, C: true}}
      Events:
        One: {Type: HttpApi, Properties: {Method: post, Path: '/api/{x}'}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
  Users: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: []}}
  Api: {Type: AWS::Serverless::HttpApi}
",
    )
    .unwrap();
    let variables = &deployment.functions["forgot-password"];
    assert_eq!(variables["A"], "1");
    assert_eq!(variables["B"], "Users");
    assert_eq!(variables["C"], "true");
    let keys: Vec<String> = deployment.routes.iter().map(|route| route.key.to_string()).collect();
    assert_eq!(keys, ["POST /api/{x}", "$default"]);
}

#[test]
fn a_function_has_its_timeout_or_that_of_all_or_lambdas() {
    let functions = "Resources:
  SlowFunction: {Type: AWS::Serverless::Function, Properties: {Timeout: 900}}
  QuickFunction: {Type: AWS::Serverless::Function, Properties: {}}
";
    let seconds = |deployment: &Deployment, name: &str| deployment.timeouts[name].as_secs();
    let deployment = read(&format!("Globals: {{Function: {{Timeout: 10}}}}\n{functions}")).unwrap();
    assert_eq!((seconds(&deployment, "slow"), seconds(&deployment, "quick")), (900, 10));
    assert_eq!(seconds(&read(functions).unwrap(), "quick"), 3);
}

#[test]
fn a_table_becomes_what_create_table_takes() {
    let deployment = read(
        r"
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      DeletionProtectionEnabled: true
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
",
    )
    .unwrap();
    let table = &deployment.tables[0];
    assert_eq!(table.ttl.as_deref(), Some("ttl"));
    assert_eq!(
        table.create,
        json!({
            "TableName": "T",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        })
    );
}

#[test]
fn streams_schedules_and_rules_are_read() {
    let deployment = read(
        r#"
Resources:
  WorkFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: work-hard}}
    Properties:
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt T.StreamArn
            BatchSize: 7
            MaximumRetryAttempts: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
        Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(5 minutes)}}
        Off: {Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: false}}
        Rule: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.s3]}}}
  T: {Type: AWS::DynamoDB::Table}
"#,
    )
    .unwrap();
    let stream = &deployment.streams[0];
    assert_eq!((stream.function.as_str(), stream.table.as_str()), ("work-hard", "T"));
    assert_eq!((stream.batch_size, stream.retries, stream.reports_item_failures), (7, 2, true));
    assert!(stream.filters[0].matches(&json!({"eventName": "INSERT"})));
    assert_eq!(deployment.schedules.len(), 1);
    assert_eq!(deployment.schedules[0].every, Duration::from_secs(300));
    assert!(deployment.rules[0].pattern.matches(&json!({"source": "aws.s3"})));
}

#[test]
fn queues_what_fills_them_and_who_reads_them_are_read() {
    let deployment = read(
        r"
Parameters: {Workers: {Type: Number, Default: 3}}
Resources:
  WorkFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Tasks:
          Type: SQS
          Properties:
            Queue: !GetAtt Tasks.Arn
            BatchSize: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: !Ref Workers}
  Tasks:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {maxReceiveCount: 5, deadLetterTargetArn: !GetAtt Dead.Arn}}
  Dead: {Type: AWS::SQS::Queue}
  Fill:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.s3]}
      Targets: [{Id: queue, Arn: !GetAtt Tasks.Arn}]
",
    )
    .unwrap();
    let reader = &deployment.queue_readers[0];
    assert_eq!((reader.function.as_str(), reader.queue.as_str()), ("work", "Tasks"));
    assert_eq!((reader.at_once, reader.most_receives, reader.reports_item_failures), (3, 5, true));
    assert_eq!(deployment.queue_rules[0].queue, "Tasks");
    assert!(deployment.queue_rules[0].pattern.matches(&json!({"source": "aws.s3"})));
}

#[test]
fn what_the_local_portal_cannot_do_is_an_error_that_names_the_resource() {
    for (event, expected) in [
        ("{Type: SNS}", "an event SNS is not known"),
        ("{Type: SQS, Properties: {BatchSize: 10}}", "a BatchSize of 1 only"),
        ("{Type: SQS, Properties: {BatchSize: 1, Queue: x}}", "\"x\" is not a queue"),
        ("{Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 1 * * ? *)}}", "rate(…) only: cron(0 1"),
        ("{Type: HttpApi, Properties: {Method: get}}", "has Path and Method"),
        ("{Type: DynamoDB, Properties: {Stream: nowhere}}", "\"nowhere\" is not a table's stream"),
        ("{Type: EventBridgeRule, Properties: {Pattern: {a: [{cidr: x}]}}}", "cidr"),
    ] {
        let yaml = format!(
            "Resources: {{XFunction: {{Type: AWS::Serverless::Function, Properties: {{Events: {{E: {event}}}}}}}}}"
        );
        let error = read(&yaml).unwrap_err().to_string();
        assert!(error.starts_with("template.yaml: XFunction: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn rates_are_read() {
    assert_eq!(rate("rate(1 day)"), Some(Duration::from_secs(86_400)));
    assert_eq!(rate("rate(2 hours)"), Some(Duration::from_secs(7200)));
    for wrong in ["rate(0 minutes)", "rate(x minutes)", "rate(5 fortnights)", "cron(* * * * ? *)", ""] {
        assert_eq!(rate(wrong), None, "{wrong}");
    }
}

#[test]
fn the_projects_own_templates_are_understood() {
    let parameters = BTreeMap::from([
        ("PortalOrigin".to_owned(), "http://127.0.0.1:1".to_owned()),
        ("MailFrom".to_owned(), "portail@adherents.example".to_owned()),
        ("StaffEmail".to_owned(), "agents@adherents.example".to_owned()),
        ("FeedSources".to_owned(), "erp".to_owned()),
    ]);
    let deployment = Deployment::read(parameters).unwrap();
    assert_eq!(deployment.routes.iter().filter(|route| route.key == RouteKey::Default).count(), 1);
    assert!(deployment.functions.len() >= 18, "{:?}", deployment.functions.keys());
    let sessions = &deployment.functions["sessions"];
    assert_eq!(sessions["PORTAL_ORIGIN"], "http://127.0.0.1:1");
    for stream in &deployment.streams {
        assert!(deployment.tables.iter().any(|table| table.name == stream.table), "{}", stream.table);
    }
    for reader in &deployment.queue_readers {
        assert!(deployment.queue_rules.iter().any(|rule| rule.queue == reader.queue), "nothing fills {}", reader.queue);
        assert!(reader.most_receives < u32::MAX, "{} has no dead letters", reader.queue);
    }
    assert_eq!(deployment.queue_readers.len(), 1);
    assert!(!deployment.buckets.is_empty() && !deployment.secrets.is_empty() && !deployment.rules.is_empty());
}
