"""New text items as further changes, beside the same uploads and links of the SDK on an equal server.

An agent in C makes a text item for each of three pictures, in a dataset's own folder or in another one from where it is
linked. A fresh client of the SDK sees the same items, texts, data units and tasks as where it has made them itself.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
import requests
from encord.orm.dataset import DataLinkDuplicatesBehavior

import server as servers
from test_roundtrip import ENDING, ROOT
from test_twins import PROJECT, TWIN, ids, run, world

QUESTIONS, INBOX = ids(7, 1), ids(9, 0)
TEXT = "Is this a car\nor a van? – Ein Auto, ein Lieferwagen?"
METADATA = {"asked": True, "n": 1.5}


@pytest.fixture
def two(start, tmp_path):
    made = world("stage_by_name")
    made["datasets"].append({"id": QUESTIONS, "title": "Questions", "items": []})
    made["folders"] = [{"id": INBOX, "title": "Inbox"}]
    made["projects"][1]["datasets"] = ["Questions"]
    file = tmp_path / "world.json"
    file.write_text(json.dumps(made))
    return [start("--scenario-file", file) for _ in range(2)]


def agent(folder: Path, title: str, into: str | None) -> Path:
    item = {"kind": "item", "project": TWIN, "title": title, "text": TEXT, "client_metadata": METADATA}
    answer = {"route": "complete", "changes": [item | ({"folder": into} if into else {})]}
    text = json.dumps(json.dumps(answer, ensure_ascii=False), ensure_ascii=False)
    library = folder / f"noop.{ENDING}"
    command = ["cc", "-shared", "-fPIC", "-I", ROOT / "agent-abi/include", f"-DOUTCOME={text}", "-o", library]
    subprocess.run([*command, ROOT / "tests/fixtures/noop.c"], check=True, timeout=60)
    return library


def workbench(server, folder: Path, *args: object) -> None:
    ended = run(server, [servers.BINARY, *args], folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def with_the_agent(server, folder: Path, title: str, into: str | None) -> None:
    flags = ["--no-input", "--progress", "none", "--agents", agent(folder, title, into)]
    workbench(server, folder, "run", "--filter", "0.jpg", *flags)


def with_the_sdk(server, folder: Path, title: str, into: str | None) -> None:
    client = server.client()
    dataset = client.get_dataset(QUESTIONS)
    path = folder / title
    path.write_text(TEXT)
    place = client.get_storage_folder(into or dataset.backing_folder_uuid)
    item = place.upload_text(path, title=title, client_metadata=METADATA)
    if into:
        assert len(dataset.link_items([item])) == 1
        assert dataset.link_items([item], DataLinkDuplicatesBehavior.SKIP) == []
    project = server.project(PROJECT)
    complete = project.workflow.get_stage(name="Complete")
    (task,) = [t for t in project.workflow.get_stage(name="Agent 1").get_tasks() if t.data_title == "0.jpg"]
    task.move(destination_stage_uuid=complete.uuid)


def seen(server) -> dict:
    """Items of both folders, data units of the dataset, rows and tasks, without what differs by nature."""
    client = server.client()
    dataset = client.get_dataset(QUESTIONS)
    out: dict = {"items": [], "units": [], "rows": []}
    for place in (UUID(INBOX), dataset.backing_folder_uuid):
        for item in client.get_storage_folder(place).list_items(get_signed_urls=True):
            metadata = dict(item.client_metadata or {})
            assert UUID(metadata.pop("workbench_item", TWIN))
            summary = item.get_summary()
            uses = [(d.dataset_hash, len(d.data_hashes)) for d in summary.accessible_datasets]
            text = requests.get(item.get_signed_url(), timeout=30).content.decode()
            facts = (item.name, item.item_type, item.mime_type, item.file_size, item.parent_folder_uuid)
            out["items"].append([*map(str, facts), metadata, text, str(uses)])
    for unit in dataset.data_rows:
        out["units"].append([unit.title, str(unit.data_type), unit.file_size])
    for project in map(server.project, (PROJECT, TWIN)):
        for row in project.list_label_rows_v2():
            out["rows"].append([project.title, row.data_title, row.workflow_graph_node.title, row.priority, row.label_hash])
    return {name: sorted(found, key=json.dumps) for name, found in out.items()}


@pytest.mark.parametrize("into", [None, INBOX], ids=["own folder", "linked"])
@pytest.mark.parametrize("title", ["question.txt", "question.md"])
def test_new_items_are_as_the_sdk_makes_them(two, tmp_path, title, into):
    ours, sdk = two
    before = seen(ours)
    assert before == seen(sdk) and before["items"] == []
    with_the_agent(ours, tmp_path, title, into)
    with_the_sdk(sdk, tmp_path, title, into)
    now = seen(ours)
    assert now == seen(sdk)
    (item,) = now["items"]
    assert item[0] == title and item[-2] == TEXT
    assert ["Twin", title, "Agent 1", 0.5, None] in now["rows"], "a new task where the workflow begins"
    workbench(ours, tmp_path, "undo", "--yes")
    assert seen(ours) == before


def test_what_a_client_of_the_sdk_has_begun_stays(two, tmp_path):
    ours, _ = two
    with_the_agent(ours, tmp_path, "question.txt", INBOX)
    (row,) = ours.project(TWIN).list_label_rows_v2()
    row.initialise_labels()
    undone = run(ours, [servers.BINARY, "undo", "--yes"], tmp_path)
    assert undone.returncode == 0
    assert 'the item "question.txt" stays, because its labels were begun' in undone.stderr
    assert len(seen(ours)["items"]) == 1
