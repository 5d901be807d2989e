//! A page that a function writes: without a script, and with no style but its own.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};

use crate::domain::to_hex;

/// A page in French, for everybody to read.
#[derive(Debug)]
pub struct HtmlPage {
    html: String,
    /// The SHA-256 of its one style, in base64.
    style: String,
    pub(super) status: StatusCode,
    /// Whether the reader has it already.
    is_known: bool,
}

impl HtmlPage {
    /// A page whose one `style` element has this content.
    #[must_use]
    pub fn new(html: String, style: &str) -> Self {
        let style = STANDARD.encode(digest(&SHA256, style.as_bytes()));
        Self { html, style, status: StatusCode::OK, is_known: false }
    }

    /// The same as the answer to an address that leads to nothing.
    #[must_use]
    pub fn not_found(self) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..self }
    }

    /// The same for a reader who may have it: `if_none_match` is what they say of that.
    #[must_use]
    pub fn unless_known(self, if_none_match: Option<&[u8]>) -> Self {
        let (tag, said) = (self.tag(), if_none_match.unwrap_or_default());
        // A cache on the way may have made it a weak one (RFC 9110, 13.1.2): the comparison is the weak one.
        let mut tags = said.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let is_same = |given: &[u8]| given == b"*" || given.strip_prefix(b"W/").unwrap_or(given) == tag.as_bytes();
        let is_known = self.status == StatusCode::OK && tags.any(is_same);
        let status = if is_known { StatusCode::NOT_MODIFIED } else { self.status };
        Self { status, is_known, ..self }
    }

    /// The text of the page.
    #[must_use]
    pub fn html(&self) -> &str {
        &self.html
    }

    fn tag(&self) -> String {
        format!("\"{}\"", to_hex(&digest(&SHA256, self.html.as_bytes()).as_ref()[..16]))
    }

    /// Writes its headers; returns the body, where it has one.
    pub(super) fn write(self, cache_control: &'static str, headers: &mut HeaderMap) -> Option<String> {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            self.style
        );
        let kept = if self.status == StatusCode::NOT_FOUND { "no-store" } else { cache_control };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag()) {
            headers.insert(ETAG, tag);
        }
        // Digits and letters alone, so these are values.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        if self.is_known {
            return None;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("fr"));
        Some(self.html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> HtmlPage {
        HtmlPage::new("<p>a</p>".to_owned(), "p{}")
    }

    #[test]
    fn a_page_that_the_reader_has_is_not_sent_again() {
        let tag = page().tag();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let page = page().unless_known(Some(known.as_bytes()));
            assert_eq!(page.status, StatusCode::NOT_MODIFIED, "{known}");
            let mut headers = HeaderMap::new();
            assert_eq!(page.write("public", &mut headers), None);
            assert_eq!(headers[ETAG], tag);
            assert!(headers.contains_key(CACHE_CONTROL) && !headers.contains_key(CONTENT_TYPE));
        }
        for other in ["", "\"x\"", "x\"", "\"W/x\""] {
            assert_eq!(page().unless_known(Some(other.as_bytes())).status, StatusCode::OK, "{other}");
        }
        assert_eq!(page().unless_known(None).status, StatusCode::OK);
        assert_eq!(page().not_found().unless_known(Some(b"*")).status, StatusCode::NOT_FOUND);
    }

    #[test]
    fn its_policy_lets_its_own_style_through_and_nothing_else() {
        let mut headers = HeaderMap::new();
        page().write("public", &mut headers);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    }
}
