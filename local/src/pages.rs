//! The static pages, as CloudFront serves them from S3: `/` is `web/index.html`, `/mot-de-passe` is
//! `web/mot-de-passe.html` and so on, everything else is itself.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, header};

use crate::embedded::{File, PAGES, find};

/// What the distribution's response-headers policy says.
const POLICY: &str = "default-src 'self'";

/// The page at a URL-decoded path, if there is one. Files are looked up in the list of those that are
/// carried, so there is no path out of it.
pub(crate) fn answer(method: &Method, path: &str) -> Option<Response<Body>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let file = page(PAGES, path)?;
    let mut response = Response::new(Body::from(file.content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file.path)));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}

fn page(pages: &[File], path: &str) -> Option<File> {
    let path = path.strip_prefix('/')?;
    match path {
        "" => find(pages, "web/index.html"),
        _ => find(pages, &format!("web/{path}")).or_else(|| find(pages, &format!("web/{path}.html"))),
    }
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
    use super::*;

    const FILES: &[File] = &[
        File { path: "web/assets/a.css", content: b"c" },
        File { path: "web/index.html", content: b"i" },
        File { path: "web/mot-de-passe.html", content: b"m" },
    ];

    #[test]
    fn pages_are_found_as_the_distribution_finds_them() {
        for (path, content) in [("/", "i"), ("/index.html", "i"), ("/mot-de-passe", "m"), ("/assets/a.css", "c")] {
            assert_eq!(page(FILES, path).unwrap().content, content.as_bytes(), "{path}");
        }
        for path in ["/other", "/../template.yaml", "/assets/../index.html", "/assets", "//index.html", ""] {
            assert!(page(FILES, path).is_none(), "{path}");
        }
    }

    #[test]
    fn only_reading_is_answered() {
        assert!(answer(&Method::POST, "/").is_none());
    }
}
