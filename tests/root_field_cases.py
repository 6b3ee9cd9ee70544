"""Arguments for every root field that takes an object's ID or that cannot be asked without arguments.

`Of("Segment")` stands for the ID of a segment: the one that `tests.two_houses` made in the caller's own
organisation, its twin in the other one, or one that does not exist. A field without a case fails by name.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Of:
    """An object of a noun, in whichever house is asked about."""

    noun: str


def given(**fields: Any) -> dict[str, Any]:
    """The arguments of a mutation."""
    return {"input": fields}


def chosen(noun: str) -> dict[str, Any]:
    return {"ids": [Of(noun)]}


FILTER = {"campaignIds": [Of("Campaign")]}
MANY_LEADS = {"selection": chosen("Lead")}
OPEN_TO_ALL = {"to": [], "everyone": True}

QUERIES: dict[str, dict[str, Any]] = {
    "auditLog": {"userId": Of("User")},
    "campaign": {"id": Of("Campaign")},
    "campaigns": {"where": {"projectId": Of("Project")}},
    "changeLog": {"objectId": Of("Segment")},
    "explainMembership": {"segmentId": Of("Segment"), "leadId": Of("Lead")},
    "importMappings": {"campaignId": Of("Campaign")},
    "job": {"id": Of("Job")},
    "lead": {"id": Of("Lead")},
    "leadPool": {"id": Of("LeadPool")},
    "leadPools": {"where": {"campaignIds": [Of("Campaign")]}},
    "leads": {"where": {"leadPoolId": Of("LeadPool")}},
    "leadUpload": {"id": Of("LeadUpload")},
    "matchRecord": given(campaignId=Of("Campaign"), values={"phone": "+12025550150"}),
    "membershipChanges": {"segmentIds": [Of("Segment")]},
    "node": {"id": Of("Lead")},
    "nodes": {"ids": [Of("Segment"), Of("User")]},
    "pipelines": {"projectId": Of("Project")},
    "previewSegmentFilter": {"filter": FILTER, "projectId": Of("Project")},
    "project": {"id": Of("Project")},
    "ruleFields": {"segmentId": Of("Segment")},
    "segment": {"id": Of("Segment")},
    "segmentGroups": {"projectId": Of("Project")},
    "segmentOverlap": {"segmentIds": [Of("Segment"), Of("SecondSegment")]},
    "segmentRevisionDiff": {"segmentId": Of("Segment"), "fromRevision": 1, "toRevision": 1},
    "segments": {"groupId": Of("SegmentGroup")},
    "segmentsUsing": {"of": {"campaignId": Of("Campaign")}},
    "users": {"teamId": Of("Team")},
}

MUTATIONS: dict[str, dict[str, Any]] = {
    "activateLeadPools": given(ids=[Of("LeadPool")]),
    "addLeadsToSegments": given(segmentIds=[Of("Segment")], leadIds=[Of("SecondLead")]),
    "applyPlan": given(planId=Of("Plan")),
    "archiveCampaign": given(id=Of("Campaign")),
    "cancelJob": given(id=Of("Job")),
    "cloneLead": given(id=Of("Lead"), campaignId=Of("SecondCampaign")),
    "copyLeadPoolView": given(id=Of("LeadPoolView"), name="Copy"),
    "copySegment": given(id=Of("Segment"), name="Copy", confirm=True),
    "createApiToken": given(name="T", userId=Of("User")),
    "createCampaign": given(
        projectId=Of("Project"), code="N", name="N", region="US", fields=[{"key": "phone", "type": "PHONE"}]
    ),
    "createLead": given(campaignId=Of("Campaign"), values=[{"key": "phone", "value": "+12025550199"}]),
    "createLeadPool": given(campaignId=Of("Campaign"), name="N"),
    "createLeadUpload": given(
        campaignId=Of("Campaign"), fileName="a.csv", settings={"duplicateField": "phone"}
    ),
    "createPipeline": given(projectId=Of("Project"), name="N", stages=["One"]),
    "createProject": given(name="N"),
    "createSegment": given(groupId=Of("SegmentGroup"), name="N"),
    "createSegmentGroup": given(projectId=Of("Project"), name="N"),
    "createTeam": given(name="N", parentId=Of("Team")),
    "createUser": given(email="new@acme.example", name="N", roles=["AGENT"], teamIds=[Of("Team")]),
    "deactivateLeadPools": given(ids=[Of("LeadPool")]),
    "deactivateUser": given(id=Of("User")),
    "deleteImportMapping": given(id=Of("ImportMapping")),
    "deleteLead": given(id=Of("SecondLead"), confirm=True),
    "deleteLeadPools": given(ids=[Of("LeadPool")], confirm=True),
    "deleteLeadPoolView": given(id=Of("LeadPoolView")),
    "deletePipeline": given(id=Of("Pipeline")),
    "deleteSegment": given(id=Of("Segment"), confirm=True),
    "deleteSegmentGroup": given(id=Of("SegmentGroup"), deleteSegments=True, confirm=True),
    "deleteTag": given(id=Of("Tag")),
    "deleteTeam": given(id=Of("Team")),
    "emptySegment": given(segmentId=Of("Segment"), confirm=True),
    "endCallSession": given(sessionId=Of("CallSession")),
    "exportLeadPool": given(id=Of("LeadPool")),
    "exportSegment": given(id=Of("Segment")),
    "grantPermission": given(permission="LEAD_VIEW", to={"teamId": Of("Team")}),
    "importIntoSegment": given(uploadId=Of("SecondLeadUpload"), segmentId=Of("Segment")),
    "importLeads": given(uploadId=Of("SecondLeadUpload")),
    "moveSegment": given(id=Of("Segment"), groupId=Of("SegmentGroup")),
    "moveSegmentGroup": given(id=Of("SegmentGroup"), position=1),
    "pushLeads": given(campaignId=Of("Campaign"), rows=[{"values": {"phone": "+12025550198"}}]),
    "recordCall": given(sessionId=Of("CallSession"), leadId=Of("HeldLead"), resultKey="no_answer"),
    "recordTouch": given(leadId=Of("Lead"), channel="CALL", kind="MANUAL", note="N"),
    "registerDocument": given(document="{ viewer { __typename } }", name="N"),
    "releaseLead": given(sessionId=Of("CallSession"), leadId=Of("HeldLead")),
    "releaseLeads": given(segmentId=Of("Segment"), leadIds=[Of("Lead")]),
    "removeLeadsFromSegment": given(segmentId=Of("Segment"), leadIds=[Of("Lead")]),
    "renameTag": given(id=Of("Tag"), label="new"),
    "restoreSegmentFilter": given(segmentId=Of("Segment"), revision=1, mode="ADD"),
    "resumeJob": given(id=Of("Job")),
    "revokeApiToken": given(id=Of("ApiToken")),
    "revokePermission": given(permission="LEAD_VIEW", **{"from": {"teamId": Of("Team")}}),
    "saveImportMapping": given(
        campaignId=Of("Campaign"), name="N", mapping=[{"column": "Phone", "field": "phone"}]
    ),
    "saveLeadPoolView": given(id=Of("LeadPoolView"), name="N"),
    "saveSegmentFilter": given(segmentId=Of("Segment"), filter=FILTER, mode="ADD"),
    "setLeadPoolAccess": given(leadPoolId=Of("LeadPool"), access=[]),
    "setPassword": given(userId=Of("User"), newPassword="correct horse battery"),
    "setPipelineStage": given(
        **MANY_LEADS, pipelineId=Of("Pipeline"), stageId=Of("PipelineStage"), mode="ATOMIC"
    ),
    "setRoles": given(userId=Of("User"), roles=["MANAGER"]),
    "setSegmentAccess": given(segmentId=Of("Segment"), access=[]),
    "shareLeadPoolView": given(id=Of("LeadPoolView"), **OPEN_TO_ALL),
    "shuffleLeadPools": given(ids=[Of("LeadPool")], seed="s"),
    "signIn": given(email="admin@acme.example", password="wrong", organisation="Acme"),
    "starLeadPoolView": given(id=Of("LeadPoolView"), starred=True),
    "startCallSession": given(segmentIds=[Of("SecondSegment")]),
    "tagLeads": given(**MANY_LEADS, labels=["vip"], mode="ATOMIC"),
    "takeNextLead": given(sessionId=Of("CallSession")),
    "undoChangeset": given(changeset=Of("ChangeLogEntry")),
    "unregisterDocument": given(id=Of("TrustedDocument")),
    "untagLeads": given(**MANY_LEADS, labels=["vip"], mode="ATOMIC"),
    "updateCampaign": given(id=Of("Campaign"), name="X"),
    "updateLead": given(id=Of("Lead"), priority=3),
    "updateLeadPool": given(id=Of("LeadPool"), name="X"),
    "updateLeads": given(**MANY_LEADS, changes={"priority": 3}, mode="ATOMIC"),
    "updateLeadUpload": given(id=Of("LeadUpload"), mapping=[{"column": "Phone", "field": "phone"}]),
    "updatePipeline": given(id=Of("Pipeline"), name="X"),
    "updateProject": given(id=Of("Project"), name="X"),
    "updateSegment": given(id=Of("Segment"), name="X"),
    "updateSegmentGroup": given(id=Of("SegmentGroup"), name="X"),
    "updateSegmentMembers": given(segmentId=Of("Segment"), mode="ADD"),
    "updateTeam": given(id=Of("Team"), name="X"),
    "updateUser": given(id=Of("User"), name="X"),
}

SUBSCRIPTIONS: dict[str, dict[str, Any]] = {
    "jobProgressed": {"id": Of("Job")},
    "segmentCountersChanged": {"segmentIds": [Of("Segment")]},
    "segmentMembershipChanged": {"segmentIds": [Of("Segment")]},
}

REFUSED = {
    "deleteSegmentGroup": "IN_USE",
    "deleteTag": "IN_USE",
    "resumeJob": "CONFLICT",
    "signIn": "UNAUTHENTICATED",
}
"""What an administrator is told of their own object where the case is one of refusal."""

CASES = {**QUERIES, **MUTATIONS, **SUBSCRIPTIONS}
