"""Processes of the command line, forked from one that has imported everything (30 ms, against 2.5 s).

They are real processes with an environment, output and a life of their own: they can be stopped and killed.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from gql.__main__ import verbs

_REPOSITORY = Path(__file__).parent.parent
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.preloaded"])


def start(
    arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path | None = None
) -> ForkServerProcess:
    """Start `python -m gql ARGUMENTS…`, both outputs appended to files; the caller ends and joins it.

    errors  where standard error goes, if not with the rest
    """
    process = _FORKS.Process(target=_run, args=(list(arguments), dict(environment), output, errors or output))
    with contextlib.chdir(_REPOSITORY):  # the parent of all is started by the first
        process.start()
    return process


def kill(process: ForkServerProcess) -> None:
    """End it at once, and wait until it is gone."""
    process.kill()
    process.join()


def _run(arguments: list[str], environment: dict[str, str], output: Path, errors: Path) -> None:
    os.chdir(_REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    for path, descriptor in ((output, 1), (errors, 2)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    sys.argv[1:] = arguments
    verbs(arguments, prog_name="python -m gql")
