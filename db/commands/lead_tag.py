"""Tagging leads, and taking tags off them; a tag comes into being when it is first put on."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.tag import Tagging
from db import change_log
from db.change_log import Edit
from db.commands.lead_many import Asked, LeadEdited, Outcomes, lock_seen_leads, move
from db.ids import allocate
from db.models import Lead, LeadTag, Tag
from db.scope_sql import among

TAG_KEY = ["organisation_id", "name"]


async def tag_leads(
    session: AsyncSession, scope: Scope, asked: Asked, tagging: Tagging, *, now: datetime
) -> Outcomes:
    """Puts tags on leads, or takes them off; viewing a lead is enough. Says of each what became of it."""
    scope.need(Permission.LEAD_VIEW)
    leads = await lock_seen_leads(session, scope, asked.ids)
    tags = await _locked_tags(session, scope, tagging, now) if leads else {}
    carried = await _carried(session, scope, leads, tags)
    changed: dict[int, frozenset[int]] = {}
    log: list[Edit] = []

    def edit(lead: Lead) -> LeadEdited:
        wanted = frozenset(tags)
        moving = wanted - carried[lead.id] if tagging.carried else wanted & carried[lead.id]
        if moving:
            move(lead, now)
            changed[lead.id] = moving
            log.append(_logged(lead, sorted(tags[one].label for one in moving), tagging))
        return LeadEdited(lead, bool(moving))

    outcomes = asked.each(leads, edit)
    await _store(session, scope, changed, tagging, now)
    if log:
        await change_log.append_all(session, scope, log, now=now)
    return outcomes


async def _locked_tags(
    session: AsyncSession, scope: Scope, tagging: Tagging, now: datetime
) -> Mapping[int, Tag]:
    """The tags by their ids, those to be put on made where there are none; none of them goes meanwhile."""
    found = (
        select(Tag)
        .where(col(Tag.organisation_id) == scope.organisation_id, col(Tag.name).in_(list(tagging.labels)))
        .order_by(col(Tag.name))
        .with_for_update(read=True)
    )
    tags = {tag.name: tag for tag in (await session.execute(found)).scalars()}
    if tagging.carried:
        missing = sorted(tagging.labels.keys() - tags.keys())
        tags |= await _made(session, scope, {name: tagging.labels[name] for name in missing}, now)
    return {tag.id: tag for tag in tags.values()}


async def _made(
    session: AsyncSession, scope: Scope, labels: Mapping[str, str], now: datetime
) -> Mapping[str, Tag]:
    """New tags; one that somebody else makes meanwhile is waited for and taken."""
    if not labels:
        return {}
    first = await allocate(session, scope.organisation_id, "tag", len(labels))
    org = {"organisation_id": scope.organisation_id, "created_at": now}
    rows = [{**org, "id": n, "name": name, "label": labels[name]} for n, name in enumerate(labels, first)]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(Tag).values(rows)
    # An update that changes nothing: it returns the other's row, and holds it.
    stored = new.on_conflict_do_update(index_elements=TAG_KEY, set_={"name": new.excluded.name})
    tags = (await session.execute(stored.returning(Tag))).scalars().all()
    created = [
        Edit("tag", tag.id, "created", after={"label": tag.label})
        for tag in tags
        if first <= tag.id < first + len(labels)
    ]
    if created:
        await change_log.append_all(session, scope, created, now=now)
    return {tag.name: tag for tag in tags}


async def _carried(
    session: AsyncSession, scope: Scope, lead_ids: Collection[int], tag_ids: Collection[int]
) -> Mapping[int, frozenset[int]]:
    """Those of the tags that each lead carries."""
    rows = await session.execute(
        select(col(LeadTag.lead_id), col(LeadTag.tag_id)).where(
            col(LeadTag.organisation_id) == scope.organisation_id,
            among(col(LeadTag.lead_id), frozenset(lead_ids)),
            col(LeadTag.tag_id).in_(tag_ids),
        )
    )
    found: dict[int, frozenset[int]] = defaultdict(frozenset)
    for lead_id, tag_id in rows.all():
        found[lead_id] |= {tag_id}
    return found


def _logged(lead: Lead, labels: list[str], tagging: Tagging) -> Edit:
    tags = {"tags": labels}
    if tagging.carried:
        return Edit("lead", lead.id, "tagged", after=tags)
    return Edit("lead", lead.id, "untagged", before=tags)


async def _store(
    session: AsyncSession,
    scope: Scope,
    changed: Mapping[int, frozenset[int]],
    tagging: Tagging,
    now: datetime,
) -> None:
    if not changed:
        return
    if tagging.carried:
        alike = {"organisation_id": scope.organisation_id, "tagged_at": now}
        rows = [
            {**alike, "lead_id": lead_id, "tag_id": tag_id}
            for lead_id, tag_ids in changed.items()
            for tag_id in sorted(tag_ids)
        ]
        await (await session.connection()).execute(insert(LeadTag), rows)
        return
    gone = delete(LeadTag).where(
        col(LeadTag.organisation_id) == scope.organisation_id,
        among(col(LeadTag.lead_id), frozenset(changed)),
        col(LeadTag.tag_id).in_(frozenset().union(*changed.values())),
    )
    await session.execute(gone, execution_options={"synchronize_session": False})
