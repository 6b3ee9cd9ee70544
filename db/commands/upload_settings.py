"""The settings of an upload, held against what there is: its owners, and the fields of its template."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from core import field_mapping
from core.access import Scope
from core.errors import BadInput, NotFound
from core.fields import Field
from core.import_accounts import check_may_act
from core.names import checked_name
from core.upload import ImportSettings, check_settings
from db.models import Team, User
from db.queries.visible import visible_by_id

SETTINGS_PATH = ("input", "settings")
OWN_PHONE = "phone"


async def check_upload_settings(session: AsyncSession, scope: Scope, settings: ImportSettings) -> None:
    """Raises BadInput, Forbidden or NotFound for settings that cannot be, whatever the campaign."""
    checked_name(settings.pool_name, (*SETTINGS_PATH, "poolName"))
    check_settings(settings, SETTINGS_PATH)
    check_may_act(settings.duplicates, scope, (*SETTINGS_PATH, "duplicateAction"))
    paths = (*SETTINGS_PATH, "ownerUserId"), (*SETTINGS_PATH, "ownerTeamIds")
    await check_owners(session, scope, settings, *paths)


async def check_owners(
    session: AsyncSession, scope: Scope, settings: ImportSettings, path: Sequence[str], teams: Sequence[str]
) -> None:
    """Raises NotFound for owners there are not any more, BadInput for a user who is shut out."""
    if settings.owner_user_id is not None:
        owner = (await visible_by_id(session, scope, User, [settings.owner_user_id])).get(
            settings.owner_user_id
        )
        if owner is None:
            raise NotFound("The user who is to own the leads is not there.", field=path)
        if not owner.active:
            raise BadInput("The user who is to own the leads is not active.", field=path)
    if len(await visible_by_id(session, scope, Team, settings.owner_team_ids)) < len(settings.owner_team_ids):
        raise NotFound("A team that is to own the leads is not there.", field=teams)


def check_duplicate_field(key: str | None, fields: Sequence[Field]) -> None:
    """Raises BadInput for a field that the template does not have, or that may not tell duplicates.

    A lead's own phone may be named whatever the template is; whether it will do is seen at submission.
    """
    if key is not None and key != OWN_PHONE:
        field_mapping.check_duplicate_field(key, fields, (*SETTINGS_PATH, "duplicateField"))
