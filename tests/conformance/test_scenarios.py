"""The built-in scenarios, one's own workflow and media, and that the same seed gives the same ids."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from encord.constants.enums import DataType
from encord.orm.workflow import WorkflowStageType

import server as servers
import world as w

AGENT, PATHWAY = UUID("6011c844-fb26-438b-b465-0b0825951015"), UUID("49a786f3-5edf-4b94-aff0-3da9042d3bf0")
DONE = UUID("7e7598de-612c-40c4-ba08-5dfec8c3ae8f")
MEDIA = Path(__file__).parents[2] / "tui/local/media"

#: The specification of the founding text, with its comma after the last entry.
FOUNDING_WORKFLOW = """{
    "graphNodes": [
        {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START",
         "toNode": "6011c844-fb26-438b-b465-0b0825951015"},
        {"uuid": "6011c844-fb26-438b-b465-0b0825951015", "nodeType": "AGENT", "title": "Agent 1",
         "pathways": [{"uuid": "49a786f3-5edf-4b94-aff0-3da9042d3bf0", "name": "complete",
                       "targetNode": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"}]},
        {"uuid": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "nodeType": "DONE", "title": "Complete",
         "nodeSubtype": "COMPLETED"}
    ],
}"""


def founding_stages(project) -> None:
    agent, done = project.workflow.stages
    assert (agent.uuid, agent.title, agent.stage_type) == (AGENT, "Agent 1", WorkflowStageType.AGENT)
    assert [(p.uuid, p.name, p.destination_uuid) for p in agent.pathways] == [(PATHWAY, "complete", DONE)]
    assert (done.uuid, done.title, done.stage_type) == (DONE, "Complete", WorkflowStageType.DONE)


def test_the_seed_scenario_has_the_uuids_of_the_founding_text(seed):
    project = seed.project()
    founding_stages(project)
    assert list(project.workflow.get_stage(uuid=AGENT).get_tasks())
    assert seed.twin_project_hash is None


def test_the_founding_workflow_loads_with_its_trailing_comma(start, tmp_path):
    file = tmp_path / "workflow.json"
    file.write_text(FOUNDING_WORKFLOW)
    server = start("--import-workflow", file, "--tasks", "5")
    project = server.project()
    founding_stages(project)
    assert len(list(project.workflow.get_stage(name="Agent 1").get_tasks())) == 5


def test_the_demo_has_every_common_kind_of_item_and_a_twin(demo):
    project = demo.project()
    kinds = {r.data_type for r in project.list_label_rows_v2()}
    assert {DataType.IMAGE, DataType.VIDEO, DataType.IMG_GROUP, DataType.PLAIN_TEXT, DataType.AUDIO} <= kinds
    types = [s.stage_type for s in project.workflow.stages]
    assert types.count(WorkflowStageType.AGENT) == 2 and types.count(WorkflowStageType.DONE) == 2
    twin = demo.project(demo.twin_project_hash)
    assert {r.data_hash for r in twin.list_label_rows_v2()} == {r.data_hash for r in project.list_label_rows_v2()}


def test_the_demos_labels_are_ones_that_the_sdk_reads(demo):
    project = demo.project()
    rows = project.list_label_rows_v2()
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    assert sum(len(r.get_object_instances()) for r in rows) > 0
    for row in rows:
        row.to_encord_dict()


def test_the_twin_carries_labels(demo):
    twin = demo.project(demo.twin_project_hash)
    rows = twin.list_label_rows_v2()
    with twin.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    assert any(r.get_object_instances() for r in rows)


def test_the_same_seed_gives_the_same_ids_and_another_seed_others(demo, start):
    ids = lambda s: (s.project_hash, sorted(r.data_hash for r in s.project().list_label_rows_v2()))  # noqa: E731
    again = start("--scenario", "demo", "--tasks", "60")
    assert ids(again) == ids(demo)
    other = start("--scenario", "demo", "--tasks", "60", "--seed", "2")
    assert other.project_hash != demo.project_hash


def test_a_large_scenario_lists_its_tasks(start):
    server = start("--scenario", "large", "--tasks", "20000")
    stages = server.project().workflow.stages
    first = stages[0].get_tasks()
    assert len({next(first).uuid for _ in range(250)}) == 250
    assert len(server.project().list_label_rows_v2(data_title_like="%1%")) > 0


def test_a_folder_of_ones_own_becomes_a_project(start, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("coins.jpg", "bigbuckbunny-3s.mp4"):
        shutil.copy(MEDIA / name, folder / name)
    (folder / "note.txt").write_text("hello")
    server = start("--import", folder)
    rows = {r.data_title: r for r in server.project().list_label_rows_v2()}
    assert rows["coins.jpg"].data_type == DataType.IMAGE and rows["coins.jpg"].width
    assert (rows["bigbuckbunny-3s.mp4"].data_type, rows["bigbuckbunny-3s.mp4"].number_of_frames) == (DataType.VIDEO, 75)
    import requests

    url = rows["coins.jpg"].get_storage_item(get_signed_urls=True).get_signed_url()
    assert requests.get(url, timeout=30).content == (MEDIA / "coins.jpg").read_bytes()


def test_pages_have_the_size_asked_for(start):
    server = start("--scenario", "seed", "--tasks", "25", "--page-size", "10")
    project = server.project()
    before = server.requests_to("get_tasks")
    assert len(list(project.workflow.stages[0].get_tasks())) == 25
    assert server.requests_to("get_tasks") == before + 3


def test_simulated_people_move_tasks_through_annotation_and_review(start, world_file):
    server = start("--scenario-file", world_file, "--people", "200")
    project = server.project(w.MAIN)
    for task in project.workflow.get_stage(name="Agent 1").get_tasks():
        task.proceed(pathway_name="annotate")
    end, done = time.monotonic() + 30, []
    while time.monotonic() < end and len(done) < len(w.HASH) + w.SMALL_COUNT:
        done = list(server.project(w.MAIN).workflow.get_stage(name="Complete").get_tasks())
    assert len(done) == len(w.HASH) + w.SMALL_COUNT


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "scenario"),
        ('{"datasetz": []}', "datasetz"),
        ('{"datasets": [{"title": "D", "items": [{"type": "hologram"}]}]}', "hologram"),
    ],
)
def test_a_wrong_scenario_file_is_refused_with_its_name_and_the_mistake(tmp_path, content, word):
    file = tmp_path / "broken-world.json"
    file.write_text(content)
    ended = subprocess.run(
        [servers.BINARY, "serve", "--scenario-file", file], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert ended.returncode not in (0, 70)
    assert not ended.stdout
    assert "broken-world.json" in ended.stderr and word in ended.stderr


def test_three_projects_from_one_template_live_side_by_side_and_go(shared, make_project):
    projects = [make_project(w.MIXED, title=f"side {n}") for n in range(3)]
    for n, project in enumerate(projects):
        with project.create_bundle() as bundle:
            for task in project.workflow.get_stage(name="Agent 1").get_tasks():
                task.proceed(pathway_name=("complete", "second", "archive")[n], bundle=bundle)
    for project, stage in zip(projects, ("Complete", "Agent 2", "Archive")):
        tasks = shared.project(project.project_hash).workflow.get_stage(name=stage).get_tasks()
        assert len(list(tasks)) == len(w.HASH)


def test_a_world_without_ids_is_served_too(start, tmp_path):
    file = tmp_path / "world.json"
    file.write_text(json.dumps({"datasets": [{"title": "Only this", "items": [{"type": "image", "count": 3}]}]}))
    server = start("--scenario-file", file)
    assert len(list(server.project().workflow.stages[0].get_tasks())) == 3
