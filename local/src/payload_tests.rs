use axum::http::Request;

use super::*;
use crate::routes::{Route, RouteKey};

fn event_of(request: Request<&'static [u8]>) -> Value {
    let (parts, body) = request.into_parts();
    let path = decode(parts.uri.path());
    let route = Route { key: RouteKey::path("POST", "/api/{kind}"), function: "f".into() };
    let found = Found { route: &route, parameters: BTreeMap::from([("kind".to_owned(), "é/".to_owned())]) };
    let context = Context {
        found: &found,
        path: &path,
        peer: "127.0.0.9".parse().unwrap(),
        now: "2012-10-15T02:03:04.567Z".parse().unwrap(),
        request_id: "r1",
    };
    event(&parts, &Bytes::from_static(body), &context)
}

#[test]
fn a_request_becomes_the_event_of_the_http_api() {
    let request = Request::post("/api/%C3%A9?a=1&b=x%20y+z&a=2&flag")
        .header("Host", "localhost:8080")
        .header("User-Agent", "test")
        .header("Accept", "a/b")
        .header("Accept", "c/d")
        .header("Cookie", "one=1; two=2")
        .header("Content-Type", "application/json; charset=utf-8")
        .body(br#"{"x":1}"#.as_slice())
        .unwrap();
    assert_eq!(
        event_of(request),
        json!({
            "version": "2.0",
            "routeKey": "POST /api/{kind}",
            "rawPath": "/api/é",
            "rawQueryString": "a=1&b=x%20y+z&a=2&flag",
            "cookies": ["one=1", "two=2"],
            "headers": {
                "host": "localhost:8080",
                "user-agent": "test",
                "accept": "a/b,c/d",
                "content-type": "application/json; charset=utf-8",
                "x-forwarded-for": "127.0.0.9",
            },
            "queryStringParameters": {"a": "1,2", "b": "x y z", "flag": ""},
            "pathParameters": {"kind": "é/"},
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": "localhost:8080",
                "domainPrefix": "localhost",
                "http": {
                    "method": "POST",
                    "path": "/api/é",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.9",
                    "userAgent": "test",
                },
                "requestId": "r1",
                "routeKey": "POST /api/{kind}",
                "stage": "$default",
                "time": "15/Oct/2012:02:03:04 +0000",
                "timeEpoch": 1_350_266_584_567_i64,
            },
            "body": "{\"x\":1}",
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn what_is_not_there_is_left_out() {
    let event = event_of(Request::get("/api/x").body(b"".as_slice()).unwrap());
    for field in ["cookies", "queryStringParameters", "body"] {
        assert!(event.get(field).is_none(), "{field}");
    }
    assert_eq!(event["rawQueryString"], "");
}

#[test]
fn a_body_that_is_no_text_travels_as_base64() {
    for (kind, body) in [("application/octet-stream", b"ab".as_slice()), ("application/json", b"\xff\xfe")] {
        let event = event_of(Request::post("/api/x").header("Content-Type", kind).body(body).unwrap());
        assert_eq!(event["isBase64Encoded"], true, "{kind}");
        assert_eq!(event["body"], STANDARD.encode(body));
    }
}

#[test]
fn lambda_takes_the_event() {
    let event = event_of(Request::post("/api/x").header("cookie", "a=b").body(b"{}".as_slice()).unwrap());
    let typed: Result<lambda_http::request::LambdaRequest, _> = serde_json::from_value(event);
    typed.unwrap();
}

#[test]
fn an_answer_becomes_a_response() {
    let response = response(&json!({
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-one": "1"},
        "multiValueHeaders": {"x-one": ["1"], "x-two": ["2", "3"]},
        "cookies": ["a=b; Secure", "c=d"],
        "body": "eA==",
        "isBase64Encoded": true,
    }))
    .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let all = |name: &str| response.headers().get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(all("x-one"), ["1"]);
    assert_eq!(all("x-two"), ["2", "3"]);
    assert_eq!(all("set-cookie"), ["a=b; Secure", "c=d"]);
    assert_eq!(all("content-type"), ["application/json"]);
}

#[test]
fn an_answer_without_a_status_is_the_body() {
    let inferred = response(&json!({"plain": 1})).unwrap();
    assert_eq!(inferred.status(), StatusCode::OK);
    assert_eq!(inferred.headers()["content-type"], "application/json");
}

#[test]
fn an_answer_that_makes_no_sense_is_none() {
    for answer in [
        json!({"statusCode": "x"}),
        json!({"statusCode": 99}),
        json!({"statusCode": 100}),
        json!({"statusCode": 70_000}),
        json!({"statusCode": 200, "headers": {"bad name": "x"}}),
        json!({"statusCode": 200, "headers": {"x": "a\nb"}}),
        json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
    ] {
        assert!(response(&answer).is_none(), "{answer}");
    }
}

#[test]
fn escapes_are_decoded_and_bad_ones_kept() {
    for (text, decoded) in
        [("a%20b", "a b"), ("%C3%A9", "é"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("%ff", "\u{fffd}")]
    {
        assert_eq!(decode(text), decoded);
    }
}
