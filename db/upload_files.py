"""The bytes of uploads, in files named by us: nothing of what a client calls its file is part of a path.

What has been received is one file. A request writes to a part of its own, which joins that file in the
transaction that counts its bytes: whoever is late, in whichever process, has written where nobody reads.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from os import fsync
from pathlib import Path
from shutil import copyfileobj

CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class Part:
    """What one request sends of a file.

    offset   where it goes on; without it the part is the whole
    attempt  names it: digits and letters, later requests sort behind earlier ones
    """

    offset: int
    attempt: str


@dataclass(frozen=True, slots=True)
class UploadFiles:
    """The folder of uploads; its methods block and belong in a thread."""

    folder: Path

    def path(self, organisation_id: int, upload_id: int) -> Path:
        return self.folder / str(organisation_id) / f"{upload_id}.csv"

    def write(self, organisation_id: int, upload_id: int, part: Part, data: bytes) -> None:
        """Puts bytes at the end of a part, which begins with the first of them."""
        path = self._part(organisation_id, upload_id, part)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)

    def accept(self, organisation_id: int, upload_id: int, part: Part) -> None:
        """Makes a part what follows its offset, instead of whatever is there.

        To be called while the upload's row is held: that keeps others from doing the same.
        """
        source, path = self._part(organisation_id, upload_id, part), self.path(organisation_id, upload_id)
        if part.offset == 0:
            source.replace(path)
            return
        with source.open("rb") as more, path.open("r+b") as file:
            file.truncate(part.offset)
            file.seek(part.offset)
            copyfileobj(more, file, CHUNK)
            file.flush()
            fsync(file.fileno())

    def discard(self, organisation_id: int, upload_id: int, part: Part) -> None:
        self._part(organisation_id, upload_id, part).unlink(missing_ok=True)

    def overtaken(self, organisation_id: int, upload_id: int, part: Part) -> bool:
        """Whether a later request is sending this file."""
        own = self._part(organisation_id, upload_id, part)
        return any(other.name > own.name for other in own.parent.glob(f"{upload_id}.*.part"))

    def size(self, organisation_id: int, upload_id: int) -> int:
        """How many bytes there are; none where there is no file."""
        path = self.path(organisation_id, upload_id)
        return path.stat().st_size if path.exists() else 0

    def chunks(self, organisation_id: int, upload_id: int, part: Part | None = None) -> Iterator[bytes]:
        """The file, a piece at a time, with the part that is to join it where one is named.

        Raises  FileNotFoundError where nothing was received
        """
        if part is None or part.offset:
            yield from _pieces(self.path(organisation_id, upload_id), part.offset if part else None)
        if part is not None:
            yield from _pieces(self._part(organisation_id, upload_id, part), None)

    def delete(self, organisation_id: int, upload_id: int) -> None:
        self.path(organisation_id, upload_id).unlink(missing_ok=True)

    def sweep(self, before: datetime) -> int:
        """Deletes what nobody has added to since then, whole files and parts; how many there were."""
        swept = 0
        for path in self.folder.glob("*/*"):
            # Another process may sweep at the same time.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    swept += 1
        return swept

    def _part(self, organisation_id: int, upload_id: int, part: Part) -> Path:
        return self.path(organisation_id, upload_id).with_suffix(f".{part.attempt}.part")


def _pieces(path: Path, length: int | None) -> Iterator[bytes]:
    """The first `length` bytes of a file, all of it without one."""
    with path.open("rb") as file:
        left = length
        while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
            yield chunk
            left = None if left is None else left - len(chunk)
