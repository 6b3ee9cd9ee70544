"""Editing leads: one, or many alike, each by its campaign's template and the version that was seen.

A clone shares its master data with its master: in one project the same key is the same field, so an edited
value reaches the master and all its clones whose templates have the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.calling import Owner, check_owner_teams, owner_record
from core.errors import BadInput, Conflict, NotFound
from core.fields import FieldType
from core.lead_edit import Identity, LeadChanges, LeadForm, ReadChanges, identity_of, read_changes
from core.masking import check_fields
from core.statuses import is_open
from db import change_log
from db.change_log import Edit
from db.commands.lead import write_slots
from db.commands.lead_many import Asked, LeadEdited, Outcomes, lock_leads
from db.commands.owner_team import TEAM_IDS, owner_teams_id
from db.models import Lead, LeadPool, User
from db.queries.lead_form import forms_of_campaigns
from db.queries.owner_team import owners_of
from db.queries.visible import check_version
from db.scope_sql import among, visible_leads_by_id

VALUES_PATH = ("input", "values")
MOVING = frozenset({"values", "phones", "status", "owner", "active"})
"""What moves `changed_at`; a priority does not."""

Search = Mapping[str, Any]
Log = dict[str, Any]


@dataclass(slots=True)
class _Batch:
    """Leads on their way through one edit: what is known of them, and what is to be stored.

    asked   ids of those that the edit is for; the other rows are their masters and clones
    owners     whose each of the asked was; new_teams: the set of teams that is to own them
    slots   leads with their changed search values, by project and by which fields these are
    """

    asked: frozenset[int]
    rows: Mapping[int, Lead]
    owners: Mapping[int, Owner]
    new_teams: int | None
    forms: Mapping[int, LeadForm]
    duplicate_fields: Mapping[int, str | None]
    log: list[Edit] = field(default_factory=list)
    slots: dict[tuple[int, frozenset[str]], list[tuple[Lead, Search]]] = field(default_factory=dict)

    def identity(self, lead: Lead) -> Identity:
        """Raises Conflict where the template has no phone field any more."""
        form = self.forms[lead.campaign_id]
        fields = identity_of(form, self.duplicate_fields[lead.pool_id], lead.field_values, lead.phone_raw)
        if fields is None:
            raise Conflict("The campaign's template has no phone field any more.", field=VALUES_PATH)
        return fields

    def family(self, lead: Lead) -> list[Lead]:
        """Its master and that one's clones in its project, without itself."""
        kin = [one for one in self.rows.values() if _root(one) == _root(lead) and one is not lead]
        return [one for one in kin if one.project_id == lead.project_id]


async def update_lead(
    session: AsyncSession,
    scope: Scope,
    lead_id: int,
    changes: LeadChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> LeadEdited:
    """Edits one lead. Raises NotFound, StaleVersion; BadInput for a value that breaks an upload rule."""
    scope.need(Permission.LEAD_EDIT)
    check_fields(scope, changes.values)
    new_teams = await check_owner(session, scope, changes.owner)
    batch = await _locked(session, scope, [lead_id], changes, new_teams)
    if lead_id not in batch.asked:
        raise NotFound(field=("input", "id"))
    check_version(batch.rows[lead_id].version, expected_version)
    edited = _edit(batch, batch.rows[lead_id], changes, now)
    await _store(session, scope, batch, now)
    return edited


async def update_leads(
    session: AsyncSession, scope: Scope, asked: Asked, changes: LeadChanges, *, now: datetime
) -> Outcomes:
    """Edits several leads alike and says of each what became of it; those not in reach are not found."""
    scope.need(Permission.LEAD_EDIT)
    check_fields(scope, changes.values)
    new_teams = await check_owner(session, scope, changes.owner)
    batch = await _locked(session, scope, asked.ids, changes, new_teams)
    seen = {lead_id: batch.rows[lead_id] for lead_id in batch.asked}
    outcomes = asked.each(seen, lambda lead: _edit(batch, lead, changes, now))
    await _store(session, scope, batch, now)
    return outcomes


async def check_owner(session: AsyncSession, scope: Scope, owner: Owner | None) -> int | None:
    """The set of the teams that are to be the owner, if any are.

    Raises  NotFound for an owner there is not, BadInput for a user who is shut out or too many teams
    """
    if owner is None:
        return None
    if owner.user_id is not None:
        user = await session.get(User, (scope.organisation_id, owner.user_id))
        if user is None:
            raise NotFound(field=("input", "owner", "userId"))
        if not user.active:
            raise BadInput("This user is not active.", field=("input", "owner", "userId"))
    check_owner_teams(owner.team_ids, TEAM_IDS)
    return await owner_teams_id(session, scope, owner.team_ids)


def logged_values(form: LeadForm, values: Mapping[str, str | None]) -> Log:
    """Values as the change log keeps them: phones apart, to be masked for who may not see them."""
    phones = {one.key for one in form.fields if one.type is FieldType.PHONE}
    plain = {key: value for key, value in values.items() if key not in phones}
    secret = {key: value for key, value in values.items() if key in phones}
    return ({"values": plain} if plain else {}) | ({"phones": secret} if secret else {})


def _root(lead: Lead) -> int:
    return lead.master_id or lead.id


async def _locked(
    session: AsyncSession,
    scope: Scope,
    lead_ids: Sequence[int],
    changes: LeadChanges,
    new_teams: int | None,
) -> _Batch:
    """The leads that the caller sees, with their families where values change; locked for writing."""
    seen = select(col(Lead.id), col(Lead.master_id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), frozenset(lead_ids)),
        visible_leads_by_id(scope),
    )
    asked = {row.id: row.master_id or row.id for row in (await session.execute(seen)).all()}
    roots = frozenset(asked.values()) if changes.values else frozenset()
    rows = await lock_leads(session, scope, among(col(Lead.id), frozenset(asked) | roots))
    if roots:
        # Asked anew once the masters are locked: who makes a clone locks its master as well.
        rows |= await lock_leads(session, scope, among(col(Lead.master_id), roots))
    pools = select(col(LeadPool.id), col(LeadPool.duplicate_field)).where(
        col(LeadPool.organisation_id) == scope.organisation_id,
        col(LeadPool.id).in_({one.pool_id for one in rows.values()}),
    )
    return _Batch(
        asked=frozenset(asked) & rows.keys(),
        rows=rows,
        owners={} if changes.owner is None else await owners_of(session, scope, rows.values()),
        new_teams=new_teams,
        forms=await forms_of_campaigns(session, scope, sorted({one.campaign_id for one in rows.values()})),
        duplicate_fields={row.id: row.duplicate_field for row in (await session.execute(pools)).all()},
    )


def _edit(batch: _Batch, lead: Lead, changes: LeadChanges, now: datetime) -> LeadEdited:
    """Changes a lead, and its family's shared data; nothing is touched where it raises."""
    before: Log = {}
    after: Log = {}
    read = None
    if changes.values:
        form, identity = batch.forms[lead.campaign_id], batch.identity(lead)
        read = read_changes(form, identity, lead.phone, changes.values, VALUES_PATH)
        for kin in batch.family(lead):
            shared_before, shared_after = _apply_values(batch, kin, read)
            _note(batch, kin, "shared_data_updated", shared_before, shared_after, now)
        before, after = _apply_values(batch, lead, read)
    _apply_settings(batch, lead, changes, before, after)
    _note(batch, lead, "updated", before, after, now)
    return LeadEdited(lead, bool(after), read.warnings if read else ())


def _apply_values(batch: _Batch, lead: Lead, read: ReadChanges) -> tuple[Log, Log]:
    """Takes over the values that differ and that the lead's template has; says what they were and are."""
    form, identity = batch.forms[lead.campaign_id], batch.identity(lead)
    own = identity.phone.key
    old = {key: lead.field_values.get(key) for key in read.raw if key in form.slots}
    changed = {key for key, value in old.items() if value != read.raw[key]}
    phone = read.search.get(own)
    if phone is None:
        changed.discard(own)  # optional where it was edited, and what this one is called by
    elif phone != lead.phone:
        changed.add(own)
    if not changed:
        return {}, {}
    new = {key: read.raw[key] for key in read.raw if key in changed}
    merged = {**lead.field_values, **new}
    lead.field_values = {key: value for key, value in merged.items() if value is not None}
    if own in changed:
        lead.phone, lead.phone_raw = str(phone), str(read.raw[own])
    if identity.duplicate is not None and identity.duplicate.key in changed:
        lead.duplicate_key = read.duplicate_key(identity.duplicate, lead.duplicate_key)
    same = batch.slots.setdefault((lead.project_id, frozenset(changed)), [])
    same.append((lead, {key: read.search[key] for key in read.raw if key in changed}))
    return logged_values(form, {key: old[key] for key in new}), logged_values(form, new)


def _apply_settings(batch: _Batch, lead: Lead, changes: LeadChanges, before: Log, after: Log) -> None:
    def move(name: str, old: Any, new: Any) -> bool:
        if new is None or new == old:
            return False
        before[name], after[name] = old, new
        return True

    if move("status", lead.status, changes.status and changes.status.value) and changes.status:
        lead.status, lead.is_open = changes.status.value, is_open(changes.status)
    if changes.owner and move("owner", owner_record(batch.owners[lead.id]), owner_record(changes.owner)):
        lead.owner_user_id, lead.owner_teams_id = changes.owner.user_id, batch.new_teams
    if move("priority", lead.priority, changes.priority):
        lead.priority = after["priority"]
    if move("active", lead.active, changes.active):
        lead.active = after["active"]


def _note(batch: _Batch, lead: Lead, action: str, before: Log, after: Log, now: datetime) -> None:
    if not after:
        return
    lead.version += 1
    if not MOVING.isdisjoint(after):
        lead.changed_at = now
    batch.log.append(Edit("lead", lead.id, action, before, after))


async def _store(session: AsyncSession, scope: Scope, batch: _Batch, now: datetime) -> None:
    for changed in batch.slots.values():
        await write_slots(session, scope, batch.forms[changed[0][0].campaign_id].slots, changed)
    if batch.log:
        await change_log.append_all(session, scope, batch.log, now=now)
