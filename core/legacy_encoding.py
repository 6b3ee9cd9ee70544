"""Which of the encodings before Unicode a file that is not UTF-8 is written in: a guess from its letters.

Windows-1252 is what nearly all are in the West; what is none shows in signs where letters belong.
"""

import re

from charset_normalizer import from_bytes

CODE_PAGES = ["cp1251", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "cp936", "cp949", "cp950"]
"""What Windows writes where most letters are not Latin ones."""

SIGNS_FOR_LETTERS = re.compile(
    r"[^\W\d_][³¹¿¾¼](?=[^\W\d_])|[^\W\d_]{3}[³¹]\b|(?<!\w)[£¯](?=[aeiouyóêæ][^\W\d_]{2})"
)
"""Polish as it reads in Windows-1252: `Micha³`, `£ódŸ`, `ma³y`."""

ENOUGH = 5
"""Of so many letters outside ASCII one has to be such a sign."""


def legacy_encoding(sample: bytes) -> str:
    """The Python codec of a sample that is not UTF-8."""
    high = sum(byte > 127 for byte in sample)
    if high > len(re.findall(rb"[A-Za-z]", sample)):
        best = from_bytes(sample, cp_isolation=CODE_PAGES).best() or from_bytes(sample).best()
        if best is not None:
            return best.encoding
    western, central = _reads(sample, "cp1252"), _reads(sample, "cp1250")
    if western is None:
        return "latin-1" if central is None else "cp1250"
    shows = ENOUGH * len(SIGNS_FOR_LETTERS.findall(western)) >= high
    return "cp1250" if shows and central is not None else "cp1252"


def _reads(sample: bytes, codec: str) -> str | None:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError:
        return None
