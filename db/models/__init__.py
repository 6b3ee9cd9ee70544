"""The tables; importing this package registers all of them."""

from db.models.access import ApiToken, CasbinRule, Team, User, UserPassword
from db.models.audit_log import AuditLog
from db.models.calling import Call, CallSession
from db.models.campaign import Campaign, CampaignResult, FieldDefinition, Project, Template, TemplateField
from db.models.change_log import ChangeLog
from db.models.job import Job
from db.models.lead import Lead, LeadSlots
from db.models.lead_change import Automation, LeadChange
from db.models.lead_count import CallCount, LeadCount
from db.models.lead_pool import ImportEffect, ImportMapping, ImportRow, LeadPool, LeadUpload
from db.models.lead_pool_view import LeadPoolView, LeadPoolViewShare, LeadPoolViewStar
from db.models.organisation import IdBlock, Organisation
from db.models.owner_team import OwnerTeam, OwnerTeamSet
from db.models.pipeline import LeadStage, Pipeline, PipelineStage
from db.models.plan import Plan
from db.models.segment import (
    MembershipLog,
    MembershipUndo,
    Segment,
    SegmentDeletion,
    SegmentGoal,
    SegmentGoalLead,
    SegmentGroup,
    SegmentMember,
    SegmentRevision,
)
from db.models.tag import LeadTag, Tag
from db.models.touch import Touch
from db.models.trusted_document import TrustedDocument

__all__ = [
    "ApiToken",
    "AuditLog",
    "Automation",
    "Call",
    "CallCount",
    "CallSession",
    "Campaign",
    "CampaignResult",
    "CasbinRule",
    "ChangeLog",
    "FieldDefinition",
    "IdBlock",
    "ImportEffect",
    "ImportMapping",
    "ImportRow",
    "Job",
    "Lead",
    "LeadChange",
    "LeadCount",
    "LeadPool",
    "LeadPoolView",
    "LeadPoolViewShare",
    "LeadPoolViewStar",
    "LeadSlots",
    "LeadStage",
    "LeadTag",
    "LeadUpload",
    "MembershipLog",
    "MembershipUndo",
    "Organisation",
    "OwnerTeam",
    "OwnerTeamSet",
    "Pipeline",
    "PipelineStage",
    "Plan",
    "Project",
    "Segment",
    "SegmentGoal",
    "SegmentGoalLead",
    "SegmentDeletion",
    "SegmentGroup",
    "SegmentMember",
    "SegmentRevision",
    "Tag",
    "Team",
    "Template",
    "TemplateField",
    "Touch",
    "TrustedDocument",
    "User",
    "UserPassword",
]
