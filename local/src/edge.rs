//! What the distribution in front of a deployed portal says of requests and answers: the local portal does as it does.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::template::{self, TemplateError};

/// The stack that the distribution stands in.
const FILE: &str = "infra/edge.yaml";
/// The distribution there.
const DISTRIBUTION: &str = "Distribution";
/// The headers of pages there.
const HEADERS: &str = "PageHeaders";

/// The distribution, as far as the local portal follows it.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    /// What is added to every page.
    pub(crate) headers: HeaderMap,
    /// The path patterns of the API.
    api: Vec<String>,
}

impl Edge {
    /// Reads the distribution's template.
    ///
    /// # Errors
    /// Where it says what the local portal does not know.
    pub(crate) fn of_project() -> Result<Self, TemplateError> {
        let resources = &template::of_project(FILE)?["Resources"];
        let headers = headers_of(&resources[HEADERS]["Properties"]["ResponseHeadersPolicyConfig"])?;
        let behaviours = resources[DISTRIBUTION]["Properties"]["DistributionConfig"]["CacheBehaviors"].as_array();
        let patterns = behaviours.into_iter().flatten().map(|behaviour| &behaviour["PathPattern"]);
        let api: Vec<_> = patterns.filter_map(Value::as_str).map(str::to_owned).collect();
        if api.is_empty() {
            return Err(TemplateError::new(FILE, DISTRIBUTION, "sends nothing to the API"));
        }
        Ok(Self { headers, api })
    }

    /// Whether the distribution sends a path to the API.
    pub(crate) fn is_of_the_api(&self, path: &str) -> bool {
        self.api.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => pattern == path,
        })
    }
}

/// What the response-headers policy adds to an answer.
fn headers_of(policy: &Value) -> Result<HeaderMap, TemplateError> {
    let error = |problem: String| TemplateError::new(FILE, HEADERS, problem);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_api_has_the_paths_that_the_distribution_sends_to_it() {
        let edge = Edge::of_project().unwrap();
        for path in ["/api/home", "/api/", "/.well-known/jwks.json"] {
            assert!(edge.is_of_the_api(path), "{path}");
        }
        for path in ["/", "/api", "/apis/home", "/.well-known/security.txt", "/.well-known/jwks.json/"] {
            assert!(!edge.is_of_the_api(path), "{path}");
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
