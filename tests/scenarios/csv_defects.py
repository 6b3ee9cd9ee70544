# ruff: noqa: E501 - a case a line: a table is read down its columns
"""CSV files as they come, each with what an import has to make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

A, B, C = "+12015550101", "+12015550102", "+12015550103"
HEAD = b"phone,name\n"
BROKEN = "damaged: the row its quotes are broken: a quoted cell does not end"
QUOTES = "damaged: the row its quotes are broken"
NOT_A_PHONE = "phone: is not a valid phone number"
NO_PHONE = "phone: every lead needs a phone number"
NUL = "damaged: the row holds a NUL byte"
CUT = "; its cells are cut here"
BYTES = "damaged: the row holds bytes that the file's encoding does not have"


def width(cells: int, columns: int = 2) -> str:
    return f"damaged: the row has {cells} cells where the file has {columns} columns"


@dataclass(frozen=True)
class Case:
    """A file and its outcome.

    leads    phone and name by line      invalid  reason by line      duplicates  the line each line repeats
    dialect  encoding and separator that were found, with `headless` where no row names the columns and `above`
             rows that are left out before it
    columns  as they were found; None does not ask
    mapping  what fills `phone` and `name`, where the suggestion does not do
    chosen   a dialect that is chosen by hand      refused  how the upload or submission is refused
    """

    name: str
    data: bytes
    leads: Mapping[int, tuple[str, str | None]] = field(default_factory=dict)
    invalid: Mapping[int, str] = field(default_factory=dict)
    duplicates: Mapping[int, int] = field(default_factory=dict)
    dialect: tuple[str, str] = ("utf-8", ",")
    headless: bool = False
    above: int = 0
    columns: Sequence[str] | None = None
    mapping: Mapping[str, str] | None = None
    chosen: Mapping[str, object] | None = None
    refused: str | None = None


def rows(*lines: str, end: str = "\n") -> bytes:
    return end.join(("phone,name", *lines, "")).encode()


ANN = {2: (A, "Ann")}
ANN_THIRD = {3: (A, "Ann")}
ZOE = {2: (A, "Zoë")}
ZOE_TEXT = "phone,name\n2015550101,Zoë\n"
FIRST = {"Column 1": "phone", "Column 2": "name"}


def phone(name: str, raw: str, found: str | None) -> Case:
    """A file of one phone."""
    data = f'phone,name\n"{raw}",Ann\n'.encode()
    if found is None:
        return Case(name, data, invalid={2: NOT_A_PHONE})
    return Case(name, data, {2: (found, "Ann")})


# fmt: off
ENCODINGS = [
    Case("UTF-8", ZOE_TEXT.encode(), ZOE),
    Case("UTF-8 with a byte order mark", ZOE_TEXT.encode("utf-8-sig"), ZOE, dialect=("utf-8-sig", ",")),
    Case("UTF-16 little endian with a mark", b"\xff\xfe" + ZOE_TEXT.encode("utf-16-le"), ZOE, dialect=("utf-16-le", ",")),
    Case("UTF-16 big endian with a mark", b"\xfe\xff" + ZOE_TEXT.encode("utf-16-be"), ZOE, dialect=("utf-16-be", ",")),
    Case("UTF-16 little endian without a mark", ZOE_TEXT.encode("utf-16-le"), ZOE, dialect=("utf-16-le", ",")),
    Case("UTF-16 big endian without a mark", ZOE_TEXT.encode("utf-16-be"), ZOE, dialect=("utf-16-be", ",")),
    Case("UTF-16 with CRLF and tabs, as Excel saves it", b"\xff\xfe" + ZOE_TEXT.replace(",", "\t").replace("\n", "\r\n").encode("utf-16-le"), ZOE, dialect=("utf-16-le", "\t")),
    Case("UTF-32 with a mark", b"\xff\xfe\x00\x00" + ZOE_TEXT.encode("utf-32-le"), ZOE, dialect=("utf-32-le", ",")),
    Case("Windows-1252", ZOE_TEXT.encode("cp1252"), ZOE, dialect=("cp1252", ",")),
    Case("Windows-1252 with its own signs", "phone,name\n2015550101,€ “Zoë”\n".encode("cp1252"), {2: (A, "€ “Zoë”")}, dialect=("cp1252", ",")),
    Case("Latin-1 where Windows-1252 has no letter", b"phone,name\n2015550101,Zo\xeb\x81\n", {2: (A, "Zoë\x81")}, dialect=("latin-1", ",")),
    Case("Windows-1252 that shows itself late", HEAD + b"".join(b"20155501%02d,Ann\n" % n for n in range(1, 3)) + b"2015550103,Zo\xeb\n", {2: (A, "Ann"), 3: (B, "Ann"), 4: (C, "Zoë")}, dialect=("cp1252", ",")),
    Case("Windows-1250, as Excel saves Polish", "phone;name\r\n2015550101;Paweł Łukasz\r\n".encode("cp1250"), {2: (A, "Paweł Łukasz")}, dialect=("cp1250", ";")),
    Case("Windows-1253, as Excel saves Greek", "phone;name\r\n2015550101;Γιώργος Παπαδόπουλος\r\n2015550102;Μαρία Αθανασίου\r\n".encode("cp1253"), {2: (A, "Γιώργος Παπαδόπουλος"), 3: (B, "Μαρία Αθανασίου")}, dialect=("cp1253", ";")),
    Case("UTF-8 with marks where files were joined", "phone,name\n2015550101,Ann\n\ufeff2015550102,Bob\n".encode("utf-8-sig"), {2: (A, "Ann"), 3: (B, "Bob")}, dialect=("utf-8-sig", ",")),
    Case("UTF-8 read as Windows-1252 by choice", ZOE_TEXT.encode(), {2: (A, "ZoÃ«")}, dialect=("cp1252", ","), chosen={"encoding": "cp1252"}),
    Case("Windows-1252 read as UTF-8 by choice", ZOE_TEXT.encode("cp1252"), invalid={2: BYTES}, chosen={"encoding": "utf-8"}),
    Case("an encoding there is not", ZOE_TEXT.encode(), chosen={"encoding": "utf-99"}, refused="is not an encoding"),
    Case("emoji and right-to-left script", "phone,name\n2015550101,👩‍💻 שרה\n".encode(), {2: (A, "👩‍💻 שרה")}),
]
SEPARATORS = [
    Case("semicolons", b"phone;name\n2015550101;Ann\n", ANN, dialect=("utf-8", ";")),
    Case("tabs", b"phone\tname\n2015550101\tAnn\n", ANN, dialect=("utf-8", "\t")),
    Case("pipes", b"phone|name\n2015550101|Ann\n", ANN, dialect=("utf-8", "|")),
    Case("semicolons with commas in the cells", b"phone;name\n2015550101;Doe, Ann\n2015550102;Roe, Bob\n", {2: (A, "Doe, Ann"), 3: (B, "Roe, Bob")}, dialect=("utf-8", ";")),
    Case("commas with quoted commas", rows('2015550101,"Doe, Ann"'), {2: (A, "Doe, Ann")}),
    Case("a separator chosen by hand", b"phone^name\n2015550101^Ann\n", ANN, dialect=("utf-8", "^"), chosen={"separator": "^"}),
    Case("a separator of two signs", b"phone::name\n2015550101::Ann\n", chosen={"separator": "::"}, refused="one sign"),
    Case("one column only", b"phone\n2015550101\n2015550102\n", {2: (A, None), 3: (B, None)}),
    Case("Excel's line that names the separator", b"sep=;\nphone;name\n2015550101;Ann\n", {3: (A, "Ann")}, dialect=("utf-8", ";"), columns=["phone", "name"]),
    Case("Excel's line, with CRLF and a separator it contradicts the text with", b"sep=,\r\nphone,name\r\n2015550101,Doe;Ann;x\r\n", {3: (A, "Doe;Ann;x")}, columns=["phone", "name"]),
]
SEPARATORS += [
    Case("Excel's line in UTF-16 that names a tab", b"\xff\xfe" + "sep=\t\r\nphone\tname\r\n2015550101\tAnn\r\n".encode("utf-16-le"), {3: (A, "Ann")}, dialect=("utf-16-le", "\t"), columns=["phone", "name"]),
    Case("Excel's line behind a byte order mark", "sep=;\nphone;name\n2015550101;Ann\n".encode("utf-8-sig"), {3: (A, "Ann")}, dialect=("utf-8-sig", ";"), columns=["phone", "name"]),
]
LINES = [
    Case("CRLF", rows("2015550101,Ann", "2015550102,Bob", end="\r\n"), {2: (A, "Ann"), 3: (B, "Bob")}),
    Case("CR", rows("2015550101,Ann", "2015550102,Bob", end="\r"), {2: (A, "Ann"), 3: (B, "Bob")}),
    Case("mixed line ends", b"phone,name\r\n2015550101,Ann\r2015550102,Bob\n2015550103,Cy", {2: (A, "Ann"), 3: (B, "Bob"), 4: (C, "Cy")}),
    Case("no line end at the end", b"phone,name\n2015550101,Ann", ANN),
    Case("quoted line breaks", rows('2015550101,"Ann\nDoe"', "2015550102,Bob"), {2: (A, "Ann\nDoe"), 4: (B, "Bob")}),
    Case("quoted CRLF", b'phone,name\r\n2015550101,"Ann\r\nDoe"\r\n', {2: (A, "Ann\nDoe")}),
    Case("blank lines", b"\n\nphone,name\n\n2015550101,Ann\n\n\n2015550102,Bob\n\n", {5: (A, "Ann"), 8: (B, "Bob")}),
    Case("lines of blanks", b"phone,name\n   \n2015550101,Ann\n\t\n", {3: (A, "Ann")}),
    Case("rows of separators", rows(",", "2015550101,Ann"), {3: (A, "Ann")}, {2: NO_PHONE}),
    Case("a heading and nothing else", b"phone,name\n"),
    Case("a heading without a line end", b"phone,name"),
]
SHAPES = [
    Case("too many cells", rows("2015550101,Ann,x", "2015550102,Bob"), {3: (B, "Bob")}, {2: width(3)}),
    Case("too few cells", rows("2015550101", "2015550102,Bob"), {3: (B, "Bob")}, {2: width(1)}),
    Case("trailing separators in every row", b"phone,name,\n2015550101,Ann,\n", ANN, columns=["phone", "name", "Column 3"]),
    Case("trailing separators in some rows", b"phone,name\n2015550101,Ann,\n2015550102,Bob\n", {3: (B, "Bob")}, {2: width(3)}),
    Case("headings twice", b"phone,name,name\n2015550101,Ann,Doe\n", ANN, columns=["phone", "name", "name (2)"]),
    Case("headings without a name", b"phone,,name\n2015550101,x,Ann\n", ANN, columns=["phone", "Column 2", "name"]),
    Case("headings with blanks around and within", b" phone ,  full   name \n2015550101,Ann\n", ANN, columns=["phone", "full name"], mapping={"phone": "phone", "full name": "name"}),
    Case("headings over two lines", b'phone,"full\nname"\n2015550101,Ann\n', {3: (A, "Ann")}, columns=["phone", "full name"], mapping={"phone": "phone", "full name": "name"}),
    Case("headings in capitals", b"PHONE,NAME\n2015550101,Ann\n", ANN),
    Case("a title and a blank line above the heading", b"Leads of March\n\nphone;name\n2015550101;Ann\n2015550102;Bob\n", {4: (A, "Ann"), 5: (B, "Bob")}, dialect=("utf-8", ";"), above=1, columns=["phone", "name"]),
    Case("titles as wide as the table, as spreadsheets save them", b'Leads of March,,\nby,,\n,,\nphone,name,x\n2015550101,"Ann\nDoe",1\n2015550102,Bob,\n', {5: (A, "Ann\nDoe"), 7: (B, "Bob")}, above=3, columns=["phone", "name", "x"]),
    Case("a title right above the heading, by choice", b"Leads of March\nphone;name\n2015550101;Ann\n", ANN_THIRD, dialect=("utf-8", ";"), above=1, chosen={"rowsAbove": 1, "separator": ";"}),
    Case("a heading that is taken for a title by choice", b"x,y\nphone,name\n2015550101,Ann\n", ANN_THIRD, above=1, chosen={"rowsAbove": 1}),
    Case("more rows above than a table can have", b"phone,name\n2015550101,Ann\n", chosen={"rowsAbove": 101}, refused="From 0 to 100 rows"),
    Case("rows above that are all there is", b"phone,name\n2015550101,Ann\n", chosen={"rowsAbove": 2}, refused="The file is empty"),
    Case("no heading", b"2015550101,Ann\n2015550102,Bob\n", {1: (A, "Ann"), 2: (B, "Bob")}, headless=True, columns=["Column 1", "Column 2"], mapping=FIRST),
    Case("a heading that is taken for none by choice", b"phone,name\n2015550101,Ann\n", ANN, {1: NOT_A_PHONE}, headless=True, mapping=FIRST, chosen={"hasHeader": False}),
    Case("no heading, one column", b"2015550101\n2015550102\n", {1: (A, None), 2: (B, None)}, headless=True, mapping={"Column 1": "phone"}),
    Case("no column that could be a phone", b"id,name\n1,Ann\n", refused="is not mapped"),
    Case("a column twice over", rows("2015550101,Ann"), mapping={"phone": "phone", "name": "phone"}, refused="would be filled by"),
]
QUOTING = [
    Case("everything quoted", b'"phone","name"\n"2015550101","Ann"\n', ANN),
    Case("doubled quotes", rows('2015550101,"Ann ""Annie"" Doe"'), {2: (A, 'Ann "Annie" Doe')}),
    Case("quotes in the middle of a cell", rows('2015550101,Ann "Annie" Doe'), {2: (A, 'Ann "Annie" Doe')}),
    Case("an inch", rows('2015550101,Ann 5"'), {2: (A, 'Ann 5"')}),
    Case("a quote that is never closed", rows('2015550101,"Ann', "2015550102,Bob", "2015550103,Cy"), {3: (B, "Bob"), 4: (C, "Cy")}, {2: QUOTES}),
    Case("signs after a closing quote", rows('2015550101,"Ann"x', "2015550102,Bob"), {3: (B, "Bob")}, {2: QUOTES}),
    Case("a quote that closes rows later", rows('2015550101,"Ann', "2015550102,Bob", '2015550103,"Cy"'), {3: (B, "Bob"), 4: (C, "Cy")}, {2: QUOTES}),
    Case("blanks before a quote", rows('2015550101, "Ann"'), {2: (A, ' "Ann"')}),
    Case("single quotes", rows("'2015550101','Ann'"), {2: (A, "'Ann'")}),
]
BYTES_AND_SIZES = [
    Case("a NUL byte", b"phone,name\n2015550101,A\x00nn\n2015550102,Bob\n", {3: (B, "Bob")}, {2: NUL}),
    Case("NUL bytes after the last line", b"phone,name\n2015550101,Ann\n" + b"\x00" * 4, ANN, {3: NUL}),
    Case("a byte that UTF-8 does not have, by choice", b"phone,name\n2015550101,A\xffnn\n2015550102,Bob\n", {3: (B, "Bob")}, {2: BYTES}, chosen={"encoding": "utf-8"}),
    Case("control characters", rows("2015550101,A\x07nn"), {2: (A, "A\x07nn")}),
    Case("a cell of 10 MB", HEAD + b"2015550101," + b"x" * 10_000_000 + b"\n2015550102,Bob\n", {3: (B, "Bob")}, {2: "damaged: the row is longer than 4 MB" + CUT}),
    Case("a cell of 2 MB", HEAD + b"2015550101," + b"x" * 2_000_000 + b"\n2015550102,Bob\n", {3: (B, "Bob")}, {2: "damaged: the row has a cell over 1 MB" + CUT}),
    Case("a quoted cell of 10 MB", HEAD + b'2015550101,"' + (b"x" * 500_000 + b"\n") * 20 + b'"\n2015550102,Bob\n', {23: (B, "Bob")}, {2: "damaged: the row has a cell over 1 MB" + CUT, **dict.fromkeys(range(3, 22), width(1) + CUT), 22: QUOTES}),
    Case("a line of 5 MB in many cells", b"phone,name" + b"," * 100 + b"\n2015550101,Ann" + b"," * 5_000_000 + b"\n2015550102,Bob" + b"," * 100 + b"\n", {3: (B, "Bob")}, {2: "damaged: the row is longer than 4 MB"}),
    Case("a cell just under the limit", HEAD + b"2015550101," + b"x" * 1_000_000 + b"\n", {2: (A, "x" * 1_000_000)}),
    Case("a million columns", b"phone," + b"x," * 1_000_000 + b"name\n", refused="at most 500 are allowed"),
    Case("501 columns", ",".join(["phone", *(f"c{n}" for n in range(500))]).encode() + b"\n", refused="at most 500 are allowed"),
    Case("500 columns", (",".join(["phone", "name", *(f"c{n}" for n in range(498))]) + "\n2015550101,Ann" + "," * 498 + "\n").encode(), ANN),
    Case("an empty file", b"", refused="The file is empty"),
    Case("a byte order mark and nothing else", b"\xef\xbb\xbf", refused="The file is empty"),
    Case("an Excel file", b"PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml \xa2\x04\x02\n", refused="This is an Excel file"),
    Case("an Excel file of old", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504, refused="save it as CSV"),
    Case("a heading that begins as an Excel file does", b"PK,phone,name\n1,2015550101,Ann\n", ANN),
    Case("blank lines and nothing else", b"\n\n\r\n", refused="The file is empty"),
]
PHONES = [
    phone("a national number", "(201) 555-0101", A),
    phone("a number with blanks around", "  201 555 0101  ", A),
    phone("a number with non-breaking blanks", "201\u00a0555\u202f0101", A),
    phone("a number with dots", "201.555.0101", A),
    phone("a number with the country's code", "+1 201 555 0101", A),
    phone("a number with the country's code and no plus", "1 201 555 0101", A),
    phone("a number with the American prefix for calls abroad", "011 45 32 12 34 56", "+4532123456"),
    phone("a number with 00, which is not the American prefix", "0045 32 12 34 56", None),
    phone("a number of another country", "+45 32 12 34 56", "+4532123456"),
    phone("a number with a national zero in brackets", "+44 (0)20 7946 0958", "+442079460958"),
    phone("a number with an extension", "201-555-0101 ext. 12", A),
    phone("a number with an extension after x", "(201) 555-0101 x99", A),
    phone("a number with letters", "1-800-FLOWERS", "+18003569377"),
    phone("a number with full-width digits", "２０１５５５０１０１", A),
    phone("a number with Arabic digits", "٢٠١٥٥٥٠١٠١", A),
    phone("a number too short", "5550101", None),
    phone("a number too long", "20155501010101", None),
    phone("two numbers in a cell", "201-555-0101 / 201-555-0102", None),
    phone("a number in Excel's scientific form", "2.015550101E+9", None),
    phone("a number that Excel made a formula of", '=""2015550101""', A),
    phone("a number with an apostrophe before it", "'2015550101", A),
    phone("a text", "unknown", None),
    phone("a number with a minus before it", "-2015550101", A),
    Case("no number", rows(",Ann", "2015550102,Bob"), {3: (B, "Bob")}, {2: NO_PHONE}),
    Case("one number written in three ways", rows("2015550101,Ann", "(201) 555-0101,Bob", "+1 201.555.0101,Cy"), ANN, duplicates={3: 2, 4: 2}),
    Case("blanks around other values, which stay", rows("2015550101,  Ann  "), {2: (A, "  Ann  ")}),
    Case("a non-breaking blank alone is no value", "phone,name\n2015550101,\u00a0\n".encode(), {2: (A, None)}),
]
# fmt: on

CASES = [*ENCODINGS, *SEPARATORS, *LINES, *SHAPES, *QUOTING, *BYTES_AND_SIZES, *PHONES]
