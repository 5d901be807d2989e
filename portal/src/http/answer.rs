//! An answer: status, body, cookie.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use super::Problem;
use crate::store::RememberedOutcome;

/// An answer that is no problem.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Option<String>,
    cookie: Option<HeaderValue>,
    clears_site: bool,
    cache_control: &'static str,
}

impl Answer {
    /// 204: done, nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, cookie: None, clears_site: false, cache_control: "no-store" }
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

    /// An answer that was given before, and is given again.
    pub(super) fn again(status: u16, body: Option<String>) -> Result<Self, Problem> {
        let status = StatusCode::from_u16(status).map_err(|error| Problem::internal("a remembered answer", &error))?;
        Ok(Self { status, body, cookie: None, clears_site: false, cache_control: "no-store" })
    }

    /// What to remember of it, to give it again.
    #[must_use]
    pub fn to_remember(&self) -> RememberedOutcome {
        RememberedOutcome::Answered { status: self.status.as_u16(), body: self.body.clone() }
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| Problem::internal("an answer is no JSON", &error))?;
        Ok(Self { status, body: Some(body), cookie: None, clears_site: false, cache_control: "no-store" })
    }

    /// The same with a cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// The same, and the browser forgets what it has stored of the portal: somebody's session ends.
    #[must_use]
    pub fn clearing_site(mut self) -> Self {
        self.clears_site = true;
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
        if self.clears_site {
            // Not the cookies: those of other sites of the domain are not the portal's to clear.
            headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
        }
        if let Some(cookie) = self.cookie {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}
