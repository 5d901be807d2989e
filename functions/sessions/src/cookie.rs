//! The cookie that carries the refresh token.

use http::HeaderValue;
use portal::http::{Call, Problem};
use portal::security::RefreshToken;
use portal::store::Session;

/// How many refresh tokens of one call are looked at.
const MOST_TOKENS: usize = 4;

/// How the cookie is called and marked; depends on the portal's own origin, never on a request.
#[derive(Clone, Copy)]
pub(crate) struct CookieJar {
    name: &'static str,
    attributes: &'static str,
}

impl CookieJar {
    /// `__Host-refresh` (RFC 6265bis: `Secure`, no domain, whole site). On plain HTTP, which only the
    /// loopback portal speaks, browsers refuse the prefix and `Secure`, so there it is `refresh`.
    pub(crate) fn of_origin(origin: &str) -> Self {
        if origin.starts_with("http://") {
            Self { name: "refresh", attributes: "HttpOnly; SameSite=Strict; Path=/" }
        } else {
            Self { name: "__Host-refresh", attributes: "Secure; HttpOnly; SameSite=Strict; Path=/" }
        }
    }

    /// The refresh tokens that a call brings. A browser sends one; where somebody put others beside it, under whatever
    /// path, none of them decides alone (RFC 6265, 5.4: servers should not rely on the order).
    pub(crate) fn read(self, call: &Call) -> Vec<RefreshToken> {
        call.cookies(self.name).filter_map(RefreshToken::parse).take(MOST_TOKENS).collect()
    }

    /// Hands a refresh token out, for as long as a session may lie idle.
    pub(crate) fn set(self, token: &RefreshToken) -> Result<HeaderValue, Problem> {
        self.header(&format!("{}={}; Max-Age={}", self.name, *token.to_text(), Session::IDLE.as_secs()))
    }

    /// Takes the refresh token back.
    pub(crate) fn clear(self) -> Result<HeaderValue, Problem> {
        self.header(&format!("{}=; Max-Age=0", self.name))
    }

    fn header(self, pair: &str) -> Result<HeaderValue, Problem> {
        let mut value = HeaderValue::from_str(&format!("{pair}; {}", self.attributes))
            .map_err(|error| Problem::internal("a cookie is no header", &error))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use portal::domain::Id;
    use portal::environment::rng;

    use super::*;

    #[test]
    fn on_https_the_cookie_is_bound_to_the_host() {
        let jar = CookieJar::of_origin("https://adherents.example");
        let refused = "a cookie is a header";
        let cleared = jar.clear().unwrap_or_else(|_| panic!("{refused}"));
        assert_eq!(cleared, "__Host-refresh=; Max-Age=0; Secure; HttpOnly; SameSite=Strict; Path=/");
        assert!(cleared.is_sensitive(), "no log shows it");
        let token = RefreshToken::random(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), &mut rng());
        let set = jar.set(&token).unwrap_or_else(|_| panic!("{refused}"));
        let expected =
            format!("__Host-refresh={}; Max-Age=7200; Secure; HttpOnly; SameSite=Strict; Path=/", *token.to_text());
        assert_eq!(set, expected.as_str());
    }

    #[test]
    fn on_plain_http_it_has_a_name_that_browsers_take() {
        let cleared = CookieJar::of_origin("http://localhost:8080").clear().unwrap_or_else(|_| panic!("a header"));
        assert_eq!(cleared, "refresh=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/");
    }
}
