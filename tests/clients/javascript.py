"""Real JavaScript clients: npm's packages beside the scripts that use them."""

import fcntl
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent
PACKAGES = SCRIPTS / "node_modules"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class JavaScript:
    """The scripts of this folder, run by Node.js with the packages of the lock file."""

    node: str

    def call(self, module: str, function: str, **argument: Any) -> Any:
        """What an exported function answers. Fails with what it wrote where it breaks off."""
        done = subprocess.run(
            [self.node, "run.mjs", module, function],
            cwd=SCRIPTS,
            input=json.dumps(argument),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def install(npm: str) -> None:
    """Installs what the lock file names, unless it is there; two runs at once wait for each other."""
    wanted = hashlib.sha256((SCRIPTS / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGES / ".installed"
    with (SCRIPTS / "package.json").open("rb") as package:
        fcntl.flock(package, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=SCRIPTS,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        stamp.write_text(wanted)
