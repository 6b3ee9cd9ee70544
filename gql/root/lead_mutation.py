"""What can be changed of leads, tags, pipelines and lead pools: a part of the mutations."""

import strawberry

from core.access import Permission
from gql.resolvers import lead_edit, lead_entry, lead_many, lead_pool, lead_pool_view, pipeline, tag, touch
from gql.root.declare import changes
from gql.schema.lead_edit import DeleteLeadPayload, LeadPayload
from gql.schema.lead_entry import CreateLeadPayload, PushLeadsPayload
from gql.schema.lead_many import LeadsPayload
from gql.schema.lead_pool_change import (
    DeleteLeadPoolsPayload,
    ExportLeadPoolPayload,
    LeadPoolPayload,
    LeadPoolsPayload,
    ShuffleLeadPoolsPayload,
)
from gql.schema.lead_pool_view import DeleteLeadPoolViewPayload, LeadPoolViewPayload
from gql.schema.pipeline import DeletePipelinePayload, PipelinePayload
from gql.schema.tag import DeleteTagPayload, TagPayload
from gql.schema.touch import TouchPayload


@strawberry.type(description="What can be changed of leads, their tags and pipelines, and lead pools.")
class LeadMutation:
    create_lead: CreateLeadPayload | None = changes(
        lead_entry.create_lead,
        CreateLeadPayload,
        Permission.LEAD_IMPORT,
        "Enters a lead by hand; without a pool it goes to the campaign's standing pool.",
    )
    push_leads: PushLeadsPayload | None = changes(
        lead_entry.push_leads,
        PushLeadsPayload,
        Permission.LEAD_IMPORT,
        "Imports up to 1,000 leads that a program sends, as a file's rows would be, and answers for each.",
    )
    update_lead: LeadPayload | None = changes(
        lead_edit.update_lead,
        LeadPayload,
        Permission.LEAD_EDIT,
        "Changes a lead; its values are checked by the campaign's template.",
    )
    update_leads: LeadsPayload | None = changes(
        lead_many.update_leads,
        LeadsPayload,
        Permission.LEAD_EDIT,
        "Changes many leads alike: up to 200 at once, more by a job.",
    )
    clone_lead: CreateLeadPayload | None = changes(
        lead_entry.clone_lead,
        CreateLeadPayload,
        Permission.LEAD_EDIT,
        "Puts a lead into another campaign as well; the two share their master data.",
    )
    delete_lead: DeleteLeadPayload | None = changes(
        lead_edit.delete_lead,
        DeleteLeadPayload,
        Permission.LEAD_EDIT,
        "Deletes a lead; a master with clones stays.",
    )
    tag_leads: LeadsPayload | None = changes(
        lead_many.tag_leads,
        LeadsPayload,
        Permission.LEAD_VIEW,
        "Puts labels on leads: up to 200 at once, more by a job.",
    )
    untag_leads: LeadsPayload | None = changes(
        lead_many.untag_leads,
        LeadsPayload,
        Permission.LEAD_VIEW,
        "Takes labels off leads: up to 200 at once, more by a job.",
    )
    rename_tag: TagPayload | None = changes(
        tag.rename_tag, TagPayload, Permission.CAMPAIGN_MANAGE, "Gives a tag another label."
    )
    delete_tag: DeleteTagPayload | None = changes(
        tag.delete_tag, DeleteTagPayload, Permission.CAMPAIGN_MANAGE, "Deletes a tag that no lead carries."
    )
    record_touch: TouchPayload | None = changes(
        touch.record_touch,
        TouchPayload,
        Permission.LEAD_VIEW,
        "Records a contact with a lead that was not a call made here.",
    )
    create_pipeline: PipelinePayload | None = changes(
        pipeline.create_pipeline,
        PipelinePayload,
        Permission.CAMPAIGN_MANAGE,
        "Creates a pipeline with its stages.",
    )
    update_pipeline: PipelinePayload | None = changes(
        pipeline.update_pipeline,
        PipelinePayload,
        Permission.CAMPAIGN_MANAGE,
        "Changes a pipeline: its name, its place, its stages and their order.",
    )
    delete_pipeline: DeletePipelinePayload | None = changes(
        pipeline.delete_pipeline,
        DeletePipelinePayload,
        Permission.CAMPAIGN_MANAGE,
        "Deletes a pipeline that no lead is in.",
    )
    set_pipeline_stage: LeadsPayload | None = changes(
        lead_many.set_pipeline_stage,
        LeadsPayload,
        Permission.LEAD_EDIT,
        "Moves leads to a stage of a pipeline, or out of it: up to 200 at once, more by a job.",
    )
    create_lead_pool: LeadPoolPayload | None = changes(
        lead_pool.create_lead_pool,
        LeadPoolPayload,
        Permission.LEAD_POOL_MANAGE,
        "Creates an empty pool for leads entered by hand.",
    )
    update_lead_pool: LeadPoolPayload | None = changes(
        lead_pool.update_lead_pool,
        LeadPoolPayload,
        Permission.LEAD_POOL_MANAGE,
        "Changes name, description, priority or active dates of a pool.",
    )
    activate_lead_pools: LeadPoolsPayload | None = changes(
        lead_pool.activate_lead_pools,
        LeadPoolsPayload,
        Permission.LEAD_POOL_MANAGE,
        "Makes pools active: their leads are called.",
    )
    deactivate_lead_pools: LeadPoolsPayload | None = changes(
        lead_pool.deactivate_lead_pools,
        LeadPoolsPayload,
        Permission.LEAD_POOL_MANAGE,
        "Makes pools inactive: their leads are not called, save private and VIP redials.",
    )
    shuffle_lead_pools: ShuffleLeadPoolsPayload | None = changes(
        lead_pool.shuffle_lead_pools,
        ShuffleLeadPoolsPayload,
        Permission.LEAD_POOL_MANAGE,
        "Makes the calling order of pools a random one, from a seed, or restores the upload's.",
    )
    delete_lead_pools: DeleteLeadPoolsPayload | None = changes(
        lead_pool.delete_lead_pools,
        DeleteLeadPoolsPayload,
        Permission.LEAD_POOL_MANAGE,
        "Deletes the unprocessed leads of pools, and the pools that are then empty.",
    )
    save_lead_pool_view: LeadPoolViewPayload | None = changes(
        lead_pool_view.save_lead_pool_view,
        LeadPoolViewPayload,
        Permission.LEAD_VIEW,
        "Saves a view of the list of pools: a new one, or one of the caller's own anew.",
    )
    copy_lead_pool_view: LeadPoolViewPayload | None = changes(
        lead_pool_view.copy_lead_pool_view,
        LeadPoolViewPayload,
        Permission.LEAD_VIEW,
        "Makes the caller's own copy of a view they are shown.",
    )
    delete_lead_pool_view: DeleteLeadPoolViewPayload | None = changes(
        lead_pool_view.delete_lead_pool_view,
        DeleteLeadPoolViewPayload,
        Permission.LEAD_VIEW,
        "Deletes a view of the caller's own, for everybody it is shared with.",
    )
    share_lead_pool_view: LeadPoolViewPayload | None = changes(
        lead_pool_view.share_lead_pool_view,
        LeadPoolViewPayload,
        Permission.LEAD_VIEW,
        "Says anew who sees a view of the caller's own.",
    )
    star_lead_pool_view: LeadPoolViewPayload | None = changes(
        lead_pool_view.star_lead_pool_view,
        LeadPoolViewPayload,
        Permission.LEAD_VIEW,
        "Makes a view the one that the caller's list opens with, or no longer.",
    )
    export_lead_pool: ExportLeadPoolPayload | None = changes(
        lead_pool.export_lead_pool,
        ExportLeadPoolPayload,
        Permission.LEAD_EXPORT,
        "Makes short-lived paths to a pool's leads, figures, log, refused rows and duplicates as CSV.",
    )
