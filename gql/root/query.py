"""Everything that can be read: field, type, resolver, permission, description.

Root fields are nullable: one that is refused is null beside its error, and the rest of the answer stands.
"""

import strawberry

from core.access import Permission
from gql.resolvers import (
    api_token,
    audit_log,
    calling,
    campaign,
    change_log,
    import_mapping,
    job,
    lead,
    lead_pool,
    lead_pool_view,
    lead_upload,
    membership,
    membership_explanation,
    node,
    organisation,
    pipeline,
    project,
    record_match,
    role,
    segment,
    segment_filter,
    segment_group,
    segment_overlap,
    segment_use,
    tag,
    team,
    trusted_document,
    user,
    viewer,
)
from gql.root.declare import reads, tries
from gql.schema.api_token import ApiToken
from gql.schema.audit_log import AuditLogEntry
from gql.schema.calling import CallableSegment
from gql.schema.campaign import Campaign
from gql.schema.change_log import ChangeLogEntry
from gql.schema.import_mapping import ImportMapping
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_pool import LeadPool
from gql.schema.lead_pool_view import LeadPoolView
from gql.schema.lead_upload import LeadUpload
from gql.schema.membership import MembershipChange
from gql.schema.membership_explanation import MembershipExplanation
from gql.schema.node import Node
from gql.schema.organisation import Organisation
from gql.schema.pagination import Connection
from gql.schema.pipeline import Pipeline
from gql.schema.project import Project
from gql.schema.record_match import RecordMatch
from gql.schema.role import FeaturePermissionInfo, Role
from gql.schema.segment import Segment
from gql.schema.segment_filter import RuleField, SegmentFilterPreview
from gql.schema.segment_group import SegmentGroup
from gql.schema.segment_overlap import SegmentOverlap
from gql.schema.segment_revision import FilterDifference
from gql.schema.tag import Tag
from gql.schema.team import Team
from gql.schema.trusted_document import TrustedDocument
from gql.schema.user import User
from gql.schema.viewer import Viewer


@strawberry.type(description="Everything that can be read.")
class Query:
    viewer: Viewer | None = reads(viewer.get_viewer, None, "The caller, and what they may do.")
    nodes: list[Node | None] = reads(
        node.get_nodes, None, "Several objects by their IDs, in that order; at most 200."
    )
    node: Node | None = reads(node.get_node, None, "Any object by its ID; null where it may not be seen.")
    organisation: Organisation | None = reads(
        organisation.get_organisation, Permission.ORGANISATION_VIEW, "The caller's organisation."
    )
    users: Connection[User] | None = reads(
        user.list_users, Permission.ORGANISATION_VIEW, "Users of the organisation, in order of creation."
    )
    teams: Connection[Team] | None = reads(
        team.list_teams, Permission.ORGANISATION_VIEW, "Teams of the organisation, by name."
    )
    roles: list[Role] | None = reads(
        role.list_roles, Permission.ORGANISATION_VIEW, "All roles, and what each may do."
    )
    feature_permissions: list[FeaturePermissionInfo] | None = reads(
        role.list_feature_permissions, None, "All permissions there are to grant."
    )
    api_tokens: Connection[ApiToken] | None = reads(
        api_token.list_api_tokens,
        None,
        "The caller's own tokens; everyone's for those who manage integrations.",
    )
    audit_log: Connection[AuditLogEntry] | None = reads(
        audit_log.list_audit,
        Permission.AUDIT_VIEW,
        "Administrative and denied acts, newest first.",
    )
    trusted_documents: Connection[TrustedDocument] | None = reads(
        trusted_document.list_documents,
        Permission.INTEGRATION_MANAGE,
        "Documents that are registered to be run by their hash.",
    )
    change_log: Connection[ChangeLogEntry] | None = reads(
        change_log.list_changes,
        Permission.CHANGE_LOG_VIEW,
        "Edits of objects the caller may see, newest first.",
    )
    segment_groups: Connection[SegmentGroup] | None = reads(
        segment_group.list_segment_groups,
        Permission.SEGMENT_VIEW,
        "Segment groups the caller may see, in order.",
    )
    segments: Connection[Segment] | None = reads(
        segment.list_segments,
        Permission.SEGMENT_VIEW,
        "Segments the caller may see, by the places of groups and their own.",
    )
    segments_using: list[Segment] | None = reads(
        segment_use.list_segments_using,
        Permission.SEGMENT_VIEW,
        "Segments the caller may see whose filters name something, or that belong to it.",
    )
    segment_revision_diff: list[FilterDifference] | None = reads(
        segment.compare_revisions,
        Permission.SEGMENT_VIEW,
        "What changed from one revision of a segment's filter to another; null where there is none.",
    )
    segment: Segment | None = reads(
        segment.get_segment, Permission.SEGMENT_VIEW, "One segment; null where it may not be seen."
    )
    preview_segment_filter: SegmentFilterPreview | None = tries(
        segment_filter.preview_segment_filter,
        SegmentFilterPreview,
        Permission.SEGMENT_EDIT,
        "What a filter would select and change, before it is saved.",
    )
    match_record: RecordMatch | None = tries(
        record_match.match_record,
        RecordMatch,
        Permission.SEGMENT_VIEW,
        "Which dynamic segments an unsaved record matches.",
    )
    explain_membership: MembershipExplanation | None = reads(
        membership_explanation.explain_membership,
        Permission.SEGMENT_VIEW,
        "Whether a lead is in a segment, and why: condition by condition. It needs LEAD_VIEW besides.",
    )
    segment_overlap: SegmentOverlap | None = reads(
        segment_overlap.get_segment_overlap,
        Permission.SEGMENT_VIEW,
        "How the members of several segments overlap.",
    )
    rule_fields: list[RuleField] | None = reads(
        segment_filter.list_rule_fields,
        Permission.SEGMENT_VIEW,
        "The fields rules may name, for a project or a segment, ready for react-querybuilder.",
    )
    membership_changes: Connection[MembershipChange] | None = reads(
        membership.list_membership_changes,
        Permission.SEGMENT_VIEW,
        "The membership log: who joined and left, from a cursor on.",
    )
    callable_segments: list[CallableSegment] | None = reads(
        calling.list_callable_segments,
        Permission.SEGMENT_CALL,
        "Segments the caller has the right to call, in order, and why some cannot be called now.",
    )
    projects: Connection[Project] | None = reads(
        project.list_projects, Permission.ORGANISATION_VIEW, "Projects the caller may see."
    )
    project: Project | None = reads(
        project.get_project, Permission.ORGANISATION_VIEW, "One project; null where it may not be seen."
    )
    campaigns: Connection[Campaign] | None = reads(
        campaign.list_campaigns, Permission.ORGANISATION_VIEW, "Campaigns the caller may see."
    )
    campaign: Campaign | None = reads(
        campaign.get_campaign,
        Permission.ORGANISATION_VIEW,
        "One campaign, by ID or code; null where it may not be seen.",
    )
    lead_pools: Connection[LeadPool] | None = reads(
        lead_pool.list_lead_pools, Permission.LEAD_VIEW, "Lead pools the caller may see, with their figures."
    )
    lead_pool: LeadPool | None = reads(
        lead_pool.get_lead_pool, Permission.LEAD_VIEW, "One lead pool; null where it may not be seen."
    )
    lead_pool_views: Connection[LeadPoolView] | None = reads(
        lead_pool_view.list_lead_pool_views,
        Permission.LEAD_VIEW,
        "Saved views of the list of pools: the caller's own, and those shared with them.",
    )
    lead_upload: LeadUpload | None = reads(
        lead_upload.get_lead_upload,
        Permission.LEAD_IMPORT,
        "One upload with its columns and suggested mapping; null where there is none.",
    )
    leads: Connection[Lead] | None = reads(
        lead.list_leads,
        Permission.LEAD_VIEW,
        "Leads the caller may see: by conditions, by a rule, by search, in any order.",
    )
    lead: Lead | None = reads(lead.get_lead, Permission.LEAD_VIEW, "One lead; null where it may not be seen.")
    tags: Connection[Tag] | None = reads(
        tag.list_tags, Permission.LEAD_VIEW, "Tags of leads the caller sees, by name."
    )
    pipelines: Connection[Pipeline] | None = reads(
        pipeline.list_pipelines,
        Permission.LEAD_VIEW,
        "Pipelines of projects the caller sees, in their order.",
    )
    import_mappings: Connection[ImportMapping] | None = reads(
        import_mapping.list_import_mappings,
        Permission.LEAD_IMPORT,
        "Saved mappings of the projects the caller may see, by name.",
    )
    jobs: Connection[Job] | None = reads(
        job.list_jobs, None, "Jobs the caller asked for or may see, newest first."
    )
    job: Job | None = reads(job.get_job, None, "One job; null where it may not be seen.")
