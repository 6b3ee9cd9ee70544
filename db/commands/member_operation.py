"""Operations on members as values: so that they can be done, tried out, kept in a plan and done later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import NotFound
from core.membership import ByHand, ExclusiveChoice, Source, UpdateMode
from core.plan import PlanKind
from core.policies import read_subject
from core.segment_filter import SegmentFilter, filter_from, filter_record
from db.commands.grant import AccessEntry, set_access
from db.commands.membership_rows import pack, unpacked
from db.commands.membership_undo import undo_members
from db.commands.segment_filter import restore_filter, save_filter
from db.commands.segment_job import do_by_hand
from db.commands.segment_member import MembersUpdated, add_leads, empty_segment, remove_leads
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.models import MembershipUndo


class Planned(Protocol):
    """What a plan can be of, with all it is told; a frozen value."""

    @property
    def kind(self) -> PlanKind:
        """Which operation."""

    @property
    def segment_ids(self) -> tuple[int, ...]:
        """The segments it names."""

    def record(self) -> dict[str, Any]:
        """It as JSON values, which can be read back."""


class Operation(Planned, Protocol):
    """An operation that is done in one transaction, in a plan as well as for good."""

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        """Does it. Raises what its command raises."""


@dataclass(frozen=True, slots=True)
class SaveFilter:
    """Saving a filter and applying it.

    access  who is to have access from then on; None leaves that as it is
    """

    segment_id: int
    chosen: SegmentFilter
    choice: UpdateChoice
    expected_version: int | None = None
    access: tuple[AccessEntry, ...] | None = None
    kind = PlanKind.SAVE_FILTER

    @property
    def segment_ids(self) -> tuple[int, ...]:
        return (self.segment_id,)

    def record(self) -> dict[str, Any]:
        return {
            "segment": self.segment_id,
            "filter": filter_record(self.chosen),
            "choice": _choice_record(self.choice),
            "version": self.expected_version,
            "access": None if self.access is None else [_entry_record(entry) for entry in self.access],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        choice, given = _choice_from(record["choice"]), record["access"]
        access = None if given is None else tuple(_entry_from(entry) for entry in given)
        return cls(record["segment"], filter_from(record["filter"]), choice, record["version"], access)

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        done = await save_filter(
            session,
            scope,
            self.segment_id,
            self.chosen,
            self.choice,
            expected_version=self.expected_version,
            now=now,
        )
        if self.access is not None:
            await set_access(session, scope, Resource.SEGMENT, self.segment_id, self.access, now=now)
        return [done]


@dataclass(frozen=True, slots=True)
class RestoreFilter:
    """Saving the filter of an earlier revision again, and applying it."""

    segment_id: int
    revision: int
    choice: UpdateChoice
    expected_version: int | None = None
    kind = PlanKind.RESTORE_FILTER

    @property
    def segment_ids(self) -> tuple[int, ...]:
        return (self.segment_id,)

    def record(self) -> dict[str, Any]:
        return {
            "segment": self.segment_id,
            "revision": self.revision,
            "choice": _choice_record(self.choice),
            "version": self.expected_version,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        choice = _choice_from(record["choice"])
        return cls(record["segment"], record["revision"], choice, record["version"])

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        done = await restore_filter(
            session,
            scope,
            self.segment_id,
            self.revision,
            self.choice,
            expected_version=self.expected_version,
            now=now,
        )
        return [done]


@dataclass(frozen=True, slots=True)
class UpdateMembers:
    """Applying the saved filter anew."""

    segment_id: int
    choice: UpdateChoice
    kind = PlanKind.UPDATE_MEMBERS

    @property
    def segment_ids(self) -> tuple[int, ...]:
        return (self.segment_id,)

    def record(self) -> dict[str, Any]:
        return {"segment": self.segment_id, "choice": _choice_record(self.choice)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["segment"], _choice_from(record["choice"]))

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        return [await update_segment_members(session, scope, self.segment_id, self.choice, now=now)]


@dataclass(frozen=True, slots=True)
class AddLeads:
    """Adding leads to segments by hand.

    selected  there may be any number of them, and those that are out of sight by then are left out
    """

    segment_ids: tuple[int, ...]
    lead_ids: tuple[int, ...]
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP
    source: Source = Source.HAND
    selected: bool = False
    kind = PlanKind.ADD_LEADS

    def record(self) -> dict[str, Any]:
        return {
            "segments": list(self.segment_ids),
            "leads": pack(BitMap64(self.lead_ids)),
            "exclusive": self.exclusive.value,
            "source": self.source.value,
            "selected": self.selected,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        exclusive, source = ExclusiveChoice(record["exclusive"]), Source(record["source"])
        return cls(*_named(record), exclusive, source, record["selected"])

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        if self.selected:
            chosen = self.segment_ids, BitMap64(self.lead_ids), self.exclusive
            return await do_by_hand(session, scope, ByHand.ADD, *chosen, source=self.source, now=now)
        return await add_leads(
            session,
            scope,
            self.segment_ids,
            self.lead_ids,
            exclusive=self.exclusive,
            source=self.source,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class RemoveLeads:
    """Removing leads from segments by hand; `selected` as of those that are added."""

    segment_ids: tuple[int, ...]
    lead_ids: tuple[int, ...]
    source: Source = Source.HAND
    selected: bool = False
    kind = PlanKind.REMOVE_LEADS

    def record(self) -> dict[str, Any]:
        return {
            "segments": list(self.segment_ids),
            "leads": pack(BitMap64(self.lead_ids)),
            "source": self.source.value,
            "selected": self.selected,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(*_named(record), Source(record["source"]), record["selected"])

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        if self.selected:
            chosen = self.segment_ids, BitMap64(self.lead_ids), ExclusiveChoice.KEEP
            return await do_by_hand(session, scope, ByHand.REMOVE, *chosen, source=self.source, now=now)
        return await remove_leads(
            session, scope, self.segment_ids, self.lead_ids, source=self.source, now=now
        )


@dataclass(frozen=True, slots=True)
class EmptySegment:
    """Letting every member go; a plan of it, once applied, is confirmed by that."""

    segment_id: int
    confirm: bool = True
    keep_automation: bool = False
    kind = PlanKind.EMPTY

    @property
    def segment_ids(self) -> tuple[int, ...]:
        return (self.segment_id,)

    def record(self) -> dict[str, Any]:
        return {"segment": self.segment_id, "keepAutomation": self.keep_automation}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["segment"], keep_automation=record["keepAutomation"])

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        done = await empty_segment(
            session,
            scope,
            self.segment_id,
            confirm=self.confirm,
            keep_automation=self.keep_automation,
            now=now,
        )
        return [done]


@dataclass(frozen=True, slots=True)
class UndoMembers:
    """Taking back what an operation did to the members of these segments."""

    changeset: int
    segment_ids: tuple[int, ...]
    kind = PlanKind.UNDO

    def record(self) -> dict[str, Any]:
        return {"changeset": self.changeset, "segments": list(self.segment_ids)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["changeset"], tuple(record["segments"]))

    async def run(self, session: AsyncSession, scope: Scope, now: datetime) -> list[MembersUpdated]:
        return (await undo_members(session, scope, self.changeset, now=now)).updates


OPERATIONS = (SaveFilter, RestoreFilter, UpdateMembers, AddLeads, RemoveLeads, EmptySegment, UndoMembers)


async def undo_of(session: AsyncSession, scope: Scope, changeset: int) -> UndoMembers:
    """The operation that takes back a changeset of segments.

    Raises NotFound for any other, and where there is nothing to take back
    """
    found = (
        select(col(MembershipUndo.segment_id))
        .where(
            col(MembershipUndo.organisation_id) == scope.organisation_id,
            col(MembershipUndo.changeset) == changeset,
        )
        .distinct()
    )
    segment_ids = sorted((await session.execute(found)).scalars())
    if not segment_ids:
        raise NotFound(field=("input", "changeset"))
    return UndoMembers(changeset, tuple(segment_ids))


def operation_from(kind: str, record: Mapping[str, Any]) -> Operation:
    """The operation that was recorded."""
    for operation in OPERATIONS:
        if operation.kind == kind:
            return operation.from_record(record)
    raise KeyError(kind)


def _named(record: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The segments and the leads that a record names."""
    return tuple(record["segments"]), tuple(unpacked(record["leads"]))


def _choice_record(choice: UpdateChoice) -> dict[str, Any]:
    return {
        "mode": choice.mode.value,
        "includePinned": choice.include_pinned,
        "exclusive": choice.exclusive.value,
    }


def _choice_from(record: Mapping[str, Any]) -> UpdateChoice:
    return UpdateChoice(
        UpdateMode(record["mode"]), record["includePinned"], ExclusiveChoice(record["exclusive"])
    )


def _entry_record(entry: AccessEntry) -> list[Any]:
    return [str(entry.subject), sorted(entry.rights)]


def _entry_from(record: Sequence[Any]) -> AccessEntry:
    subject, rights = record
    return AccessEntry(read_subject(subject), frozenset(Right(right) for right in rights))
