"""Prefect flows: thin over `revista.pipeline`, and the only place that imports Prefect."""
