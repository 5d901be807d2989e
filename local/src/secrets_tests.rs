use super::*;
use crate::testing::call;

fn secret() -> Secret {
    Secret { name: "Key".into(), generator: json!({"PasswordLength": 64, "ExcludePunctuation": true}), value: None }
}

async fn ask(secrets: &Secrets, operation: &str, request: Value) -> (StatusCode, Value) {
    let target = format!("secretsmanager.{operation}");
    let headers = [("x-amz-target", target.as_str())];
    let (status, body) = call(secrets.clone().router(), "POST", "/", &headers, request.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_generated_secret_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut values = Vec::new();
    for _ in 0..2 {
        let secrets = Secrets::open(Some(folder.path().to_owned()), &[secret()]).unwrap();
        let id = "arn:aws:secretsmanager:eu-west-3:000000000000:secret:Key";
        let (status, answer) = ask(&secrets, "GetSecretValue", json!({"SecretId": id})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["VersionStages"], json!(["AWSCURRENT"]));
        values.push(answer["SecretString"].as_str().unwrap().to_owned());
    }
    assert_eq!(values[0], values[1]);
    assert_eq!(values[0].len(), 64);
}

#[tokio::test]
async fn a_new_version_leaves_the_previous_one_readable_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Secrets::open(Some(folder.path().to_owned()), &[secret()]).unwrap();
    let first = ask(&secrets, "GetSecretValue", json!({"SecretId": "Key"})).await.1;
    let put = json!({"SecretId": "Key", "SecretString": "new", "ClientRequestToken": "t1"});
    assert_eq!(ask(&secrets, "PutSecretValue", put.clone()).await.0, StatusCode::OK);
    // The same request again is the same version; with another value it is refused.
    assert_eq!(ask(&secrets, "PutSecretValue", put).await.1["VersionId"], "t1");
    let other = json!({"SecretId": "Key", "SecretString": "other", "ClientRequestToken": "t1"});
    assert_eq!(ask(&secrets, "PutSecretValue", other).await.1["__type"], "ResourceExistsException");

    let secrets = Secrets::open(Some(folder.path().to_owned()), &[secret()]).unwrap();
    let current = ask(&secrets, "GetSecretValue", json!({"SecretId": "Key"})).await.1;
    assert_eq!((&current["SecretString"], &current["VersionId"]), (&json!("new"), &json!("t1")));
    let previous = json!({"SecretId": "Key", "VersionStage": "AWSPREVIOUS"});
    assert_eq!(ask(&secrets, "GetSecretValue", previous).await.1["SecretString"], first["SecretString"]);
    let described = ask(&secrets, "DescribeSecret", json!({"SecretId": "Key"})).await.1;
    assert_eq!(described["VersionIdsToStages"]["t1"], json!(["AWSCURRENT"]));
}

#[tokio::test]
async fn what_is_not_there_is_named_as_the_service_does() {
    let secrets = Secrets::open(None, &[secret()]).unwrap();
    let (status, answer) = ask(&secrets, "GetSecretValue", json!({"SecretId": "Nobody"})).await;
    assert_eq!((status, &answer["__type"]), (StatusCode::BAD_REQUEST, &json!("ResourceNotFoundException")));
    let (_, answer) = ask(&secrets, "DeleteSecret", json!({"SecretId": "Key"})).await;
    assert_eq!(answer["__type"], "InvalidRequestException");
    let (_, answer) = ask(&secrets, "GetSecretValue", json!({})).await;
    assert_eq!(answer["__type"], "InvalidParameterException");
}
