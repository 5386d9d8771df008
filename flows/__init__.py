"""Prefect flows: thin over `revista.pipeline`, and the only place that imports Prefect."""

import os

# An archive works offline: Prefect is to call nobody. Said before Prefect is imported; who wants it can set them.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
