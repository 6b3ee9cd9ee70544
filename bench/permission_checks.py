"""The hot read by an agent whose team was given access, against the same read with nothing checked.

Both sides know the caller: what finding that out takes, once a request, is in the notes. The baseline's
fields ask for nothing, and its scope reaches everything, so that no row is asked about.
"""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import strawberry
from strawberry.types.field import StrawberryField

from bench.hot_read import QUERY
from bench.measure import Comparison, Timed, in_turn
from bench.world import World
from core.access import Resource, Right, Role, TokenLimits
from core.policies import right_lines
from core.policies import team as team_subject
from db.change_feed import ChangeFeed
from db.commands.api_token import create_api_token
from db.commands.policy import add_lines, raise_policy_revision
from db.commands.team import create_team
from db.commands.user import create_user
from gql.authz.requires import Requirement
from gql.authz.scope import operator_scope
from gql.authz.tokens import Principal, new_secret
from gql.context import Context, Services, open_context, utc_now
from gql.execution.operation import Operation, OperationRequest, OperationRunner
from gql.root import build_schema
from gql.schema.ids import opaque
from gql.settings import Settings

READS, ROUNDS = 40, 20


async def compare_permission_checks(engine: str, world: World, segment_id: int, repeats: int) -> Comparison:
    """Seconds a read, in this process, without a transport."""
    services = Services(world.database, ChangeFeed(world.database), Settings(), utc_now)
    principal = await _agent(world, segment_id)
    request = OperationRequest(QUERY, {"id": opaque("Segment", world.scope.organisation_id, segment_id)})
    took: list[float] = []

    async def known() -> Context:
        begin = time.perf_counter()
        context = await open_context(services, principal, None)
        took.append(time.perf_counter() - begin)
        return context

    def reads(schema: strawberry.Schema, *, reach_all: bool) -> Timed:
        runner = OperationRunner(schema)
        operation = runner.prepare(request)

        async def run() -> float:
            spent = 0.0
            for _ in range(READS):
                context = await known()
                if reach_all:
                    context.current_scope = operator_scope(principal.organisation_id, context.scope.actor)
                begin = time.perf_counter()
                await _answer(runner, operation, context)
                spent += time.perf_counter() - begin
            return spent / READS

        return run

    subject, baseline = await in_turn(
        reads(build_schema(), reach_all=False),
        reads(_unchecked_schema(), reach_all=True),
        max(repeats, ROUNDS),
    )
    notes = {"finding out who asks ms": sorted(took)[len(took) // 2] * 1000}
    return Comparison("permission checks on the hot read", engine, "read", subject, baseline, notes)


async def _answer(runner: OperationRunner, operation: Operation, context: Context) -> None:
    answer = await runner.run(operation, context)
    read = answer.data and answer.data["segment"]["members"]["nodes"]
    if answer.errors or not read or not all(each["lead"]["leadPool"]["campaign"] for each in read):
        raise RuntimeError(f"the read does not reach everything: {answer.errors}")


async def _agent(world: World, segment_id: int) -> Principal:
    """An agent in a team that may call the segment and see the pools."""
    now, organisation_id, secret = datetime.now(UTC), world.scope.organisation_id, new_secret()
    async with world.database.writing() as session:
        team = await create_team(session, world.scope, name="Bench", now=now)
        user = await create_user(
            session,
            world.scope,
            email="agent@bench.example",
            name="Agent",
            roles=[Role.AGENT],
            team_ids=[team.id],
            now=now,
        )
        await raise_policy_revision(session, organisation_id)
        subject = team_subject(team.id)
        lines = right_lines(subject, Resource.SEGMENT, segment_id, Right.CALL)
        for pool in range(1, len(world.campaign_ids) + 1):
            lines += right_lines(subject, Resource.LEAD_POOL, pool, Right.VIEW)
        await add_lines(session, organisation_id, lines)
        token = await create_api_token(
            session,
            world.scope,
            user_id=user.id,
            name="Bench",
            secret_hash=secret.hash,
            limits=TokenLimits(),
            expires_at=now + timedelta(days=1),
            now=now,
        )
    return Principal(organisation_id, token.id, secret.hash)


def _unchecked_schema() -> strawberry.Schema:
    """The schema, none of whose fields asks for a permission."""
    with _without_requirements(build_schema()):
        return build_schema()


@contextlib.contextmanager
def _without_requirements(schema: strawberry.Schema) -> Iterator[None]:
    fields: list[StrawberryField] = [
        field
        for known in schema.schema_converter.type_map.values()
        for field in getattr(known.definition, "fields", ())
    ]
    declared = [(field, field.extensions) for field in fields]
    for field in fields:
        field.extensions = [each for each in field.extensions if not isinstance(each, Requirement)]
    try:
        yield
    finally:
        for field, extensions in declared:
            field.extensions = extensions
