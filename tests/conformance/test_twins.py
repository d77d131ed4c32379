"""Each Python snippet of the founding text beside its Rust twin: the same effect on two equal servers.

`sample-agents/founding/NAME.py` is run by the real encord-agents, `NAME.rs` by `workbench run`, each on a fresh
server with the same scenario file. Afterwards every task, label row and storage item of the one equals that of
the other, apart from hashes and times, which differ by nature.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from encord.objects import Classification

import server as servers
import world as w
from test_roundtrip import ENDING, ROOT, TARGET, plain, without_hashes

FOUNDING = ROOT / "sample-agents/founding"
AGENT_1, COMPLETE = "6011c844-fb26-438b-b465-0b0825951015", "49a786f3-5edf-4b94-aff0-3da9042d3bf0"
PROJECT, TWIN = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-00000000aaaa"

#: Name of the pair → stages with their pathways, in order; the first one is where tasks begin.
CASES: dict[str, dict[str, dict[str, str]]] = {
    "stage_by_name": {"Agent 1": {"complete": "Complete"}},
    "stage_by_uuid": {"Agent 1": {"complete": "Complete"}},
    "none_stays": {"Agent 1": {"complete": "Complete"}},
    "prelabel_validate": {"prelabel": {"review": "validate"}, "validate": {"complete": "Complete"}},
    "stages_in_order": {"stage_1": {"next": "stage_2"}, "stage_2": {"next": "Complete"}},
    "client_metadata": {"Agent 1": {"complete": "Complete"}},
    "overwrite": {"stage_1": {"next": "stage_2"}, "stage_2": {"next": "Complete"}},
    "twin_and_frames": {"my_stage": {"complete": "Complete"}},
    "the_project": {"your_stage_name": {"next": "Complete"}},
    "task_and_label_row": {"your_stage_name": {"next": "Complete"}},
    "storage_item": {"your_stage_name": {"next": "Complete"}},
    "partial_argument": {"my_stage": {"complete": "Complete", "next_stage": "Elsewhere"}},
    "nested_dependency": {"my_stage": {"complete": "Complete", "next_stage": "Elsewhere"}},
    "pre_execution": {"Agent stage": {"labeled": "Complete"}},
}
#: Libraries beside the one of the pair's name, before it.
BESIDE = {"overwrite": ["overwritten"]}


def ids(tag: int, n: int) -> str:
    return f"00000000-0000-4000-8000-{tag:04d}{n:08d}"


def graph(stages: dict[str, dict[str, str]]) -> list[dict]:
    uuids = {title: AGENT_1 if title == "Agent 1" else ids(1, n) for n, title in enumerate(stages)}
    ends = {"Complete": ("7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "COMPLETED"), "Elsewhere": (ids(2, 0), "ARCHIVED")}
    where = uuids | {title: uuid for title, (uuid, _) in ends.items()}
    nodes = [{"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START", "toNode": where[next(iter(stages))]}]
    for title, ways in stages.items():
        pathways = [
            {"uuid": COMPLETE if way == "complete" else ids(3, n), "name": way, "targetNode": where[target]}
            for n, (way, target) in enumerate(ways.items())
        ]
        nodes.append({"uuid": uuids[title], "nodeType": "AGENT", "title": title, "pathways": pathways})
    for title, (uuid, kind) in ends.items():
        nodes.append({"uuid": uuid, "nodeType": "DONE", "title": title, "nodeSubtype": kind})
    return nodes


def world(name: str, ontology: dict | None = None) -> dict:
    """Six pictures at the first stage (a video for the frames), and the twin project on the same data."""
    if name == "twin_and_frames":
        items = [{"id": ids(4, 0), "itemId": ids(5, 0), "type": "video", "title": "meadow.mp4"}]
    else:
        items = [
            {
                "id": ids(4, n),
                "itemId": ids(5, n),
                "type": "image",
                "title": f"{n}.jpg",
                "clientMetadata": {"site": f"cam{n % 2 + 1}"},
            }
            for n in range(6)
        ]
    structure = ontology or {
        "objects": [w._object(1, "Car", "bounding_box")],
        "classifications": [
            {
                "id": "1",
                "featureNodeHash": "NotesCl1",
                "attributes": [w._attribute("1.1", "Notes", "text", "NotesAt1")],
            }
        ],
    }
    project = {"datasets": ["Data"], "workflowTemplate": "Founding"}
    return {
        "ontologies": [{"id": ids(6, 0), "title": "Founding", "structure": structure}],
        "datasets": [{"id": ids(7, 0), "title": "Data", "items": items}],
        "workflowTemplates": [{"id": ids(8, 0), "title": "Founding", "graphNodes": graph(CASES[name])}],
        "projects": [{"id": PROJECT, "title": "Founding", **project}, {"id": TWIN, "title": "Twin", **project}],
    }


@pytest.fixture(scope="session")
def libraries() -> Path:
    """Builds all Rust twins; the folder they lie in."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "build", "--quiet", "--locked", "-p", "sample-agents", "--features", "all", "--examples"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    return TARGET / "debug/examples"


def write_to_the_twin(server) -> None:
    """The twin project has been labelled before."""
    for row in server.project(TWIN).list_label_rows_v2():
        row.initialise_labels()
        feature = row.ontology_structure.get_child_by_title("Notes", Classification)
        notes = feature.create_instance()
        notes.set_answer(f"a note on {row.data_title}")
        notes.set_for_frames(0)
        row.add_classification_instance(notes)
        row.save()


def run(server, command: list, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command), "--project-hash", PROJECT],
        env={**server.environment(), "PROJECT_HASH": PROJECT},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def in_python(server, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(server, [sys.executable, FOUNDING / f"{name}.py"], folder)


def in_rust(server, name: str, folder: Path, libraries: Path) -> subprocess.CompletedProcess[str]:
    agents = [libraries / f"lib{library}.{ENDING}" for library in (*BESIDE.get(name, []), name)]
    flags = [part for library in agents for part in ("--agents", library)]
    return run(server, [servers.BINARY, "run", "--no-input", "--progress", "none", *flags], folder)


def effect(server) -> dict:
    """Everything that a run may have changed, as a client sees it that has seen nothing before."""
    out: dict = {}
    for project_hash in (PROJECT, TWIN):
        project = server.project(project_hash)
        rows = project.list_label_rows_v2()
        for row in rows:
            row.initialise_labels()
            labels = without_hashes(row)
            labels["classifications"] = sorted(
                json.dumps({k: v for k, v in c.items() if k != "classificationHash"}, sort_keys=True)
                for c in labels["classifications"].values()
            )
            out[f"{project.title}: {row.data_title}"] = {
                "task": str(row.task_uuid),
                "stage": row.workflow_graph_node.title,
                "priority": row.priority,
                "labels": labels,
            }
    for n, item in enumerate(server.client().get_storage_items([ids(5, n) for n in range(len(out) // 2)])):
        out[f"item {n}"] = plain(item.client_metadata)
    return out


@pytest.fixture
def pair(start, tmp_path, libraries):
    """Two fresh servers of one world; runs both twins side by side and gives how they ended and what they did."""

    def both(name: str, ontology: dict | None = None):
        file = tmp_path / "world.json"
        file.write_text(json.dumps(world(name, ontology)))
        two = [start("--scenario-file", file), start("--scenario-file", file)]
        if ontology is None:
            for server in two:
                write_to_the_twin(server)
        before = [effect(server) for server in two] if ontology is None else [None, None]
        assert before[0] == before[1], "the servers differ before anything ran"
        folders = [tmp_path / "python", tmp_path / "rust"]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(in_python, two[0], name, folders[0]),
                pool.submit(in_rust, two[1], name, folders[1], libraries),
            ]
            ended = [job.result() for job in jobs]
        return ended, [effect(server) for server in two], before[0]

    return both


def test_every_python_snippet_has_its_rust_twin_and_is_in_the_readme():
    names = {path.stem for path in FOUNDING.glob("*.py")}
    assert names == set(CASES)
    assert {path.stem for path in FOUNDING.glob("*.rs")} == names | {lib for libs in BESIDE.values() for lib in libs}
    readme = (ROOT / "sample-agents/README.md").read_text()
    assert not [name for name in names if f"founding/{name}" not in readme]


@pytest.mark.parametrize("name", CASES)
def test_the_twins_have_the_same_effect(pair, name):
    ended, (python, rust), before = pair(name)
    for process in ended:
        assert process.returncode == 0 and "Traceback" not in process.stderr, process.stdout + process.stderr
    assert rust == python
    assert python != before, "nothing happened"


def test_both_refuse_a_project_without_the_object_before_the_first_task(pair):
    empty = {"objects": [], "classifications": []}
    (python, rust), effects, _ = pair("pre_execution", empty)
    assert python.returncode != 0 and "Car" in python.stderr
    assert rust.returncode == 3 and "Car" in rust.stderr, rust.stderr
    assert effects[0] == effects[1]
    assert {v["stage"] for k, v in effects[1].items() if k.startswith("Founding")} == {"Agent stage"}
