"""What the parent of the tests' processes imports, once, so that none of them has to."""

import gc

from db.migrate import newest_revision

newest_revision()
# What is there already is neither walked nor, by walking, copied in any of them.
gc.freeze()
