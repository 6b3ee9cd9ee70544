"""Sorting out a batch of rows: which become leads, which repeat one, and which leads are acted on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, Verdict, judge
from core.lead_rows import LeadDraft
from core.statuses import LeadStatus


@dataclass(slots=True)
class KnownLead:
    """A lead that a row may repeat, as the rows before have left it.

    line   where it stands in this very file, None for leads from elsewhere
    place  its place among the batch's own leads, until it has an id
    """

    line: int | None
    in_file: bool
    is_open: bool = True
    active: bool = True
    status: str = LeadStatus.NEW.value
    id: int = 0
    place: int | None = None


@dataclass(slots=True)
class Repeat:
    """A row that repeats a lead, and what is done about it."""

    draft: LeadDraft
    of: KnownLead
    verdict: Verdict


@dataclass(slots=True)
class Effect:
    """A lead that a row acts on."""

    draft: LeadDraft
    on: KnownLead


@dataclass(slots=True)
class Judgement:
    """A batch sorted out; `effects` names each lead once."""

    accepted: list[LeadDraft] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def accounts(self, invalid: int) -> Accounts:
        """The batch in numbers, with so many rows that were refused before."""
        discarded = sum(not repeat.verdict.imported for repeat in self.repeats)
        return Accounts(
            rows=len(self.accepted) + discarded + invalid,
            valid=len(self.accepted),
            invalid=invalid,
            duplicates=discarded,
            flagged=len(self.repeats) - discarded,
            acted_on=len(self.effects),
        )


def judge_batch(
    drafts: Sequence[LeadDraft], known: dict[str, list[KnownLead]], rule: DuplicateRule
) -> Judgement:
    """Sorts rows out in their order.

    known  leads by duplicate key, oldest first; it takes in the batch's own, and what is done to any of them
    """
    judged = Judgement()
    for draft in drafts:
        if draft.duplicate_key is None:
            judged.accepted.append(draft)
            continue
        repeated = [lead for lead in known.get(draft.duplicate_key, ()) if _still_counts(lead, rule)]
        if repeated:
            _judge_repeat(judged, draft, repeated, rule.action)
            if not judged.repeats[-1].verdict.imported:
                continue
        if rule.within_file:
            own = KnownLead(draft.line, in_file=True, place=len(judged.accepted))
            known.setdefault(draft.duplicate_key, []).append(own)
        judged.accepted.append(draft)
    return judged


def _still_counts(lead: KnownLead, rule: DuplicateRule) -> bool:
    """An earlier row of this very batch may have changed the lead."""
    return lead.active and (lead.is_open or lead.in_file or not rule.only_open)


def _judge_repeat(
    judged: Judgement, draft: LeadDraft, repeated: Sequence[KnownLead], action: DuplicateAction
) -> None:
    open_ones = [lead for lead in repeated if lead.is_open]
    verdict = judge(action, existing_is_open=bool(open_ones))
    named = open_ones[0] if verdict.touches_existing else repeated[0]
    judged.repeats.append(Repeat(draft, named, verdict))
    if not verdict.touches_existing:
        return
    for lead in open_ones:
        if action is DuplicateAction.DEACTIVATE:
            lead.active = False
        else:
            lead.is_open = False
        judged.effects.append(Effect(draft, lead))
