"""An actor as the logs keep it."""

from typing import Any

from core.access import Actor


def actor_record(actor: Actor) -> dict[str, Any]:
    """JSON values, by which the API shows who did something."""
    return {"kind": actor.kind.value, "user": actor.user_id, "token": actor.token_id}
