"""The caller's organisation."""

from db.queries.organisation import own_organisation
from gql.context import Info
from gql.schema.organisation import Organisation


async def get_organisation(info: Info) -> Organisation:
    async with info.context.database.reading() as session:
        return Organisation.from_row(await own_organisation(session, info.context.scope))
