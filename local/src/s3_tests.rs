use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use portal::clock::Clock;
use portal::environment::{Environment, StartError};
use portal::log::Log;

use super::*;
use crate::testing::served;

fn client(endpoint: &str, secret: &str) -> Result<aws_sdk_s3::Client, StartError> {
    let variables = [
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_ENDPOINT_URL_S3", endpoint),
    ];
    let variables: BTreeMap<_, _> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let environment = Environment::new(variables, Clock::system(), Log::to(|_| {}), http);
    let config = portal::aws_config!(aws_sdk_s3, &environment, "S3");
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

#[tokio::test]
async fn files_are_put_and_read_with_the_real_client() {
    let folder = tempfile::tempdir().unwrap();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let arrivals = Arc::clone(&told);
    let tell: Arrived = Arc::new(move |bucket, key| arrivals.lock().unwrap().push(format!("{bucket} {key}")));
    let app = router(folder.path(), &["feed-bucket".to_owned()], ("key", "secret"), tell).unwrap();
    let (endpoint, _stopper) = served(app).await;
    let s3 = client(&endpoint, "secret").unwrap();
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &content).unwrap();
    let body = ByteStream::from_path(file.path()).await.unwrap();
    s3.put_object().bucket("feed-bucket").key("batch/ledger.ndjson").body(body).send().await.unwrap();
    let got = s3.get_object().bucket("feed-bucket").key("batch/ledger.ndjson").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), content);
    let missing = s3.get_object().bucket("feed-bucket").key("batch/none").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());

    assert_eq!(*told.lock().unwrap(), ["feed-bucket batch/ledger.ndjson"]);

    let stranger = client(&endpoint, "other").unwrap();
    assert!(stranger.get_object().bucket("feed-bucket").key("batch/ledger.ndjson").send().await.is_err());
    let refused = stranger.put_object().bucket("feed-bucket").key("batch/other").send().await;
    assert!(refused.is_err() && told.lock().unwrap().len() == 1, "what was not written did not arrive");
}
