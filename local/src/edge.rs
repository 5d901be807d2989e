//! What the distribution in front of a deployed portal says of requests and answers: the local portal does as it does.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::template::{self, TemplateError};

/// The stack that the distribution stands in.
const FILE: &str = "infra/edge.yaml";
/// The distribution there.
const DISTRIBUTION: &str = "Distribution";
/// The headers of pages there.
const HEADERS: &str = "PageHeaders";
/// The function there that finds the page of an address. What it knows are the JSON values of its variables.
const ROUTING: &str = "PageRouting";

/// The distribution, as far as the local portal follows it.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    /// What is added to every page.
    pub(crate) headers: HeaderMap,
    /// The path patterns of the API.
    api: Vec<String>,
    /// The path patterns of what pages load.
    assets: Vec<String>,
    /// The keys of the pages, each with its path patterns.
    pages: BTreeMap<String, Vec<String>>,
    redirects: BTreeMap<String, String>,
    not_found: String,
}

/// What the distribution does with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination<'a> {
    /// The API answers.
    Api,
    /// The page of this key.
    Page(&'a str),
    /// What pages load, of this key.
    Asset(&'a str),
    /// Another address.
    Redirect(&'a str),
    /// The page of this key, which says that there is none.
    NotFound(&'a str),
}

impl Edge {
    /// Reads the distribution's template.
    ///
    /// # Errors
    /// Where it says what the local portal does not know.
    pub(crate) fn of_project() -> Result<Self, TemplateError> {
        let resources = &template::of_project(FILE)?["Resources"];
        let headers = headers_of(&resources[HEADERS]["Properties"]["ResponseHeadersPolicyConfig"])?;
        let behaviours = &resources[DISTRIBUTION]["Properties"]["DistributionConfig"]["CacheBehaviors"];
        let patterns_to = |origin: &str| {
            let behaviours = behaviours.as_array().into_iter().flatten();
            let patterns = behaviours.filter(|behaviour| behaviour["TargetOriginId"] == origin);
            let patterns = patterns.filter_map(|behaviour| behaviour["PathPattern"].as_str()).map(str::to_owned);
            let patterns: Vec<_> = patterns.collect();
            let nothing = || TemplateError::new(FILE, DISTRIBUTION, format!("sends nothing to {origin}"));
            if patterns.is_empty() { Err(nothing()) } else { Ok(patterns) }
        };
        let code = resources[ROUTING]["Properties"]["FunctionCode"].as_str().unwrap_or_default();
        Ok(Self {
            headers,
            api: patterns_to("api")?,
            assets: patterns_to("pages")?,
            pages: variable(code, "PAGES")?,
            redirects: variable(code, "REDIRECTS")?,
            not_found: variable(code, "NOT_FOUND")?,
        })
    }

    /// Where the distribution leads a path.
    pub(crate) fn destination<'a>(&'a self, path: &'a str) -> Destination<'a> {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, path));
        if fits(&self.api) {
            return Destination::Api;
        }
        if fits(&self.assets) {
            return Destination::Asset(path.trim_start_matches('/'));
        }
        if let Some(address) = self.redirects.get(path) {
            return Destination::Redirect(address);
        }
        let page = self.pages.iter().find(|(_, patterns)| fits(patterns));
        page.map_or(Destination::NotFound(&self.not_found), |(key, _)| Destination::Page(key))
    }
}

/// A pattern is a path, or what one begins with and `*`.
fn fits(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == path, |prefix| path.starts_with(prefix))
}

/// The value of a variable of the function, which is JSON.
fn variable<T: DeserializeOwned>(code: &str, name: &str) -> Result<T, TemplateError> {
    let error = |problem: String| TemplateError::new(FILE, ROUTING, format!("{name}: {problem}"));
    let (_, rest) = code.split_once(&format!("var {name} = ")).ok_or_else(|| error("is not there".to_owned()))?;
    let (value, _) = rest.split_once(";\n").ok_or_else(|| error("does not end".to_owned()))?;
    serde_json::from_str(value).map_err(|problem| error(problem.to_string()))
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
    fn every_path_is_the_apis_a_page_or_not_there() {
        let edge = Edge::of_project().unwrap();
        for (path, destination) in [
            ("/api/home", Destination::Api),
            ("/api/", Destination::Api),
            ("/.well-known/jwks.json", Destination::Api),
            ("/", Destination::Page("index.html")),
            ("/mot-de-passe", Destination::Page("mot-de-passe")),
            ("/.well-known/security.txt", Destination::Page(".well-known/security.txt")),
            ("/assets/shared-1.js", Destination::Asset("assets/shared-1.js")),
            ("/.well-known/change-password", Destination::Redirect("/#mot-de-passe-oublie")),
        ] {
            assert_eq!(edge.destination(path), destination, "{path}");
        }
        for path in
            ["/api", "/apis/home", "/.well-known/jwks.json/", "/introuvable", "/Adresse", "/adresse/", "/assets", ""]
        {
            assert_eq!(edge.destination(path), Destination::NotFound("introuvable"), "{path}");
        }
    }

    #[test]
    fn what_the_function_knows_is_read_or_told_to_be_wrong() {
        let code = "var A = {\n  \"x\": [\"/x\"]\n};\nvar B = 1;\n";
        let pages: BTreeMap<String, Vec<String>> = variable(code, "A").unwrap();
        assert_eq!(pages["x"], ["/x"]);
        assert!(variable::<String>(code, "B").unwrap_err().to_string().contains("PageRouting: B"));
        assert!(variable::<String>(code, "C").is_err());
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
