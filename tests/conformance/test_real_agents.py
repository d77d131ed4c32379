"""The agents of `sample-agents/real` beside their Python versions: the same effect on two equal servers.

`python/NAME.py` is run by the real encord-agents, the library by one `workbench run`. Pictures are decoded by
different libraries there, so places of pixels and confidences are compared with a tolerance; all else is equal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import BoundingBoxCoordinates

import server as servers
from test_roundtrip import ENDING, ROOT, TARGET

REAL = ROOT / "sample-agents/real"
#: In the order of the stages: what one leaves is there for the next.
NAMES = [
    "chain",
    "detect",
    "recognise",
    "masks",
    "sounds",
    "fields",
    "entities",
    "sort",
    "model",
    "document",
    "transfer",
    "judge",
]
#: The project in which people answer questions.
QUESTIONS = "4ea10000-0000-4000-8004-000000000003"
#: encord-agents' model of an ontology needs pydantic below 2.11, which is not the one of this suite.
NOT_RUN = {"document"}

#: Runs the files one after the other; what they import is loaded once.
ALL = """
import runpy, sys
files = sys.argv[3:]
del sys.argv[3:]
for file in files:
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
"""

ANSWERS = {
    "/boxes": {"boxes": [{"label": "Thing", "score": 0.8, "x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}]},
    "/v1/chat/completions": {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]},
}


class Models(BaseHTTPRequestHandler):
    """A detector and a language model that refuses to answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def models() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def library() -> Path:
    command = [os.environ.get("CARGO", "cargo"), "build", "--quiet", "--locked", "-p", "real-agents"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    return TARGET / f"debug/libreal_agents.{ENDING}"


def run(server, command: list, more: list, folder: Path, models: str) -> None:
    ended = subprocess.run(
        [*map(str, command), "--project-hash", server.project_hash, *map(str, more)],
        env={**server.environment(), "MODEL_KEY": "key-of-the-model", "MODEL_URL": models},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0 and "Traceback" not in ended.stderr, ended.stdout + ended.stderr


def folder_for(path: Path, models: str, library: Path) -> Path:
    shutil.copytree(REAL / "media", path / "media")
    settings = (REAL / "workbench.toml").read_text()
    settings = settings.replace('"."', json.dumps(str(library))).replace("http://127.0.0.1:8099", models)
    (path / "workbench.toml").write_text(settings)
    return path


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def place(drawn) -> object:
    """A box as it is; of a mask how much it covers, about; ranges as they are."""
    match drawn:
        case BoundingBoxCoordinates():
            return [round(edge, 6) for edge in (drawn.top_left_x, drawn.top_left_y, drawn.width, drawn.height)]
        case BitmaskCoordinates():
            return round(float(drawn.to_numpy_array().mean()), 2)
    return [(span.start, span.end) for span in drawn.range]


def answer(found) -> object:
    return found if isinstance(found, str) or found is None else found.title


def labels(row) -> list[str]:
    row.initialise_labels()
    out = []
    for found in row.get_object_instances():
        notes = [
            (a.frame, place(a.coordinates), rounded(a.confidence), a.manual_annotation)
            for a in found.get_annotations()
        ]
        names = [answer(found.get_answer(attribute)) for attribute in found.ontology_item.attributes]
        out.append(json.dumps([found.object_name, notes, names]))
    for found in row.get_classification_instances():
        notes = [(a.frame, rounded(a.confidence), a.manual_annotation) for a in found.get_annotations()]
        out.append(json.dumps([found.classification_name, notes, answer(found.get_answer())]))
    return sorted(out)


def without_key(metadata: dict | None) -> dict:
    """The workbench recognises items that it has made by a key of its own."""
    return {key: value for key, value in (metadata or {}).items() if key != "workbench_item"}


def effect(server) -> dict:
    """What a client sees that has seen nothing before."""
    out: dict = {}
    for project in map(server.project, (server.project_hash, server.twin_project_hash, QUESTIONS)):
        for row in project.list_label_rows_v2(include_client_metadata=True):
            out[f"{project.title}: {row.data_title}"] = {
                "stage": row.workflow_graph_node.title,
                "priority": rounded(row.priority),
                "metadata": without_key(row.client_metadata),
                "labels": labels(row),
            }
    return out


def lines_of(path: Path) -> int:
    """Lines of code: no comments, no tests, nothing of the text at the top of a Python file."""
    text = re.sub(r'\A""".*?"""', "", path.read_text(), flags=re.S).split("#[cfg(test)]")[0]
    return sum(bool(line.strip()) and not line.strip().startswith(("//", "#!", "# ")) for line in text.splitlines())


def test_each_has_its_python_version_and_is_in_the_readme():
    assert {path.stem for path in (REAL / "python").glob("*.py")} == set(NAMES)
    readme = (ROOT / "sample-agents/README.md").read_text()
    for name in NAMES:
        python, rust = f"real/python/{name}.py", f"real/src/{name}.rs"
        counts = [lines_of(ROOT / "sample-agents" / path) for path in (python, rust)]
        row = f"| `{name}` | [`{python}`]({python}) | {counts[0]} | [`{rust}`]({rust}) | {counts[1]} |"
        assert row in readme
        compile((REAL / f"python/{name}.py").read_text(), name, "exec")


def test_the_python_versions_have_the_same_effect(start, tmp_path, models, library):
    python, rust = [start("--scenario-file", REAL / "world.json") for _ in range(2)]
    before = effect(rust)
    assert effect(python) == before, "the servers differ before anything ran"
    folder = folder_for(tmp_path, models, library)
    run(rust, [servers.BINARY, "run", "--no-input", "--progress", "none"], [], folder, models)
    files = [REAL / f"python/{name}.py" for name in NAMES if name not in NOT_RUN]
    run(python, [sys.executable, "-c", ALL], files, folder, models)
    done, expected = effect(rust), effect(python)
    changed = {key for key in before if done[key] != before[key]}
    assert done["Questions: question about claim.txt"]["stage"] == "Answer"
    assert {key for key in before if key.startswith("Real agents")} < changed
    assert "Published: form.pdf" in changed
    left_out = {"Real agents: bill.txt"}
    assert done.keys() == expected.keys()
    for key in done.keys() - left_out:
        assert done[key] == expected[key], key
    assert done["Real agents: bill.txt"]["stage"] == "Experts"
