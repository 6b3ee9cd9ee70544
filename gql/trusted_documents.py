"""Documents by their hash: those the operator ships with the server, and those of an organisation."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import orjson

from core.errors import BadInput
from db.database import Database
from db.queries.trusted_document import text_of_document

DOCUMENT_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
KEPT = 1_000
KEPT_FOR = timedelta(seconds=1)


class TrustedDocuments:
    """Finds documents; what was found is believed for a second, so that one that is forgotten soon ends.

    shipped  a manifest of the operator's, by hash
    """

    def __init__(self, shipped: Mapping[str, str]) -> None:
        self._shipped = shipped
        self._found: OrderedDict[tuple[int, str], tuple[str, datetime]] = OrderedDict()

    async def find(
        self, database: Database, organisation_id: int | None, document_id: str, now: datetime
    ) -> str | None:
        """The text of a document; None where there is none for that organisation. Raises BadInput."""
        matched = DOCUMENT_ID.fullmatch(document_id)
        if matched is None:
            raise BadInput("`documentId` is `sha256:` and 64 hexadecimal digits in lower case.")
        digest = matched[1]
        if digest in self._shipped or organisation_id is None:
            return self._shipped.get(digest)
        text, until = self._found.get((organisation_id, digest), (None, now))
        if text is not None and now < until:
            return text
        async with database.reading() as session:
            text = await text_of_document(session, organisation_id, digest)
        if text is not None:
            self._found[organisation_id, digest] = text, now + KEPT_FOR
            if len(self._found) > KEPT:
                self._found.popitem(last=False)
        return text


def read_manifest(path: Path | None) -> Mapping[str, str]:
    """A manifest as code generators write it: a JSON object of documents by hash. Raises BadInput."""
    if path is None:
        return {}
    try:
        manifest = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadInput(f"LEADGRAPH_TRUSTED_DOCUMENTS cannot be read: {type(error).__name__}.") from None
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise BadInput("LEADGRAPH_TRUSTED_DOCUMENTS must hold a JSON object of documents by hash.")
    # By what they are, not by what the manifest calls them: its hashes may be of another form.
    by_content = {sha256(text.encode()).hexdigest(): text for text in manifest.values()}
    named = {name.removeprefix("sha256:"): text for name, text in manifest.items()}
    return {**named, **by_content}
