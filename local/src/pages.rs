//! The static pages, as CloudFront serves them from S3: `/` is `web/index.html`, `/mot-de-passe` is
//! `web/mot-de-passe.html` and so on, everything else is itself.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use serde_json::Value;

use crate::embedded::{File, PAGES};
use crate::template::{self, TemplateError};

/// The stack that the distribution stands in.
const EDGE: &str = "infra/edge.yaml";
/// The headers of pages there.
const HEADERS: &str = "PageHeaders";

/// Pages refer to each other by names that stay the same from release to release, so each is asked for anew, and
/// answered with "not modified".
const CACHE_CONTROL: &str = "no-cache";

/// A page or what it loads, as it is put into the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Its key there: its path on the portal's origin.
    pub key: &'static str,
    /// Its file in the workspace.
    pub file: &'static str,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its `Cache-Control`.
    pub cache_control: &'static str,
    content: &'static [u8],
}

impl Page {
    fn of(file: File) -> Self {
        let key = file.path.strip_prefix("web/").unwrap_or(file.path);
        // The root of the distribution names a key, so that page keeps its whole name.
        let key = if key == "index.html" { key } else { key.strip_suffix(".html").unwrap_or(key) };
        let content_type = content_type(file.path);
        Self { key, file: file.path, content_type, cache_control: CACHE_CONTROL, content: file.content }
    }
}

/// Every page, and what pages load.
pub fn pages() -> impl Iterator<Item = Page> {
    PAGES.iter().copied().map(Page::of)
}

/// What the distribution's response-headers policy adds to every page.
///
/// # Errors
/// Where the policy says what the local portal does not know.
pub(crate) fn headers() -> Result<HeaderMap, TemplateError> {
    headers_of(&template::of_project(EDGE)?["Resources"][HEADERS]["Properties"]["ResponseHeadersPolicyConfig"])
}

fn headers_of(policy: &Value) -> Result<HeaderMap, TemplateError> {
    let error = |problem: String| TemplateError::new(EDGE, HEADERS, problem);
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let pair = (name.parse::<HeaderName>(), value.parse::<HeaderValue>());
        let (Ok(name), Ok(value)) = pair else { return Err(error(format!("{name}: {value} is no header"))) };
        headers.insert(name, value);
        Ok(())
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (name, value) in policy["SecurityHeadersConfig"].as_object().into_iter().flatten() {
        match name.as_str() {
            "ContentSecurityPolicy" => add("content-security-policy", &text(&value[name]))?,
            "ContentTypeOptions" => add("x-content-type-options", "nosniff")?,
            "FrameOptions" => add("x-frame-options", &text(&value["FrameOption"]))?,
            "ReferrerPolicy" => add("referrer-policy", &text(&value[name]))?,
            "StrictTransportSecurity" => {
                let subdomains = if value["IncludeSubdomains"] == true { "; includeSubDomains" } else { "" };
                let seconds = &value["AccessControlMaxAgeSec"];
                add("strict-transport-security", &format!("max-age={seconds}{subdomains}"))?;
            }
            unknown => return Err(error(format!("{unknown} is not known to the local portal"))),
        }
    }
    for item in policy["CustomHeadersConfig"]["Items"].as_array().into_iter().flatten() {
        add(&text(&item["Header"]), &text(&item["Value"]))?;
    }
    if headers.is_empty() {
        return Err(error("has no headers".to_owned()));
    }
    Ok(headers)
}

/// The page at a URL-decoded path, if there is one. Pages are looked up in the list of those that are
/// carried, so there is no path out of it.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let page = page(pages(), path)?;
    let mut response = Response::new(Body::from(page.content));
    response.headers_mut().extend(headers.clone());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(page.cache_control));
    Some(response)
}

fn page(mut pages: impl Iterator<Item = Page>, path: &str) -> Option<Page> {
    let key = match path.strip_prefix('/')? {
        "" => "index.html",
        key => key,
    };
    pages.find(|page| page.key == key)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILES: &[File] = &[
        File { path: "web/assets/a.css", content: b"c" },
        File { path: "web/index.html", content: b"i" },
        File { path: "web/mot-de-passe.html", content: b"m" },
    ];

    #[test]
    fn pages_are_found_as_the_distribution_finds_them() {
        let find = |path: &str| page(FILES.iter().copied().map(Page::of), path);
        for (path, content) in [("/", "i"), ("/index.html", "i"), ("/mot-de-passe", "m"), ("/assets/a.css", "c")] {
            assert_eq!(find(path).unwrap().content, content.as_bytes(), "{path}");
        }
        for path in [
            "/other",
            "/../template.yaml",
            "/assets/../index.html",
            "/assets",
            "//index.html",
            "",
            "/mot-de-passe.html",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn only_reading_is_answered() {
        assert!(answer(&Method::POST, "/", &HeaderMap::new()).is_none());
    }

    #[test]
    fn every_page_is_of_a_kind_that_browsers_know() {
        assert!(pages().count() > 10);
        for page in pages() {
            assert_ne!(page.content_type, "application/octet-stream", "{}", page.file);
        }
    }

    #[test]
    fn headers_are_those_of_the_distribution_and_none_is_left_out() {
        let headers = headers_of(&json!({
            "SecurityHeadersConfig": {
                "ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'none'", "Override": true},
                "StrictTransportSecurity": {"AccessControlMaxAgeSec": 60, "IncludeSubdomains": true, "Override": true},
            },
            "CustomHeadersConfig": {"Items": [{"Header": "X-Own", "Value": "1", "Override": true}]},
        }));
        let headers = headers.unwrap();
        assert_eq!(headers["content-security-policy"], "default-src 'none'");
        assert_eq!(headers["strict-transport-security"], "max-age=60; includeSubDomains");
        assert_eq!((&headers["x-own"], headers.len()), (&HeaderValue::from_static("1"), 3));
        let unknown = headers_of(&json!({"SecurityHeadersConfig": {"XSSProtection": {"Protection": true}}}));
        assert!(unknown.unwrap_err().to_string().contains("XSSProtection"));
        assert!(headers_of(&json!({})).is_err());
    }
}
