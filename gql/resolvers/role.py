"""Roles, and the feature permissions they and others have."""

from core.access import FEATURES
from db.commands.grant import grant_permission as grant
from db.commands.grant import revoke_permission as revoke
from db.queries.policy import role_permissions
from gql.context import Info
from gql.schema.role import (
    FeaturePermissionInfo,
    GrantPermissionInput,
    PermissionPayload,
    RevokePermissionInput,
    Role,
)


async def list_roles(info: Info) -> list[Role]:
    async with info.context.database.reading() as session:
        found = await role_permissions(session, info.context.scope)
    return [Role(name=name, permissions=permissions) for name, permissions in found.items()]


async def list_feature_permissions(info: Info) -> list[FeaturePermissionInfo]:
    return [FeaturePermissionInfo.from_core(feature) for feature in FEATURES]


async def grant_permission(info: Info, input: GrantPermissionInput) -> PermissionPayload:
    context = info.context
    subject = input.to.to_core(context.scope, ["input", "to"])
    async with context.writing() as (session, scope):
        await grant(session, scope, subject, input.permission, now=context.now)
    return PermissionPayload(roles=await list_roles(info))


async def revoke_permission(info: Info, input: RevokePermissionInput) -> PermissionPayload:
    context = info.context
    subject = input.of.to_core(context.scope, ["input", "from"])
    async with context.writing() as (session, scope):
        await revoke(session, scope, subject, input.permission, now=context.now)
    return PermissionPayload(roles=await list_roles(info))
