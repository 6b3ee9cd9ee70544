"""The laws of membership, held after every operation of random sequences, on both engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlmodel import col

from core.membership import STANDING, ExclusiveChoice, MembershipDiff, Origin, UpdateMode, diff
from db.commands.membership_undo import undo_members
from db.commands.segment_filter import save_filter
from db.commands.segment_member import MembersUpdated, add_leads, empty_segment, release_leads, remove_leads
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.database import Database
from db.models import MembershipLog, MembershipUndo, Segment, SegmentMember
from tests.leads import NOW
from tests.segment_desk import Desk, beds, make_desk, replayed, standing_of

LEADS, EXAMPLES = 4, 15
KEEP, MOVE = ExclusiveChoice.KEEP, ExclusiveChoice.MOVE
CHOICES = st.sampled_from([KEEP, MOVE])
SEGMENT = st.integers(0, 1)
SOME = st.frozensets(st.integers(1, LEADS), min_size=1, max_size=4)
SPAN = st.tuples(st.integers(1, LEADS), st.integers(1, LEADS)).map(sorted).map(tuple)
STEP = st.one_of(
    st.tuples(
        st.just("save"),
        SEGMENT,
        SPAN,
        st.builds(UpdateChoice, st.sampled_from(UpdateMode), st.booleans(), CHOICES),
    ),
    st.tuples(st.just("add"), SEGMENT, SOME, CHOICES),
    st.tuples(st.just("remove"), SEGMENT, SOME),
    st.tuples(st.just("release"), SEGMENT, SOME),
    st.tuples(st.just("empty"), SEGMENT),
    st.tuples(st.just("undo"), st.integers(0, 3)),
)
"""An operation on one of two segments, or undoing one of the last few."""

Step = tuple[Any, ...]
Rows = list[dict[int, Origin]]
"""Rows of each segment, tombstones among them."""


@dataclass
class Laws:
    """Two segments, what is done to them, and what has to hold then."""

    desk: Desk
    segments: list[int]
    exclusive: bool
    changesets: list[int] = field(default_factory=list)
    seconds: int = 0

    async def begin(self) -> None:
        """The segments without members and without a past."""
        async with self.desk.database.writing() as session:
            for table in (MembershipLog, MembershipUndo, SegmentMember):
                await session.execute(delete(table))
            await session.execute(update(Segment).values(last_seq=0, member_count=0, filter=None))
        self.changesets.clear()

    async def take(self, step: Step) -> None:
        before, marked = await self.rows(), await self.marks()
        changeset = await self.do(step)
        if changeset is None:
            return
        after = await self.rows()
        await self.check_log(changeset, before, after)
        if step[0] == "save":
            await self.check_repeated(step)
        if step[0] != "undo":
            self.check_hands(step, before, after)
            await self.check_undo(changeset, marked)
        self.changesets.append(changeset)

    async def do(self, step: Step) -> int | None:
        """The changeset of the operation; None where there was nothing to undo."""
        if step[0] == "undo":
            known = self.changesets[-1 - step[1] :][:1]
            return await self.undo(known[0]) if known else None
        scope, now, before = self.desk.world.scope, self.now(), await self.rows()
        async with self.desk.database.writing() as session:
            match step:
                case ("save", place, (first, last), choice):
                    saved = await save_filter(
                        session,
                        scope,
                        self.segments[place],
                        beds("between", [first, last]),
                        choice,
                        expected_version=None,
                        now=now,
                    )
                    self.check_diff(before, place, range(first, last + 1), choice, saved)
                    return saved.changeset
                case ("add", place, leads, choice):
                    [added] = await add_leads(
                        session, scope, [self.segments[place]], leads, exclusive=choice, now=now
                    )
                    return added.changeset
                case ("remove", place, leads):
                    [removed] = await remove_leads(session, scope, [self.segments[place]], leads, now=now)
                    return removed.changeset
                case ("release", place, leads):
                    return (
                        await release_leads(session, scope, self.segments[place], leads, now=now)
                    ).changeset
                case (_, place):
                    emptied = await empty_segment(session, scope, self.segments[place], confirm=True, now=now)
                    return emptied.changeset
        raise AssertionError(step)

    def check_diff(
        self, before: Rows, place: int, matching: range, choice: UpdateChoice, saved: MembersUpdated
    ) -> None:
        """What was saved moved just those whom the core says."""
        kept = self.exclusive and choice.exclusive is KEEP
        held = frozenset(members_of(before[1 - place])) if kept else frozenset[int]()
        expected: MembershipDiff[frozenset[int]] = diff(
            frozenset(matching),
            standing_of(before[place]),
            choice.mode,
            include_pinned=choice.include_pinned,
            held=held,
        )
        wanted = (expected.joined, expected.left, expected.kept, expected.barred, expected.held)
        found = (saved.joined, saved.left, saved.kept, saved.barred, saved.held)
        assert found == tuple(len(leads) for leads in wanted)

    def check_hands(self, step: Step, before: Rows, after: Rows) -> None:
        """What was decided by hand survives whatever a rule does."""
        if step[0] != "save":
            return
        _, place, _, choice = step
        goes = choice.include_pinned and choice.mode is UpdateMode.REPLACE
        for here in (0, 1):
            pinned = {lead for lead, origin in before[here].items() if origin in STANDING}
            barred = before[here].keys() - members_of(before[here])
            gone = pinned - members_of(after[here])
            assert goes or not (gone and here == place)
            assert gone <= members_of(after[place]) or here == place
            assert barred <= after[here].keys() - members_of(after[here])

    async def check_log(self, changeset: int, before: Rows, after: Rows) -> None:
        """The log tells what moved and nothing else; from its beginning it tells the members."""
        entries = [
            entry
            for entry in await self.desk.log(*self.segments, limit=1_000)
            if entry.changeset == changeset
        ]
        for place, segment in enumerate(self.segments):
            own = [entry for entry in entries if entry.segment_id == segment]
            joined = {lead for entry in own for lead in entry.joined}
            left = {lead for entry in own for lead in entry.left}
            assert not joined & left
            assert members_of(before[place]) - left | joined == members_of(after[place])
            assert left <= members_of(before[place])
            assert await replayed(self.desk, segment) == members_of(after[place])
        counts = select(col(Segment.member_count)).order_by(col(Segment.id))
        assert await self.desk.fetch(counts) == [len(members_of(rows)) for rows in after]
        if self.exclusive:
            assert not members_of(after[0]) & members_of(after[1])

    async def check_repeated(self, step: Step) -> None:
        """Done twice, it changes nothing."""
        _, place, _, choice = step
        marked = await self.marks()
        async with self.desk.database.writing() as session:
            again = await update_segment_members(
                session, self.desk.world.scope, self.segments[place], choice, now=self.now()
            )
        assert (again.joined, again.left, await self.marks()) == (0, 0, marked)

    async def check_undo(self, changeset: int, before: list[tuple[Any, ...]]) -> None:
        """Undone, everything is as it was; that undone, it is as it was done."""
        after = await self.marks()
        undone = await self.undo(changeset)
        if undone is None:
            assert after == before
            return
        assert await self.marks() == before
        assert await self.undo(undone) is not None
        assert await self.marks() == after

    async def undo(self, changeset: int) -> int | None:
        kept = select(col(MembershipUndo.part)).where(col(MembershipUndo.changeset) == changeset)
        if not await self.desk.fetch(kept):
            return None
        async with self.desk.database.writing() as session:
            done = await undo_members(session, self.desk.world.scope, changeset, now=self.now())
        return done.updates[0].changeset

    async def rows(self) -> Rows:
        return [await self.desk.rows(segment) for segment in self.segments]

    async def marks(self) -> list[tuple[Any, ...]]:
        """Every row with all that is written down in it."""
        columns = [col(getattr(SegmentMember, name)) for name in SegmentMember.model_fields]
        ordered = select(*columns).order_by(col(SegmentMember.segment_id), col(SegmentMember.lead_id))
        async with self.desk.database.reading() as session:
            return [tuple(row) for row in (await session.execute(ordered)).all()]

    def now(self) -> datetime:
        self.seconds += 1
        return NOW + timedelta(seconds=self.seconds)


def members_of(rows: dict[int, Origin]) -> set[int]:
    return {lead for lead, origin in rows.items() if origin is not Origin.REMOVED_BY_HAND}


@pytest.mark.parametrize("exclusive", [False, True], ids=["shared", "exclusive"])
def test_the_laws_of_membership_hold_after_every_operation(
    database_url: str, exclusive: bool, soak: bool
) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)

        async def prepare() -> Laws:
            desk = await make_desk(database, LEADS, exclusive=exclusive)
            return Laws(desk, [await desk.segment("A"), await desk.segment("B")], exclusive)

        laws = runner.run(prepare())

        @settings(
            max_examples=EXAMPLES * (50 if soak else 1),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.lists(STEP, min_size=3, max_size=7))
        def hold(steps: Sequence[Step]) -> None:
            async def take_all() -> None:
                await laws.begin()
                for step in steps:
                    await laws.take(step)

            runner.run(take_all())

        try:
            hold()
        finally:
            runner.run(database.close())
