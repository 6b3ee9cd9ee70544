"""New leads one by one: by hand, and as clones of leads of other campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.calling import Owner
from core.errors import Conflict, DuplicateLead, NotFound
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope, check_may_act
from core.lead_edit import LeadForm, read_entry
from core.lead_rows import LeadDraft
from db import change_log
from db.commands.lead_edit import VALUES_PATH, check_owner, logged_values
from db.commands.lead_import import ImportTarget, store_batch
from db.commands.standing_pool import HAND, check_enterable, pool_to_enter, standing_pool
from db.models import Campaign, Lead, LeadPool
from db.queries.lead_form import form_of_campaign
from db.queries.visible import visible_or_not_found

ANY = DuplicateRule(DuplicateScope.NONE, DuplicateAction.NOTIFY, within_file=False)
"""A clone repeats its master on purpose."""


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead as somebody enters it.

    values    texts by field key      pool_id  None: the campaign's standing pool
    priority  None: that of the pool
    """

    values: Mapping[str, str]
    pool_id: int | None = None
    owner: Owner = Owner()
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class LeadCreated:
    """A new lead; where it repeats another, which one, and what was done about it."""

    lead: Lead
    draft: LeadDraft
    duplicate_of: int | None = None
    note: str | None = None


async def create_lead(
    session: AsyncSession,
    scope: Scope,
    campaign_id: int,
    new: NewLead,
    duplicates: DuplicateRule,
    *,
    now: datetime,
) -> LeadCreated:
    """A lead entered by hand.

    Raises  DuplicateLead where it repeats one and the rule's action is to discard, BadInput, NotFound,
            Conflict for an archived campaign
    """
    scope.need(Permission.LEAD_IMPORT)
    check_may_act(duplicates, scope, ("input", "duplicates", "action"))
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id)
    form = await form_of_campaign(session, scope, campaign)
    pool = await _entered(session, scope, campaign, new.pool_id, now)
    draft = read_entry(form, new.values, pool.rows + 1, VALUES_PATH)
    return await _enter(session, scope, _Entry(campaign, pool, form, new, duplicates), draft, now)


async def clone_lead(
    session: AsyncSession,
    scope: Scope,
    lead_id: int,
    campaign_id: int,
    new: NewLead,
    *,
    now: datetime,
) -> LeadCreated:
    """The lead once more, in another campaign: new, with the master data that the two templates share.

    Not with a token that names its segments: the clone would be outside them.

    new     what to enter besides or instead: a value that the other template requires
    Raises  Conflict where the campaign has it already, BadInput for a value that is missing there
    """
    scope.need(Permission.LEAD_EDIT)
    scope.need_all_segments()
    original = await visible_or_not_found(session, scope, Lead, lead_id)
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id)
    master = await _locked_master(session, scope, original)
    await _check_not_there(session, scope, master, campaign)
    form = await form_of_campaign(session, scope, campaign)
    home = await session.get_one(Campaign, (scope.organisation_id, original.campaign_id))
    shared = {key: text for key, text in original.field_values.items() if form.field(key) is not None}
    pool = await _entered(session, scope, campaign, new.pool_id, now)
    # Raw data reads as it did where it came in: a national phone number is of that region.
    read_there = replace(form, locale=(await form_of_campaign(session, scope, home)).locale)
    draft = read_entry(read_there, {**shared, **new.values}, pool.rows + 1, VALUES_PATH)
    return await _enter(session, scope, _Entry(campaign, pool, form, new, ANY), draft, now, master.id)


@dataclass(frozen=True, slots=True)
class _Entry:
    campaign: Campaign
    pool: LeadPool
    form: LeadForm
    new: NewLead
    duplicates: DuplicateRule


def target_of(
    campaign: Campaign, pool: LeadPool, form: LeadForm, duplicates: DuplicateRule, priority: int | None = None
) -> ImportTarget:
    """Where leads that enter a pool go: what it holds already is not of their file."""
    return ImportTarget(
        project_id=campaign.project_id,
        campaign_id=campaign.id,
        pool_id=pool.id,
        slots=form.slots,
        duplicates=duplicates,
        priority=pool.priority if priority is None else priority,
        after_line=pool.rows,
    )


async def _entered(
    session: AsyncSession, scope: Scope, campaign: Campaign, pool_id: int | None, now: datetime
) -> LeadPool:
    check_enterable(campaign)
    if pool_id is None:
        return await standing_pool(session, scope, campaign, HAND, now=now)
    return await pool_to_enter(session, scope, campaign, pool_id)


async def _enter(
    session: AsyncSession,
    scope: Scope,
    entry: _Entry,
    draft: LeadDraft,
    now: datetime,
    master_id: int | None = None,
) -> LeadCreated:
    owner_teams = await check_owner(session, scope, entry.new.owner)
    target = target_of(entry.campaign, entry.pool, entry.form, entry.duplicates, entry.new.priority)
    stored = await store_batch(session, scope, target, [draft], now=now)
    duplicate_of, verdict = stored.repeats.get(draft.line, (None, None))
    if draft.line not in stored.lead_ids:
        raise DuplicateLead(field=VALUES_PATH, details={"lead": duplicate_of})
    lead = await session.get_one(Lead, (scope.organisation_id, stored.lead_ids[draft.line]))
    lead.line, lead.master_id = None, master_id
    lead.owner_user_id, lead.owner_teams_id = entry.new.owner.user_id, owner_teams
    after = {"campaign": entry.campaign.id, "pool": entry.pool.id, **logged_values(entry.form, draft.values)}
    await change_log.append(
        session,
        scope,
        noun="lead",
        noun_id=lead.id,
        action="created" if master_id is None else "cloned",
        now=now,
        after=after if master_id is None else {**after, "master": master_id},
    )
    return LeadCreated(lead, draft, duplicate_of, None if verdict is None else verdict.note)


async def _locked_master(session: AsyncSession, scope: Scope, original: Lead) -> Lead:
    """Who clones or edits shared data holds the master: one at a time."""
    found = (
        select(Lead)
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.id) == (original.master_id or original.id),
        )
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    )
    master = (await session.execute(found)).scalar_one_or_none()
    if master is None:
        raise NotFound(field=("input", "id"))
    return master


async def _check_not_there(session: AsyncSession, scope: Scope, master: Lead, campaign: Campaign) -> None:
    there = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.campaign_id) == campaign.id,
        or_(col(Lead.id) == master.id, col(Lead.master_id) == master.id),
    )
    if (await session.execute(there.limit(1))).first() is not None:
        raise Conflict("The campaign has this lead already.", field=("input", "campaignId"))
