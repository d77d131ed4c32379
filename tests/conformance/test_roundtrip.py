"""Labels that Rust writes are read equal by the real SDK, and the other way round: every shape, attribute and
data type that `agent-abi/examples/every_shape.rs` makes. The comparison itself lies beside the crate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_labels_are_the_same_in_both_directions() -> None:
    cargo = os.environ.get("CARGO", "cargo")
    build = ["build", "--quiet", "--locked", "-p", "agent-abi", "--example", "every_shape"]
    subprocess.run([cargo, *build], cwd=ROOT, check=True, timeout=600)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    script = ROOT / "agent-abi/tests/sdk_roundtrip.py"
    ended = subprocess.run(
        [sys.executable, script, target / "debug/examples/every_shape"], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ", 0 differences" in ended.stdout, ended.stdout
