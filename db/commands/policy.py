"""Changing the policy of an organisation; every change of who may do what goes through here."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import UNLIMITED, Permission, Role, Scope
from core.errors import Conflict, Forbidden
from core.policies import (
    Grant,
    PolicyLine,
    Subject,
    SubjectKind,
    grants_of,
    has,
    holders,
    members_of,
    role,
    user,
)
from db.database import Topic, announce
from db.ids import allocate
from db.models import CasbinRule, Organisation, User
from db.queries.policy import CHANGED, policy_lines

MEMBER_OF = col(CasbinRule.ptype) == "g"
GIVES = col(CasbinRule.ptype) == "p"


async def raise_policy_revision(session: AsyncSession, organisation_id: int) -> None:
    """Makes every process read the policy anew once this is committed, and wakes open streams.

    It also keeps other changes of the policy out until then, so what is read after it stays true.
    """
    await session.execute(
        update(Organisation)
        .where(col(Organisation.id) == organisation_id)
        .values(policy_revision=Organisation.policy_revision + 1)
        .execution_options(synchronize_session=False)
    )
    session.info[CHANGED] = True
    announce(session, organisation_id, Topic.POLICY)


async def add_lines(session: AsyncSession, organisation_id: int, lines: Iterable[PolicyLine]) -> int:
    """Adds the lines that are not there yet, and says how many; after `raise_policy_revision`."""
    known = set(await policy_lines(session, organisation_id))
    fresh = [line for line in dict.fromkeys(lines) if line not in known]
    if fresh:
        first = await allocate(session, organisation_id, "casbin_rule", len(fresh))
        rows = [
            {"organisation_id": organisation_id, "id": first + n, **line._asdict()}
            for n, line in enumerate(fresh)
        ]
        await session.execute(insert(CasbinRule), rows)
    return len(fresh)


async def remove_lines(session: AsyncSession, organisation_id: int, *which: ColumnElement[bool]) -> int:
    """Takes away the lines of which all of `which` is true, and says how many.

    Call it after `raise_policy_revision`, and `check_manageable` after it.
    """
    ids = await session.scalars(
        delete(CasbinRule)
        .where(col(CasbinRule.organisation_id) == organisation_id, *which)
        .returning(col(CasbinRule.id))
        .execution_options(synchronize_session=False)
    )
    return len(ids.all())


async def check_manageable(session: AsyncSession, organisation_id: int) -> None:
    """Raises Conflict where no active administrator could manage users any more.

    Others who manage users give no more than they have: nobody could give the rest again.
    """
    lines = await policy_lines(session, organisation_id)
    managers = holders(lines, Permission.USER_MANAGE) & members_of(lines, role(Role.ADMIN))
    ids = [int(subject.key) for subject in managers if subject.kind is SubjectKind.USER]
    active = await session.scalar(
        select(col(User.id))
        .where(
            col(User.organisation_id) == organisation_id,
            col(User.active),
            col(User.id).in_(ids),
        )
        .limit(1)
    )
    if active is None:
        raise Conflict("An administrator must remain who can manage users.")


async def check_has(
    session: AsyncSession, scope: Scope, subjects: Iterable[Subject], grants: Iterable[Grant] = ()
) -> None:
    """Raises Forbidden where one of the subjects has, or the grants give, what the caller does not have.

    So nobody makes themselves or a friend more than they are, and nobody acts on those above them.
    Administrators may give what they lack themselves, unless their token is limited.
    """
    lines = await policy_lines(session, scope.organisation_id)
    if scope.limits == UNLIMITED and user(scope.actor.user_id or 0) in members_of(lines, role(Role.ADMIN)):
        return
    if not all(has(scope, grant) for grant in {*grants_of(lines, subjects), *grants}):
        raise Forbidden("It takes as much as they have, or are to have.")


def gives(subject: Subject, name: str | None = None) -> list[ColumnElement[bool]]:
    """What is given to a subject, of one object where one is named."""
    of_object = [] if name is None else [col(CasbinRule.v1) == name]
    return [GIVES, col(CasbinRule.v0) == str(subject), *of_object]


def belongs(member: Subject, kind: SubjectKind) -> list[ColumnElement[bool]]:
    """What groups of a kind a subject belongs to."""
    return [
        MEMBER_OF,
        col(CasbinRule.v0) == str(member),
        col(CasbinRule.v1).startswith(f"{kind}:", autoescape=True),
    ]
