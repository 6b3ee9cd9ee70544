"""Uploads that come to nothing take up no room for ever."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import Conflict
from db.commands.lead_upload import create_lead_upload
from db.database import Database
from db.models import Campaign
from db.upload_files import Part, UploadFiles
from gql.jobs.upload_sweep import sweeping
from gql.settings import Settings
from tests.db.imports import NOW, Importer

DAY = timedelta(days=1)


@pytest.mark.anyio
async def test_files_nobody_has_added_to_for_days_are_deleted(tmp_path: Path, anyio_backend: str) -> None:
    settings = Settings(data_dir=tmp_path, upload_days=2)
    files = UploadFiles(tmp_path / "uploads")
    for upload in (1, 2):
        files.write(1, upload, Part(0, "a"), b"phone\n")
        files.accept(1, upload, Part(0, "a"))
    files.write(1, 3, Part(0, "a"), b"phone\n")
    old, new = (NOW - 3 * DAY).timestamp(), (NOW - DAY).timestamp()
    for path in (tmp_path / "uploads").glob("*/*"):
        os.utime(path, (new, new) if path.name == "2.csv" else (old, old))
    async with sweeping(settings, lambda: NOW), asyncio.timeout(20):
        while True:
            left = [path.name for path in (tmp_path / "uploads").glob("*/*")]
            if len(left) == 1:
                break
            await asyncio.sleep(0.05)
    assert left == ["2.csv"]


@pytest.mark.anyio
async def test_so_many_uploads_may_wait_at_once_and_forgotten_ones_do_not_count(database: Database) -> None:
    importer = Importer(database)
    await importer.found()
    campaign: Campaign = await importer.campaign((await importer.project()).id)

    async def begin(days_later: int) -> None:
        now = NOW + days_later * DAY
        async with database.writing() as session:
            await create_lead_upload(
                session,
                importer.scope,
                campaign_id=campaign.id,
                file_name="a.csv",
                size=None,
                settings=None,
                max_size=100,
                open_limit=(2, now - 7 * DAY),
                now=now,
            )

    await begin(0)
    await begin(1)
    with pytest.raises(Conflict, match="2 uploads wait"):
        await begin(2)
    await begin(7)
