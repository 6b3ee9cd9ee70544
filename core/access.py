"""Who may do what: feature permissions, access rights, and the scope that a caller is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from core.errors import Forbidden

Member = TypeVar("Member")


class Permission(StrEnum):
    """Feature permissions: `<noun>:<verb>` in policies, and by their names here wherever people meet them."""

    ACCESS_EDIT = "access:edit"
    ACTION_MANAGE = "action:manage"
    AUDIT_VIEW = "audit:view"
    CALL_SUPERVISE = "call:supervise"
    CAMPAIGN_MANAGE = "campaign:manage"
    CHANGE_LOG_VIEW = "change_log:view"
    COMPANY_MANAGE = "company:manage"
    DO_NOT_CALL_MANAGE = "do_not_call:manage"
    INTEGRATION_MANAGE = "integration:manage"
    LEAD_EDIT = "lead:edit"
    LEAD_EXPORT = "lead:export"
    LEAD_IMPORT = "lead:import"
    LEAD_POOL_MANAGE = "lead_pool:manage"
    LEAD_VIEW = "lead:view"
    ORGANISATION_VIEW = "organisation:view"
    PHONE_VIEW = "phone:view"
    SEGMENT_CALL = "segment:call"
    SEGMENT_EDIT = "segment:edit"
    SEGMENT_GROUP_MANAGE = "segment_group:manage"
    SEGMENT_VIEW = "segment:view"
    USER_MANAGE = "user:manage"


class Role(StrEnum):
    """The roles every organisation starts with."""

    ADMIN = "admin"
    MANAGER = "manager"
    AGENT = "agent"
    INTEGRATOR = "integrator"


@dataclass(frozen=True, slots=True)
class Feature:
    """One line of the published table of permissions."""

    permission: Permission
    title: str
    meaning: str
    roles: frozenset[Role]


ADMIN = frozenset({Role.ADMIN})
LEADERS = frozenset({Role.ADMIN, Role.MANAGER})
MACHINES = frozenset({Role.ADMIN, Role.MANAGER, Role.INTEGRATOR})
CALLERS = frozenset({Role.ADMIN, Role.MANAGER, Role.AGENT})
EVERYONE = frozenset(Role)

FEATURES: tuple[Feature, ...] = (
    Feature(
        Permission.ACCESS_EDIT, "Edit access rights", "give and take access to segments and pools", LEADERS
    ),
    Feature(Permission.ACTION_MANAGE, "Manage actions", "reserved for campaign actions to come", LEADERS),
    Feature(Permission.AUDIT_VIEW, "View audit", "read the audit log of the organisation", ADMIN),
    Feature(Permission.CALL_SUPERVISE, "Supervise", "reserved for watching calls, to come", LEADERS),
    Feature(
        Permission.CAMPAIGN_MANAGE, "Manage campaigns", "create and change projects and campaigns", LEADERS
    ),
    Feature(Permission.CHANGE_LOG_VIEW, "View change log", "read who edited what, and when", LEADERS),
    Feature(Permission.COMPANY_MANAGE, "Manage companies", "reserved for companies to come", MACHINES),
    Feature(
        Permission.DO_NOT_CALL_MANAGE,
        "Manage do-not-call",
        "reserved for lists of numbers never to call, to come",
        LEADERS,
    ),
    Feature(
        Permission.INTEGRATION_MANAGE,
        "Manage integrations",
        "register documents; make, list and end tokens of others",
        ADMIN,
    ),
    Feature(Permission.LEAD_EDIT, "Edit leads", "change field values and status of leads", MACHINES),
    Feature(Permission.LEAD_EXPORT, "Export", "download leads and reports as files", MACHINES),
    Feature(Permission.LEAD_IMPORT, "Import", "upload files and import leads", MACHINES),
    Feature(Permission.LEAD_POOL_MANAGE, "Manage lead pools", "change, switch and delete pools", LEADERS),
    Feature(Permission.LEAD_VIEW, "View leads", "read leads that are in reach", EVERYONE),
    Feature(
        Permission.ORGANISATION_VIEW, "View the organisation", "read users, teams and campaigns", EVERYONE
    ),
    Feature(Permission.PHONE_VIEW, "View phone numbers", "see phone numbers unmasked", CALLERS),
    Feature(Permission.SEGMENT_CALL, "Call segments", "call leads of segments one has access to", CALLERS),
    Feature(Permission.SEGMENT_EDIT, "Edit segments", "change rules, settings and members", LEADERS),
    Feature(Permission.SEGMENT_GROUP_MANAGE, "Manage groups", "create, change and order groups", LEADERS),
    Feature(Permission.SEGMENT_VIEW, "View segments", "read segments one has access to", EVERYONE),
    Feature(
        Permission.USER_MANAGE, "Manage users", "create users and teams, give roles and permissions", ADMIN
    ),
)


class Right(StrEnum):
    """What an access right lets a team or user do with one segment or pool."""

    VIEW = "view"
    CALL = "call"
    EDIT = "edit"
    ADMINISTER = "administer"
    MANAGE = "manage"


IMPLIED: Mapping[Right, frozenset[Right]] = MappingProxyType(
    {
        Right.VIEW: frozenset({Right.VIEW}),
        Right.CALL: frozenset({Right.VIEW, Right.CALL}),
        Right.EDIT: frozenset({Right.VIEW, Right.EDIT}),
        Right.ADMINISTER: frozenset({Right.VIEW, Right.CALL, Right.EDIT, Right.ADMINISTER}),
        Right.MANAGE: frozenset({Right.VIEW, Right.MANAGE}),
    }
)
"""Each right with those it includes; grants are stored expanded."""


class Resource(StrEnum):
    """What access rights are given on; in a policy it reads `segment:42`, or `segment:*` for all."""

    SEGMENT = "segment"
    LEAD_POOL = "lead_pool"
    LEAD = "lead"


RIGHTS: Mapping[Resource, frozenset[Right]] = MappingProxyType(
    {
        Resource.SEGMENT: IMPLIED[Right.ADMINISTER],
        Resource.LEAD_POOL: IMPLIED[Right.MANAGE],
        Resource.LEAD: IMPLIED[Right.EDIT],
    }
)
"""The rights there are on each kind of object."""

ROLE_RIGHTS: Mapping[Role, Mapping[Resource, frozenset[Right]]] = MappingProxyType(
    {
        Role.ADMIN: RIGHTS,
        Role.MANAGER: RIGHTS,
        Role.AGENT: {},
        Role.INTEGRATOR: {
            Resource.SEGMENT: IMPLIED[Right.EDIT],
            Resource.LEAD_POOL: IMPLIED[Right.MANAGE],
            Resource.LEAD: IMPLIED[Right.EDIT],
        },
    }
)
"""Rights that a role has on every object of a kind."""


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    API_KEY = "api_key"
    AUTOMATION = "automation"
    JOB = "job"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the logs remember it."""

    kind: ActorKind
    user_id: int | None = None
    token_id: int | None = None


Reach = frozenset[int] | None
"""The ids a right reaches; None is every one of the organisation."""

NOWHERE: Reach = frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """What the policies of an organisation give one user; immutable, so it may be shared.

    reach     (resource, right) -> ids; a missing pair reaches nothing
    team_ids  the user's own teams and those above them
    """

    features: frozenset[Permission]
    reach: Mapping[tuple[Resource, Right], Reach]
    team_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """What a token leaves of its owner's access; None is no limit.

    segment_ids  the only segments; pools, leads outside these segments, and whatever is not done with
                 segments and their leads (see CONFINED) are then out of reach
    documents_only   nothing is run but registered documents
    cost_per_second  of its budget; the settings' where it is None
    fields           keys of the only master data fields it sees, asks about and edits; what would show others
                     (see FIELD_CONFINED) is then out of reach
    plan_only        its mutations are dry runs, whose plans a person applies
    """

    features: frozenset[Permission] | None = None
    segment_ids: frozenset[int] | None = None
    documents_only: bool = False
    cost_per_second: int | None = None
    fields: frozenset[str] | None = None
    plan_only: bool = False

    def within(self, outer: "TokenLimits") -> "TokenLimits":
        """These limits, none of them wider than the outer ones: a token made by means of a token."""
        return TokenLimits(
            _meet(self.features, outer.features),
            _meet(self.segment_ids, outer.segment_ids),
            self.documents_only or outer.documents_only,
            _slower(self.cost_per_second, outer.cost_per_second),
            _meet(self.fields, outer.fields),
            self.plan_only or outer.plan_only,
        )


UNLIMITED = TokenLimits()

CONFINED = frozenset(
    {
        Permission.CHANGE_LOG_VIEW,
        Permission.LEAD_EDIT,
        Permission.LEAD_VIEW,
        Permission.ORGANISATION_VIEW,
        Permission.PHONE_VIEW,
        Permission.SEGMENT_CALL,
        Permission.SEGMENT_EDIT,
        Permission.SEGMENT_VIEW,
    }
)
"""What a token that names its segments can be good for; the rest acts on the whole organisation."""

FIELD_CONFINED = frozenset(
    {
        Permission.LEAD_EDIT,
        Permission.LEAD_VIEW,
        Permission.ORGANISATION_VIEW,
        Permission.PHONE_VIEW,
        Permission.SEGMENT_CALL,
        Permission.SEGMENT_VIEW,
    }
)
"""What a token that names its fields can be good for; the rest shows or changes whole leads."""


def limited(access: Access, limits: TokenLimits) -> Access:
    """The access that is left under a token's limits; always a part of the access given."""
    features = access.features if limits.features is None else access.features & limits.features
    if limits.fields is not None:
        features &= FIELD_CONFINED
    if limits.segment_ids is None:
        return Access(features, access.reach, access.team_ids)
    features &= CONFINED
    reach: dict[tuple[Resource, Right], Reach] = {
        (resource, right): _meet(ids, limits.segment_ids)
        for (resource, right), ids in access.reach.items()
        if resource is Resource.SEGMENT
    }
    return Access(features, reach, access.team_ids)


def _slower(one: int | None, other: int | None) -> int | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


def _meet(one: frozenset[Member] | None, other: frozenset[Member] | None) -> frozenset[Member] | None:
    if one is None:
        return other
    return one if other is None else one & other


@dataclass(frozen=True, slots=True)
class Scope:
    """What one caller may do and see, at one policy revision; only `gql.authz.scope` makes one.

    team_ids  the caller's own teams and those above them
    reach     (resource, right) -> ids; a missing pair reaches nothing
    limits    those of the token it came with, for tokens made by means of it
    """

    organisation_id: int
    actor: Actor
    features: frozenset[Permission]
    team_ids: frozenset[int]
    policy_revision: int
    reach: Mapping[tuple[Resource, Right], Reach] = field(default_factory=dict)
    limits: TokenLimits = UNLIMITED

    def may(self, permission: Permission) -> bool:
        return permission in self.features

    def need(self, permission: Permission) -> None:
        """Raises Forbidden without the feature permission."""
        if permission not in self.features:
            raise Forbidden(details={"permission": permission.name})

    def need_all_segments(self) -> None:
        """Raises Forbidden with a token that names its segments."""
        if self.confined:
            raise Forbidden("A token that is limited to segments is not good for this.")

    def within(self, resource: Resource, right: Right) -> Reach:
        return self.reach.get((resource, right), NOWHERE)

    def reaches(self, resource: Resource, right: Right, object_id: int) -> bool:
        ids = self.within(resource, right)
        return ids is None or object_id in ids

    @property
    def confined(self) -> bool:
        """Whether it comes with a token that names its segments, which nothing else is in reach of."""
        return self.limits.segment_ids is not None
