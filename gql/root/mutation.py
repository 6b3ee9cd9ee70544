"""Everything that can be changed: field, type, resolver, payload, permission, description."""

import strawberry

from core.access import Permission
from gql.resolvers import access, api_token, role, segment, segment_group, team, user
from gql.root.declare import changes
from gql.schema.access import AccessPayload
from gql.schema.api_token import ApiTokenPayload, CreateApiTokenPayload
from gql.schema.role import PermissionPayload
from gql.schema.segment import (
    AddLeadsToSegmentsPayload,
    DeleteSegmentPayload,
    SegmentMembersPayload,
    SegmentPayload,
)
from gql.schema.segment_group import DeleteSegmentGroupPayload, SegmentGroupPayload
from gql.schema.team import DeleteTeamPayload, TeamPayload
from gql.schema.user import UserPayload


@strawberry.type(description="Everything that can be changed.")
class Mutation:
    create_user: UserPayload = changes(
        user.create_user, UserPayload, Permission.USER_MANAGE, "Creates a user."
    )
    update_user: UserPayload = changes(
        user.update_user, UserPayload, Permission.USER_MANAGE, "Changes a user's name, address or teams."
    )
    deactivate_user: UserPayload = changes(
        user.deactivate_user,
        UserPayload,
        Permission.USER_MANAGE,
        "Shuts a user out; their tokens stop working at once.",
    )
    set_roles: UserPayload = changes(
        user.set_roles, UserPayload, Permission.USER_MANAGE, "Replaces the roles of a user."
    )
    create_team: TeamPayload = changes(
        team.create_team, TeamPayload, Permission.USER_MANAGE, "Creates a team."
    )
    update_team: TeamPayload = changes(
        team.update_team, TeamPayload, Permission.USER_MANAGE, "Renames a team, or moves it below another."
    )
    delete_team: DeleteTeamPayload = changes(
        team.delete_team,
        DeleteTeamPayload,
        Permission.USER_MANAGE,
        "Deletes a team, with all that was granted to it.",
    )
    grant_permission: PermissionPayload = changes(
        role.grant_permission,
        PermissionPayload,
        Permission.USER_MANAGE,
        "Gives a role, team or user a feature permission.",
    )
    revoke_permission: PermissionPayload = changes(
        role.revoke_permission,
        PermissionPayload,
        Permission.USER_MANAGE,
        "Takes a feature permission from a role, team or user.",
    )
    create_api_token: CreateApiTokenPayload = changes(
        api_token.create_api_token,
        CreateApiTokenPayload,
        None,
        "Makes a token of the caller, or of another user for those who manage users and integrations.",
    )
    revoke_api_token: ApiTokenPayload = changes(
        api_token.revoke_api_token,
        ApiTokenPayload,
        None,
        "Ends one of the caller's tokens, or anyone's for those who manage integrations.",
    )
    set_segment_access: AccessPayload = changes(
        access.set_segment_access,
        AccessPayload,
        Permission.ACCESS_EDIT,
        "Says anew which teams and users have rights of their own on a segment.",
    )
    set_lead_pool_access: AccessPayload = changes(
        access.set_lead_pool_access,
        AccessPayload,
        Permission.ACCESS_EDIT,
        "Says anew which teams and users have rights of their own on a lead pool.",
    )
    create_segment_group: SegmentGroupPayload = changes(
        segment_group.create_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Creates a group, last in the order.",
    )
    update_segment_group: SegmentGroupPayload = changes(
        segment_group.update_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Changes the settings or the place of a group.",
    )
    delete_segment_group: DeleteSegmentGroupPayload = changes(
        segment_group.delete_segment_group,
        DeleteSegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Deletes an empty group.",
    )
    create_segment: SegmentPayload = changes(
        segment.create_segment,
        SegmentPayload,
        Permission.SEGMENT_EDIT,
        "Creates a segment without members, last in its group.",
    )
    update_segment: SegmentPayload = changes(
        segment.update_segment, SegmentPayload, Permission.SEGMENT_EDIT, "Changes the settings of a segment."
    )
    delete_segment: DeleteSegmentPayload = changes(
        segment.delete_segment,
        DeleteSegmentPayload,
        Permission.SEGMENT_EDIT,
        "Deletes a segment with its members; the leads stay.",
    )
    save_segment_filter: SegmentMembersPayload = changes(
        segment.save_segment_filter,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Saves a filter as a new revision, and adds who matches or replaces who no longer does.",
    )
    update_segment_members: SegmentMembersPayload = changes(
        segment.update_segment_members,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Applies the saved filter anew.",
    )
    add_leads_to_segments: AddLeadsToSegmentsPayload = changes(
        segment.add_leads_to_segments,
        AddLeadsToSegmentsPayload,
        Permission.SEGMENT_EDIT,
        "Puts leads into segments by hand; rules do not make them leave.",
    )
    remove_leads_from_segment: SegmentMembersPayload = changes(
        segment.remove_leads_from_segment,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Takes leads out of a segment by hand; rules do not put them back.",
    )
    empty_segment: SegmentMembersPayload = changes(
        segment.empty_segment,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Lets every member of a segment go.",
    )
