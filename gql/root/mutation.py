"""Everything that can be changed: field, type, resolver, payload, permission, description.

Root fields are nullable: one that is refused is null beside its error, and what the others did is still told.
"""

import strawberry

from core.access import Permission
from gql.resolvers import (
    access,
    api_token,
    calling,
    campaign,
    changeset,
    import_mapping,
    job,
    lead_upload,
    plan,
    project,
    role,
    segment,
    segment_by_hand,
    segment_export,
    segment_group,
    segment_import,
    segment_member,
    session,
    team,
    trusted_document,
    user,
)
from gql.root.declare import admits, changes, ends
from gql.root.lead_mutation import LeadMutation
from gql.schema.access_change import LeadPoolAccessPayload, SegmentAccessPayload
from gql.schema.api_token import ApiTokenPayload, CreateApiTokenPayload
from gql.schema.calling import CallSessionPayload, RecordCallPayload, ReleaseLeadPayload, TakeNextLeadPayload
from gql.schema.campaign import CampaignPayload
from gql.schema.changeset import UndoChangesetPayload
from gql.schema.import_mapping import DeleteImportMappingPayload, ImportMappingPayload
from gql.schema.job import JobPayload
from gql.schema.lead_upload import ImportLeadsPayload, LeadUploadPayload
from gql.schema.plan_change import ApplyPlanPayload
from gql.schema.project import ProjectPayload
from gql.schema.role import PermissionPayload
from gql.schema.segment_change import CopySegmentPayload, DeleteSegmentPayload, SegmentPayload
from gql.schema.segment_export import ExportSegmentPayload
from gql.schema.segment_group import DeleteSegmentGroupPayload, SegmentGroupPayload
from gql.schema.segment_import import ImportIntoSegmentPayload
from gql.schema.segment_member import AddLeadsToSegmentsPayload, SegmentMembersPayload
from gql.schema.session import SignInPayload, SignOutPayload
from gql.schema.team import DeleteTeamPayload, TeamPayload
from gql.schema.trusted_document import RegisterDocumentPayload, UnregisterDocumentPayload
from gql.schema.user import UserPayload


@strawberry.type(description="Everything that can be changed.")
class Mutation(LeadMutation):
    create_user: UserPayload | None = changes(
        user.create_user, UserPayload, Permission.USER_MANAGE, "Creates a user."
    )
    update_user: UserPayload | None = changes(
        user.update_user, UserPayload, Permission.USER_MANAGE, "Changes a user's name, address or teams."
    )
    deactivate_user: UserPayload | None = changes(
        user.deactivate_user,
        UserPayload,
        Permission.USER_MANAGE,
        "Shuts a user out; their tokens stop working at once.",
    )
    set_roles: UserPayload | None = changes(
        user.set_roles, UserPayload, Permission.USER_MANAGE, "Replaces the roles of a user."
    )
    create_team: TeamPayload | None = changes(
        team.create_team, TeamPayload, Permission.USER_MANAGE, "Creates a team."
    )
    update_team: TeamPayload | None = changes(
        team.update_team, TeamPayload, Permission.USER_MANAGE, "Renames a team, or moves it below another."
    )
    delete_team: DeleteTeamPayload | None = changes(
        team.delete_team,
        DeleteTeamPayload,
        Permission.USER_MANAGE,
        "Deletes a team, with all that was granted to it.",
    )
    grant_permission: PermissionPayload | None = changes(
        role.grant_permission,
        PermissionPayload,
        Permission.USER_MANAGE,
        "Gives a role, team or user a feature permission.",
    )
    revoke_permission: PermissionPayload | None = changes(
        role.revoke_permission,
        PermissionPayload,
        Permission.USER_MANAGE,
        "Takes a feature permission from a role, team or user.",
    )
    sign_in: SignInPayload | None = admits(
        session.sign_in, SignInPayload, "Begins a session of a user, with their password."
    )
    sign_out: SignOutPayload | None = ends(
        session.sign_out, SignOutPayload, "Ends the token it is asked with, at once."
    )
    set_password: UserPayload | None = changes(
        session.set_password,
        UserPayload,
        None,
        "Sets the caller's password, or resets another's for those who manage users.",
    )
    register_document: RegisterDocumentPayload | None = changes(
        trusted_document.register_document,
        RegisterDocumentPayload,
        Permission.INTEGRATION_MANAGE,
        "Registers a document, to be run by its hash.",
    )
    unregister_document: UnregisterDocumentPayload | None = changes(
        trusted_document.unregister_document,
        UnregisterDocumentPayload,
        Permission.INTEGRATION_MANAGE,
        "Forgets a registered document.",
    )
    create_api_token: CreateApiTokenPayload | None = changes(
        api_token.create_api_token,
        CreateApiTokenPayload,
        None,
        "Makes a token of the caller, or of another user for those who manage users and integrations.",
    )
    revoke_api_token: ApiTokenPayload | None = changes(
        api_token.revoke_api_token,
        ApiTokenPayload,
        None,
        "Ends one of the caller's tokens, or anyone's for those who manage integrations.",
    )
    set_segment_access: SegmentAccessPayload | None = changes(
        access.set_segment_access,
        SegmentAccessPayload,
        Permission.ACCESS_EDIT,
        "Says anew which teams and users have rights of their own on a segment.",
    )
    set_lead_pool_access: LeadPoolAccessPayload | None = changes(
        access.set_lead_pool_access,
        LeadPoolAccessPayload,
        Permission.ACCESS_EDIT,
        "Says anew which teams and users have rights of their own on a lead pool.",
    )
    create_segment_group: SegmentGroupPayload | None = changes(
        segment_group.create_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Creates a group, last in the order.",
    )
    update_segment_group: SegmentGroupPayload | None = changes(
        segment_group.update_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Changes the settings of a group.",
    )
    move_segment_group: SegmentGroupPayload | None = changes(
        segment_group.move_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Gives a group another place in the order.",
    )
    delete_segment_group: DeleteSegmentGroupPayload | None = changes(
        segment_group.delete_segment_group,
        DeleteSegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Deletes a group; its segments move to another one, or go with it.",
    )
    create_segment: SegmentPayload | None = changes(
        segment.create_segment,
        SegmentPayload,
        Permission.SEGMENT_EDIT,
        "Creates a segment without members, last in its group.",
    )
    export_segment: ExportSegmentPayload | None = changes(
        segment_export.export_segment,
        ExportSegmentPayload,
        Permission.LEAD_EXPORT,
        "Makes a short-lived path to a segment's members as CSV.",
    )
    update_segment: SegmentPayload | None = changes(
        segment.update_segment, SegmentPayload, Permission.SEGMENT_EDIT, "Changes the settings of a segment."
    )
    move_segment: SegmentPayload | None = changes(
        segment.move_segment,
        SegmentPayload,
        Permission.SEGMENT_EDIT,
        "Gives a segment another place in its group, or in another one.",
    )
    copy_segment: CopySegmentPayload | None = changes(
        segment.copy_segment,
        CopySegmentPayload,
        Permission.SEGMENT_EDIT,
        "Copies settings and rules of a segment; the copy has no members.",
    )
    delete_segment: DeleteSegmentPayload | None = changes(
        segment.delete_segment,
        DeleteSegmentPayload,
        Permission.SEGMENT_EDIT,
        "Deletes a segment with its members; the leads stay.",
    )
    save_segment_filter: SegmentMembersPayload | None = changes(
        segment_member.save_segment_filter,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Saves a filter as a new revision, and adds who matches or replaces who no longer does.",
    )
    restore_segment_filter: SegmentMembersPayload | None = changes(
        segment_member.restore_segment_filter,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Saves the filter of an earlier revision again, as a new one.",
    )
    update_segment_members: SegmentMembersPayload | None = changes(
        segment_member.update_segment_members,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Applies the saved filter anew.",
    )
    add_leads_to_segments: AddLeadsToSegmentsPayload | None = changes(
        segment_by_hand.add_leads_to_segments,
        AddLeadsToSegmentsPayload,
        Permission.SEGMENT_EDIT,
        "Puts leads into segments by hand; rules do not make them leave.",
    )
    remove_leads_from_segment: SegmentMembersPayload | None = changes(
        segment_by_hand.remove_leads_from_segment,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Takes leads out of a segment, or of several, by hand; rules do not put them back.",
    )
    release_leads: SegmentMembersPayload | None = changes(
        segment_by_hand.release_leads,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Takes back what was decided about leads by hand: from the next update on rules decide again.",
    )
    apply_plan: ApplyPlanPayload | None = changes(
        plan.apply_plan,
        ApplyPlanPayload,
        Permission.SEGMENT_EDIT,
        "Does what a plan says, by whoever may do it, if nothing moved since it was made.",
    )
    empty_segment: SegmentMembersPayload | None = changes(
        segment_by_hand.empty_segment,
        SegmentMembersPayload,
        Permission.SEGMENT_EDIT,
        "Lets every member of a segment go.",
    )
    start_call_session: CallSessionPayload | None = changes(
        calling.start_call_session,
        CallSessionPayload,
        Permission.SEGMENT_CALL,
        "Starts calling segments, campaigns, or segments within campaigns.",
    )
    take_next_lead: TakeNextLeadPayload | None = changes(
        calling.take_next_lead,
        TakeNextLeadPayload,
        Permission.SEGMENT_CALL,
        "Hands the caller the next lead, which is nobody else's until the lease ends.",
    )
    record_call: RecordCallPayload | None = changes(
        calling.record_call,
        RecordCallPayload,
        Permission.SEGMENT_CALL,
        "Records the result of a call; whoever holds the lead may.",
    )
    release_lead: ReleaseLeadPayload | None = changes(
        calling.release_lead,
        ReleaseLeadPayload,
        Permission.SEGMENT_CALL,
        "Hands a lead back without a call.",
    )
    end_call_session: CallSessionPayload | None = changes(
        calling.end_call_session,
        CallSessionPayload,
        Permission.SEGMENT_CALL,
        "Ends a session; a lead it holds is free again.",
    )
    create_project: ProjectPayload | None = changes(
        project.create_project, ProjectPayload, Permission.CAMPAIGN_MANAGE, "Creates a project."
    )
    update_project: ProjectPayload | None = changes(
        project.update_project,
        ProjectPayload,
        Permission.CAMPAIGN_MANAGE,
        "Changes a project, archives it or brings it back.",
    )
    create_campaign: CampaignPayload | None = changes(
        campaign.create_campaign,
        CampaignPayload,
        Permission.CAMPAIGN_MANAGE,
        "Creates a campaign with its template and results.",
    )
    update_campaign: CampaignPayload | None = changes(
        campaign.update_campaign,
        CampaignPayload,
        Permission.CAMPAIGN_MANAGE,
        "Changes a campaign, its template's fields or its results.",
    )
    archive_campaign: CampaignPayload | None = changes(
        campaign.archive_campaign,
        CampaignPayload,
        Permission.CAMPAIGN_MANAGE,
        "Takes a campaign out of use; its leads and history stay.",
    )
    create_lead_upload: LeadUploadPayload | None = changes(
        lead_upload.create_lead_upload,
        LeadUploadPayload,
        Permission.LEAD_IMPORT,
        "Announces a file of leads; its bytes go to the upload's `url` with PUT.",
    )
    update_lead_upload: LeadUploadPayload | None = changes(
        lead_upload.update_lead_upload,
        LeadUploadPayload,
        Permission.LEAD_IMPORT,
        "Changes settings, mapping or dialect of an upload until it is imported.",
    )
    import_leads: ImportLeadsPayload | None = changes(
        lead_upload.import_leads,
        ImportLeadsPayload,
        Permission.LEAD_IMPORT,
        "Begins the import of an upload; follow it with `jobProgressed`.",
    )
    import_into_segment: ImportIntoSegmentPayload | None = changes(
        segment_import.import_into_segment,
        ImportIntoSegmentPayload,
        Permission.LEAD_IMPORT,
        "Imports an upload straight into a segment: rows match leads that are there, others are created. It "
        f"needs `{Permission.SEGMENT_EDIT.name}` too, and the right to edit the segment.",
    )
    cancel_job: JobPayload | None = changes(
        job.cancel_job, JobPayload, None, "Stops a job; what it has done so far stays."
    )
    resume_job: JobPayload | None = changes(
        job.resume_job,
        JobPayload,
        None,
        "Has a job that was cancelled or has failed go on where it stopped.",
    )
    undo_changeset: UndoChangesetPayload | None = changes(
        changeset.undo_changeset,
        UndoChangesetPayload,
        None,
        "Takes back an import, or what was done to members of segments, save for what has moved since; "
        "it needs the permissions of what it takes back.",
    )
    save_import_mapping: ImportMappingPayload | None = changes(
        import_mapping.save_import_mapping,
        ImportMappingPayload,
        Permission.LEAD_IMPORT,
        "Keeps a mapping under a name, for files that come again; `updateLeadUpload` takes it.",
    )
    delete_import_mapping: DeleteImportMappingPayload | None = changes(
        import_mapping.delete_import_mapping,
        DeleteImportMappingPayload,
        Permission.LEAD_IMPORT,
        "Forgets a saved mapping.",
    )
