"""Downloading the members of a segment."""

from datetime import timedelta

from core.errors import NotFound
from gql.context import Info
from gql.schema import ids
from gql.schema.download import download_url
from gql.schema.segment import Segment
from gql.schema.segment_export import MEMBERS, ExportSegmentInput, ExportSegmentPayload


async def export_segment(info: Info, input: ExportSegmentInput) -> ExportSegmentPayload:
    context = info.context
    path = ["input", "id"]
    segment_id = ids.local("Segment", input.id, context.scope, path)
    row = await context.loaders.segment.load(segment_id)
    if row is None:
        raise NotFound(field=path)
    return ExportSegmentPayload(
        segment=Segment.from_row(row),
        members_url=download_url(context, MEMBERS, segment_id),
        expires_at=context.now + timedelta(seconds=context.settings.download_link_seconds),
    )
