"""An archive in S3-compatible storage, for several machines without a shared folder; scans in such a storage."""

from revista.objects.archive import ObjectArchive, Workplace, workplace
from revista.objects.lease import InUse, LeaseLost
from revista.objects.scans import Scan, fetch_scan, list_scans, move, write_text
from revista.objects.stores import is_url

__all__ = [
    "InUse",
    "LeaseLost",
    "ObjectArchive",
    "Scan",
    "Workplace",
    "fetch_scan",
    "is_url",
    "list_scans",
    "move",
    "workplace",
    "write_text",
]
