"""Batched look-ups by id, one set for each operation, built with the caller's scope."""

from typing import TypeVar

from strawberry.dataloader import DataLoader

from core.access import Scope
from db.database import Database
from db.models import Campaign, FieldDefinition, Lead, LeadPool, Project, Segment, SegmentGroup, Team, User
from db.models.columns import OrganisationRow
from db.queries.visible import visible_by_id

Row = TypeVar("Row", bound=OrganisationRow)


class Loaders:
    """One loader a noun; what the caller may not see loads as None."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope
        self.campaign = self._by_id(Campaign)
        self.field_definition = self._by_id(FieldDefinition)
        self.lead = self._by_id(Lead)
        self.lead_pool = self._by_id(LeadPool)
        self.project = self._by_id(Project)
        self.segment = self._by_id(Segment)
        self.segment_group = self._by_id(SegmentGroup)
        self.team = self._by_id(Team)
        self.user = self._by_id(User)

    def _by_id(self, model: type[Row]) -> DataLoader[int, Row | None]:
        async def load(ids: list[int]) -> list[Row | None]:
            async with self._database.reading() as session:
                rows = await visible_by_id(session, self._scope, model, ids)
            return [rows.get(one) for one in ids]

        return DataLoader(load_fn=load, max_batch_size=1_000)
