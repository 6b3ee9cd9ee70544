"""Fetch the published files of GraphiQL and React: `python -m gql.transport.graphiql_fetch`.

They are committed, so this is needed only to change a version: edit `PACKAGES`, run with `--accept` to write
the checksums anew, and look at the page. Without it, a file that differs from its checksum is refused.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "graphiql"
CHECKSUMS = FOLDER / "SHA256SUMS"

# Package -> file of the package -> name here.
PACKAGES = {
    "graphiql@4.1.2": {
        "graphiql.min.js": "graphiql.min.js",
        "graphiql.min.css": "graphiql.min.css",
        "LICENSE": "LICENSE-graphiql.txt",
    },
    "react@18.3.1": {
        "umd/react.production.min.js": "react.production.min.js",
        "LICENSE": "LICENSE-react.txt",
    },
    "react-dom@18.3.1": {
        "umd/react-dom.production.min.js": "react-dom.production.min.js",
        "LICENSE": "LICENSE-react-dom.txt",
    },
}


def fetch(package: str) -> dict[str, bytes]:
    """The wanted files of one package, by their name here. Needs npm."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=sys.stderr)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            return {name: _read(archive, f"package/{inside}") for inside, name in PACKAGES[package].items()}


def checksum_lines(files: dict[str, bytes]) -> str:
    """One line a file, as `sha256sum` writes them."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))


def _read(archive: tarfile.TarFile, inside: str) -> bytes:
    member = archive.extractfile(inside)
    if member is None:
        raise FileNotFoundError(inside)
    return member.read()


def main(arguments: list[str]) -> int:
    files = {name: body for package in PACKAGES for name, body in fetch(package).items()}
    if "--accept" in arguments:
        CHECKSUMS.write_text(checksum_lines(files))
    elif checksum_lines(files) != CHECKSUMS.read_text():
        sys.stderr.write("The published files differ from their checksums; nothing was written.\n")
        return 1
    for name, body in files.items():
        (FOLDER / name).write_bytes(body)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
