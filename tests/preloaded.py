"""What the parent of the tests' processes imports, once, so that none of them has to."""

import gc
from importlib import import_module

from sqlalchemy.orm import configure_mappers

from db.migrate import newest_revision

MODULES = (
    "aiosqlite",
    "asyncpg",
    "gql.__main__",
    "gql.administration",
    "gql.app",
    "gql.demo",
    "gql.doctor",
    "gql.jobs.file_import",
    "gql.jobs.work",
    "gql.server",
    "phonenumbers.data.region_FR",
    "phonenumbers.data.region_US",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "uvloop",
)

try:
    for name in MODULES:
        import_module(name)
except ImportError as error:
    raise RuntimeError("nothing is preloaded") from error  # an ImportError would be passed over in silence
configure_mappers()
newest_revision()
# What is there already is neither walked nor, by walking, copied in any of them.
gc.freeze()
