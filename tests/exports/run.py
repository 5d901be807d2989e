"""Opens the exported ledger in other software, and holds it against what the API says, to the cent.

The demo data, and a feed of its own with what an export can get wrong, are in a local portal; the manager of an
account downloads its ledger. Python's csv, openpyxl and LibreOffice read it.
"""

import csv
import datetime
import io
import os
import re
import subprocess
import tempfile
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import feed
import lists
import openpyxl
import requests
from portal import People, Portal

EXPORT_SECONDS = 60
SOFFICE = os.environ.get("SOFFICE", "/usr/bin/soffice")
MEASURES = {
    "committed": "Engagé (€)", "paid": "Payé (€)", "paid_to_company": "Payé à l’entreprise (€)",
    "paid_to_providers": "Payé aux organismes (€)", "in_progress": "En cours (€, signé par écriture)",
    "contributed": "Cotisé (€)",
}
AMOUNTS = [*MEASURES.values(), "Montant brut (€)"]
DAYS = ["Date d’effet", "Comptabilisé le"]
NUMBERS = ["Exercice", "N° d’ordre dans l’exercice"]
MOMENT = "Comptabilisé à (heure de Paris)"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# As a spreadsheet that speaks French opens a file with a double click: `;`, `"`, UTF-8. Dates and other special numbers
# are looked for where somebody ticks that; numbers are always.
OPENED_IN_FRENCH = ["CSV:59,34,76,1,,1036,false,true", "CSV:59,34,76,1,,1036,false,false"]
# Of the first sheet; amounts as they are kept, not as they are shown.
SAVED_AS_CSV = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,false,false,false,false,1"


class French(csv.Dialect):
    delimiter = ";"
    quotechar = '"'
    doublequote = True
    lineterminator = "\r\n"
    quoting = csv.QUOTE_MINIMAL
    strict = True


def cents(amount):
    """Whole cents of an amount as software gives it; an empty cell is no amount."""
    if amount in ("", None):
        return 0
    number = Decimal(amount.replace(",", ".") if isinstance(amount, str) else repr(amount)) * 100
    rounded = round(number)
    assert abs(number - rounded) < Decimal("0.0001"), f"{amount!r} is no amount to the cent"
    return rounded


def totals(rows):
    """The measures of rows, as the summary has them: in progress by action and invoice, and zero for what is negative."""
    sums = {measure: sum(cents(row[column]) for row in rows) for measure, column in MEASURES.items()}
    actions = defaultdict(lambda: defaultdict(int))
    for row in rows:
        of_action = actions[row["Exercice"], row["N° d’action"]]
        of_action[row["N° de facture"] or ""] += cents(row[MEASURES["in_progress"]])
    sums["in_progress"] = sum(map(in_progress, actions.values()))
    return sums


def in_progress(invoices):
    """What is open of an action: its invoices, less payments that name none, and what was invoiced without a number."""
    unnumbered = invoices.pop("", 0)
    open_, left_over = (sum(max(0, sign * amount) for amount in invoices.values()) for sign in (1, -1))
    return open_ + max(0, unnumbered - left_over) if unnumbered > 0 else max(0, open_ + unnumbered)


class Account:
    """A member account, as its manager sees it through the API."""

    def __init__(self, user):
        self.user = user
        self.summary = self.get("summary").json()
        self.views = [view["view"] for view in self.summary["views"]]

    def get(self, rest):
        path = f"/api/accounts/{self.user.number}/{rest}"
        return self.user.people.call("GET", path, token=self.user.access, expect=[200])

    def totals(self, view):
        """Of a view, or of all."""
        if view is None:
            return self.summary["totals"]
        return next(of for of in self.summary["views"] if of["view"] == view)["totals"]

    def entries(self, view):
        """By their ids, from the API."""
        entries, cursor = {}, ""
        for view in [view] if view else self.views:
            while cursor is not None:
                page = self.get(f"ledger?view={view}&limit=200&cursor={cursor}").json()
                entries |= {entry["entry_id"]: {**entry, "view": view} for entry in page["items"]}
                cursor = page.get("next_cursor")
            cursor = ""
        return entries

    def download(self, ending, view):
        return self.checked(self.get(f"ledger.{ending}" + (f"?view={view}" if view else "")), ending, view)

    def checked(self, answer, ending, view):
        name = f"ledger-{self.user.number}" + (f"-{view}" if view else "")
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.{ending}"', answer.headers
        assert answer.headers["cache-control"] == "no-store"
        return answer


    def asked(self, ending, view):
        """The file that is made in the background, behind its link."""
        path = f"/api/accounts/{self.user.number}/exports"
        call = self.user.people.call
        made = call("POST", path, {"format": ending, "view": view}, self.user.access, expect=[202]).json()
        deadline = time.monotonic() + EXPORT_SECONDS
        while (export := self.get(f"exports/{made['id']}").json())["state"] == "preparing":
            assert time.monotonic() < deadline, f"not ready within {EXPORT_SECONDS} seconds"
            time.sleep(0.1)
        assert export["state"] == "ready", export
        answer = requests.get(export["url"], timeout=30)
        answer.raise_for_status()
        return answer


class Large(Account):
    """The same account where an answer has too few entries: its files are asked for."""

    def download(self, ending, view):
        refused = self.user.people.call(
            "GET", f"/api/accounts/{self.user.number}/ledger.{ending}", token=self.user.access, expect=[409]
        )
        assert refused.json()["type"] == "/problems/export-too-large" and "/exports" in refused.json()["detail"]
        return self.checked(self.asked(ending, view), ending, view)


def check(what, rows, account, view):
    """Rows of any software say what the API says."""
    # What remains and what was overpaid follow from an action's status too, which no row has.
    wanted = {measure: account.totals(view)[measure] for measure in MEASURES}
    assert totals(rows) == wanted, f"{what}: {totals(rows)} instead of {wanted}"
    entries = account.entries(view)
    assert len(rows) == len(entries), f"{what}: {len(rows)} rows, {len(entries)} entries"
    for row in rows:
        entry = entries[row["Écriture"]]
        seen = (cents(row["Montant brut (€)"]), str(row["Exercice"]), row["N° d’action"] or None, row["Version"])
        said = (entry["amount_cents"], str(entry["view"]), entry.get("action_id"), str(entry["source_version"]))
        assert seen == said, f"{what}: {seen} instead of {said}"
        assert (row["Contre-passe l’écriture"] or None) == entry.get("reverses"), row
        assert (row["N° de facture"] or None) == entry.get("invoice_number"), row
        assert (row["N° d’avis de virement"] or None) == entry.get("remittance_number"), row
        assert (row["Libellé"], row["Référence bancaire"] or None) == (entry["label"], entry.get("bank_reference")), row
        assert (row["N° adhérent"], row["SIRET"]) == (account.user.number, account.user.siret), row
    print(f"  {what}: {len(rows)} rows add up to {wanted}")


def plain(row):
    """A row of the CSV as docs/ledger.md says to read it: a text that begins with an apostrophe has one too many."""
    return {name: cell[1:] if isinstance(cell, str) and cell.startswith("'") else cell for name, cell in row.items()}


def as_csv(account, view):
    """Python's csv; gives the rows."""
    answer = account.download("csv", view)
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8"), answer.headers
    assert answer.content.startswith(b"\xef\xbb\xbf"), "no byte order mark"
    text = answer.content.decode("utf-8-sig")
    assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), "a line without CRLF"
    rows = list(csv.DictReader(io.StringIO(text, newline=""), dialect=French))
    days = [(row["Exercice"], datetime.datetime.strptime(row["Date d’effet"], "%d/%m/%Y")) for row in rows]
    assert days == sorted(days), "not in order of view and effective date"
    for row in rows:
        for name, cell in row.items():
            if name in AMOUNTS:
                assert re.fullmatch(r"(-?\d+,\d\d)?", cell), (name, cell)
            else:
                assert not re.match(r"[=+\-@\t\r]", cell), f"{name} would be calculated: {cell}"
                assert name in [*NUMBERS, *DAYS, MOMENT] or not re.fullmatch(r"[\d.,/: -]+", cell), f"{name}: {cell}"
    check("Python's csv", [plain(row) for row in rows], account, view)
    return answer.content, rows


def sheet(content):
    """The first sheet of a workbook: its rows of cells by heading."""
    first = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    headings, *rows = first.iter_rows()
    headings = [cell.value for cell in headings]
    return first, [dict(zip(headings, row)) for row in rows]


def values(rows):
    return [{name: "" if cell.value is None else cell.value for name, cell in row.items()} for row in rows]


def as_xlsx(account, view):
    """openpyxl; gives the file."""
    answer = account.download("xlsx", view)
    assert answer.headers["content-type"] == XLSX, answer.headers
    first, rows = sheet(answer.content)
    assert first.freeze_panes == "A2" and first.auto_filter.ref == first.dimensions, "no header to filter by"
    for row in rows:
        for name, cell in row.items():
            assert cell.data_type != "f", f"a formula: {cell.value}"
            if cell.value is None:
                continue
            if name in AMOUNTS:
                assert isinstance(cell.value, (int, float)) and cell.number_format == '#,##0.00 "€"', (name, cell.value)
            elif name in DAYS:
                assert isinstance(cell.value, datetime.datetime) and cell.number_format == "dd/mm/yyyy", (name, cell)
            elif name == MOMENT:
                assert isinstance(cell.value, datetime.datetime) and cell.is_date, (name, cell.value)
            elif name in NUMBERS:
                assert isinstance(cell.value, int), (name, cell.value)
            else:
                assert isinstance(cell.value, str) and cell.quotePrefix, f"no text: {name} {cell.value!r}"
    check("openpyxl", values(rows), account, view)
    return answer.content


def convert(content, ending, wanted, folder, *options):
    """LibreOffice opens a file and saves it as another; gives what it saved."""
    source, target = folder / f"ledger.{ending}", folder / "saved"
    source.write_bytes(content)
    profile = (folder / "profile").as_uri()
    command = [SOFFICE, f"-env:UserInstallation={profile}", "--headless", *options, "--convert-to", wanted]
    done = subprocess.run([*command, "--outdir", target, source], capture_output=True, text=True, timeout=300)
    # Of a sheet that was asked for, the name of the file has its name too.
    saved = list(target.glob(f"ledger*.{wanted.split(':')[0]}"))
    assert done.returncode == 0 and len(saved) == 1, f"LibreOffice: {done.stdout} {done.stderr}"
    return saved[0].read_bytes()


def in_libreoffice(account, as_text, as_workbook, folder):
    """Both files, opened by a spreadsheet; all views."""
    saved = convert(as_workbook, "xlsx", SAVED_AS_CSV, folder).decode("utf-8-sig")
    check("LibreOffice, XLSX", list(csv.DictReader(io.StringIO(saved), delimiter=";")), account, None)

    for opened in OPENED_IN_FRENCH:
        _, rows = sheet(convert(as_text, "csv", "xlsx", folder, f"--infilter={opened}"))
        for row in rows:
            for name, cell in row.items():
                assert cell.data_type != "f", f"LibreOffice calculates {cell.value}"
                if cell.value is None:
                    continue
                if name in AMOUNTS or name in NUMBERS:
                    assert cell.data_type == "n", (name, cell.value)
                elif name in [*DAYS, MOMENT]:
                    assert cell.is_date or opened.endswith("false"), (name, cell.value)
                else:
                    assert cell.data_type == "s", f"{name}: LibreOffice makes {cell.value!r} of a text"
        check(f"LibreOffice, CSV as {opened}", [plain(row) for row in values(rows)], account, None)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        batch = folder / "batch"
        batch.mkdir()
        number = feed.first_account()
        feed.write(batch, number)
        print("What an answer carries")
        opened(Account, folder, number, Portal("--import", batch))
        print("What is more than an answer carries")
        opened(Large, folder, number, Portal("--import", batch, "--set", "AnsweredEntries=50"))


def opened(kind, folder, number, portal):
    """Opens the files of an account with everything."""
    try:
        assert ", 0 put aside, 0 waiting" in portal.said.split("Imported ")[1], portal.said
        user = People(portal.origin).manager()
        assert user.number == number, user.number
        account = kind(user)
        assert {2011, 2012} <= set(account.views), account.views
        for view in [*account.views, None]:
            print(f"Account {number}, {view or 'all views'}")
            (as_text, rows), as_workbook = as_csv(account, view), as_xlsx(account, view)
        # The feed brought what it was made for.
        labels = {row["Libellé"] for row in rows}
        assert {f"'{label}" for label in [*feed.FORMULAS, *feed.TAKEN, *feed.MARKED]} <= labels, labels
        assert set(feed.PLAIN) <= labels, labels
        signed = sum(cents(row[MEASURES["in_progress"]]) for row in rows)
        assert signed < account.totals(None)["in_progress"], "no action was paid before its invoice"
        with tempfile.TemporaryDirectory(dir=folder) as own:
            in_libreoffice(account, as_text, as_workbook, Path(own))
            if kind is Account:
                lists.check(account, French, plain, sheet, values, cents, convert, OPENED_IN_FRENCH[1], Path(own))
    finally:
        portal.stop()


if __name__ == "__main__":
    main()
