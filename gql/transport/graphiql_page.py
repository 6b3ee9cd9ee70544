"""The page to try queries on: GraphiQL from files of this repository, working without a network."""

from pathlib import Path

from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "graphiql"

# GraphiQL writes style elements itself; scripts come from files only.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def graphiql_page() -> FileResponse:
    """The page itself; it loads everything else from `graphiql/` beside its own address."""
    return FileResponse(
        FOLDER / "index.html",
        media_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
        },
    )


def graphiql_files() -> StaticFiles:
    """The scripts and styles of the page."""
    return StaticFiles(directory=FOLDER)
