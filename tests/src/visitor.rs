//! Somebody with a browser: an address of their own, a session, a cookie.

use std::net::IpAddr;
use std::sync::Mutex;

use http::Method;
use local::Mail;
use portal::domain::Id;
use serde_json::{Value, json};

use crate::{Contract, PASSWORD, Reply};

/// A visitor. Each comes from an address of 127.0.0.0/8 of their own, as the limits count addresses.
pub struct Visitor {
    origin: String,
    http: reqwest::Client,
    /// What is added to each request on its way to the portal, unless the request has it.
    added: Vec<(String, String)>,
    /// The access token, where signed in.
    pub token: Mutex<Option<String>>,
    /// The refresh token, where signed in.
    pub refresh: Mutex<Option<String>>,
}

impl Visitor {
    /// A visitor of the portal at `origin`, who comes from this address.
    pub fn new(origin: &str, ip: IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(ip).build().expect("an HTTP client");
        Self { origin: origin.to_owned(), http, added: Vec::new(), token: Mutex::default(), refresh: Mutex::default() }
    }

    /// The same visitor, who comes through what adds this header to each request.
    #[must_use]
    pub fn through(mut self, name: &str, value: &str) -> Self {
        self.added.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends a request and holds the answer against the contract.
    ///
    /// # Panics
    /// Where there is no answer, or it breaks the contract.
    pub async fn send(&self, method: Method, target: &str, body: Option<&Value>) -> Reply {
        self.send_with(method, target, body, &[]).await
    }

    /// The same with headers.
    ///
    /// # Panics
    /// Where there is no answer, or it breaks the contract.
    pub async fn send_with(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.try_send(method, target, body, headers).await.expect("an answer")
    }

    /// The same, where there may be no answer.
    ///
    /// # Errors
    /// Where there is none, or only a part of it.
    ///
    /// # Panics
    /// Where the answer breaks the contract.
    pub async fn try_send(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let body = body.map(ToString::to_string);
        let headers = headers.iter().copied().chain(body.as_ref().map(|_| ("content-type", "application/json")));
        self.exchange(method, target, body.clone(), &headers.collect::<Vec<_>>()).await
    }

    /// Sends a body as it is, whatever it is.
    ///
    /// # Panics
    /// Where there is no answer, or it breaks the contract.
    pub async fn send_text(&self, method: Method, target: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        self.exchange(method, target, Some(body.to_owned()), headers).await.expect("an answer")
    }

    async fn exchange(
        &self,
        method: Method,
        target: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let mut request = self.http.request(method.clone(), format!("{}{target}", self.origin));
        if let Some(token) = self.token.lock().unwrap().as_ref() {
            request = request.bearer_auth(token);
        }
        if let Some(refresh) = self.refresh.lock().unwrap().as_ref() {
            request = request.header("cookie", format!("refresh={refresh}"));
        }
        let given = headers.iter().copied();
        let added = self.added.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let added = added.filter(|(name, _)| !headers.iter().any(|(given, _)| given == name));
        for (name, value) in given.chain(added) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // Not by `text`, which takes a byte order mark off.
        let text = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        let reply = Reply {
            method: method.to_string(),
            path: target.split('?').next().unwrap_or_default().to_owned(),
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        };
        Contract::get().check(&reply);
        self.keep_cookie(&reply);
        Ok(reply)
    }

    /// GET.
    pub async fn get(&self, target: &str) -> Reply {
        self.send(Method::GET, target, None).await
    }

    /// POST.
    pub async fn post(&self, target: &str, body: &Value) -> Reply {
        self.send(Method::POST, target, Some(body)).await
    }

    /// PUT.
    pub async fn put(&self, target: &str, body: &Value) -> Reply {
        self.send(Method::PUT, target, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, target: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, target, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, target: &str) -> Reply {
        self.send(Method::DELETE, target, None).await
    }

    /// Tries to log in, and is signed in where that succeeds.
    pub async fn log_in(&self, email: &str, password: &str) -> Reply {
        let reply = self.post("/api/sessions", &json!({"email": email, "password": password})).await;
        self.take_token(&reply);
        reply
    }

    /// Looks at a mailed link.
    pub async fn look_at_link(&self, token: &str) -> Reply {
        self.post("/api/password/link", &json!({"token": token})).await
    }

    /// Uses a mailed link.
    pub async fn set_password(&self, token: &str, password: &str) -> Reply {
        let form = json!({"token": token, "password": password, "password_confirmation": password});
        self.post("/api/password", &form).await
    }

    /// Asks for a reset link.
    pub async fn forgot(&self, email: &str) -> Reply {
        self.post("/api/password/forgot", &json!({"email": email})).await
    }

    /// Asks for another address, with [`PASSWORD`].
    pub async fn ask_for_address(&self, email: &str) -> Reply {
        let form = json!({"current_password": PASSWORD, "email": email, "email_confirmation": email});
        self.post("/api/me/email", &form).await
    }

    /// The refresh token's cookie, as the browser holds it.
    pub fn cookie(&self) -> Option<String> {
        self.refresh.lock().unwrap().clone()
    }

    /// The same visitor with another's refresh token, and nothing else of theirs.
    pub fn holding(self, cookie: &str) -> Self {
        *self.refresh.lock().unwrap() = Some(cookie.to_owned());
        self
    }

    /// The user's own id.
    pub async fn id(&self) -> Id {
        let me = self.get("/api/me").await.expect(200);
        Id::parse(me["id"].as_str().unwrap_or_default()).expect("an id")
    }

    /// Refreshes the session.
    pub async fn refresh(&self) -> Reply {
        let reply = self.send(Method::POST, "/api/sessions/refresh", None).await;
        self.take_token(&reply);
        reply
    }

    /// The mails that the portal sent, oldest first, as its page lists them: no part of the contract.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn mails(&self) -> reqwest::Result<Vec<Mail>> {
        self.http.get(format!("{}/_local/mail.json", self.origin)).send().await?.json().await
    }

    fn take_token(&self, reply: &Reply) {
        if reply.status == 200 {
            *self.token.lock().unwrap() = reply["access_token"].as_str().map(str::to_owned);
        }
    }

    fn keep_cookie(&self, reply: &Reply) {
        let Some(cookie) = reply.header("set-cookie") else { return };
        let value = cookie.split(';').next().and_then(|pair| pair.strip_prefix("refresh=")).expect("our cookie");
        *self.refresh.lock().unwrap() = (!value.is_empty()).then(|| value.to_owned());
    }
}
