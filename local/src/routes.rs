//! Which route a request takes, by the precedence of the HTTP API: literal before parameter before
//! greedy parameter, a method before any method, and `$default` last.

use std::collections::BTreeMap;
use std::fmt;

/// A route and the function behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What requests it takes.
    pub key: RouteKey,
    /// The function's name.
    pub function: String,
}

/// What requests a route takes. Displayed as the HTTP API writes it: `GET /api/me`, `$default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteKey {
    /// Whatever no other route takes.
    Default,
    /// A method and a path.
    Path {
        /// In capitals; `ANY` is every method.
        method: String,
        /// As the template has it: `/api/accounts/{number}`.
        path: String,
    },
}

impl RouteKey {
    /// A route's key from the template's words; methods come in any case there, `any` and `*` too.
    #[must_use]
    pub fn path(method: &str, path: &str) -> Self {
        let method = method.to_uppercase();
        let method =
            if matches!(method.as_str(), "*" | "X-AMAZON-APIGATEWAY-ANY-METHOD") { "ANY".to_owned() } else { method };
        Self::Path { method, path: path.to_owned() }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("$default"),
            Self::Path { method, path } => write!(formatter, "{method} {path}"),
        }
    }
}

/// A route that was found, with what the path's parameters are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The route.
    pub route: &'a Route,
    /// The parameters by name.
    pub parameters: BTreeMap<String, String>,
}

/// How well a route fits; the smallest is taken.
type Rank = (Vec<u8>, bool);

/// The route that takes a request; `path` is URL-decoded already, as the HTTP API matches it.
#[must_use]
pub fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<Found<'a>> {
    let mut best: Option<(Rank, Found<'a>)> = None;
    for route in routes {
        let RouteKey::Path { method: wanted, path: template } = &route.key else { continue };
        if wanted != "ANY" && wanted != method {
            continue;
        }
        let Some((segments, parameters)) = fit(template, path) else { continue };
        let rank = (segments, wanted == "ANY");
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, Found { route, parameters }));
        }
    }
    let fallback = || {
        let route = routes.iter().find(|route| route.key == RouteKey::Default)?;
        Some(Found { route, parameters: BTreeMap::new() })
    };
    best.map(|(_, found)| found).or_else(fallback)
}

/// How each segment fitted (0 literal, 1 parameter, 2 greedy), and the parameters.
fn fit(template: &str, path: &str) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let mut kinds = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for wanted in template.strip_prefix('/')?.split('/') {
        let here = rest?;
        let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            kinds.push(2);
            parameters.insert(name.to_owned(), here.to_owned());
            rest = None;
            continue;
        }
        let (segment, behind) = here.split_once('/').map_or((here, None), |(segment, behind)| (segment, Some(behind)));
        rest = behind;
        match name {
            Some(name) if !segment.is_empty() => {
                kinds.push(1);
                parameters.insert(name.to_owned(), segment.to_owned());
            }
            None if segment == wanted => kinds.push(0),
            _ => return None,
        }
    }
    rest.is_none().then_some((kinds, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Vec<Route> {
        [
            ("any", "/api/{rest+}"),
            ("get", "/api/accounts/{number}"),
            ("any", "/api/accounts/{number}"),
            ("GET", "/api/accounts/mine"),
            ("GET", "/api/accounts/{number}/actions/{action}"),
        ]
        .into_iter()
        .map(|(method, path)| Route { key: RouteKey::path(method, path), function: path.to_owned() })
        .chain([Route { key: RouteKey::Default, function: "default".to_owned() }])
        .collect()
    }

    fn taken(method: &str, path: &str) -> (String, Vec<(String, String)>) {
        let routes = routes();
        let found = find(&routes, method, path).unwrap();
        (found.route.key.to_string(), found.parameters.into_iter().collect())
    }

    #[test]
    fn literal_then_parameter_then_greedy_then_default() {
        assert_eq!(taken("GET", "/api/accounts/mine"), ("GET /api/accounts/mine".into(), vec![]));
        let number = vec![("number".to_owned(), "7".to_owned())];
        assert_eq!(taken("GET", "/api/accounts/7"), ("GET /api/accounts/{number}".into(), number.clone()));
        assert_eq!(taken("PUT", "/api/accounts/7"), ("ANY /api/accounts/{number}".into(), number));
        let rest = vec![("rest".to_owned(), "accounts/7/x".to_owned())];
        assert_eq!(taken("GET", "/api/accounts/7/x"), ("ANY /api/{rest+}".into(), rest));
        assert_eq!(taken("GET", "/elsewhere"), ("$default".into(), vec![]));
        assert_eq!(taken("GET", "no-slash").0, "$default");
    }

    #[test]
    fn a_slash_at_the_end_is_another_path() {
        let routes = [Route { key: RouteKey::path("GET", "/api/me"), function: "me".into() }];
        assert!(find(&routes, "GET", "/api/me").is_some());
        assert!(find(&routes, "GET", "/api/me/").is_none());
        assert!(find(&routes, "HEAD", "/api/me").is_none());
        let routes = [Route { key: RouteKey::path("GET", "/api/{x}"), function: "x".into() }];
        assert!(find(&routes, "GET", "/api/").is_none(), "a parameter is never empty");
    }
}
