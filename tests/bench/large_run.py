"""`workbench run` over many tasks: speed, memory over time (it must not grow with the tasks done),
size of the journal, and how long `workbench journal` takes to list it.

    large_run.py [TASKS [PROGRAM [LIBRARY]]]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import against_python as bench
import meter

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
PROGRAM = Path(sys.argv[2] if len(sys.argv) > 2 else bench.TARGET / "release" / "workbench").absolute()


def main() -> None:
    library = Path(sys.argv[3]).absolute() if len(sys.argv) > 3 else bench.agents() / "libbench_large.so"
    case = bench.Case("large", "0ms", TASKS, 1000)
    with tempfile.TemporaryDirectory(prefix="wb-bench-") as name, bench.served(PROGRAM, case, Path(name), "large") as ready:
        env, folder = bench.environment(ready), Path(name)
        common = ["--project-hash", ready["project_hash"]]
        began = time.monotonic()
        run = subprocess.Popen(
            [PROGRAM, "run", *common, "--agents", library, "--progress", "none", "--stage", "pre-label"], env=env, cwd=folder
        )
        seen: list[int] = []
        while run.poll() is None:
            seen.append(sum(map(meter.resident, [run.pid, *meter.children(run.pid)])))
            time.sleep(0.05)
        wall = time.monotonic() - began
        moved = bench.counters(ready)["endpoints"]["actions"]["changed"]
        if run.returncode != 0:
            raise SystemExit(f"exit {run.returncode}")
        quarters = [max(seen[i * len(seen) // 4 : (i + 1) * len(seen) // 4 or 1] or [0]) / 1e6 for i in range(4)]
        size = sum(f.stat().st_size for f in (folder / ".workbench").glob("journal.db*"))
        print(f"{moved} tasks in {wall:.1f} s: {moved / wall:.0f}/s; load average {bench.load()}")
        print("largest memory in each quarter of the time: " + " · ".join(f"{q:.0f} MB" for q in quarters))
        print(f"journal: {size / 1e6:.1f} MB, {size / max(moved, 1):.0f} bytes for each task")
        began = time.monotonic()
        listed = subprocess.run([PROGRAM, "journal", *common], env=env, cwd=folder, capture_output=True, text=True, check=True)
        print(f"`workbench journal` over it: {(time.monotonic() - began) * 1000:.0f} ms, {len(listed.stdout.splitlines())} lines")


if __name__ == "__main__":
    main()
