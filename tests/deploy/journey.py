"""What people do with a deployed portal, over its API endpoint."""

import http.client
import json
import re
import time

PASSWORD = "girafe-betonniere-escalier-42"
PATIENCE = 60


class Refused(Exception):
    """An answer that is not the one that was expected."""


class Visitor:
    """Somebody with a browser."""

    def __init__(self, aws, api):
        self.port = aws.port
        self.host = f"{api}.execute-api.localhost:{aws.port}"
        self.token = None

    def call(self, method, path, body=None, expect=200, headers=None):
        """Sends a request; gives the body of the answer, which has to have the status that is expected."""
        headers = {"Host": self.host} | (headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != expect:
            raise Refused(f"{method} {path}: {answer.status} instead of {expect}: {content[:500]!r}")
        is_json = "json" in (answer.headers["Content-Type"] or "")
        return json.loads(content) if content and is_json else content


def until(what, found):
    """Waits for what somebody else does; gives what was found."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if result := found():
            return result
        time.sleep(0.2)
    raise Refused(f"{what} did not come within {PATIENCE} s")


def mail_to(aws, address, subject):
    def found():
        mails = [mail for mail in aws.mails() if address in mail["To"] and subject in mail["Subject"]]
        return mails[-1] if mails else None

    return until(f"a mail to {address} about {subject!r}", found)


def token_in(mail):
    return re.search(r"https://portal\.example/[a-z-]+#([A-Za-z0-9_-]+)", mail["BodyText"]).group(1)


def bring_batch(deployment, folder, name):
    """Puts a batch into the feed bucket as the back office does, its manifest last; gives its report."""
    s3 = deployment.aws.client("s3")
    bucket = deployment.outputs["FeedBucketName"]
    files = sorted(path for path in folder.iterdir() if path.suffix in (".ndjson", ".json"))
    for path in sorted(files, key=lambda path: path.name == "manifest.json"):
        s3.put_object(Bucket=bucket, Key=f"{name}/{path.name}", Body=path.read_bytes())

    def report():
        try:
            return json.load(s3.get_object(Bucket=bucket, Key=f"{name}/report.json")["Body"])
        except s3.exceptions.NoSuchKey:
            return None

    return until(f"the report of {name}", report)


def sign_up(deployment, api, email, siret="53384615000019"):
    """From the form to the first log-in, by the mailed link."""
    visitor = Visitor(deployment.aws, api)
    terms = visitor.call("GET", "/api/documents/terms")
    form = {
        "siret": siret, "civility": "mme", "last_name": "Martin", "first_name": "Léa", "job_title": "Comptable",
        "email": email, "email_confirmation": email, "terms": {key: terms[key] for key in ("version", "sha256")},
    }
    visitor.call("POST", "/api/signup/check", form)
    visitor.call("POST", "/api/signup", form, expect=202)
    set_password(deployment, visitor, email, "Activez", PASSWORD)
    log_in(visitor, email, PASSWORD)
    return visitor


def set_password(deployment, visitor, email, subject, password):
    token = token_in(mail_to(deployment.aws, email, subject))
    link = visitor.call("POST", "/api/password/link", {"token": token})
    assert link["email"] == email, link
    body = {"token": token, "password": password, "password_confirmation": password}
    visitor.call("POST", "/api/password", body, expect=204)


def log_in(visitor, email, password):
    visitor.token = visitor.call("POST", "/api/sessions", {"email": email, "password": password})["access_token"]


def accept_charter(visitor):
    charter = visitor.call("GET", "/api/documents/charter")
    body = {"kind": "charter"} | {key: charter[key] for key in ("version", "sha256")}
    visitor.call("POST", "/api/acceptances", body, expect=201)


def claim(visitor, number):
    terms = visitor.call("GET", "/api/documents/account-terms")
    body = {"member_number": number, "account_terms": {key: terms[key] for key in ("version", "sha256")}}
    visitor.call("POST", "/api/manager-claims", body, expect=201)
    visitor.call("PUT", f"/api/accounts/{number}/activation", {"use": True})


def whole_journey(deployment, api, number="012345"):
    """The leaflet from its first line to its last; gives the manager, signed in."""
    health = Visitor(deployment.aws, api)
    assert health.call("GET", "/api/health") == {"status": "ok"}
    health.call("GET", "/nothing-here", expect=404)
    manager = sign_up(deployment, api, "lea@martin.example")
    home = manager.call("GET", "/api/home")
    assert home["can_claim"] and home["pending_documents"] == ["charter"], home
    accept_charter(manager)
    claim(manager, number)
    accounts = manager.call("GET", "/api/accounts")["accounts"]
    assert [account["member_number"] for account in accounts] == [number], accounts
    summary = manager.call("GET", f"/api/accounts/{number}/summary")
    assert summary["totals"]["committed"] > 0, summary
    view = summary["views"][0]["view"]
    for rest in ("actions", "contributions", "remittances", "ledger"):
        manager.call("GET", f"/api/accounts/{number}/{rest}?view={view}")
    rows = manager.call("GET", f"/api/accounts/{number}/ledger.csv")
    assert rows.startswith(b"\xef\xbb\xbf") and rows.count(b"\r\n") > 10, rows[:200]
    statement = manager.call("GET", f"/api/accounts/{number}/statement.pdf")
    assert statement.startswith(b"%PDF-"), statement[:20]
    export = manager.call("POST", f"/api/accounts/{number}/exports", {"format": "xlsx"}, expect=202)["id"]

    def ready():
        state = manager.call("GET", f"/api/accounts/{number}/exports/{export}")
        assert state["state"] != "failed", state
        return state["state"] == "ready"

    until("the export", ready)
    manager.call("POST", f"/api/accounts/{number}/users", {"email": "paul@martin.example"}, expect=202)
    mail_to(deployment.aws, "paul@martin.example", "")
    forgotten = Visitor(deployment.aws, api)
    forgotten.call("POST", "/api/password/forgot", {"email": "lea@martin.example"}, expect=202)
    set_password(deployment, forgotten, "lea@martin.example", "mot de passe", PASSWORD + "-bis")
    manager.call("GET", "/api/home", expect=401)  # a new password ends all sessions
    log_in(manager, "lea@martin.example", PASSWORD + "-bis")
    return manager
