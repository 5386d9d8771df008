"""A worker as a scheduler would start it on each machine: `python -m tests.objects.worker ARCHIVE INBOX SCRATCH LOG`.

Goes over the scans of the inbox until it has found or made each issue whole, stage by stage, publishing after each.
Each line of the log, which all workers share: when (ns), pid, issue, what happened.
"""

import os
import sys
import time
from pathlib import Path

from revista import pipeline
from revista.issues import identify
from revista.objects import InUse, fetch_scan, list_scans, workplace
from revista.settings import Settings
from revista.stages import STAGES


def main(archive_url: str, inbox: str, scratch: Path, log: Path) -> None:
    settings = Settings()
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    scans = list_scans(inbox)
    first = os.getpid() % len(scans)  # workers begin at different places, and meet
    waiting = scans[first:] + scans[:first]
    while waiting:
        scan = waiting.pop(0)
        pdf = fetch_scan(scan.url, scratch / "scans")
        id = identify(pdf).id or ""

        def say(what: str, id: str = id) -> None:
            os.write(handle, f"{time.monotonic_ns()} {os.getpid()} {id} {what}\n".encode())

        try:
            with workplace(archive_url, id, scratch / "archive", run=f"worker {scratch.name}", seconds=3) as archive:
                say("begin")
                issue = pipeline.open_issue(archive, pdf)
                for stage in STAGES:
                    pages = range(1, issue.page_count + 1)
                    say(f"start {stage}")
                    count = pipeline.run_stage(archive, issue, pdf, stage, pages, settings)
                    say(f"made {stage} {count.made}")
                    archive.publish()
                    say(f"published {stage}")
                say("end")
        except InUse:
            waiting.append(scan)
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
