"""What reprocessing costs, as shares of the first run: `python benchmarks/reprocess.py`.

Three issues go through the flow `archive`; then the flow `reprocess` runs with a changed ranking setting, and once
more unchanged. A server runs beside, as in use. What was made is counted by the archive's own log.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from orchestration import REAL, SAMPLE, server


def main() -> None:
    """Run three issues, reprocess them twice, and print what was made and the shares of time."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "prefect"):
        from flows.api import sync_client
        from flows.archive import process_archive
        from flows.reprocess import reprocess
        from revista import worklog
        from revista.plan import plan
        from revista.selection import Selection
        from revista.settings import load_settings
        from revista.store import Archive

        root = Path(folder)
        pdfs = [root / f"social{1916 + n}_1_v1_n1.pdf" for n in range(3)]
        for pdf, source in zip(pdfs, (REAL if REAL.is_file() else SAMPLE, SAMPLE, SAMPLE), strict=True):
            shutil.copy(source, pdf)
        changed = root / "changed.toml"
        changed.write_text("[ranking]\nmin_window_probability = 0.65\n")
        archive = str(root / "archive")

        def made() -> Counter[str]:
            store = Archive(Path(archive))
            return Counter(
                {
                    stage: sum(e.made for i in store.issues() for e in worklog.read(store, i) if e.stage == stage)
                    for stage in ("pages", "regions", "text", "context", "captions", "ranking", "descriptions")
                }
            )

        def seconds(state: Any) -> float:
            assert state.is_completed(), state.message
            with sync_client() as client:
                run = client.read_flow_run(state.state_details.flow_run_id)
            return float(run.total_run_time.total_seconds())

        def again(settings: Path | None) -> float:
            state = reprocess(
                Selection(every_issue=True),
                dry_run=False,
                archive=archive,
                settings_file=str(settings or ""),
                return_state=True,
            )
            return seconds(state)

        first, log = seconds(process_archive([str(pdf) for pdf in pdfs], archive, return_state=True)), made()
        print(f"first run of three issues: {first:.1f} s, made {dict(log)}")

        ranked, new = again(changed), made()
        store = Archive(Path(archive))
        spent = sum(
            entry.seconds
            for issue in store.issues()
            for entry in worklog.read(store, issue)[-2:]  # what the second run logged: ranking and descriptions
        )
        print(f"a changed ranking setting: {ranked:.1f} s, made {dict(new - log)}")
        rest = (ranked - spent) / first
        print(f"  of it in ranking and descriptions {spent:.2f} s, all else {rest:.1%} of the first run")

        same, newest = again(changed), made()
        print(f"unchanged: {same:.2f} s, made {dict(newest - new)}, {same / first:.2%} of the first run")
        copy = shutil.copytree(root / "archive", root / "copy")
        cold = time.monotonic()
        nothing = plan(Archive(Path(copy)), store.issues(), load_settings(changed)).nothing_to_do
        print(
            f"  its plan alone, records not parsed before: {(time.monotonic() - cold) / first:.2%}, nothing: {nothing}"
        )


if __name__ == "__main__":
    main()
