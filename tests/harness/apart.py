"""A pytest plugin: each test process keeps its journals in a folder of its own, as each host of a deployment does.

It acts when it is imported, before Django's settings are read.
"""

from __future__ import annotations

import os
import tempfile

os.environ["IW_JOURNAL_DIR"] = tempfile.mkdtemp(prefix="iw-journal-")
