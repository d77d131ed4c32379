"""`workbench run` against the real `encord-agents` Runner, on the same server in the same run.

Each measurement has a server and a project of its own, made from the same seed; both sides must
have moved every task, by the server's own counters. It prints medians, with the aims beside the
ratios; nothing passes or fails, because a benchmark is not a test. See README.md for how to start it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
KINDS = {
    "task": "no-op agent, task only",
    "labels": "no-op agent, label row read",
    "save": "label row read, one box added and saved",
}
LIBRARIES = [*KINDS, "large"]
AIMS = {"cpu": {"task": 0.25, "labels": 0.15, "save": 0.2}, "wall": 0.2, "memory": 0.5, "requests": 1.3}
LIMIT = 900  # seconds one measurement may take


@dataclass
class Case:
    kind: str
    latency: str
    tasks: int
    page: int


@dataclass
class Figures:
    """Medians of one side."""

    wall: float
    cpu: float
    peak: float
    shared_once: float
    requests: float
    processes: int


def agents() -> Path:
    """Builds the Rust agents in release; returns the folder of their libraries."""
    folder = TARGET / "bench" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(f"[workspace]\nresolver = \"3\"\nmembers = {json.dumps(LIBRARIES)}\n")
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    for kind in LIBRARIES:
        krate = folder / kind
        krate.mkdir(exist_ok=True)
        (krate / "Cargo.toml").write_text(
            f'[package]\nname = "bench-{kind}"\nversion = "0.1.0"\nedition = "2024"\n\n'
            f'[lib]\ncrate-type = ["cdylib"]\npath = {json.dumps(str(HERE / "agents" / f"{kind}.rs"))}\n\n'
            f"[dependencies]\nagent-abi = {{ path = {json.dumps(str(ROOT / 'agent-abi'))} }}\n"
        )
    build = ["cargo", "build", "--release", "--quiet", "--offline"]
    subprocess.run(build, cwd=folder, check=True, env=os.environ | {"CARGO_TARGET_DIR": str(TARGET / "bench")})
    return TARGET / "bench" / "release"


@contextlib.contextmanager
def served(program: Path, case: Case, folder: Path, scenario: str = "seed") -> Iterator[dict[str, str]]:
    """A server of its own; it ends with the block."""
    command = [program, "serve", "--scenario", scenario, "--seed", "7", "--tasks", str(case.tasks)]
    command += ["--page-size", str(case.page), "--port", "0"]
    if case.latency != "0ms":
        command += ["--latency", case.latency]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        yield json.loads(server.stdout.readline())
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def counters(ready: dict[str, str]) -> dict:
    token = {"Authorization": f"Bearer {ready['local_token']}"}
    counters = urllib.request.Request(ready["domain"] + "/local/counters", headers=token)
    with urllib.request.urlopen(counters) as answer:
        return json.load(answer)


def environment(ready: dict[str, str]) -> dict[str, str]:
    ours = ("ENCORD_", "WORKBENCH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"ENCORD_DOMAIN": ready["domain"], "ENCORD_SSH_KEY_FILE": ready["ssh_key_file"]}


def once(program: Path, case: Case, command: list[str]) -> dict[str, float]:
    """One side once, from process start to process end."""
    with tempfile.TemporaryDirectory(prefix="wb-bench-") as name, served(program, case, Path(name)) as ready:
        folder = Path(name)
        words = [word.replace("PROJECT", ready["project_hash"]) for word in command]
        meter = [sys.executable, str(HERE / "meter.py"), str(folder / "figures.json"), "--", *words]
        with open(folder / "output", "wb") as output:
            runs = subprocess.Popen(
                meter, env=environment(ready), cwd=folder, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )
            try:
                runs.wait(LIMIT)
            except BaseException:
                os.killpg(runs.pid, signal.SIGKILL)
                runs.wait()
                raise
        figures = json.loads((folder / "figures.json").read_text())
        counted = counters(ready)
        moved = counted["endpoints"].get("actions", {}).get("changed", 0)
        if figures["exit"] != 0 or moved != case.tasks:
            text = (folder / "output").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{words[0]}: exit {figures['exit']}, {moved} of {case.tasks} moved\n{text}")
        return figures | {"requests": counted["requests"]}


def several(program: Path, case: Case, command: list[str], times: int) -> Figures:
    runs = [once(program, case, command) for _ in range(times)]

    def middle(name: str) -> float:
        return median(run[name] for run in runs)

    return Figures(
        middle("wall_s"), middle("cpu_s"), middle("peak_bytes"), middle("peak_shared_once"), middle("requests"),
        max(run["processes"] for run in runs),
    )


def load() -> str:
    return " ".join(Path("/proc/loadavg").read_text().split()[:3])


def row(who: str, case: Case, f: Figures, start: Figures) -> str:
    each = (f.cpu - start.cpu) / case.tasks * 1000
    return (
        f"  {who:<16}{f.wall:8.2f} s {case.tasks / f.wall:8.0f}/s {f.cpu / case.tasks * 1000:9.3f} ms {each:9.3f} ms"
        f"{f.peak / 1e6:8.1f} MB {f.shared_once / 1e6:8.1f} MB {f.requests:6.0f} {f.processes:6}"
    )


def ratios(ours: Figures, theirs: Figures, case: Case, start: Figures, their_start: Figures) -> str:
    marginal = (ours.cpu - start.cpu) / max(theirs.cpu - their_start.cpu, 1e-9)
    wall = f"wall {ours.wall / theirs.wall:.3f}"
    if case.latency != "0ms":
        wall += f" (aim {AIMS['wall']})"
    return (
        f"    ratio: CPU {ours.cpu / theirs.cpu:.3f}, beyond the start {marginal:.3f} (aim {AIMS['cpu'][case.kind]}) · {wall}"
        f" · memory {ours.peak / theirs.peak:.3f} (aim {AIMS['memory']}), shared once"
        f" {ours.shared_once / theirs.shared_once:.3f} · requests {ours.requests / theirs.requests:.2f} (aim {AIMS['requests']})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=TARGET / "release" / "workbench")
    parser.add_argument("--before", type=Path, help="another build of the workbench, measured in the same run")
    parser.add_argument("--python", type=Path, default=TARGET / "conformance-venv" / "bin" / "python")
    parser.add_argument("--libraries", type=Path, help="folder of the agents' libraries, built already")
    parser.add_argument("--page-size", type=int, default=1000, help="tasks of a page; the server's choice, not the clients'")
    parser.add_argument("--tasks", type=int, default=3000, help="without latency")
    parser.add_argument("--slow-tasks", type=int, default=1500, help="with latency")
    parser.add_argument("--times", type=int, default=3, help="of each measurement; the median counts")
    parser.add_argument("--kinds", default="task,labels,save")
    parser.add_argument("--latencies", default="0ms,50ms")
    parser.add_argument("--jobs", default="1,8")
    parser.add_argument("--skip-python", action="store_true", help="our side only, while working on it")
    args = parser.parse_args()
    program, python = args.program.absolute(), args.python.absolute()
    for needed, cure in [(program, "cargo build --release -p encord-workbench"), (python, "tests/conformance/run")]:
        if not needed.exists():
            raise SystemExit(f"{needed} is missing; make it with: {cure}")
    libraries = args.libraries.absolute() if args.libraries else agents()

    def theirs(kind: str) -> list[str]:
        return [str(python), str(HERE / "python_agents.py"), kind, "PROJECT"]

    def ours(program: Path, kind: str, jobs: str) -> list[str]:
        library = str(libraries / f"libbench_{kind}.so")
        return [str(program), "run", "--project-hash", "PROJECT", "--agents", library, "-j", jobs, "--progress", "none"]

    print(f"{os.cpu_count()} cores, load average {load()}; medians of {args.times}; pages of {args.page_size};"
        " the server runs on the same machine")
    builds = {"workbench": program}
    if args.before:
        builds["before"] = args.before.absolute()
    starts, their_start = {}, None
    one = Case("task", "0ms", 1, args.page_size)
    for name, build in builds.items():
        start = starts[name] = several(program, one, ours(build, "task", "1"), args.times)
        print(f"start to end with one task: {name:9} {start.wall:.2f} s, {start.cpu:.2f} CPU s, {start.peak / 1e6:.0f} MB")
    start = starts["workbench"]
    if not args.skip_python:
        their_start = several(program, one, theirs("task"), args.times)
        print(
            f"                            Python    {their_start.wall:.2f} s, {their_start.cpu:.2f} CPU s,"
            f" {their_start.peak / 1e6:.0f} MB; ratio {start.wall / their_start.wall:.3f} wall,"
            f" {start.cpu / their_start.cpu:.3f} CPU"
        )
    for kind in args.kinds.split(","):
        for latency in args.latencies.split(","):
            case = Case(kind, latency, args.tasks if latency == "0ms" else args.slow_tasks, args.page_size)
            print(f"\n{KINDS[kind]}; {case.tasks} tasks, server latency {latency}; load average {load()}")
            print("                      wall      tasks    CPU/task beyond start      memory shared once   requests  processes")
            python_side = None
            if not args.skip_python:
                python_side = several(program, case, theirs(kind), args.times)
                print(row("Python", case, python_side, their_start), flush=True)
            for jobs, (name, build) in itertools.product(args.jobs.split(","), builds.items()):
                side = several(program, case, ours(build, kind, jobs), args.times)
                print(row(f"{name} -j {jobs}", case, side, starts[name]), flush=True)
                if python_side:
                    print(ratios(side, python_side, case, starts[name], their_start), flush=True)
    print(f"\nload average {load()}")


if __name__ == "__main__":
    main()
