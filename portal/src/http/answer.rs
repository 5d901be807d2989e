//! An answer: status, body, cookie.
//!
//! A file is an answer too. What either may weigh is what Lambda lets through: 6 MB with everything around it,
//! text as it stands in JSON and bytes as base64.

use std::fmt;

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use super::{HtmlPage, Problem};
use crate::store::RememberedOutcome;

/// The most that a body may weigh on its way, in bytes: Lambda carries 6 MB (6,291,556 bytes), headers and the
/// frame of the answer included.
const LARGEST_BODY: usize = 6_200_000;

/// What a list that is added to a body brings besides its elements.
const FRAME: usize = 1_000;

/// An answer that is no problem.
pub struct Answer {
    status: StatusCode,
    body: Option<String>,
    file: Option<File>,
    page: Option<Box<HtmlPage>>,
    cookie: Option<HeaderValue>,
    clears_site: bool,
    cache_control: &'static str,
}

/// The status alone: the body of a log-in is a token.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A file to keep, as the answer's body.
struct File {
    content: FileContent,
    content_type: &'static str,
    disposition: HeaderValue,
}

/// What is in a file.
#[derive(Debug)]
pub enum FileContent {
    /// Text, which goes as it is.
    Text(String),
    /// Bytes, which go as base64.
    Bytes(Vec<u8>),
}

impl FileContent {
    /// What it weighs inside the JSON of an answer at most, in bytes.
    fn weight(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len().div_ceil(3) * 4,
            Self::Text(text) => weight(text),
        }
    }
}

/// What a text weighs inside the JSON of an answer at most, in bytes.
fn weight(text: &str) -> usize {
    // A line end or a quotation mark is two characters in JSON, another control character six.
    let weight = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(weight).sum()
}

impl Answer {
    /// How much a body may grow that is this far, in bytes as [`Self::weight_of`] counts them.
    #[must_use]
    pub fn room_beside(body: &impl Serialize) -> usize {
        LARGEST_BODY.saturating_sub(Self::weight_of(body) + FRAME)
    }

    /// The weight of a value inside an answer, with what separates it from the next. What is no JSON is too heavy.
    #[must_use]
    pub fn weight_of(value: &impl Serialize) -> usize {
        serde_json::to_string(value).map_or(LARGEST_BODY, |text| weight(&text) + 1)
    }

    /// 204: done, nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
            file: None,
            page: None,
            cookie: None,
            clears_site: false,
            cache_control: "no-store",
        }
    }

    /// 200 with a JSON body.
    ///
    /// # Errors
    /// `answer-too-large` beyond what Lambda carries; `internal-error` where the body cannot be written as JSON.
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

    /// 200 with a file that a browser keeps under `name`, which is plain ASCII without quotation marks.
    ///
    /// # Errors
    /// `export-too-large` beyond what Lambda carries; `internal-error` where the name is none.
    pub fn file(name: &str, content_type: &'static str, content: FileContent) -> Result<Self, Problem> {
        if content.weight() > LARGEST_BODY {
            return Err(Problem::ExportTooLarge);
        }
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
            .map_err(|error| Problem::internal("the name of a file", &error))?;
        Ok(Self {
            status: StatusCode::OK,
            file: Some(File { content, content_type, disposition }),
            ..Self::no_content()
        })
    }

    /// A page to read in a browser.
    #[must_use]
    pub fn page(page: HtmlPage) -> Self {
        Self { status: page.status, page: Some(Box::new(page)), ..Self::no_content() }
    }

    /// An answer that was given before, and is given again.
    pub(super) fn again(status: u16, body: Option<String>) -> Result<Self, Problem> {
        let status = StatusCode::from_u16(status).map_err(|error| Problem::internal("a remembered answer", &error))?;
        Ok(Self { status, body, file: None, page: None, cookie: None, clears_site: false, cache_control: "no-store" })
    }

    /// What to remember of it, to give it again.
    #[must_use]
    pub fn to_remember(&self) -> RememberedOutcome {
        RememberedOutcome::Answered { status: self.status.as_u16(), body: self.body.clone() }
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| Problem::internal("an answer is no JSON", &error))?;
        // Only what is large is counted: nothing in JSON becomes more than twice as long.
        if body.len() > LARGEST_BODY / 2 && weight(&body) > LARGEST_BODY {
            return Err(Problem::AnswerTooLarge);
        }
        Ok(Self {
            status,
            body: Some(body),
            file: None,
            page: None,
            cookie: None,
            clears_site: false,
            cache_control: "no-store",
        })
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

    /// The status that it will have.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response<Body> {
        if let Some(page) = self.page {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = self.status;
            if let Some(html) = page.write(self.cache_control, response.headers_mut()) {
                *response.body_mut() = Body::Text(html);
            }
            return response;
        }
        let (body, content_type, disposition) = match self.file {
            Some(File { content, content_type, disposition }) => {
                let body = match content {
                    FileContent::Text(text) => Body::Text(text),
                    FileContent::Bytes(bytes) => Body::Binary(bytes),
                };
                (body, content_type, Some(disposition))
            }
            None => (self.body.map_or(Body::Empty, Body::Text), "application/json", None),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(disposition) = disposition {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_weighs_what_it_does_inside_the_json_of_an_answer() {
        let text = "\u{feff}Libellé;\"un \"\"mot\"\"\"\r\n\t\\ \u{1}";
        let weight = FileContent::Text(text.to_owned()).weight();
        assert_eq!(weight + 2, serde_json::to_string(text).unwrap().len(), "but for the quotation marks around it");
        assert_eq!(FileContent::Bytes(vec![0; 4]).weight(), 8);
    }

    #[test]
    fn a_body_that_lambda_does_not_carry_is_a_problem() {
        // Its own quotation marks are two characters each.
        let longest = "a".repeat(LARGEST_BODY - 4);
        assert!(Answer::ok(&longest).is_ok());
        assert!(matches!(Answer::ok(&format!("{longest}a")), Err(Problem::AnswerTooLarge)));
        assert!(matches!(Answer::ok(&"\"".repeat(LARGEST_BODY / 4)), Err(Problem::AnswerTooLarge)));
    }

    #[test]
    fn a_file_that_lambda_does_not_carry_is_a_problem() {
        let file = |content| Answer::file("a.csv", "text/csv", content);
        assert!(file(FileContent::Text("a".repeat(LARGEST_BODY))).is_ok());
        assert!(matches!(file(FileContent::Text("\n".repeat(LARGEST_BODY / 2 + 1))), Err(Problem::ExportTooLarge)));
        assert!(matches!(file(FileContent::Bytes(vec![0; LARGEST_BODY / 4 * 3 + 1])), Err(Problem::ExportTooLarge)));
    }
}
