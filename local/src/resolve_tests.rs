use super::*;
use crate::template::parse;

const ROOT: &str = r"
Parameters:
  Origin: {Type: String}
  Year: {Type: Number, Default: 2011}
  Zones: {Type: CommaDelimitedList, Default: 'a, b'}
Conditions:
  Loopback: !Equals [!Ref Origin, 'http://127.0.0.1:1']
  Never: !And [!Condition Loopback, !Not [!Condition Loopback]]
  Ever: !Or [!Condition Never, !Condition Loopback]
Mappings:
  Sizes: {eu-west-3: {small: 3}}
Resources:
  Data:
    Type: AWS::Serverless::Application
    Properties: {Location: ./infra/data.yaml, Parameters: {Prefix: !Sub '${Year}-x'}}
  Absent: {Type: AWS::S3::Bucket, Condition: Never}
  Thing:
    Type: Custom::Thing
    Properties:
      table: !GetAtt Data.Outputs.Table
      echo: !GetAtt Data.Outputs.Echo
      sub: !Sub ['${Origin}/${What}/${!Kept}/${Data.Outputs.Stream}', {What: !Select [1, !Ref Zones]}]
      if: !If [Ever, yes, no]
      gone: !If [Never, kept, !Ref AWS::NoValue]
      map: !FindInMap [Sizes, !Ref AWS::Region, small]
      join: !Join ['-', [a, !Ref Year]]
      split: !Select [1, !Split ['@', a@b]]
";
const DATA: &str = r"
Parameters: {Prefix: {Type: String}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
Outputs:
  Table: {Value: !Ref Table}
  Stream: {Value: !GetAtt Table.StreamArn}
  Echo: {Value: !Ref Prefix}
";

fn load(root: &'static str, origin: &str) -> Result<Stacks, TemplateError> {
    let read = move |path: &str| match path {
        "template.yaml" => parse(path, root.as_bytes()),
        "infra/data.yaml" => parse(path, DATA.as_bytes()),
        _ => Err(TemplateError::new(path, "file", "there is no such template")),
    };
    Stacks::load("template.yaml", read, BTreeMap::from([("Origin".to_owned(), origin.to_owned())]))
}

fn resolve_thing(root: &'static str) -> Result<Value, TemplateError> {
    let stacks = load(root, "http://127.0.0.1:1")?;
    let resources = stacks.resources()?;
    let thing = resources.iter().find(|resource| resource.id == "Thing").unwrap();
    Ok(stacks.resolve(thing, &thing.body["Properties"])?.unwrap())
}

#[test]
fn intrinsics_are_resolved_through_nested_stacks() {
    let stream = "arn:aws:dynamodb:eu-west-3:000000000000:table/Table/stream/local";
    assert_eq!(
        resolve_thing(ROOT).unwrap(),
        serde_json::json!({
            "table": "Table",
            "echo": "2011-x",
            "sub": format!("http://127.0.0.1:1/b/${{Kept}}/{stream}"),
            "if": "yes",
            "map": 3,
            "join": "a-2011",
            "split": "b",
        })
    );
}

#[test]
fn a_resource_whose_condition_fails_is_not_there() {
    let stacks = load(ROOT, "http://127.0.0.1:1").unwrap();
    assert!(stacks.resources().unwrap().iter().all(|resource| resource.id != "Absent"));
}

#[test]
fn errors_name_the_file_and_the_resource() {
    for (yaml, expected) in [
        ("{p: !Ref Nobody}", "template.yaml: Thing: Nobody is neither a parameter nor a resource of this template"),
        ("{p: !GetAtt Thing.Colour}", "template.yaml: Thing: Thing.Colour (X) is not known to the local portal"),
        ("{p: !Ref Needed}", "template.yaml: Thing: parameter Needed has neither a value nor a default"),
        ("{p: !ImportValue X}", "template.yaml: Thing: Fn::ImportValue is not known to the local portal"),
    ] {
        let text = format!(
            "Parameters: {{Origin: {{}}, Needed: {{Type: String}}}}\nResources: {{Thing: {{Type: X, Properties: {yaml}}}}}"
        );
        let error = resolve_thing(Box::leak(text.into_boxed_str())).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_parameter_that_the_template_lacks_is_refused() {
    let error = load("Resources: {}", "x").unwrap_err();
    assert_eq!(error.to_string(), "template.yaml: Origin: is not a parameter of this template");
}

#[test]
fn a_stack_that_is_not_there_is_named() {
    let error = load("Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x.yaml}}}", "x");
    assert_eq!(error.unwrap_err().to_string(), "x.yaml: file: there is no such template");
}

#[test]
fn a_circle_is_an_error_not_an_endless_loop() {
    let error = resolve_thing(
        "Parameters: {Origin: {}}\nConditions: {A: !Condition B, B: !Condition A}\n\
         Resources: {Thing: {Type: X, Properties: {p: !If [A, 1, 2]}}}",
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "template.yaml: Thing: a condition refers to itself");
}
