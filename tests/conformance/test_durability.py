"""What was acknowledged is on disk: after an orderly stop, and after `kill -9` under write load."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from encord.exceptions import CloudUploadError, EncordException
from encord.objects import Classification

import server as servers
import world as w

DEADLINE = 60.0


def set_note(row, text: str) -> None:
    """Replaces the row's one note and saves."""
    for old in row.get_classification_instances():
        row.remove_classification(old)
    note = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    note.set_answer(text)
    note.set_for_frames(0)
    row.add_classification_instance(note)
    row.save()


def note_of(row) -> str | None:
    notes = row.get_classification_instances()
    return notes[0].get_answer() if notes else None


def test_a_folder_is_reopened_with_its_ids_key_labels_and_projects(start, world_file, tmp_path):
    folder = tmp_path / "data"
    server = start("--scenario-file", world_file, "--data", folder)
    client = server.client()
    made = client.create_project("kept", [w.SMALL], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE)
    project = client.get_project(made)
    row = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    row.initialise_labels()
    set_note(row, "kept")
    row.set_priority(0.1337)
    row.get_storage_item().update(client_metadata={"kept": True})
    next(iter(project.workflow.get_stage(name="Agent 1").get_tasks(data_hash=w.small_hash(1)))).proceed("archive")
    token = client.get_bearer_token()
    assert server.stop() in (0, 143)

    again = start("--scenario-file", world_file, "--data", folder)
    assert (again.project_hash, again.key_file) == (server.project_hash, server.key_file)
    project = again.project(made)
    row = project.list_label_rows_v2(data_hashes=[w.small_hash(0)], include_client_metadata=True)[0]
    row.initialise_labels()
    assert (note_of(row), row.priority, row.client_metadata) == ("kept", 0.1337, {"kept": True})
    assert [t.data_title for t in project.workflow.get_stage(name="Archive").get_tasks()] == ["small_1.jpg"]
    from encord import EncordUserClient

    assert EncordUserClient.create_with_bearer_token(token, domain=again.domain).get_project(made).title == "kept"


def test_the_key_is_readable_by_its_owner_only(start, tmp_path):
    server = start("--scenario", "seed", "--data", tmp_path / "data")
    import os

    assert os.stat(server.key_file).st_mode & 0o077 == 0
    assert os.stat(tmp_path / "data").st_mode & 0o077 == 0


def test_one_folder_is_served_by_one_server(start, tmp_path):
    start("--scenario", "seed", "--data", tmp_path / "data")
    second = subprocess.run(
        [servers.BINARY, "serve", "--scenario", "seed", "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=tmp_path,
    )
    assert second.returncode != 0 and not second.stdout and second.stderr.strip()


def test_a_limit_on_the_size_of_files_refuses_what_is_too_large_and_ends_nothing(start, world_file, tmp_path):
    folder, limit = tmp_path / "data", 4 << 20
    start("--scenario-file", world_file, "--data", folder).stop()
    server = start("--data", folder, file_limit=limit)
    texts = server.client().create_storage_folder("texts")
    for name, size in (("large.txt", limit + 1), ("small.txt", 100)):
        (tmp_path / name).write_text("x" * size)

    with pytest.raises(CloudUploadError):
        texts.upload_text(tmp_path / "large.txt")
    kept = texts.upload_text(tmp_path / "small.txt")
    assert server.process.poll() is None
    assert [i.uuid for i in server.client().get_storage_folder(texts.uuid).list_items()] == [kept]
    assert [f.stat().st_size for f in (folder / "uploads").iterdir()] == [100]


@dataclass
class Truth:
    """What was acknowledged and what was under way when the server died, by what it is about.

    `acknowledged[key]` is the newest number whose answer arrived, `tried[key]` the newest that was sent.
    """

    acknowledged: dict[str, int] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    moving: set[str] = field(default_factory=set)
    writes: int = 0

    def write(self, key: str, send: Callable[[int], None]) -> None:
        number = self.tried.get(key, 0) + 1
        self.tried[key] = number
        send(number)
        self.acknowledged[key] = number
        self.writes += 1


class Writer(threading.Thread):
    """Writes until the server is gone. Each thread has its own kind of write and its own client."""

    def __init__(self, server, project_hash: str, kind: str, truth: Truth):
        super().__init__(daemon=True)
        self.project = server.client(max_retries=0, connection_retries=0).get_project(project_hash)
        self.kind, self.truth, self.problem = kind, truth, None

    def run(self) -> None:
        try:
            getattr(self, self.kind)()
        except (EncordException, OSError):
            pass  # the server is gone: that is how it ends
        except BaseException as problem:  # noqa: BLE001 - reported by the case
            self.problem = problem

    def labels(self) -> None:
        rows = self.project.list_label_rows_v2()[:20]
        for row in rows:
            row.initialise_labels()
        while True:
            for row in rows:
                self.truth.write(f"label {row.data_hash}", lambda n, row=row: set_note(row, str(n)))

    def priorities(self) -> None:
        rows = self.project.list_label_rows_v2()[20:60]
        while True:
            for row in rows:
                self.truth.write(f"priority {row.data_hash}", lambda n, row=row: row.set_priority(n / 1_000_000))

    def moves(self) -> None:
        stage = self.project.workflow.get_stage(name="Agent 1")
        while True:
            for task in stage.get_tasks():
                self.truth.moving.add(str(task.data_hash))
                task.proceed(pathway_name="complete")
                self.truth.moved.add(str(task.data_hash))
                self.truth.writes += 1
            back = self.project.workflow.get_stage(name="Complete")
            everything = list(back.get_tasks())
            # Bring all back in one request, so that there is always something to move. From the moment
            # it is sent until its answer nothing is promised about where they are.
            self.truth.moved.clear()
            with self.project.create_bundle() as bundle:
                for task in everything:
                    task.move(destination_stage_uuid=stage.uuid, bundle=bundle)
            self.truth.moving.clear()
            self.truth.writes += 1


def check(server, project_hash: str, truth: Truth) -> None:
    """Every acknowledged write is there; what was under way is there or not, and nothing else."""
    project = server.project(project_hash)
    rows = {r.data_hash: r for r in project.list_label_rows_v2()}
    touched = [r for h, r in rows.items() if f"label {h}" in truth.tried]
    for row in touched:
        row.initialise_labels()
    for key, sent in truth.tried.items():
        kind, data_hash = key.split()
        row = rows[data_hash]
        found = int(note_of(row) or 0) if kind == "label" else round(row.priority * 1_000_000)
        least = truth.acknowledged.get(key, 0)
        if kind == "priority" and least == 0 and row.priority == 0.5:
            found = 0  # as it was made
        assert least <= found <= sent, f"{key}: {least} was acknowledged, {sent} sent, {found} is there"
        truth.tried[key] = truth.acknowledged[key] = found
    here = {str(t.data_hash) for t in project.workflow.get_stage(name="Complete").get_tasks()}
    assert truth.moved <= here, f"{len(truth.moved - here)} acknowledged moves are lost"
    assert here <= truth.moved | truth.moving
    truth.moved, truth.moving = set(here), set(here)


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_kill_9_under_write_load_loses_nothing_that_was_acknowledged(start, world_file, tmp_path, kills):
    folder, chance, truth = tmp_path / "data", random.Random(kills), Truth()
    server = start("--scenario-file", world_file, "--data", folder)
    project_hash = server.client().create_project(
        "under load", [w.PICTURES], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    for _ in range(kills):
        writers = [Writer(server, project_hash, kind, truth) for kind in ("labels", "priorities", "moves")]
        goal, end = truth.writes + chance.randint(20, 120), time.monotonic() + DEADLINE
        for writer in writers:
            writer.start()
        while truth.writes < goal:
            assert time.monotonic() < end and any(t.is_alive() for t in writers), f"only {truth.writes} writes"
            threading.Event().wait(chance.uniform(0.0005, 0.004))
        server.kill()
        for writer in writers:
            writer.join(DEADLINE)
            assert not writer.is_alive() and writer.problem is None, writer.problem
        server = start("--scenario-file", world_file, "--data", folder)
        check(server, project_hash, truth)
    print(f"{kills} kills, {truth.writes} acknowledged writes, none lost")
    assert truth.writes >= kills * 20
