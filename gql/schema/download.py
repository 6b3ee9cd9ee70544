"""Paths of files to download, signed for the caller who asks."""

from datetime import timedelta

from core.access import Permission
from gql.authz.links import Link, server_key, sign_link
from gql.context import Context


def download_url(context: Context, kind: str, object_id: int) -> str | None:
    """The path of a file, good for a few minutes; None for a caller who may not export."""
    if context.principal is None or not context.scope.may(Permission.LEAD_EXPORT):
        return None
    expires = context.now + timedelta(seconds=context.settings.download_link_seconds)
    link = Link(
        kind,
        context.scope.organisation_id,
        object_id,
        context.principal.token_id,
        int(expires.timestamp()),
    )
    return f"/downloads/{sign_link(server_key(context.settings.data_dir), link)}"
