"""`PUT /uploads/{id}`: the bytes of a file, streamed to disk, in one request or in several.

`HEAD` tells in `Upload-Offset` how much has arrived. A PUT with that header goes on from there, one without
it begins anew: also with another file, as long as the upload is not submitted. `Content-Range` is refused.
`Content-Digest: sha-256=:…:` is checked against the bytes of the request.
"""

import asyncio
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from secrets import token_hex

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from core.access import Permission
from core.errors import BadInput, Conflict, Forbidden, LeadgraphError, TooLarge
from db.commands.lead_upload import RECEIVED, SUBMITTED, begin_anew, record_received
from db.models import LeadUpload
from db.queries.visible import visible_or_not_found
from db.upload_files import Part
from gql.authz.tokens import Principal
from gql.context import Context, Services, open_context
from gql.inspection import inspect_upload, upload_files
from gql.schema import ids
from gql.transport.problems import problem
from gql.transport.request_body import Stalled, timely

WRITE_BYTES = 2**20
SHA_256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request says about its bytes; `size` is that of the whole file, 0 where it is not known."""

    part: Part
    size: int
    limit: int
    digest: bytes | None


class UploadEndpoint:
    """The ASGI endpoint behind `/uploads/{id}`."""

    def __init__(
        self, services: Callable[[], Services], identify: Callable[[str], Awaitable[Principal]]
    ) -> None:
        self._services = services
        self._identify = identify

    async def respond(self, request: Request) -> Response:
        upload: LeadUpload | None = None
        try:
            context = await self._context(request)
            upload = await self._upload(context, request.path_params["id"])
            if request.method == "PUT":
                return await self._put(context, upload, request)
            return Response(headers=_headers(upload.received))
        except ClientDisconnect:
            return Response(status_code=400)
        except Stalled as stalled:
            return problem(BadInput(str(stalled)), {"Connection": "close"}, HTTPStatus.REQUEST_TIMEOUT)
        except LeadgraphError as error:
            return problem(error, _headers(upload.received) if upload else None)

    async def _context(self, request: Request) -> Context:
        principal = await self._identify(request.headers.get("authorization", ""))
        address = request.client.host if request.client else None
        context = await open_context(self._services(), principal, None, address)
        context.need(Permission.LEAD_IMPORT, "uploads")
        if request.method == "PUT" and context.scope.limits.plan_only:
            denial = Forbidden("This token only plans: a person uploads the file.")
            context.denied("uploads", denial)
            raise denial
        return context

    async def _upload(self, context: Context, given: str) -> LeadUpload:
        upload_id = ids.local("LeadUpload", given, context.scope)
        async with context.database.reading() as session:
            return await visible_or_not_found(session, context.scope, LeadUpload, upload_id)

    async def _put(self, context: Context, upload: LeadUpload, request: Request) -> Response:
        wanted = _wanted(request, upload, context.settings.max_upload, context.now)
        if wanted.part.offset != upload.received:
            # What came before is given up at once, so that its row never tells of other bytes.
            async with context.writing() as (session, scope):
                await begin_anew(session, scope, upload.id, before=upload.received)
        try:
            received = await self._receive(context, upload, wanted, request.stream())
            complete = received == wanted.size if wanted.size else True
            await self._record(context, upload, wanted.part, received, complete=complete)
        finally:
            files = upload_files(context.settings)
            await asyncio.to_thread(files.discard, upload.organisation_id, upload.id, wanted.part)
        return JSONResponse({"received": received, "complete": complete}, headers=_headers(received))

    async def _receive(
        self, context: Context, upload: LeadUpload, wanted: _Wanted, body: AsyncIterator[bytes]
    ) -> int:
        """Writes the body to its part; how many bytes have arrived with it."""
        files, at, hashed = upload_files(context.settings), wanted.part.offset, sha256()
        key = upload.organisation_id, upload.id
        await asyncio.to_thread(files.write, *key, wanted.part, b"")
        try:
            async for data in _pieces(timely(body, context.settings.body_timeout)):
                if at + len(data) > wanted.limit:
                    raise TooLarge(f"The file is longer than {wanted.limit} bytes.")
                hashed.update(data)
                await asyncio.to_thread(files.write, *key, wanted.part, data)
                at += len(data)
        except (ClientDisconnect, Stalled):
            # What came without a digest to check may stay: the client goes on from there, unless it did.
            if wanted.digest is None and not await asyncio.to_thread(files.overtaken, *key, wanted.part):
                await self._record(context, upload, wanted.part, at, complete=False)
            raise
        if wanted.digest is not None and not compare_digest(wanted.digest, hashed.digest()):
            raise BadInput("The bytes do not have the digest that was announced: send them again.")
        return at

    async def _record(
        self, context: Context, upload: LeadUpload, part: Part, received: int, *, complete: bool
    ) -> None:
        inspection = None
        if complete:
            inspection = await inspect_upload(
                context.database, context.settings, context.scope, upload, part=part
            )
        async with context.writing() as (session, scope):
            await record_received(
                session, scope, upload.id, before=part.offset, after=received, inspection=inspection
            )
            # The row is held from here to the commit: nobody else's part joins the file meanwhile.
            files = upload_files(context.settings)
            await asyncio.to_thread(files.accept, upload.organisation_id, upload.id, part)


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body in pieces worth a write; what has come before a broken connection is among them."""
    piece = bytearray()
    try:
        async for data in body:
            piece += data
            if len(piece) >= WRITE_BYTES:
                yield bytes(piece)
                piece.clear()
    except (ClientDisconnect, Stalled):
        if piece:
            yield bytes(piece)
        raise
    if piece:
        yield bytes(piece)


def _wanted(request: Request, upload: LeadUpload, max_upload: int, now: datetime) -> _Wanted:
    if "content-range" in request.headers:
        # HTTP forbids to take a piece for the whole, and that would give up what has come before.
        raise BadInput("Content-Range is not read: a PUT with Upload-Offset goes on from that byte.")
    stated = request.headers.get("upload-offset")
    if upload.state == SUBMITTED:
        raise Conflict("The upload has been submitted: its file cannot be changed any more.")
    if upload.state == RECEIVED and stated is not None:
        raise Conflict("The file has arrived already: a PUT without Upload-Offset replaces it.")
    offset = 0 if stated is None else _number(stated)
    if stated is not None and offset != upload.received:
        raise Conflict(f"{upload.received} bytes have arrived: go on from there.")
    # A file that takes the place of another need not be as long as that one was.
    size = 0 if upload.state == RECEIVED else upload.size
    limit = size or max_upload
    length = request.headers.get("content-length")
    if length is not None and offset + _number(length) > limit:
        raise TooLarge(f"The file is longer than {limit} bytes.")
    part = Part(offset, f"{now:%Y%m%d%H%M%S%f}{token_hex(8)}")
    return _Wanted(part, size, limit, _digest(request.headers.get("content-digest")))


def _digest(header: str | None) -> bytes | None:
    if header is None:
        return None
    found = SHA_256.search(header)
    try:
        return b64decode(found.group(1), validate=True) if found else None
    except (ValueError, Base64Error):
        raise BadInput("Content-Digest is not in the form sha-256=:base64:.") from None


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise BadInput("Upload-Offset and Content-Length are numbers of bytes.")
    return int(text)


def _headers(received: int) -> dict[str, str]:
    return {"Upload-Offset": str(received), "Cache-Control": "no-store"}
