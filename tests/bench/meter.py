"""Runs one command and measures its whole process tree: wall time, CPU time, memory.

CPU is what the kernel accounts to every process of the tree, children included, because this
process adopts those that outlive their parents and waits for them all. Memory is the largest sum
of resident sets seen at one moment; pages that a program shares with its children count for each.

    meter.py RESULT.json -- COMMAND ARGUMENT...
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SAMPLE = 0.01  # seconds between two measurements of the memory
PAGE = os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """Processes below this one, at any depth."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
            for child in map(int, text.split()):
                found.append(child)
                found.extend(children(child))
    except OSError:
        pass  # it has just ended
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def proportional(pid: int) -> int:
    """The same, with pages that several processes share counted once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("Pss:", 1)[1].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return 0


def measure(command: list[str]) -> dict[str, float]:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "orphans cannot be adopted, so CPU cannot be summed")
    me = os.getpid()
    began = time.monotonic()
    main = os.posix_spawnp(command[0], command, os.environ)
    peak, shared_once, processes, measured, cpu, wall, code = 0, 0, 0, 0, 0.0, 0.0, None
    while True:
        tree = children(me)
        peak = max(peak, sum(map(resident, tree)))
        processes = max(processes, len(tree))
        if measured % 5 == 0:  # it costs the kernel more
            shared_once = max(shared_once, sum(map(proportional, tree)))
        measured += 1
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            time.sleep(SAMPLE)
            continue
        cpu += usage.ru_utime + usage.ru_stime
        if pid == main:
            wall = time.monotonic() - began
            code = os.waitstatus_to_exitcode(status)
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_bytes": peak,
        "peak_shared_once": shared_once,
        "processes": processes,
        "exit": code,
    }


if __name__ == "__main__":
    result, dashes, *command = sys.argv[1:]
    if dashes != "--" or not command:
        sys.exit(__doc__)
    Path(result).write_text(json.dumps(measure(command)))
