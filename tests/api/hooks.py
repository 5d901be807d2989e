"""What makes generated requests reach the portal's rules: who is asking, and what only a member knows.

`run.py` says through the environment who: PORTAL_ORIGIN, PERSONA (manager, reader, nobody), PORTAL_SEED.
The hooks know the names of fields and parameters, and no operation: one that `openapi.yaml` gains is
driven like the others.
"""

import atexit
import json
import os
import random
import re
from collections import defaultdict
from datetime import UTC, datetime

import requests
import schemathesis
from hypothesis import strategies as st
from portal import PASSWORDS, From, People
from schemathesis.generation.meta import CoverageScenario, coverage_scenario

PERSONA = os.environ["PERSONA"]

# Below the limits of one address, save for the few routes whose limit is lower: their 429 is seen too.
CALLS_FROM_ONE_ADDRESS = 25

# Links that generated passwords may use up.
SPARE_LINKS = 8

people = People(os.environ["PORTAL_ORIGIN"])
chance = random.Random(int(os.environ["PORTAL_SEED"]))


class Persona:
    """Who is asking. A persona that is no longer what it was is made anew, on another account."""

    def __init__(self, make):
        self.make = make
        self.remake()

    def remake(self):
        self.user = self.make()
        self.known = {
            "action_id": self.user.ids("actions", "action_id"),
            "remittance_number": self.user.ids("remittances", "remittance_number"),
        }
        self.doubtful = False

    def current(self):
        """The persona, signed in and what it should be."""
        if self.doubtful and not self.user.is_whole():
            try:
                self.user.log_in()
            except RuntimeError:
                self.remake()
            if not self.user.is_whole():
                self.remake()
        self.doubtful = False
        return self.user


# Nobody asks about an account that there is.
member = Persona(people.manager if PERSONA == "nobody" else getattr(people, PERSONA))
spare_links = [people.sign_up(member.user.siret)[1] for _ in range(SPARE_LINKS)]

if PERSONA != "nobody":

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        """The access token everywhere, and the refresh cookie where a route takes that."""

        def get(self, case, context):
            return member.current()

        def set(self, case, user, context):
            case.headers["Authorization"] = f"Bearer {user.access}"
            for choice in case.operation.definition.raw.get("security", []):
                if "localRefreshCookie" in choice:
                    case.cookies["refresh"] = user.refresh


# What only a member knows, and what no schema says

@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Has names made of what the contract's own pattern allows, character by character: Hypothesis takes the pattern of a
    whole name apart for minutes."""
    one_line = raw_schema["components"]["schemas"]["OneLine"]
    allowed, blank = re.compile(one_line["pattern"]), re.compile(one_line["not"]["pattern"])
    # Which categories the pattern leaves out whole is said to Hypothesis, so that it seldom tries what is refused.
    letters = st.characters(exclude_categories=["C", "Zl", "Zp"]).filter(allowed.search)
    names = st.text(letters, min_size=1).filter(lambda text: not blank.search(text))
    schemathesis.openapi.format("one-line", names)
    raw_schema["components"]["schemas"]["OneLine"] = {"type": "string", "format": "one-line"}


def known(name, body):
    """A value for this field that the portal knows, or `None`."""
    user = member.user
    match name:
        case "member_number":
            return user.number
        case "terms":
            return people.documents["terms"]
        case "account_terms":
            return people.documents["account-terms"]
        case "version" | "sha256":
            return people.documents.get(body.get("kind"), {}).get(name)
        case "token":
            return chance.choice(spare_links[-1:] + people.mailed_tokens() or [None])
        case "email" if "password" in body:
            return user.email
        case "password" | "current_password":
            return user.password
    return None


def make_right(name, body):
    """A value that keeps a rule of the portal which no schema can say, or `None`."""
    if name == "siret":
        # Luhn. Mostly one's own: another's costs what was granted for it.
        return member.user.siret if chance.random() < 0.7 else chance.choice(people.sirets)
    if name == "password" and "password_confirmation" in body:
        # Not easily guessed, and another than before.
        return next(password for password in PASSWORDS if password != member.user.password)
    if name.endswith("_confirmation"):
        return body.get(name.removesuffix("_confirmation"))
    return None


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts what is known into most of what is meant to be valid; what is meant to be wrong stays wrong."""
    move(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    knowing = chance.random() < 0.8
    parameters = case.path_parameters
    if knowing and isinstance(parameters, dict):
        if "number" in parameters:
            parameters["number"] = member.user.number
        for name in parameters.keys() & member.known.keys():
            if member.known[name] and chance.random() < 0.5:
                parameters[name] = chance.choice(member.known[name])
    if "Idempotency-Key" in (case.headers or {}):
        # One for each request.
        case.headers["Idempotency-Key"] = f"{chance.getrandbits(64):x}"
    if isinstance(case.query, dict) and case.query.get("cursor") not in cursors:
        # Nobody can make one up.
        case.query.pop("cursor", None)
    for filter in (case.query, case.body):
        if isinstance(filter, dict) and filter.get("from") and filter.get("to"):
            # A period begins before it ends.
            filter["from"], filter["to"] = sorted([filter["from"], filter["to"]])
        if isinstance(filter, dict) and filter.get("as_of"):
            # An earlier state lies behind the first booking, and that was when the portal here started.
            filter["as_of"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    if isinstance(case.body, dict):
        # Confirmations last: they repeat what stands there by then.
        for name in sorted(case.body, key=lambda name: name.endswith("_confirmation")):
            value = make_right(name, case.body)
            if value is None and knowing:
                value = known(name, case.body)
            if value is not None:
                case.body[name] = value


# From where

calls = defaultdict(int)
adapters = {}
here = From.somewhere()


def move(case):
    """Each operation is called from a new address every so many calls."""
    global here
    name = case.operation.label
    if calls[name] % CALLS_FROM_ONE_ADDRESS == 0:
        adapters[name] = From.somewhere()
    calls[name] += 1
    here = adapters[name]


# Schemathesis keeps its session to itself, but a session asks for an adapter at each request.
requests.Session.get_adapter = lambda session, url: here


# What became of it

statuses = defaultdict(set)
cursors = set()


@schemathesis.hook
def after_call(context, case, response):
    """Notes what was answered, and whether the persona is to be looked at again."""
    statuses[case.operation.label].add(response.status_code)
    request = response.request
    if response.status_code == 401 or (response.status_code < 300 and request.method != "GET"):
        member.doubtful = True
    if response.status_code < 300 and isinstance(case.body, dict) and "password_confirmation" in case.body:
        if case.body.get("token") in spare_links:
            spare_links.remove(case.body["token"])
        elif "current_password" in case.body:
            member.user.password = case.body["password"]
    if response.status_code == 200 and (cursor := find_cursor(response)):
        cursors.add(cursor)
    for cookie in response.headers.get("set-cookie", []):
        value = cookie.split(";")[0].removeprefix("refresh=")
        if value and "refresh" in (case.cookies or {}):
            member.user.refresh = value


def find_cursor(response):
    """The cursor of the next page, where there is one."""
    body = response.json() if response.content.startswith(b"{") else {}
    return body.get("next_cursor")


@atexit.register
def leave_word():
    """For `run.py`: which statuses each operation gave."""
    with open(os.environ["PORTAL_STATUSES"], "w", encoding="utf-8") as file:
        json.dump({name: sorted(seen) for name, seen in statuses.items()}, file)


# What the built-in checks do not know of


@schemathesis.check
def nothing_besides(ctx, response, case):
    """A method that the contract does not list is not found, as a path that it does not list."""
    method, path = response.request.method, case.formatted_path
    if coverage_scenario(case) != CoverageScenario.UNSPECIFIED_HTTP_METHOD or is_listed(case.operation.schema, method, path):
        return
    problem = response.json().get("type") if response.content else None
    assert (response.status_code, problem) == (404, "/problems/not-found"), (
        f"{method} {path} answers {response.status_code} {problem}"
    )


def is_listed(schema, method, path):
    """Whether some operation is meant: `DELETE /api/sessions/refresh` ends a session of that name."""
    fits = [template for template in schema if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
    return any(method == known.upper() for template in fits for known in schema[template])
