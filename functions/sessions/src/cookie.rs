//! The cookie that carries the refresh token.

use http::HeaderValue;
use portal::http::{Call, Problem};
use portal::security::RefreshToken;
use portal::store::Session;

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

    /// The refresh token that a call brings.
    pub(crate) fn read(self, call: &Call) -> Option<RefreshToken> {
        RefreshToken::parse(call.cookie(self.name)?)
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
