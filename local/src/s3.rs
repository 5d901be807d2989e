//! S3: the crate `s3s-fs` over a folder, with the buckets of the templates.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::sync::Mutex;

use crate::payload::decode;

/// Is told the bucket and the key of an object that was written.
pub(crate) type Arrived = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// The endpoint; `key` and `secret` are the credentials that it takes.
pub(crate) fn router(
    root: &Path,
    buckets: &[String],
    (key, secret): (&str, &str),
    arrived: Arrived,
) -> io::Result<Router> {
    for bucket in buckets {
        fs::create_dir_all(root.join(bucket))?;
    }
    let files = FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(key, secret));
    let service = HandleError::new(builder.build(), |error: s3s::HttpError| async move {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))
    });
    // `s3s-fs` writes an object and its checksum one after the other: two writers at once would leave the one of
    // the first beside the other of the second, and nobody could read it again. S3 keeps one of two writes whole.
    let one_writer = Arc::new(Mutex::new(()));
    let tell = from_fn(move |request: Request, next: Next| {
        let (arrived, one_writer) = (Arc::clone(&arrived), Arc::clone(&one_writer));
        async move {
            // Pieces of an object have a query; keys that queues wait for need no decoding.
            let is_object = request.method() == Method::PUT && request.uri().query().is_none_or(is_only_the_name);
            let path = is_object.then(|| request.uri().path().trim_start_matches('/').to_owned());
            let writing = if path.is_some() { Some(one_writer.lock().await) } else { None };
            let response = next.run(request).await;
            drop(writing);
            if let Some((bucket, key)) = path.as_deref().and_then(|path| path.split_once('/'))
                && response.status().is_success()
                && !key.is_empty()
            {
                arrived(bucket, key);
            }
            response
        }
    });
    Ok(Router::new().fallback_service(service).layer(tell).layer(from_fn(as_asked)))
}

/// The SDK's clients name the operation in the query.
fn is_only_the_name(query: &str) -> bool {
    query.split('&').all(|pair| pair.starts_with("x-id="))
}

/// The headers that a signed link asks for, which `s3s-fs` leaves out.
async fn as_asked(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut response = next.run(request).await;
    if response.status().is_success() {
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let header = match name {
                "response-cache-control" => CACHE_CONTROL,
                "response-content-disposition" => CONTENT_DISPOSITION,
                "response-content-type" => CONTENT_TYPE,
                _ => continue,
            };
            if let Ok(value) = HeaderValue::from_str(&decode(value)) {
                response.headers_mut().insert(header, value);
            }
        }
    }
    response
}

#[cfg(test)]
#[path = "s3_tests.rs"]
mod tests;
