"""What the parent of the tests' processes imports, once, so that none of them has to."""

import gc

import gql.__main__
import gql.app
import gql.demo
import gql.doctor
import gql.jobs.file_import
import gql.jobs.work
import gql.server
from db.migrate import newest_revision

newest_revision()
# What is there already is neither walked nor, by walking, copied in any of them.
gc.freeze()
