"""From the sign-up to a page of the ledger, with the generated client alone; the mail's link comes from the mail box."""

import os
import re
import time

import httpx
from portal_client import AuthenticatedClient, Client
from portal_client.api.accept_document import accept_document
from portal_client.api.accounts import answer_activation
from portal_client.api.claim_manager import claim_manager
from portal_client.api.create_password import create_password, read_password_link
from portal_client.api.export_ledger import export_ledger_as_xlsx
from portal_client.api.query_ledger import (
    list_contributions, list_entries, list_remittances, read_action, read_remittance, read_summary,
)
from portal_client.api.read_document import read_current_document
from portal_client.api.sessions import log_in
from portal_client.api.signup import sign_up
from portal_client.models import (
    AcceptanceRequest, AcceptanceRequestKind, AccessToken, Account, ActionDetail, ActivationAnswer, Civility, Claimed,
    Contribution, ContributionPage, Credentials, Document, DocumentKind, DocumentReference, EntryPage, LedgerEntry,
    ManagerClaim, Message, NewPassword, PasswordLink, PasswordLinkPurpose, PasswordLinkPurposePurpose, Problem,
    ProblemType, Receipt, RemittanceDetail, RemittancePage, Signup,
    Summary,
)
from portal_client.types import File

MAIL_SECONDS = 30

origin, password, number, siret = (os.environ[name] for name in ("PORTAL_ORIGIN", "PASSWORD", "NUMBER", "SIRET"))
email = "python@client.example"


def got(kind, response):
    """What was answered, which has to be of this kind: an answer that the client does not know is `None`."""
    assert isinstance(response.parsed, kind), f"{response.status_code}: {response.content[:500]}"
    return response.parsed


def read(document):
    """The version and hash of a legal document."""
    document = got(Document, read_current_document.sync_detailed(client=client, kind=document))
    return DocumentReference(version=document.version, sha256=document.sha256)


def mailed_token():
    """The token of the link that was mailed."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        for mail in httpx.get(f"{origin}/_local/mail.json").json():
            if mail["to"] == email and (link := re.search(r"/mot-de-passe#([\w-]+)", mail["text"])):
                return link[1]
        time.sleep(0.05)
    raise AssertionError(f"no mail to {email} within {MAIL_SECONDS} seconds")


client = Client(base_url=origin)
form = Signup(
    siret=siret, civility=Civility.MME, last_name="MARTIN", first_name="Jeanne", job_title="Comptable", email=email,
    email_confirmation="other@client.example", terms=read(DocumentKind.TERMS),
)
problem = got(Problem, sign_up.sync_detailed(client=client, body=form))
assert problem.type_ is ProblemType.INVALID_INPUT, problem
assert [error.field for error in problem.errors] == ["email_confirmation"], problem
form.email_confirmation = email
got(Message, sign_up.sync_detailed(client=client, body=form))

token = mailed_token()
link = got(PasswordLinkPurpose, read_password_link.sync_detailed(client=client, body=PasswordLink(token=token)))
assert (link.email, link.purpose) == (email, PasswordLinkPurposePurpose.ACTIVATION)
new = NewPassword(token=token, password=password, password_confirmation=password)
assert create_password.sync_detailed(client=client, body=new).status_code == 204
problem = got(Problem, create_password.sync_detailed(client=client, body=new))
assert problem.type_ is ProblemType.LINK_INVALID, problem

problem = got(Problem, log_in.sync_detailed(client=client, body=Credentials(email=email, password="another")))
assert problem.type_ is ProblemType.BAD_CREDENTIALS, problem
session = got(AccessToken, log_in.sync_detailed(client=client, body=Credentials(email=email, password=password)))
me = AuthenticatedClient(base_url=origin, token=session.access_token)

charter = read(DocumentKind.CHARTER)
acceptance = AcceptanceRequest(kind=AcceptanceRequestKind.CHARTER, version=charter.version, sha256=charter.sha256)
got(Receipt, accept_document.sync_detailed(client=me, body=acceptance))
claim = ManagerClaim(member_number=number, account_terms=read(DocumentKind.ACCOUNT_TERMS))
got(Claimed, claim_manager.sync_detailed(client=me, body=claim))
problem = got(Problem, list_entries.sync_detailed(client=me, number=number))
assert problem.type_ is ProblemType.ACCOUNT_NOT_ACTIVATED, problem
assert got(Account, answer_activation.sync_detailed(client=me, number=number, body=ActivationAnswer(use=True))).active

page = got(EntryPage, list_entries.sync_detailed(client=me, number=number))
assert page.items and all(isinstance(entry, LedgerEntry) for entry in page.items), page
action_id = next(entry.action_id for entry in page.items if entry.action_id)
detail = got(ActionDetail, read_action.sync_detailed(client=me, number=number, action_id=action_id))
assert detail.entries, detail
contributions = got(ContributionPage, list_contributions.sync_detailed(client=me, number=number))
assert contributions.items and all(isinstance(item, Contribution) for item in contributions.items), contributions
views = [view.view for view in got(Summary, read_summary.sync_detailed(client=me, number=number)).views]
pages = [got(RemittancePage, list_remittances.sync_detailed(client=me, number=number, view=view)) for view in views]
transfer = next(item.remittance_number for page_of_view in pages for item in page_of_view.items)
got(RemittanceDetail, read_remittance.sync_detailed(client=me, number=number, remittance_number=transfer))
file = got(File, export_ledger_as_xlsx.sync_detailed(client=me, number=number, view=page.view))
assert file.payload.read(2) == b"PK"
