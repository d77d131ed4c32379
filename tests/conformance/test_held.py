"""What an outcome changes beyond the task's own row, beside the same writes of the SDK on an equal server.

One task of an agent in C changes rows, tasks and items of its own project and of a twin. Afterwards a fresh client of
the SDK reads the same labels, priorities, metadata, stages and issues on both servers.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from encord.issues.issue_client import _IssueClient
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.utilities.project_user import ProjectUserRole

import server as servers
from test_roundtrip import ENDING, ROOT
from test_twins import PROJECT, TWIN, effect, ids, run, world

#: Whose key the tests use.
OWNER = "agent@example.test"
#: The task's own data, and others that it changes.
OWN, LABELLED, URGENT, MOVED = (ids(4, n) for n in (0, 1, 2, 4))
BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
CAR, NOTES = {"name": "Car", "boundingBox": BOX}, {"name": "Notes", "answer": "seen → read"}
#: Issues: comment, tags, and where they are.
ISSUES = [
    ("about the file", ["blurry"], {}),
    ("about the frame", [], {"frame": 0}),
    ("about a place", ["blurry", "dark"], {"frame": 0, "at": [0.25, 0.5]}),
    ("about a label", [], {"label": "abcd1234"}),
]


def answer() -> dict:
    issues = [{"kind": "issue", "comment": text, "tags": tags, **where} for text, tags, where in ISSUES]
    return {
        "stage": "Complete",
        "add": [CAR],
        "priority": 0.25,
        "client_metadata": {"own": True},
        "changes": [
            {"kind": "labels", "project": TWIN, "add": [CAR, NOTES]},
            {"kind": "labels", "data_hash": LABELLED, "add": [NOTES]},
            {"kind": "priority", "project": TWIN, "priority": 0.125},
            {"kind": "priority", "data_hash": URGENT, "priority": 1},
            {"kind": "metadata", "data_hash": LABELLED, "client_metadata": {"of": "a row", "n": 1.5}},
            {"kind": "metadata", "item_uuid": ids(5, 3), "client_metadata": {"of": "an item"}},
            {"kind": "move", "project": TWIN, "to": "Complete"},
            {"kind": "move", "data_hash": MOVED, "to": "Complete"},
            *issues,
            {"kind": "issue", "project": TWIN, "data_hash": URGENT, "comment": "in the twin"},
        ],
    }


def agent(folder: Path) -> Path:
    library = folder / f"noop.{ENDING}"
    spec = {"function": "noop", "twins": [{"project": TWIN, "write": True}]}
    outcome, spec = (json.dumps(json.dumps(text, ensure_ascii=False), ensure_ascii=False) for text in (answer(), spec))
    definitions = [f"-DOUTCOME={outcome}", f"-DSPEC={spec}", "-DNEEDS=WB_NEED_LABEL_ROW_WRITE"]
    command = ["cc", "-shared", "-fPIC", "-I", ROOT / "agent-abi/include", *definitions]
    subprocess.run([*command, "-o", library, ROOT / "tests/fixtures/noop.c"], check=True, timeout=60)
    return library


def with_the_agent(server, folder: Path) -> None:
    flags = ["--no-input", "--progress", "none", "--filter", "0.jpg", "--agents", agent(folder)]
    ended = run(server, [servers.BINARY, "run", *flags], folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def label(row, car: bool, notes: bool) -> None:
    row.initialise_labels()
    if car:
        instance = row.ontology_structure.get_child_by_title("Car", Object).create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(height=BOX["h"], width=BOX["w"], top_left_x=BOX["x"], top_left_y=BOX["y"]), 0)
        row.add_object_instance(instance)
    if notes:
        instance = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
        instance.set_answer(NOTES["answer"])
        instance.set_for_frames(0)
        row.add_classification_instance(instance)
    row.save()


def with_the_sdk(server) -> None:
    own, twin = server.project(PROJECT), server.project(TWIN)
    row = {(p, r.data_hash): r for p in (own, twin) for r in p.list_label_rows_v2()}
    label(row[own, OWN], car=True, notes=False)
    label(row[twin, OWN], car=True, notes=True)
    label(row[own, LABELLED], car=False, notes=True)
    row[own, OWN].set_priority(0.25)
    row[twin, OWN].set_priority(0.125)
    row[own, URGENT].set_priority(1)
    for n, metadata in [(0, {"own": True}), (1, {"of": "a row", "n": 1.5}), (3, {"of": "an item"})]:
        server.client().get_storage_item(ids(5, n)).update(client_metadata=metadata)
    task = tasks(server, own, OWN)
    task.issues.add_file_issue(*ISSUES[0][:2])
    task.issues.add_frame_issue(0, *ISSUES[1][:2])
    task.issues.add_coordinate_issue(0, 0.25, 0.5, *ISSUES[2][:2])
    task.issues.add_annotation_issue("abcd1234", *ISSUES[3][:2])
    tasks(server, twin, URGENT).issues.add_file_issue("in the twin", [])
    for project, data in [(twin, OWN), (own, MOVED), (own, OWN)]:
        complete = project.workflow.get_stage(name="Complete")
        tasks(server, project, data).move(destination_stage_uuid=complete.uuid)


def tasks(server, project, data: str):
    found = (task for stage in project.workflow.stages for task in stage.get_tasks())
    return next(task for task in found if str(task.data_hash) == data)


def issues(server) -> dict:
    """Issues of each data unit, without what differs by nature."""
    out = {}
    for project in map(server.project, (PROJECT, TWIN)):
        client = _IssueClient(project._api_client)
        for data in (ids(4, n) for n in range(6)):
            listed = client.get_issues(project_uuid=UUID(project.project_hash), data_uuid=UUID(data))
            found = [json.loads(issue.model_dump_json()) for issue in listed]
            for issue in found:
                issue.pop("uuid")
                issue["comments"] = [(c["content"], c["author_email"]) for c in issue["comments"]]
                issue["tags"] = sorted(tag["name"] for tag in issue["tags"])
                issue["resolution_history"] = [r["is_resolved"] for r in issue["resolution_history"]]
            out[project.title, data] = sorted(found, key=json.dumps)
    return out


@pytest.fixture
def two(start, tmp_path):
    file = tmp_path / "world.json"
    file.write_text(json.dumps(world("stage_by_name")))
    return [start("--scenario-file", file) for _ in range(2)]


def test_further_changes_read_like_the_writes_of_the_sdk(two, tmp_path):
    ours, sdk = two
    before = effect(ours)
    assert before == effect(sdk), "the servers differ before anything ran"
    with_the_agent(ours, tmp_path)
    with_the_sdk(sdk)
    now = effect(ours)
    assert now == effect(sdk)
    assert len([key for key in now if now[key] != before[key]]) == 8
    found = issues(ours)
    assert found == issues(sdk)
    assert {key[0]: len(list_) for key, list_ in found.items() if list_} == {"Founding": 4, "Twin": 1}


def test_undo_leaves_what_the_sdk_read_before(two, tmp_path):
    ours, _ = two
    before = effect(ours)
    with_the_agent(ours, tmp_path)
    undone = run(ours, [servers.BINARY, "undo", "--yes"], tmp_path)
    assert undone.returncode == 0, undone.stdout + undone.stderr
    after = effect(ours)
    assert after == before
    assert sum(map(len, issues(ours).values())) == 5, "issues stay"


def test_a_key_that_may_only_look_is_reported_before_the_first_task(two, tmp_path):
    server = two[0]
    check = [servers.BINARY, "check", "--agents", agent(tmp_path)]
    ended = run(server, check, tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    server.project(PROJECT).add_users([OWNER], ProjectUserRole.VIEWER)
    ended = run(server, check, tmp_path)
    assert ended.returncode == 0, "outcomes can still be held and planned: " + ended.stdout
    assert "may only look at project" in ended.stdout and "commits will be refused" in ended.stdout
    server.project(TWIN).add_users([OWNER], ProjectUserRole.VIEWER)
    assert server.project(TWIN).user_role == ProjectUserRole.VIEWER
    ended = run(server, check, tmp_path)
    assert ended.returncode == 3, ended.stdout
    assert "noop changes twins in project" in ended.stdout
