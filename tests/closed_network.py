"""`unshare --net python -m tests.closed_network FOLDER`: all of revista on a machine that has no network but itself.

Within: an inbox round; then one during which the server's SQLite database stays locked longer than it is waited for.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from .conftest import write_pdf
from .serving import Stack, wait_until
from .test_serve import one_page_a_task, under_way

LOCKED = 70.0  # seconds; Prefect gives up on a locked database after 60


def main(folder: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    stack = Stack(folder, {"REVISTA_PROFILE": "none"})
    stack.start()
    try:
        write_pdf(stack.inbox / "social1923_1.pdf", 8)
        inbox = stack.begin("inbox/inbox", settle_seconds=0)
        told = {"routes": routes, "inbox": stack.wait_for(inbox, "Completed", "Completed with problems", "Failed")}
        told["message"] = stack.message(inbox)
        if "--locked" in sys.argv:
            told["locked"] = locked(stack)
        told["outside"] = "\n".join(stack.outside_calls)
    finally:
        stack.stop()
    print(json.dumps(told))


def locked(stack: Stack) -> str:
    """The state in which a run ends in whose middle the database was locked."""
    archive, pdf = stack.folder / "locked", write_pdf(stack.folder / "social1923_2.pdf", *range(1, 9))
    settings = one_page_a_task(stack.folder)
    run = stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive), settings_file=settings)
    under_way(stack, archive, "social-1923-02")
    file = stack.folder / "prefect" / "prefect.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as database:
        database.execute("begin exclusive")
        time.sleep(LOCKED)
        database.execute("rollback")
    wait_until("the run's process has ended", lambda: not stack.children("prefect.engine"), 300)
    return stack.state(run)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
