"""Opens the yearly statement in other software, and holds it against what the API says, to the cent.

Poppler reads it aloud (`pdfinfo -struct-text`: the tree of its elements with their text, which is what a screen reader
has) and as it is seen (`pdftotext`); pypdf looks at the tree itself.
"""

import io
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import feed
import pypdf
from portal import People, Portal
from run import Account

AMOUNT = re.compile(r"-?\d{1,3}(\u202f\d{3})*,\d\d\u00a0€")
TITLE = "Relevé annuel du compte adhérent – exercice {}"


def poppler(program, pdf, *options):
    done = subprocess.run([program, *options, "-", *(["-"] if program == "pdftotext" else [])], input=pdf, capture_output=True)
    assert done.returncode == 0, f"{program}: {done.stderr}"
    # Titles of elements come as they stand in the file, in UTF-16.
    return done.stdout.decode("utf-8", "replace")


def cents(text):
    """Whole cents of an amount in French; no other form passes."""
    assert AMOUNT.fullmatch(text), f"{text!r} is no amount in French"
    return int(re.sub(r"[^\d-]", "", text))


def elements(pdf):
    """The leaves of the tree of elements: the path of tags to each, and its text."""
    path, found = [], []
    for line in poppler("pdfinfo", pdf, "-struct-text").splitlines():
        depth = len(line) - len(line.lstrip())
        said = re.fullmatch(r'\s*"(.*)"', line)
        tag = re.match(r"\s*([A-Z][A-Za-z0-9]*)", line)
        if said:
            found[-1][1].append(said[1])
        elif tag:
            path = [step for step in path if step[0] < depth] + [(depth, tag[1])]
            found.append(([name for _, name in path], []))
    return [(tags, "".join(texts)) for tags, texts in found]


def tables(pdf):
    """The tables by the heading above them: rows of text by part (THead, TBody, TFoot)."""
    found, heading = {}, None
    for tags, text in elements(pdf):
        if tags[-1] == "H2":
            heading = text
        elif tags[-1] in ("THead", "TBody", "TFoot"):
            found.setdefault(heading, {})[tags[-1]] = []
        elif tags[-1] == "TR":
            found[heading][tags[-2]].append([])
        elif tags[-1] in ("TH", "TD"):
            found[heading][tags[-3]][-1].append(text)
    return found


def paragraphs(pdf):
    return [text for tags, text in elements(pdf) if tags[-1] == "P"]


def paged(account, path):
    """All items of a list of the API, oldest first."""
    items, cursor = [], ""
    while cursor is not None:
        page = account.get(f"{path}&limit=200&cursor={cursor}").json()
        items += page["items"]
        cursor = page.get("next_cursor")
    return items[::-1]


def amounts(rows, *columns):
    return [tuple(cents(row[column]) for column in columns) for row in rows]


def figures(of):
    """Committed, paid to the company, paid to providers, in progress, remaining."""
    paid = of["paid_to_company"], of["paid_to_providers"]
    assert sum(paid) == of["paid"], of
    return of["committed"], *paid, of["in_progress"], of["remaining"]


def excess(of):
    """Overpaid and recovered; nothing where there is neither."""
    amounts = of["overpaid"], of["recovered"]
    return amounts if any(amounts) else ()


def columns(rows):
    """The sums of columns."""
    return tuple(sum(column) for column in zip(*rows))


def day(text):
    return "/".join(reversed(text.split("-")))


def check_figures(account, view, pdf):
    """Every figure of the statement is the API's, and the columns add up to the cent."""
    said = next(of for of in account.summary["views"] if of["view"] == view)
    totals = said["totals"]
    found = tables(pdf)
    whole = figures(totals)

    shown = [re.findall(AMOUNT.pattern.replace("(", "(?:"), text) for text in paragraphs(pdf) if "€" in text]
    wanted = [
        [totals["committed"], whole[4], totals["in_progress"]],
        [totals["paid"], totals["paid_to_company"], totals["paid_to_providers"], *excess(totals)],
        [totals["contributed"]],
    ]
    assert [[cents(amount) for amount in amounts] for amounts in shown] == wanted, (shown, wanted)

    schemes = found["Par dispositif"]
    rows = amounts(schemes["TBody"], 1, 2, 3, 4, 5)
    assert rows == [figures(scheme) for scheme in said["by_scheme"]], rows
    assert columns(rows) == whole == amounts(schemes["TFoot"], 1, 2, 3, 4, 5)[0]

    months = found["Par mois"]
    names = ["committed", "paid_to_company", "paid_to_providers", "contributed"]
    rows = amounts(months["TBody"], 1, 2, 3, 4)
    assert rows == [tuple(of[name] for name in names) for of in said["by_month"]], rows
    wanted = tuple(totals[name] for name in names)
    assert columns(rows) == wanted == amounts(months["TFoot"], 1, 2, 3, 4)[0]

    actions = paged(account, f"actions?view={view}")
    if actions:
        table = found["Actions de formation"]
        rows = [(row[0], row[1], *figures) for row, figures in zip(table["TBody"], amounts(table["TBody"], 3, 4, 5, 6, 7))]
        wanted = [
            (f"{of['action_id']} du\u00a0{day(of['engagement_date'])}", of["title"], *figures(of)) for of in actions
        ]
        assert rows == wanted, (rows, wanted)
        assert columns([row[2:] for row in rows]) == whole == amounts(table["TFoot"], 3, 4, 5, 6, 7)[0]

    twice = [of for of in actions if excess(of)]
    table = found.get("Trop-perçus et reprises", {"TBody": []})
    rows = [(row[0], row[1], *amounts) for row, amounts in zip(table["TBody"], amounts(table["TBody"], 2, 3))]
    assert rows == [(of["action_id"], of["title"], *excess(of)) for of in twice], (rows, twice)
    if twice:
        assert columns([row[2:] for row in rows]) == excess(totals) == amounts(table["TFoot"], 2, 3)[0]

    contributions = paged(account, f"contributions?view={view}")
    if contributions:
        table = found["Contributions"]
        rows = [(row[0], row[2], cents(row[3])) for row in table["TBody"]]
        assert rows == [(day(of["effective_date"]), of["label"], of["contributed"]) for of in contributions], rows
        assert columns([row[2:] for row in rows]) == (totals["contributed"],) == amounts(table["TFoot"], 3)[0]

    remittances = paged(account, f"remittances?view={view}")
    for heading, side, payee in [
        ("Virements à l’entreprise", "paid_to_company", "COMPANY"),
        ("Virements aux organismes de formation", "paid_to_providers", "PROVIDER"),
    ]:
        listed = [of for of in remittances if of["payee"] in (payee, "BOTH")]
        rows = [(*row[:3], *map(cents, row[3:])) for row in found.get(heading, {}).get("TBody", [])]
        wanted = [(day(of["date"]), of["remittance_number"], of.get("bank_reference", ""), of[side]) for of in listed]
        assert [(*row[:3], row[5]) for row in rows] == wanted, (rows, wanted)
        assert all(sent - returned == net for _, _, _, sent, returned, net in rows), rows
        alone = {of["remittance_number"]: (of["sent"], of["returned"]) for of in listed if of["payee"] == payee}
        assert all(row[3:5] == alone.get(row[1], row[3:5]) for row in rows), (rows, alone)
    return len(actions), len(contributions), len(remittances)


def check_form(account, view, pdf):
    """It is tagged, in French, with a title, headings of tables, and pages that are counted."""
    info = poppler("pdfinfo", pdf)
    assert re.search(r"^Tagged: +yes$", info, re.M) and re.search(r"^Page size: .*A4", info, re.M), info
    assert re.search(rf"^Title: +{TITLE.format(view)}$", info, re.M), info
    assert "pdfuaid:part" in poppler("pdfinfo", pdf, "-meta")
    reader = pypdf.PdfReader(io.BytesIO(pdf), strict=True)
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "fr-FR" and root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    tags, depth = Counter(), []

    def walk(element):
        element = element.get_object()
        if isinstance(element, dict) and "/S" in element:
            tag = element["/S"]
            tags[tag] += 1
            depth.append(tag)
            if tag == "/TH":
                wanted = "/Column" if "/THead" in depth else "/Row"
                assert [of["/Scope"] for of in element["/A"]] == [wanted], element
            if tag == "/Figure":
                assert element["/Alt"] == "Constructys", element
        if isinstance(element, dict) and "/K" in element:
            parts = element["/K"]
            for part in parts if isinstance(parts, list) else [parts]:
                walk(part)
        if isinstance(element, dict) and "/S" in element:
            depth.pop()

    walk(root["/StructTreeRoot"])
    # A section more where something was overpaid or taken back.
    sections = 8 if "Trop-perçus et reprises" in tables(pdf) else 7
    assert (tags["/H1"], tags["/H2"], tags["/Figure"]) == (1, sections, 1), tags
    parts = [rows for table in tables(pdf).values() for rows in table.values()]
    cells = sum(len(row) for rows in parts for row in rows)
    heads = sum(len(row) for table in tables(pdf).values() for row in table["THead"])
    rows = sum(len(rows) for rows in parts)
    assert tags["/TR"] == rows and tags["/TH"] == heads + rows - tags["/Table"] and tags["/TD"] == cells - tags["/TH"], tags

    pages = poppler("pdftotext", pdf, "-layout").split("\f")[:-1]
    assert len(pages) == len(reader.pages)
    for number, page in enumerate(pages, 1):
        assert f"page {number}/{len(pages)}" in page, page
    said = paragraphs(pdf)
    assert f"Numéro adhérent : {account.user.number}" in said, said
    siret = account.user.siret
    assert f"SIRET : {siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}" in [text.replace("\u00a0", " ") for text in said]
    state = r"Situation au \d\d/\d\d/\d{4} à \d\d:\d\d:\d\d \(heure de Paris\), écriture n° [\d\s]+ de l’exercice"
    assert any(re.fullmatch(state, text) for text in said), said
    assert not any("page 1/" in text for text in said), "page numbers are read aloud"
    return len(pages)


def main():
    with tempfile.TemporaryDirectory() as folder:
        batch = Path(folder)
        number = feed.first_account()
        feed.write(batch, number)
        portal = Portal("--import", batch)
        try:
            user = People(portal.origin).manager()
            assert user.number == number, user.number
            account = Account(user)
            lists = Counter()
            for view in account.views:
                answer = account.get(f"statement.pdf?view={view}")
                name = f'attachment; filename="releve-{number}-{view}.pdf"'
                assert answer.headers["content-disposition"] == name, answer.headers
                assert answer.headers["content-type"] == "application/pdf" and answer.headers["cache-control"] == "no-store"
                pages = check_form(account, view, answer.content)
                counts = check_figures(account, view, answer.content)
                lists += Counter(dict(zip(["actions", "contributions", "transfers"], counts)))
                print(f"  Statement of {view}: {pages} pages, {counts} rows, as the API says")
            assert min(lists.values()) > 0 and len(lists) == 3, f"a list was never seen: {lists}"
        finally:
            portal.stop()


if __name__ == "__main__":
    main()
