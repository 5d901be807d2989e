"""A portal of one's own, and people in it: all they do goes through the public API and the mails."""

import itertools
import json
import os
import re
import secrets
import subprocess
import time
from contextlib import closing
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("PORTAL_BINARY", ROOT / "target/debug/local"))
PASSWORDS = ["truelle béton mésange 41", "rabot cordeau niveau 17"]

START_SECONDS = 120
MAIL_SECONDS = 30
NEWEST_MAILS = 30
STOP_SECONDS = 5


class Portal:
    """The local portal as a process: in memory, with the demo data, on a free port."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BINARY, "--memory", "--port", "0", *options],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if address := re.search(r"http://localhost:\d+\b", line):
                self.origin, self.said = address[0], said
                return
        raise RuntimeError(f"the portal ended before it gave an address; it said:\n{said}")

    def stop(self):
        """Ends the process, as Ctrl-C would."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


_numbers = itertools.count(2)


class From(HTTPAdapter):
    """Sends from an address of 127.0.0.0/8: the limits on guessing count addresses."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    @classmethod
    def somewhere(cls):
        """From an address that no other has."""
        number = next(_numbers)
        return cls(f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, source_address=(self.address, 0), **options)


class People:
    """Signs people up with the establishments of the demo data, each establishment once."""

    def __init__(self, origin):
        self.origin = origin
        with open(ROOT / "demo/feed/members.ndjson", encoding="utf-8") as lines:
            members = [json.loads(line) for line in lines]
        self.sirets = [member["siret"] for member in members]
        self.members = itertools.cycle([member for member in members if "closed_on" not in member])
        self.documents = {kind: self.document(kind) for kind in ("terms", "charter", "account-terms")}

    def call(self, method, path, body=None, token=None, expect=None):
        """One request; what is not expected is an error."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = requests.Request(method, self.origin + path, json=body, headers=headers).prepare()
        with closing(From.somewhere()) as adapter:
            answer = adapter.send(request, timeout=30)
        if expect and answer.status_code not in expect:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer

    def document(self, kind):
        """Version and hash of a legal document."""
        document = self.call("GET", f"/api/documents/{kind}", expect=[200]).json()
        return {"version": document["version"], "sha256": document["sha256"]}

    def sign_up(self, siret):
        """Asks for a space, and gives the address and the token of the mailed link."""
        email = f"{secrets.token_hex(8)}@fuzz.example"
        person = {
            "siret": siret, "civility": "mme", "last_name": "MARTIN", "first_name": "Jeanne",
            "job_title": "Comptable", "email": email, "email_confirmation": email, "terms": self.documents["terms"],
        }
        self.call("POST", "/api/signup", person, expect=[202])
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            for mail in self.mails():
                link = re.search(r"/mot-de-passe#([\w-]+)", mail["text"])
                if mail["to"] == email and link:
                    return email, link[1]
            time.sleep(0.05)
        raise RuntimeError(f"no mail to {email} within {MAIL_SECONDS} seconds")

    def mails(self):
        """The newest mails."""
        return self.call("GET", "/_local/mail.json", expect=[200]).json()[-NEWEST_MAILS:]

    def mailed_tokens(self):
        """The tokens of their links, whatever they are for."""
        return [token for mail in self.mails() for token in re.findall(r"/[a-z-]+#([\w-]{43})\b", mail["text"])]

    def user(self, siret):
        """Somebody with a space, signed in, who accepted the charter."""
        email, token = self.sign_up(siret)
        passwords = {"password": PASSWORDS[0], "password_confirmation": PASSWORDS[0]}
        self.call("POST", "/api/password", {"token": token, **passwords}, expect=[204])
        user = User(self, email)
        charter = {"kind": "charter", **self.documents["charter"]}
        self.call("POST", "/api/acceptances", charter, user.access, expect=[200, 201])
        return user

    def manager(self):
        """The manager of the next account that has none, who said OUI."""
        while True:
            member = next(self.members)
            user = self.user(member["siret"])
            user.number, user.siret, user.role = member["member_number"], member["siret"], "manager"
            claim = {"member_number": user.number, "account_terms": self.documents["account-terms"]}
            if self.call("POST", "/api/manager-claims", claim, user.access, expect=[201, 409]).status_code == 201:
                break
        self.call("PUT", f"/api/accounts/{user.number}/activation", {"use": True}, user.access, expect=[200])
        return user

    def reader(self):
        """Somebody whom the manager of an account lets read it."""
        manager = self.manager()
        user = self.user(manager.siret)
        user.number, user.siret, user.role = manager.number, manager.siret, "reader"
        self.call("POST", f"/api/accounts/{user.number}/users", {"email": user.email}, manager.access, expect=[202])
        # The first read opens the account.
        self.call("GET", f"/api/accounts/{user.number}/summary", token=user.access, expect=[200])
        return user


class User:
    """Somebody signed in."""

    number = siret = role = None
    password = PASSWORDS[0]

    def __init__(self, people, email):
        self.people, self.email = people, email
        self.log_in()

    def log_in(self):
        """Opens a session."""
        credentials = {"email": self.email, "password": self.password}
        answer = self.people.call("POST", "/api/sessions", credentials, expect=[200])
        self.access, self.refresh = answer.json()["access_token"], answer.cookies["refresh"]

    def is_whole(self):
        """Whether the session is open, and the user still is what they were."""
        answer = self.people.call("GET", "/api/accounts", token=self.access)
        if answer.status_code != 200:
            return False
        return any(
            (account["member_number"], account["role"], account["active"]) == (self.number, self.role, True)
            for account in answer.json()["accounts"]
        )

    def ids(self, list_name, field):
        """What the items on the first page of a list of the account are called."""
        answer = self.people.call("GET", f"/api/accounts/{self.number}/{list_name}", token=self.access, expect=[200])
        return [item[field] for item in answer.json()["items"]]
