"""`workbench run` with the sample agents, judged by the SDK: what Rust wrote, Python reads."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from encord.constants.enums import DataType
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates, PointCoordinate, PolygonCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskCompletionResult

import server as servers
from test_labels import comparable

AGENTS = os.environ.get("SAMPLE_AGENTS", "")


@pytest.fixture(autouse=True)
def sample_agents():
    assert Path(AGENTS).is_file(), f"SAMPLE_AGENTS is {AGENTS!r}: build them with `cargo build -p sample-agents --features all`"


def workbench(server, folder: Path, *args: str, code: int = 0, **environment: str) -> list[dict]:
    """Runs the program to its end; the JSON lines of its standard output."""
    ended = subprocess.run(
        [servers.BINARY, "run", "--agents", AGENTS, "--json", "--no-input", *args],
        env={**server.environment(), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == code, f"exit {ended.returncode}\n{ended.stderr}\n{ended.stdout[-2000:]}"
    assert server.key_file not in ended.stdout
    return [json.loads(line) for line in ended.stdout.splitlines()]


def initialised(server, project_hash: str | None = None) -> dict:
    project = server.project(project_hash)
    rows = project.list_label_rows_v2()
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    return {r.data_hash: r for r in rows}


def waiting(server) -> dict[str, str]:
    """Data hash → title of the agent stage where its task waits."""
    stages = server.project().workflow.stages
    return {str(t.data_hash): s.title for s in stages if s.stage_type.value == "AGENT" for t in s.get_tasks()}


def test_a_run_does_what_its_lines_report_and_the_sdk_reads_its_labels(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "40")
    before = waiting(server)
    lines = workbench(server, tmp_path, "--project-hash", server.project_hash)
    tasks, summary = lines[:-1], lines[-1]["summary"]
    assert {t["data_hash"] for t in tasks} == set(before)
    assert (summary["failed"], summary["conflicts"], summary["tasks"]) == (0, 0, len(tasks))
    rows = initialised(server)
    stages = {s.uuid: s for s in server.project().workflow.stages}
    for task in tasks:
        by_name = {p.name: p for s in stages.values() for p in getattr(s, "pathways", [])}
        node = rows[task["data_hash"]].workflow_graph_node
        assert node.uuid == str(by_name[task["pathway_name"]].destination_uuid)
        assert task["pathway_uuid"] == str(by_name[task["pathway_name"]].uuid)


def test_boxes_classes_and_priorities_are_those_of_the_pixels(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "40")
    before = waiting(server)
    workbench(server, tmp_path, "--project-hash", server.project_hash, "--stage", "pre-label")
    judged = 0
    for data_hash, row in initialised(server).items():
        moved_on = row.workflow_graph_node.title == "Annotate"
        if before.get(data_hash) != "pre-label" or row.data_type != DataType.IMAGE or not moved_on:
            continue
        judged += 1
        (box,) = [o for o in row.get_object_instances() if o.object_name == "Bright region"]
        annotation = box.get_annotation(0)
        at = annotation.coordinates
        assert not annotation.manual_annotation
        assert 0 <= at.top_left_x < at.top_left_x + at.width <= 1 + 1e-9
        url = row.get_storage_item(get_signed_urls=True).get_signed_url()
        picture = cv2.imdecode(np.frombuffer(requests.get(url, timeout=30).content, np.uint8), cv2.IMREAD_COLOR)
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        assert row.priority == pytest.approx(gray.mean() / 255, abs=0.02)
        weather = {c.classification_name: c for c in row.get_classification_instances()}["Weather"].get_answer()
        assert weather.title == ("Night" if gray.mean() < 60 else "Sunny") or abs(gray.mean() - 60) < 2
        height, width = gray.shape
        inside = gray[
            int(at.top_left_y * height) : int((at.top_left_y + at.height) * height) + 1,
            int(at.top_left_x * width) : int((at.top_left_x + at.width) * width) + 1,
        ]
        assert inside.max() > gray.mean()
    assert judged >= 10


def test_a_dry_run_reports_the_same_and_writes_nothing(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "30")
    state, writes = server.state(), server.local("counters")["writes"]
    dry = workbench(server, tmp_path, "--project-hash", server.project_hash, "--dry-run", "--stage", "pre-label")
    after = server.state()
    assert server.local("counters")["writes"] == writes and dry[-1]["summary"]["writes"] == 0
    for title, task in after.items():
        assert (task["stage"], task["priority"]) == (state[title]["stage"], state[title]["priority"])
    wet = workbench(server, tmp_path, "--project-hash", server.project_hash, "--stage", "pre-label")
    outcome = lambda lines: {t["task_uuid"]: (t["outcome"], t["pathway_name"]) for t in lines[:-1]}  # noqa: E731
    assert outcome(dry) == outcome(wet)


def test_labels_that_the_sdk_wrote_survive_an_agent_untouched(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "30")
    waits = [h for h, stage in waiting(server).items() if stage == "pre-label"]
    project = server.project()
    row = next(r for r in project.list_label_rows_v2(data_hashes=waits) if r.data_type == DataType.IMAGE)
    row.initialise_labels()
    car = row.ontology_structure.get_child_by_title("Car", Object)
    instance = car.create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 1 / 3, 0.2, 0.3), confidence=0.5)
    instance.set_answer(car.get_child_by_title("Red"), attribute=car.get_child_by_title("Colour"))
    instance.set_answer("crimson – ü 🚗", attribute=car.get_child_by_title("Shade"))
    row.add_object_instance(instance)
    person = row.ontology_structure.get_child_by_title("Person", Object).create_instance()
    ring, hole = [(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)], [(0.4, 0.2), (0.6, 0.2), (0.5, 0.4)]
    points = lambda pairs: [PointCoordinate(x, y) for x, y in pairs]  # noqa: E731
    person.set_for_frames(PolygonCoordinates(polygons=[[points(ring), points(hole)]]))
    row.add_object_instance(person)
    row.save()
    before = comparable(row.to_encord_dict())

    workbench(server, tmp_path, "--project-hash", server.project_hash, "--task", row.data_title)
    again = initialised(server)[row.data_hash]
    (bright,) = [o for o in again.get_object_instances() if o.object_name == "Bright region"]
    again.remove_object(bright)
    for made in again.get_classification_instances():
        again.remove_classification(made)
    after = comparable(again.to_encord_dict())
    mine = {instance.object_hash, person.object_hash}
    kept = lambda d: {k: v for k, v in d["object_answers"].items() if k in mine}  # noqa: E731
    assert kept(after) == kept(before)
    objects = lambda d: {  # noqa: E731
        o["objectHash"]: o for u in d["data_units"].values() for o in u["labels"]["objects"] if o["objectHash"] in mine
    }
    assert objects(after) == objects(before) and len(objects(after)) == 2


def test_labels_that_rust_wrote_are_saved_back_unchanged_by_the_sdk(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "30")
    workbench(server, tmp_path, "--project-hash", server.project_hash, "--stage", "pre-label")
    for row in initialised(server).values():
        before = stored(server, row)
        row.save()
        assert stored(server, row) == before


def stored(server, row) -> dict:
    """A row as the server keeps it. Its links are signed again each time."""
    blob = comparable(server.project().get_label_row(row.label_hash, get_signed_url=False))
    for unit in blob["data_units"].values():
        unit.pop("data_link")
    return blob


def test_the_founding_texts_stage_binds_and_is_drained(start, tmp_path):
    server = start("--scenario", "seed", "--tasks", "12")
    lines = workbench(server, tmp_path, "--project-hash", server.project_hash)
    assert lines[-1]["summary"]["moved"] == 12
    assert Counter(t["stage"] for t in server.state().values()) == {"Complete": 12}


def test_faults_delay_a_run_but_every_task_is_committed_once(start, tmp_path):
    server = start("--scenario", "seed", "--tasks", "400")
    server.faults("any:429/1s*2", "actions:lost*2", "save_labels:500*2", "get:drop*3", "actions:502*1")
    lines = workbench(server, tmp_path, "--project-hash", server.project_hash, "--task-batch-size", "40")
    assert server.struck() >= 5
    server.faults()
    assert lines[-1]["summary"]["moved"] == 400
    assert Counter(t["stage"] for t in server.state().values()) == {"Complete": 400}
    assert server.local("counters")["endpoints"]["actions"]["changed"] == 400


def test_a_key_that_the_server_does_not_know_is_exit_6(start, tmp_path, stranger_key):
    server = start("--scenario", "seed", "--tasks", "3")
    workbench(
        server, tmp_path, "--project-hash", server.project_hash, code=6, ENCORD_SSH_KEY_FILE=str(stranger_key)
    )
    assert Counter(t["stage"] for t in server.state().values()) == {"Agent 1": 3}


def test_no_key_signature_or_signed_url_reaches_the_log_of_a_run(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "20")
    rows = server.project().list_label_rows_v2()
    urls = [i.get_signed_url() for i in server.client().get_storage_items([r.backing_item_uuid for r in rows], True)]
    log = tmp_path / "verbose.log"
    workbench(server, tmp_path, "--project-hash", server.project_hash, "-v", "-v", "--log-file", str(log))
    text = log.read_text()
    assert text.strip()
    seals = [u.split("seal=")[1] for u in urls if u]
    key = Path(server.key_file).read_text().splitlines()
    assert seals
    for secret in [*seals, *key[1:-1], "encord-sig=:"]:
        assert secret not in text


def test_a_key_in_lines_of_another_width_is_read(start, tmp_path):
    """Python's `cryptography` breaks the lines of a key after 76 characters, ssh-keygen after 70."""
    server = start("--scenario", "seed", "--tasks", "3")
    first, *body, last = Path(server.key_file).read_text().split("\n")[:-1]
    whole = "".join(body)
    wide = tmp_path / "wide"
    lines = [whole[at : at + 76] for at in range(0, len(whole), 76)]
    wide.write_text("\n".join([first, *lines, last, ""]))
    wide.chmod(0o600)
    assert server.client(wide).get_project(server.project_hash).title
    lines = workbench(server, tmp_path, "--project-hash", server.project_hash, ENCORD_SSH_KEY_FILE=str(wide))
    assert lines[-1]["summary"]["moved"] == 3


def test_the_tasks_that_the_program_lists_are_those_that_the_sdk_lists(demo, tmp_path):
    ended = subprocess.run(
        [servers.BINARY, "tasks", "--json", "--stage", "pre-label", "-p", demo.project_hash],
        env=demo.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    listed = {line["data_hash"] for line in map(json.loads, ended.stdout.splitlines()) if "data_hash" in line}
    assert listed == {h for h, stage in waiting(demo).items() if stage == "pre-label"}


def execute(server, folder: Path, lines: list[str], *args: str) -> tuple[int, list[TaskCompletionResult]]:
    """`workbench exec`: the exit code and the results, as encord-agents reads them."""
    ended = subprocess.run(
        [servers.BINARY, "exec", "-p", server.project_hash, "--agents", AGENTS, "--stage", "pre-label", *args],
        input="".join(line + "\n" for line in lines),
        env=server.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    results = [TaskCompletionResult.model_validate_json(line) for line in ended.stdout.splitlines()]
    assert len(results) == len(lines), f"exit {ended.returncode}\n{ended.stderr}"
    return ended.returncode, results


def test_specs_of_the_sdk_are_executed_and_the_results_are_read_by_encord_agents(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "30")
    stage = server.project().workflow.get_stage(name="pre-label")
    specs = [t.model_dump_json() for t in stage.get_tasks()]
    code, results = execute(server, tmp_path, specs)
    assert code == 0
    assert [str(r.task_uuid) for r in results] == [json.loads(s)["uuid"] for s in specs]
    targets = {p.uuid: p.destination_uuid for p in stage.pathways}
    rows = {str(r.task_uuid): r for r in server.project().list_label_rows_v2()}
    for result in results:
        assert (result.success, result.stage_uuid, result.error) == (True, stage.uuid, None)
        assert rows[str(result.task_uuid)].workflow_graph_node.uuid == str(targets[result.pathway])


def test_a_stale_spec_costs_no_other_and_a_batch_is_one_line(start, tmp_path):
    server = start("--scenario", "demo", "--tasks", "30")
    stage = server.project().workflow.get_stage(name="pre-label")
    specs = [t.model_dump_json() for t in stage.get_tasks()][:6]
    uuids = [json.loads(s)["uuid"] for s in specs]
    server.post("move", tasks=[uuids[1], uuids[4]], stage="Archive")
    _, results = execute(server, tmp_path, [*specs[:3], f"[{','.join(specs[3:])}]"])
    assert [r.success for r in results[:3]] == [True, False, True]
    batch = results[3]
    assert [str(u) for u in batch.task_uuid] == uuids[3:]
    assert [str(u) for u in batch.success] == [uuids[3], uuids[5]]
    still = {str(t.uuid) for t in server.project().workflow.get_stage(name="pre-label").get_tasks()}
    assert not still & set(uuids)


def test_both_runners_share_a_project(start, tmp_path):
    """Rust drains the first stage, Python the second, with the labels of both on the row."""
    server = start("--scenario", "demo", "--tasks", "30")
    workbench(server, tmp_path, "--project-hash", server.project_hash, "--stage", "pre-label")
    project = server.project()
    stage = project.workflow.get_stage(name="Annotate")
    with project.create_bundle() as bundle:
        for task in stage.get_tasks():
            task.move(destination_stage_uuid=project.workflow.get_stage(name="route").uuid, bundle=bundle)
    runner = Runner(project.project_hash, user_client=server.client())
    found = []

    @runner.stage("route")
    def route(row: LabelRowV2) -> str:
        found.extend(o.object_name for o in row.get_object_instances())
        return "complete"

    runner(num_retries=0)
    assert "Bright region" in found
    assert not [h for h, s in waiting(server).items() if s == "route"]


@pytest.mark.slow
def test_ten_thousand_tasks_under_faults_are_committed_exactly_once(start, tmp_path):
    faults = ("any:429/1s@1%", "actions:lost@1%", "save_labels:500@2%", "get:drop@1%")
    server = start("--scenario", "demo", "--tasks", "12600", *(x for f in faults for x in ("--fault", f)))
    before = [t for t in server.state().values() if t["stage"] in ("pre-label", "route")]
    lines = workbench(server, tmp_path, "--project-hash", server.project_hash, "--task-batch-size", "20")
    struck = {f["fault"]: f["struck"] for f in server.local("faults")["faults"]}
    server.faults()
    summary, endpoints = lines[-1]["summary"], server.local("counters")["endpoints"]
    print(f"{summary}, faults struck {struck}")
    assert len(before) >= 10_000 and all(struck.values())
    assert (summary["moved"], summary["failed"]) == (len(before), 0)
    assert len({t["task_uuid"] for t in lines[:-1]}) == len(lines) - 1 == len(before)
    assert not [t for t in server.state().values() if t["stage"] in ("pre-label", "route")]
    assert endpoints["actions"]["changed"] == len(before)
