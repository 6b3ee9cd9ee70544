"""How a rule is refused: by name, with the path of the node that is to blame."""

from typing import NoReturn

from core.errors import InvalidRule
from core.rules.tree import Path


def refuse(message: str, path: Path) -> NoReturn:
    """Raises InvalidRule."""
    raise InvalidRule(message, field=path, details={"path": list(path)})
