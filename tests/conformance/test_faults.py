"""Injected faults as the SDK lives through them: what it retries, what it gives up, what is kept."""

from __future__ import annotations

import time

import pytest
import requests
from encord.exceptions import (
    EncordException,
    InvalidArgumentsError,
    RateLimitExceededError,
    RequestException,
    UnknownException,
)
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates

import world as w

#: A client that does not sleep between attempts.
EAGER = {"backoff_factor": 0.0}


def project_of(server, project, **settings):
    return server.client(**{**EAGER, **settings}).get_project(project.project_hash)


def stages(server, project) -> set[str]:
    server.faults()
    again = server.project(project.project_hash)
    return {s.title for s in again.workflow.stages for _ in s.get_tasks()}


@pytest.mark.parametrize("status", [413, 429, 500, 502, 503])
def test_a_reading_request_is_retried_until_it_succeeds(faulty, status):
    faulty.faults(f"get_project:{status}*2")
    assert faulty.client(**EAGER).get_project(w.MAIN).title == "Main project"
    assert faulty.struck() == 2


def test_retry_after_is_sent_in_seconds_and_waited_for(faulty):
    faulty.faults("get_project:429/1s*1")
    began = time.monotonic()
    assert faulty.client(**EAGER).get_project(w.MAIN).title == "Main project"
    assert time.monotonic() - began >= 1.0


def test_a_limit_that_stays_is_a_rate_limit_error_with_its_seconds(faulty):
    faulty.faults("get_project:429/1s")
    with pytest.raises(RateLimitExceededError) as refused:
        faulty.client(max_retries=0, **EAGER).get_project(w.MAIN)
    assert refused.value.retry_after == 1


def test_a_failure_that_stays_is_given_up_after_the_retries(faulty):
    faulty.faults("get_project:500")
    with pytest.raises(UnknownException):
        faulty.client(**EAGER).get_project(w.MAIN)
    assert faulty.struck() == 4


def test_the_older_api_reports_a_rate_limit_too(faulty):
    project = faulty.client(max_retries=0).get_project(w.MAIN)
    faulty.faults("label_rows:429/1s")
    with pytest.raises(EncordException):
        project.list_label_rows_v2()
    faulty.faults()
    assert project.list_label_rows_v2()


def test_a_dropped_connection_is_tried_again(faulty):
    faulty.faults("get:drop*2")
    assert faulty.client(**EAGER).get_project(w.MAIN).title == "Main project"
    assert faulty.struck() == 2


def test_a_truncated_answer_is_never_taken_for_a_whole_one(faulty):
    faulty.faults("get_project:truncate")
    with pytest.raises(RequestException):
        faulty.client(max_retries=0, **EAGER).get_project(w.MAIN)


def test_a_truncated_medium_is_noticed_by_its_length(faulty):
    item = faulty.client().get_storage_item(w.ITEM["video"], sign_url=True)
    faulty.faults("storage:truncate")
    with pytest.raises(requests.RequestException):
        requests.get(item.get_signed_url(), timeout=30).raise_for_status()
    faulty.faults()
    assert len(requests.get(item.get_signed_url(), timeout=30).content) == item.file_size


def test_a_slow_answer_is_a_right_answer(faulty):
    faulty.faults("get_project:slow/300ms*1")
    began = time.monotonic()
    assert faulty.client().get_project(w.MAIN).title == "Main project"
    assert time.monotonic() - began >= 0.3


def test_a_lost_answer_was_applied_and_its_repetition_is_refused(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project())
    tasks = list(project.workflow.get_stage(name="Agent 1").get_tasks())
    faulty.faults("actions:lost*1")
    with pytest.raises(InvalidArgumentsError):
        with project.create_bundle() as bundle:
            for task in tasks:
                task.proceed(pathway_name="complete", bundle=bundle)
    assert stages(faulty, project) == {"Complete"}


def test_a_refused_action_was_not_applied(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project(), max_retries=0)
    tasks = list(project.workflow.get_stage(name="Agent 1").get_tasks())
    faulty.faults("actions:500*1")
    with pytest.raises(UnknownException):
        tasks[0].proceed(pathway_name="complete")
    assert stages(faulty, project) == {"Agent 1"}


def test_a_failed_save_changes_nothing_and_its_repetition_saves(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project())
    row = project.list_label_rows_v2()[0]
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1))
    row.add_object_instance(instance)

    def there() -> int:
        again = faulty.project(project.project_hash).list_label_rows_v2(data_hashes=[row.data_hash])[0]
        again.initialise_labels()
        return len(again.get_object_instances())

    faulty.faults("save_labels:500*4")
    with pytest.raises(EncordException):
        row.save()
    assert (there(), faulty.struck()) == (0, 4)
    faulty.faults("save_labels:500*1")
    row.save()
    assert there() == 1


def test_creating_rows_and_changing_metadata_are_not_repeated_by_the_sdk(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project())
    row = project.list_label_rows_v2()[0]
    faulty.faults("create_labels:500*1")
    with pytest.raises(EncordException):
        row.initialise_labels()
    item = row.get_storage_item()
    faulty.faults("patch_items:429/1s*1")
    with pytest.raises(EncordException):
        item.update(client_metadata={"never": "there"})
    assert faulty.struck() == 1


def test_somebody_else_gets_there_first(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project())
    tasks = list(project.workflow.get_stage(name="Agent 1").get_tasks())
    faulty.faults("actions:conflict*1")
    with pytest.raises(InvalidArgumentsError):
        with project.create_bundle() as bundle:
            for task in tasks:
                task.proceed(pathway_name="archive", bundle=bundle)
    faulty.faults()
    again = faulty.project(project.project_hash)
    assert len(list(again.workflow.get_stage(name="Agent 1").get_tasks())) == len(tasks) - 1
    assert not list(again.workflow.get_stage(name="Archive").get_tasks())


def test_another_users_edit_between_read_and_save_is_seen(faulty, make_faulty_project):
    project = project_of(faulty, make_faulty_project())
    row = project.list_label_rows_v2()[0]
    row.initialise_labels()
    faulty.post("edit", project=project.project_hash, data_hash=row.data_hash, by="rival@example.test")
    again = faulty.project(project.project_hash).list_label_rows_v2(data_hashes=[row.data_hash])[0]
    again.initialise_labels()
    assert again.get_classification_instances() or again.get_object_instances()


def test_faults_are_counted_and_end_on_request(faulty):
    faulty.faults("get_project:404*1", "get_tasks:500@50%")
    with pytest.raises(EncordException):
        faulty.client().get_project(w.MAIN)
    listed = {f["fault"]: f["struck"] for f in faulty.local("faults")["faults"]}
    assert sum(listed.values()) == 1 and len(listed) == 2
    faulty.faults()
    assert faulty.local("faults")["faults"] == []


def test_an_unknown_fault_is_refused_with_the_known_ones(faulty):
    refused = requests.post(f"{faulty.domain}/local/faults", json={"faults": ["save_label:500"]}, headers=faulty.token, timeout=30)
    assert refused.status_code == 400 and "save_labels" in refused.text


def test_faults_of_the_command_line_are_the_same_in_every_run(start):
    def run() -> list[bool]:
        server = start("--scenario", "seed", "--seed", "7", "--fault", "get_tasks:400@30%")
        stage = server.project().workflow.stages[0]
        out = []
        for _ in range(30):
            try:
                list(stage.get_tasks())
                out.append(True)
            except InvalidArgumentsError:
                out.append(False)
        return out

    first = run()
    assert run() == first
    assert 0 < first.count(False) < 30


def test_counters_separate_reads_from_writes(faulty, make_faulty_project):
    project = make_faulty_project()
    before = faulty.local("counters")["writes"]
    list(project.workflow.stages[0].get_tasks())
    project.list_label_rows_v2()
    assert faulty.local("counters")["writes"] == before
    next(iter(project.workflow.stages[0].get_tasks())).proceed(pathway_name="complete")
    assert faulty.local("counters")["writes"] == before + 1
