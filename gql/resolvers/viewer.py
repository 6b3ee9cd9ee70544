"""The caller."""

from db.queries.organisation import own_organisation
from gql.context import Info
from gql.schema.organisation import Organisation
from gql.schema.user import User
from gql.schema.viewer import Viewer


async def get_viewer(info: Info) -> Viewer:
    scope = info.context.scope
    user = await info.context.loaders.user.load(scope.actor.user_id or 0)
    async with info.context.database.reading() as session:
        organisation = await own_organisation(session, scope)
    return Viewer(
        user=User.from_row(user) if user else None,
        organisation=Organisation.from_row(organisation),
        permissions=sorted(scope.features),
    )
