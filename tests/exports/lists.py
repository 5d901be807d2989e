"""Opens the files of lists in other software: the CSV, the workbook, and LibreOffice's reading of the CSV have the same cells,
and their columns add up to the totals of the list."""

import csv
import datetime
import io

TOTALS = {
    "actions": {
        "Engagé (€)": "committed", "Payé (€)": "paid", "Payé à l’entreprise (€)": "paid_to_company",
        "Payé aux organismes (€)": "paid_to_providers", "En cours (€)": "in_progress", "Reste à payer (€)": "remaining",
        "Payé en trop (€)": "overpaid", "Repris (€)": "recovered",
    },
    "contributions": {"Cotisé (€)": "contributed"},
    # Their list has no totals; the sum of each file is held against the list's items.
    "remittances": {"Envoyé (€)": "sent", "Revenu (€)": "returned", "Montant (€)": "amount"},
}
WHOLE_NUMBERS = ["Exercice", "N° d’ordre dans l’exercice"]


def items(account, name, query):
    """All items of a list, and the totals of its first page."""
    found, cursor, totals = [], "", None
    while cursor is not None:
        page = account.get(f"{name}?{query}&limit=200&cursor={cursor}").json()
        found += page["items"]
        totals = totals or page.get("totals")
        cursor = page.get("next_cursor")
    return found, totals


def comparable(name, cell, cents):
    """A cell as it is in any software: amounts in cents, days as text."""
    if cell in ("", None):
        return ""
    if name.endswith("(€)"):
        return cents(cell)
    if isinstance(cell, datetime.datetime):
        return f"{cell:%d/%m/%Y}"
    if name in WHOLE_NUMBERS:
        return int(cell)
    return str(cell)


def check(account, dialect, plain, sheet, values, cents, convert, opened, folder):
    """The files of each list of each view."""
    for view in account.views:
        for name, sums in TOTALS.items():
            query = f"view={view}"
            found, totals = items(account, name, query)
            text = account.get(f"{name}.csv?{query}")
            shown = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"), newline=""), dialect=dialect))
            _, rows = sheet(account.get(f"{name}.xlsx?{query}").content)
            _, again = sheet(convert(text.content, "csv", "xlsx", folder, f"--infilter={opened}"))

            def cells(rows):
                # A moment is a day and a time, which each software keeps in its own way.
                return [
                    {column: comparable(column, cell, cents) for column, cell in row.items() if "heure" not in column}
                    for row in rows
                ]

            in_text, in_workbook = cells(map(plain, shown)), cells(values(rows))
            assert in_text == in_workbook, f"{name} of {view}"
            assert in_text == cells(map(plain, values(again))), f"{name} of {view} in LibreOffice"
            assert len(in_text) == len(found), f"{name} of {view}: {len(in_text)} rows, {len(found)} items"
            for column, field in sums.items():
                added = sum(row[column] or 0 for row in in_text)
                wanted = totals[field] if totals else sum(item[field] for item in found)
                assert added == wanted, f"{column} of {name} of {view}: {added} instead of {wanted}"
            print(f"  {name} of {view}: {len(in_text)} rows, in three ways")
