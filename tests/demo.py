"""The demo organisation, for tests that want one ready made."""

import re

from tests.server import Installation

TOKEN = re.compile(r"^(admin|manager|agent|integrator): (lg_\S+)$", re.MULTILINE)


def demo_tokens(output: str) -> dict[str, str]:
    """The token per role, from what the first making of the demo printed."""
    return dict(TOKEN.findall(output))


def make_demo(installation: Installation) -> dict[str, str]:
    """Makes the demo and answers with its tokens, `agent2` included."""
    tokens = demo_tokens(installation.run("demo"))
    return {**tokens, "agent2": installation.run("token", "create", "--user", "agent2@demo.example").strip()}
