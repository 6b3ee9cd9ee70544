"""Changing lead pools: inputs and payloads."""

from datetime import datetime

import strawberry

from core.access import Permission
from core.errors import ErrorCode
from core.lead_pool import MAX_SEED, Kept
from core.names import MAX_DESCRIPTION
from db.paging import MAX_FIRST as MAX_POOLS
from gql.schema.enums import published
from gql.schema.lead_pool import LeadPool
from gql.schema.user_error import UserError

published(
    Kept,
    "LeadPoolKept",
    "Why a pool, or leads of it, outlived its deletion.",
    {
        "WORKED": "The leads were offered to an agent or called; they stay with their history.",
        "MASTER_OF_CLONES": "The leads have clones in other campaigns.",
        "IMPORT_RUNNING": "An import is filling the pool: cancel it first. Nothing was deleted.",
        "USED_BY_SEGMENT": "The pool is empty, but a segment's filter names it.",
    },
)
ABOUT = f"Free text, at most {MAX_DESCRIPTION:,} characters."


@strawberry.input(description="A new, empty pool for leads entered by hand.")
class CreateLeadPoolInput:
    campaign_id: strawberry.ID = strawberry.field(description="The campaign it belongs to.")
    name: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(default="", description=ABOUT)


@strawberry.input(description="What to change of a pool; what is left out stays as it is.")
class UpdateLeadPoolInput:
    id: strawberry.ID = strawberry.field(description="The pool.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    description: str | None = strawberry.field(default=None, description=ABOUT)
    priority: int | None = strawberry.field(default=None, description="The highest come first.")
    active_from: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called before; null: no date holds its leads back."
    )
    active_until: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called from then on; null: it does not end."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="Pools to switch.")
class SwitchLeadPoolsInput:
    ids: list[strawberry.ID] = strawberry.field(description=f"At most {MAX_POOLS} pools.")


@strawberry.input(description="Pools to shuffle.")
class ShuffleLeadPoolsInput:
    ids: list[strawberry.ID] = strawberry.field(description=f"At most {MAX_POOLS} pools.")
    seed: str | None = strawberry.field(
        default=None,
        description=f"1 to {MAX_SEED} characters; the same seed, the same order. By default one is made.",
    )
    restore: bool = strawberry.field(
        default=False, description="Brings back the order of the upload instead; then there is no seed."
    )


@strawberry.input(description="Pools to delete.")
class DeleteLeadPoolsInput:
    ids: list[strawberry.ID] = strawberry.field(description=f"At most {MAX_POOLS} pools.")
    confirm: bool = strawberry.field(default=False, description="Must be true: it cannot be taken back.")


@strawberry.input(description="A pool to download.")
class ExportLeadPoolInput:
    id: strawberry.ID = strawberry.field(description="The pool.")


@strawberry.type(description="A pool after a change, or why there was none.")
class LeadPoolPayload:
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="What became of one of several pools.")
class LeadPoolOutcome:
    id: strawberry.ID = strawberry.field(description="The ID as it was given.")
    lead_pool: LeadPool | None = strawberry.field(description="The pool; null where nothing was done.")
    done: bool = strawberry.field(description="Whether it is now as was asked.")
    code: ErrorCode | None = strawberry.field(description="Why nothing was done; null where it was.")
    message: str | None = strawberry.field(description="The same in plain words.")


@strawberry.type(description="What became of each pool, or why nothing was done.")
class LeadPoolsPayload:
    outcomes: list[LeadPoolOutcome] = strawberry.field(
        default_factory=list, description="One for each ID, in their order."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="What became of each pool and from which seed, or why nothing was done.")
class ShuffleLeadPoolsPayload:
    seed: str | None = strawberry.field(
        default=None, description="What the order was made from; null where the upload's order was restored."
    )
    outcomes: list[LeadPoolOutcome] = strawberry.field(
        default_factory=list, description="One for each ID, in their order."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="A reason why a pool, or leads of it, are still there.")
class KeptLeads:
    reason: Kept = strawberry.field(description="The reason.")
    leads: int = strawberry.field(description="How many leads stayed for it; 0 where it is about the pool.")


@strawberry.type(description="What became of one of several pools that were to be deleted.")
class LeadPoolDeletion:
    id: strawberry.ID = strawberry.field(description="The ID as it was given.")
    lead_pool: LeadPool | None = strawberry.field(description="The pool, where it is still there.")
    removed: bool = strawberry.field(description="Whether the pool itself is gone: no lead was left in it.")
    deleted_leads: int = strawberry.field(description="Unprocessed leads that are gone.")
    kept: list[KeptLeads] = strawberry.field(
        description="Why the pool is still there; empty where it is not."
    )
    code: ErrorCode | None = strawberry.field(description="Why nothing was done; null where something was.")
    message: str | None = strawberry.field(description="The same in plain words.")


@strawberry.type(description="What became of each pool, or why nothing was done.")
class DeleteLeadPoolsPayload:
    outcomes: list[LeadPoolDeletion] = strawberry.field(
        default_factory=list, description="One for each ID, in their order."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="Paths of the files of one pool, CSV, each good for a few minutes.")
class LeadPoolDownloads:
    leads_url: str | None = strawberry.field(
        description=f"Its leads with their master data; phones are masked without "
        f"`{Permission.PHONE_VIEW.name}`."
    )
    statistics_url: str | None = strawberry.field(description="Its figures, one a line.")
    log_url: str | None = strawberry.field(
        description="Its import and every later act on it, oldest first; null without "
        f"`{Permission.CHANGE_LOG_VIEW.name}`."
    )
    invalid_rows_url: str | None = strawberry.field(description="Refused rows with reasons.")
    duplicates_url: str | None = strawberry.field(
        description="Duplicates, what they repeat and what was done."
    )
    warnings_url: str | None = strawberry.field(
        description="Values that were kept although they do not read as their type."
    )
    expires_at: datetime = strawberry.field(description="When the paths stop working, UTC.")


@strawberry.type(description="Where to download a pool, or why it cannot be.")
class ExportLeadPoolPayload:
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool.")
    downloads: LeadPoolDownloads | None = strawberry.field(default=None, description="Its files.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
