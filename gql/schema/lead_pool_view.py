"""Saved views of the list of lead pools, as the API shows them."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry

from core.lead_pool import MAX_COLUMNS, PoolColumn
from core.policies import SubjectKind
from db.commands.lead_pool_view import MAX_HOLDERS
from db.models import LeadPoolView as Row
from db.queries.lead_pool import PoolFilter
from gql.context import Info
from gql.schema.access import AccessHolderInput
from gql.schema.ids import opaque
from gql.schema.lead_pool_list import LeadPoolFilter
from gql.schema.lead_pool_status import PoolStatus
from gql.schema.node import Node
from gql.schema.team import Team
from gql.schema.user import User
from gql.schema.user_error import UserError


@strawberry.type(description="Which pools a view shows; every part that is given must hold.")
class LeadPoolViewFilter:
    project_ids: list[strawberry.ID] = strawberry.field(description="Of one of these projects.")
    campaign_ids: list[strawberry.ID] = strawberry.field(description="Of one of these campaigns.")
    statuses: list[PoolStatus] = strawberry.field(description="Of one of these statuses.")


@strawberry.type(description="Filters, columns and order of a list of lead pools, saved under a name.")
class LeadPoolView(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="What its owner calls it.")
    where: LeadPoolViewFilter = strawberry.field(description="Pass it as `where` to `leadPools`.")
    search: str | None = strawberry.field(description="Pass it as `search`.")
    order_by: PoolColumn = strawberry.field(description="Pass it as `orderBy`.")
    order_result: str | None = strawberry.field(description="Pass it as `orderResult`.")
    descending: bool = strawberry.field(description="Pass it as `descending`.")
    columns: list[PoolColumn] = strawberry.field(description="The columns to show, in their order.")
    shared_with_everyone: bool = strawberry.field(description="Whether the whole organisation sees it.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_owner(self, info: Info) -> User | None:
        row = await info.context.loaders.user.load(self.row.owner_id)
        return User.from_row(row) if row else None

    def resolve_mine(self, info: Info) -> bool:
        return self.row.owner_id == info.context.scope.actor.user_id

    async def resolve_starred(self, info: Info) -> bool:
        return self.row.id == await info.context.loaders.starred_view.load(())

    async def resolve_users(self, info: Info) -> list[User]:
        rows = await info.context.loaders.user.load_many(await self._holders(info, SubjectKind.USER))
        return [User.from_row(row) for row in rows if row]

    async def resolve_teams(self, info: Info) -> list[Team]:
        rows = await info.context.loaders.team.load_many(await self._holders(info, SubjectKind.TEAM))
        return [Team.from_row(row) for row in rows if row]

    async def _holders(self, info: Info, kind: SubjectKind) -> list[int]:
        """Whom it is shared with; only its owner is told."""
        if not self.resolve_mine(info):
            return []
        holders = await info.context.loaders.view_holders.load(self.row.id)
        return [int(holder.key) for holder in holders if holder.kind is kind]

    owner: User | None = strawberry.field(
        resolver=resolve_owner, description="Who made it, and alone may change it."
    )
    mine: bool = strawberry.field(resolver=resolve_mine, description="Whether the caller is its owner.")
    starred: bool = strawberry.field(
        resolver=resolve_starred, description="Whether the caller's list opens with it; one view has that."
    )
    shared_with_users: list[User] = strawberry.field(
        resolver=resolve_users, description="Users it is shared with, as its owner sees them."
    )
    shared_with_teams: list[Team] = strawberry.field(
        resolver=resolve_teams, description="Teams it is shared with, as its owner sees them."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        organisation_id, chosen = row.organisation_id, row.filter
        return cls(
            id=opaque("LeadPoolView", organisation_id, row.id),
            row=row,
            name=row.name,
            where=LeadPoolViewFilter(
                project_ids=[opaque("Project", organisation_id, each) for each in chosen["projects"]],
                campaign_ids=[opaque("Campaign", organisation_id, each) for each in chosen["campaigns"]],
                statuses=[PoolStatus(each) for each in chosen["statuses"]],
            ),
            search=chosen["search"] or None,
            order_by=PoolColumn(row.order_by),
            order_result=chosen["order_result"],
            descending=row.descending,
            columns=[PoolColumn(column) for column in row.columns],
            shared_with_everyone=row.shared_with_all,
            version=row.version,
        )


def filter_record(chosen: PoolFilter, order_result: str | None) -> Mapping[str, Any]:
    """A filter as a view stores it; `LeadPoolView.from_row` reads it back."""
    return {
        "projects": list(chosen.project_ids),
        "campaigns": list(chosen.campaign_ids),
        "statuses": [status.value for status in chosen.statuses],
        "search": chosen.search,
        "order_result": order_result,
    }


@strawberry.input(description="A view to save, as the arguments of `leadPools` and the columns to show.")
class SaveLeadPoolViewInput:
    name: str = strawberry.field(description="1 to 200 characters.")
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The caller's own view to replace, also to rename it; left out: a new one."
    )
    where: LeadPoolFilter | None = strawberry.field(default=None, description="Which pools.")
    search: str | None = strawberry.field(default=None, description="Part of the name, in any case.")
    order_by: PoolColumn = strawberry.field(default=PoolColumn.UPLOADED, description="What to sort by.")
    order_result: str | None = strawberry.field(
        default=None, description="Key of the result, where it is sorted by RESULT."
    )
    descending: bool = strawberry.field(default=True, description="Greatest or newest first.")
    columns: list[PoolColumn] = strawberry.field(
        default_factory=list, description=f"The columns to show, each once; at most {MAX_COLUMNS}."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A view to copy.")
class CopyLeadPoolViewInput:
    id: strawberry.ID = strawberry.field(description="A view the caller is shown.")
    name: str | None = strawberry.field(default=None, description="By default its own, as a copy.")


@strawberry.input(description="A view to delete.")
class DeleteLeadPoolViewInput:
    id: strawberry.ID = strawberry.field(description="The caller's own view.")


@strawberry.input(description="Who sees a view from now on, besides its owner.")
class ShareLeadPoolViewInput:
    id: strawberry.ID = strawberry.field(description="The caller's own view.")
    to: list[AccessHolderInput] = strawberry.field(
        default_factory=list, description=f"Teams and users, at most {MAX_HOLDERS}; the others lose it."
    )
    everyone: bool = strawberry.field(default=False, description="Whether the whole organisation sees it.")


@strawberry.input(description="A view to open by default.")
class StarLeadPoolViewInput:
    id: strawberry.ID = strawberry.field(description="A view the caller is shown.")
    starred: bool = strawberry.field(
        default=True, description="Whether it has the caller's star, which only one view has."
    )


@strawberry.type(description="A view after a change, or why there was none.")
class LeadPoolViewPayload:
    lead_pool_view: LeadPoolView | None = strawberry.field(default=None, description="The view.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted view, or why it was not deleted.")
class DeleteLeadPoolViewPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The view that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
