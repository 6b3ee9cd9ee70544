"""Whoever asked for a job, and what they may do by the time it is done."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, ActorKind, Permission, Scope
from core.errors import Forbidden
from db.queries.policy import policy_revision
from gql.authz.enforcer import Policies
from gql.authz.scope import lent_scope
from gql.jobs.runner import JobRun


async def scope_of_asker(session: AsyncSession, run: JobRun, policies: Policies) -> Scope:
    """What whoever asked for a job may do now. Raises Forbidden where they are shut out."""
    organisation_id = run.lease.organisation_id
    actor = Actor(ActorKind.JOB, run.created_by, run.token_id)
    revision = await policy_revision(session, organisation_id)
    scope = await lent_scope(session, organisation_id, actor, policies, revision)
    if scope is None:
        raise _not_any_more()
    return scope


async def check_asker(session: AsyncSession, run: JobRun, policies: Policies, needed: Permission) -> None:
    """Call it in each transaction of a job. Raises Forbidden where the asker has lost what it takes."""
    if not (await scope_of_asker(session, run, policies)).may(needed):
        raise _not_any_more()


def _not_any_more() -> Forbidden:
    return Forbidden("Whoever asked for it may no longer do it.")
