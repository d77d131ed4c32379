"""A model that takes long to open, with `#[resource]` and with `scope = host`: how often it is opened at `-j 4` over
three saves and one crash, and how long a save takes until a task runs on the new code.

    heavy_model.py [--open SECONDS] [--program PROGRAM]

`workbench run --refresh-every 1` looks at the same tasks again and again, which the agent leaves where they are. The
model and the agent note what they do in a file: when the model is opened, and which code each task ran on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import against_python as bench

JOBS, SAVES = 4, 3
OPEN = """
    std::thread::sleep(std::time::Duration::from_secs_f64(SECONDS));
    note("open");"""
ASK = """
    if std::fs::remove_file("FOLDER/crash").is_ok() { std::process::abort(); }"""
NOTE = """use agent_abi::prelude::*;
pub fn note(text: &str) {
    use std::io::Write;
    let file = std::fs::File::options().create(true).append(true).open("FOLDER/notes");
    let _ = file.and_then(|mut file| file.write_all(format!("{text}\\n").as_bytes()));
}
"""
AGENT = """    note("code VERSION");
    std::thread::sleep(std::time::Duration::from_millis(50));
    Ok(Route::stay())
}
"""
KINDS = {
    "#[resource]": {
        "network.rs": NOTE + "pub struct Model;\n#[resource]\nimpl Resource for Model {\n    type Question = ();\n    type Answer = ();\n"
        "    fn open() -> Result<Self> {" + OPEN + "\n        Ok(Self)\n    }\n"
        "    fn answer(&mut self, (): (), _: &[u8]) -> Result<((), Vec<u8>)> {" + ASK + "\n        Ok(((), Vec::new()))\n    }\n}\n",
        "lib.rs": "mod network;\nuse agent_abi::prelude::*;\nuse network::{Model, note};\n#[stage(\"Agent 1\")]\n"
        "fn agent(#[depends] model: &Remote<Model>) -> Result<Route> {\n    model.ask(&(), &[])?;\n" + AGENT
        + "export![agent, resources = [Model]];\n",
    },
    "scope = host": {
        "network.rs": NOTE + "pub struct Model;\n#[dependency(scope = host)]\npub fn model() -> Model {" + OPEN + "\n    Model\n}\n"
        "impl Model {\n    pub fn ask(&self) {" + ASK + "\n    }\n}\n",
        "lib.rs": "mod network;\nuse agent_abi::prelude::*;\nuse network::{Model, model, note};\n#[stage(\"Agent 1\")]\n"
        "fn agent(#[depends(model)] model: &Model) -> Result<Route> {\n    model.ask();\n" + AGENT + "export![agent];\n",
    },
}


class Crate:
    """A crate of one agent, which is saved again and again."""

    def __init__(self, folder: Path, kind: str, seconds: float) -> None:
        self.folder, self.files, self.seconds = folder, KINDS[kind], seconds
        self.target = bench.TARGET / "bench" / "heavy"
        (folder / "src").mkdir(parents=True)
        abi = str(bench.ROOT / "agent-abi")
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "heavy"\nversion = "0.1.0"\nedition = "2024"\n\n[lib]\ncrate-type = ["cdylib"]\n\n'
            f'[dependencies]\nagent-abi = {{ path = "{abi}" }}\n\n[workspace]\n'
        )
        shutil.copy(bench.ROOT / "Cargo.lock", folder / "Cargo.lock")

    def save(self, version: int) -> float:
        """Writes the source with this version and builds it; the moment of the save."""
        saved = time.monotonic()
        for name, text in self.files.items():
            text = text.replace("SECONDS", str(self.seconds)).replace("FOLDER", str(self.folder)).replace("VERSION", str(version))
            path = self.folder / "src" / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        build = ["cargo", "build", "--quiet", "--offline", "--target-dir", str(self.target)]
        subprocess.run(build, cwd=self.folder, check=True)
        return saved

    @property
    def library(self) -> Path:
        return self.target / "debug" / "libheavy.so"

    def notes(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def settle(self) -> None:
        """Waits until no process is still opening the model: each takes as long as it takes."""
        since, opened = time.monotonic(), self.notes().count("open")
        while time.monotonic() - since < self.seconds + 2:
            time.sleep(0.1)
            if self.notes().count("open") > opened:
                since, opened = time.monotonic(), self.notes().count("open")

    def wait(self, what: str, seen: int = 0) -> None:
        """Waits for a further note of this text."""
        until = time.monotonic() + 10 * self.seconds + 120
        while self.notes().count(what) <= seen:
            if time.monotonic() > until:
                raise SystemExit(f"{what} was not seen: {self.notes()[-5:]}")
            time.sleep(0.02)


def measure(program: Path, kind: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="wb-bench-") as name:
        folder = Path(name)
        with bench.served(program, bench.Case("heavy", "0ms", 40, 100), folder) as ready:
            crate = Crate(folder / "heavy", kind, seconds)
            began = crate.save(0)
            command = [program, "run", "--project-hash", ready["project_hash"], "--agents", crate.library, "-j", str(JOBS)]
            command += ["--refresh-every", "1", "--progress", "none"]
            run = subprocess.Popen(command, env=bench.environment(ready), cwd=folder, stdin=subprocess.DEVNULL)
            try:
                crate.wait("code 0")
                print(f"{kind}: the first task ran {time.monotonic() - began:.1f} s after the first save", flush=True)
                for version in range(1, SAVES + 1):
                    saved = crate.save(version)
                    crate.wait(f"code {version}")
                    print(f"  save {version}: a task ran on it after {time.monotonic() - saved:.1f} s")
                crate.settle()
                opened = crate.notes().count("open")
                crashed = time.monotonic()
                (crate.folder / "crash").touch()
                while (crate.folder / "crash").exists():
                    time.sleep(0.02)
                crate.wait("open", opened)
                ran = crate.notes().count(f"code {SAVES}")
                crate.wait(f"code {SAVES}", ran)
                print(f"  crash: opened again after {time.monotonic() - crashed:.1f} s")
            finally:
                run.send_signal(signal.SIGTERM)
                run.wait()
            print(f"  opened {crate.notes().count('open')} times in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", type=float, default=20, help="seconds that the model takes to open")
    parser.add_argument("--program", type=Path, default=bench.TARGET / "release" / "workbench")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {bench.load()}; a model that takes {args.open:g} s to open, -j {JOBS}")
    for kind in KINDS:
        measure(args.program.absolute(), kind, args.open)


if __name__ == "__main__":
    main()
