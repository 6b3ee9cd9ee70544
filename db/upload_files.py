"""The bytes of uploads, in files named by us: nothing of what a client calls its file is part of a path."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class UploadFiles:
    """The folder of uploads; its methods block and belong in a thread."""

    folder: Path

    def path(self, organisation_id: int, upload_id: int) -> Path:
        return self.folder / str(organisation_id) / f"{upload_id}.csv"

    def write(self, organisation_id: int, upload_id: int, offset: int, data: bytes) -> None:
        """Puts bytes at an offset; whatever an interrupted attempt left behind it is cut off."""
        path = self.path(organisation_id, upload_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)

    def chunks(self, organisation_id: int, upload_id: int) -> Iterator[bytes]:
        """The whole file, a piece at a time. Raises FileNotFoundError where nothing was received."""
        with self.path(organisation_id, upload_id).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def delete(self, organisation_id: int, upload_id: int) -> None:
        self.path(organisation_id, upload_id).unlink(missing_ok=True)
