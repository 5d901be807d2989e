//! S3: the crate `s3s-fs` over a folder, with the buckets of the templates.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

/// The endpoint; `key` and `secret` are the credentials that it takes.
pub(crate) fn router(root: &Path, buckets: &[String], key: &str, secret: &str) -> io::Result<Router> {
    for bucket in buckets {
        fs::create_dir_all(root.join(bucket))?;
    }
    let files = FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(key, secret));
    let service = HandleError::new(builder.build(), |error: s3s::HttpError| async move {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))
    });
    Ok(Router::new().fallback_service(service))
}

#[cfg(test)]
#[path = "s3_tests.rs"]
mod tests;
