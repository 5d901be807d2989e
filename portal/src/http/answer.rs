//! An answer: status, body, cookie.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use super::Problem;

/// An answer that is no problem.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Option<String>,
    cookie: Option<HeaderValue>,
    cache_control: &'static str,
}

impl Answer {
    /// 204: done, nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, cookie: None, cache_control: "no-store" }
    }

    /// 200 with a JSON body.
    ///
    /// # Errors
    /// `internal-error` where the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    ///
    /// # Errors
    /// `internal-error` where the body cannot be written as JSON.
    pub fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::CREATED, body)
    }

    /// 202 with a JSON body.
    ///
    /// # Errors
    /// `internal-error` where the body cannot be written as JSON.
    pub fn accepted(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::ACCEPTED, body)
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| Problem::internal("an answer is no JSON", &error))?;
        Ok(Self { status, body: Some(body), cookie: None, cache_control: "no-store" })
    }

    /// The same with a cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// The same for any cache to keep for `cache_control`: public documents and keys only.
    #[must_use]
    pub fn cacheable(mut self, cache_control: &'static str) -> Self {
        self.cache_control = cache_control;
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body.map_or(Body::Empty, Body::Text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        if let Some(cookie) = self.cookie {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}
