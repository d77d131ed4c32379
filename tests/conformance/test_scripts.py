"""The example scripts, run as a person runs them: a process each, with the project on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates

import world as w
from test_runner import where

SCRIPTS = Path(__file__).parent / "scripts"


def run(server, name: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / f"{name}.py", *args],
        env={**server.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def done(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr


def rows_of(server, project) -> dict:
    rows = server.project(project.project_hash).list_label_rows_v2()
    for row in rows:
        row.initialise_labels()
    return {r.data_title: r for r in rows}


def test_priority_by_title(shared, make_project):
    project = make_project(w.NUMBERED)
    done(run(shared, "priority_by_title", "--project-hash", project.project_hash))
    again = shared.project(project.project_hash)
    assert {r.data_title: r.priority for r in again.list_label_rows_v2()} == {f"{n}.jpg": n / 100 for n in w.NUMBERS}
    assert where(shared, project) == {"Annotate": len(w.NUMBERS)}


def test_routing_by_metadata_through_two_stages(shared, make_project):
    project = make_project()
    done(run(shared, "route_by_metadata", f"--project-hash={project.project_hash}", "--task-batch-size", "2"))
    assert where(shared, project) == {"Archive": 3, "Complete": 2, "Agent 1": 1}


def test_labels_are_transferred_from_the_twin(shared, make_project):
    project, twin = make_project(w.SMALL), make_project(w.SMALL)
    source = twin.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    source.initialise_labels()
    instance = source.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
    source.add_object_instance(instance)
    notes = source.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    notes.set_answer("from the twin")
    notes.set_for_frames(0)
    source.add_classification_instance(notes)
    source.save()
    done(run(shared, "twin_transfer", "--project-hash", project.project_hash, TWIN_PROJECT_HASH=twin.project_hash))
    row = rows_of(shared, project)["small_0.jpg"]
    (found,) = row.get_object_instances()
    assert found.get_annotation(0).coordinates == BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4)
    assert row.get_classification_instances()[0].get_answer() == f"from the twin ({source.task_uuid})"
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


def test_boxes_from_the_frames_of_a_video(shared, make_project):
    project = make_project(w.MIXED)
    stage = project.workflow.get_stage(name="Agent 1")
    others = [str(t.uuid) for t in stage.get_tasks() if str(t.data_hash) != w.HASH["video"]]
    shared.post("move", project=project.project_hash, tasks=others, stage="Archive")
    done(run(shared, "video_iterator", "--project-hash", project.project_hash))
    row = rows_of(shared, project)["meadow.mp4"]
    boxes = sorted((o.get_annotations()[0].frame, o.get_annotations()[0].coordinates) for o in row.get_object_instances())
    box = BoundingBoxCoordinates(height=0.1, width=0.1, top_left_x=0.0, top_left_y=0.0)
    assert boxes == [(0, box), (25, box), (50, box)]
    assert row.get_classification_instances()[0].get_answer() == "meadow.mp4: 74 frames"


def test_a_project_is_validated_before_anything_runs(shared, make_project):
    project = make_project()
    refused = run(shared, "validate_first", "--project-hash", project.project_hash, REFUSE="1")
    assert refused.returncode != 0 and "no such class" in refused.stderr
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}
    done(run(shared, "validate_first", "--project-hash", project.project_hash))
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


@pytest.mark.parametrize("which", ["unknown key", "unknown project"])
def test_a_script_that_may_not_ends_with_an_error(shared, stranger_key, which):
    if which == "unknown key":
        ended = run(shared, "validate_first", f"--project-hash={w.MAIN}", ENCORD_SSH_KEY_FILE=str(stranger_key))
        assert "AuthenticationError" in ended.stderr
    else:
        ended = run(shared, "validate_first", f"--project-hash={w.fixed('no project')}")
        assert "AuthorisationError" in ended.stderr
    assert ended.returncode != 0


def test_scripts_run_side_by_side_on_three_projects_with_every_kind_of_item(shared, make_project):
    projects = [make_project(w.MIXED, title=f"side by side {n}") for n in range(3)]
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPTS / "every_kind.py", "--project-hash", project.project_hash],
            env=shared.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for project in projects
    ]
    try:
        for process in running:
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0 and "Traceback" not in output, output
    finally:
        for process in running:
            process.kill()
            process.wait()
    for project in projects:
        assert where(shared, project) == {"Complete": len(w.HASH)}
        rows = rows_of(shared, project)
        notes = {title: [c.get_answer() for c in r.get_classification_instances()] for title, r in rows.items()}
        assert notes.pop("picture with note") == []
        assert all(len(n) == 1 and n[0].endswith(f": {title}") for title, n in notes.items()), notes
        assert {r.priority for r in rows.values()} == {0.875}
