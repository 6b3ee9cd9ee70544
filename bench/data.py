"""Made-up leads, the same for the same seed."""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from core.fields import Field, FieldType

FIELDS: Sequence[Field] = (
    Field("phone", "Phone", FieldType.PHONE, required=True, duplicate_key=True),
    Field("name", "Name", FieldType.TEXT),
    Field("city", "City", FieldType.TEXT),
    Field("state", "State", FieldType.TEXT),
    Field("kind", "Kind", FieldType.TEXT),
    Field("email", "E-mail", FieldType.EMAIL),
    Field("rating", "Rating", FieldType.INTEGER),
    Field("beds", "Beds", FieldType.INTEGER),
    Field("opened", "Opened", FieldType.DATE),
    Field("note", "Note", FieldType.TEXT),
    Field("street", "Street", FieldType.TEXT),
    Field("zip", "ZIP", FieldType.TEXT),
    Field("county", "County", FieldType.TEXT),
    Field("contact", "Contact", FieldType.TEXT),
    Field("website", "Website", FieldType.URL),
    Field("emergency", "Emergency", FieldType.BOOLEAN),
    Field("revenue", "Revenue", FieldType.DECIMAL),
    Field("staff", "Staff", FieldType.INTEGER),
    Field("renewed", "Renewed", FieldType.DATE),
    Field("source", "Source", FieldType.TEXT),
)
HEADINGS = [field.key for field in FIELDS]
NARROW = 10
"""A file of fewer columns has the first ones."""

STATES = ("AK", "CA", "FL", "GA", "IL", "MA", "NY", "OH", "PA", "TX")
KINDS = ("Acute Care", "Children's", "Critical Access", "Psychiatric", "Rural Emergency")
CITIES = ("Northville", "Southton", "Eastport", "Westford", "Lakeside", "Hillcrest", "Riverton")
WORDS = ("called", "callback", "busy", "friendly", "later", "budget", "renewal", "trial")
AREA_CODES = (212, 213, 305, 312, 404, 415, 512, 617, 702, 713)


def rows(seed: int, count: int) -> Iterator[list[str]]:
    """Cells in the order of `HEADINGS`; phones are valid and all different, one cell in ten is empty."""
    chance = random.Random(seed)
    for number in range(count):
        area = AREA_CODES[number % len(AREA_CODES)]
        name = f"{chance.choice(CITIES)} Hospital {number}"
        cells = [
            name,
            chance.choice(CITIES),
            chance.choice(STATES),
            chance.choice(KINDS),
            f"info{number}@hospital.example",
            str(chance.randint(1, 5)),
            str(chance.randint(5, 900)),
            str(date(1990, 1, 1) + timedelta(days=chance.randrange(12_000))),
            " ".join(chance.choices(WORDS, k=3)),
            f"{chance.randint(1, 999)} {chance.choice(CITIES)} Road",
            f"{chance.randint(501, 99_950):05}",
            f"{chance.choice(CITIES)} County",
            f"Contact {number % 5_000}",
            f"https://hospital{number}.example",
            chance.choice(("yes", "no")),
            f"{chance.randint(10_000, 99_999_999) / 100:.2f}",
            str(chance.randint(1, 5_000)),
            str(date(2015, 1, 1) + timedelta(days=chance.randrange(4_000))),
            chance.choice(WORDS),
        ]
        phone = f"{area}{2 + number // 1_000_000 % 8}{number // len(AREA_CODES) % 1_000_000:06}"
        yield [phone, *(cell if chance.random() < 0.9 else "" for cell in cells)]


def write_csv(path: Path, seed: int, count: int, columns: int = len(FIELDS)) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS[:columns])
        writer.writerows(cells[:columns] for cells in rows(seed, count))
    return path
