"""Tasks of a stage: filters, pages, proceeding, moving, priorities, completing and reopening."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from encord.exceptions import EncordException, InvalidArgumentsError, ResourceNotFoundError
from encord.workflow import AgentStage, AnnotationStage, FinalStage, ReviewStage
from encord.workflow.stages.agent import AgentTaskStatus

import world as w


def stage(project, title="Agent 1"):
    return project.workflow.get_stage(name=title)


def titles(tasks) -> list[str]:
    return sorted(t.data_title for t in tasks)


def where(server, project) -> dict[str, str]:
    """Title → stage, as a client sees it that has seen nothing before."""
    again = server.project(project.project_hash)
    return {t.data_title: s.title for s in again.workflow.stages for t in s.get_tasks()}


def test_an_agent_task_has_all_its_fields(main):
    task = next(iter(stage(main).get_tasks(data_hash=w.HASH["image"])))
    assert (task.data_title, str(task.data_hash)) == ("street_1.jpg", w.HASH["image"])
    assert (task.status, task.label_branch_name) == (AgentTaskStatus.NEW, "main")
    assert (task.assignee, task.last_actioned_by) == (None, None)
    assert task.created_at.tzinfo is not None


def test_a_task_spec_has_the_fields_that_a_queue_needs(main):
    task = next(iter(stage(main).get_tasks()))
    spec = json.loads(task.model_dump_json())
    assert {"uuid", "data_hash", "data_title", "label_branch_name", "status"} <= set(spec)
    assert UUID(spec["uuid"]) == task.uuid


def test_stages_have_the_types_of_the_sdk(main):
    types = [type(s) for s in main.workflow.stages]
    assert types == [AgentStage, AgentStage, AnnotationStage, ReviewStage, FinalStage, FinalStage]


def test_every_type_of_stage_lists_its_tasks(shared, make_project):
    project = make_project()
    for title in ("Annotate", "Review", "Complete", "Agent 2"):
        task = next(iter(stage(project).get_tasks()))
        task.move(destination_stage_uuid=stage(project, title).uuid)
        listed = [t.uuid for t in stage(shared.project(project.project_hash), title).get_tasks()]
        assert listed == [task.uuid]


def test_tasks_are_filtered_by_one_data_hash_and_by_several(main):
    assert titles(stage(main).get_tasks(data_hash=w.HASH["pdf"])) == ["form.pdf"]
    several = [UUID(w.HASH["pdf"]), UUID(w.HASH["video"])]
    assert titles(stage(main).get_tasks(data_hash=several)) == ["form.pdf", "meadow.mp4"]


def test_an_unknown_data_hash_finds_nothing(main):
    assert not list(stage(main).get_tasks(data_hash=uuid4()))


def test_three_hundred_data_hashes_fit_into_one_request(make_project):
    project = make_project(w.PICTURES)
    hashes = [t.data_hash for t in stage(project).get_tasks()] + [uuid4() for _ in range(100)]
    assert len(list(stage(project).get_tasks(data_hash=hashes))) == w.PICTURE_COUNT


def test_tasks_are_filtered_by_dataset(main):
    small = titles(stage(main).get_tasks(dataset_hash=w.SMALL))
    assert small == [f"small_{n}.jpg" for n in range(4)]
    assert len(list(stage(main).get_tasks(dataset_hash=[w.SMALL, w.MIXED]))) == len(w.HASH) + len(small)
    assert not list(stage(main).get_tasks(dataset_hash=uuid4()))


@pytest.mark.parametrize("part", ["street", "Übergang", "100%_&+", "night"])
def test_tasks_are_filtered_by_a_part_of_the_title(main, part):
    found = titles(stage(main).get_tasks(data_title=part))
    assert len(found) == 1 and part.lower() in found[0].lower()


def test_a_percent_sign_in_a_title_filter_is_a_percent_sign(main):
    assert titles(stage(main).get_tasks(data_title="%")) == ["Night Übergang 100%_&+.jpg"]


def test_tasks_are_filtered_by_status(main):
    everything = titles(stage(main).get_tasks())
    assert titles(stage(main).get_tasks(status=AgentTaskStatus.NEW)) == everything
    assert not list(stage(main).get_tasks(status=AgentTaskStatus.REOPENED))
    both = [AgentTaskStatus.REOPENED, AgentTaskStatus.NEW]
    assert titles(stage(main).get_tasks(status=both)) == everything


def test_filters_are_joined_by_and(main):
    found = stage(main).get_tasks(dataset_hash=w.SMALL, data_title="_2", status=AgentTaskStatus.NEW)
    assert titles(found) == ["small_2.jpg"]
    assert not list(stage(main).get_tasks(dataset_hash=w.SMALL, data_title="street"))


def test_annotation_tasks_are_assigned_filtered_by_assignee_and_released(shared, make_project):
    project = make_project()
    for task in list(stage(project).get_tasks())[:3]:
        task.proceed("annotate")
    first, second, third = stage(project, "Annotate").get_tasks()
    first.assign(w.SECOND_USER)
    again = stage(shared.project(project.project_hash), "Annotate")
    assert [t.uuid for t in again.get_tasks(assignee=w.SECOND_USER)] == [first.uuid]
    next(iter(again.get_tasks(assignee=w.SECOND_USER))).release()
    assert not list(stage(shared.project(project.project_hash), "Annotate").get_tasks(assignee=w.SECOND_USER))
    assert {second.uuid, third.uuid} < {t.uuid for t in again.get_tasks()}


def test_pages_give_every_task_once(make_project):
    project = make_project(w.PICTURES)
    seen = [t.uuid for t in stage(project).get_tasks()]
    assert len(seen) == len(set(seen)) == w.PICTURE_COUNT


def test_pages_survive_tasks_leaving_while_they_are_read(shared, make_project):
    project = make_project(w.PICTURES)
    handed_out = 0
    for task in stage(project).get_tasks():
        handed_out += 1
        task.proceed(pathway_uuid=w.WAY["complete"])
    assert handed_out == w.PICTURE_COUNT
    assert set(where(shared, project).values()) == {"Complete"}


def test_a_task_proceeds_by_the_name_of_a_pathway(shared, make_project):
    project = make_project()
    next(iter(stage(project).get_tasks(data_title="small_1"))).proceed(pathway_name="second")
    assert where(shared, project)["small_1.jpg"] == "Agent 2"


def test_a_task_proceeds_by_the_uuid_of_a_pathway(shared, make_project):
    project = make_project()
    next(iter(stage(project).get_tasks(data_title="small_1"))).proceed(pathway_uuid=w.WAY["archive"])
    assert where(shared, project)["small_1.jpg"] == "Archive"


def test_a_moved_task_records_who_moved_it_and_when(shared, make_project):
    project = make_project()
    before = next(iter(stage(project).get_tasks(data_title="small_1")))
    before.proceed(pathway_name="second")
    after = next(iter(stage(shared.project(project.project_hash), "Agent 2").get_tasks()))
    assert after.uuid == before.uuid
    assert after.last_actioned_by
    assert after.updated_at >= before.updated_at


def test_a_bundle_of_tasks_is_one_request(shared, make_project):
    project = make_project(w.PICTURES)
    tasks = list(stage(project).get_tasks())
    before = shared.requests_to("actions")
    with project.create_bundle() as bundle:
        for task in tasks:
            task.proceed(pathway_name="complete", bundle=bundle)
    assert shared.requests_to("actions") == before + 1
    assert set(where(shared, project).values()) == {"Complete"}


def test_a_bundle_size_cuts_a_bundle_into_requests(shared, make_project):
    project = make_project()
    before = shared.requests_to("actions")
    with project.create_bundle(bundle_size=4) as bundle:
        for task in stage(project).get_tasks():
            task.proceed(pathway_name="complete", bundle=bundle)
    assert shared.requests_to("actions") == before + 2
    assert set(where(shared, project).values()) == {"Complete"}


def test_one_stale_task_refuses_its_whole_bundle(shared, make_project):
    project = make_project()
    tasks = list(stage(project).get_tasks())
    shared.post("move", project=project.project_hash, tasks=[str(tasks[2].uuid)], stage="Archive")
    with pytest.raises(InvalidArgumentsError):
        with project.create_bundle() as bundle:
            for task in tasks:
                task.proceed(pathway_name="complete", bundle=bundle)
    now = where(shared, project)
    assert now.pop(tasks[2].data_title) == "Archive"
    assert set(now.values()) == {"Agent 1"}


def test_a_task_cannot_proceed_twice(shared, make_project):
    project = make_project()
    task = next(iter(stage(project).get_tasks(data_title="small_0")))
    task.proceed(pathway_name="second")
    with pytest.raises(InvalidArgumentsError):
        task.proceed(pathway_name="archive")
    assert where(shared, project)["small_0.jpg"] == "Agent 2"


@pytest.mark.parametrize("wrong", [{"pathway_name": "no such way"}, {"pathway_uuid": str(uuid4())}])
def test_an_unknown_pathway_is_refused_and_moves_nothing(shared, make_project, wrong):
    project = make_project()
    task = next(iter(stage(project).get_tasks(data_title="small_0")))
    with pytest.raises(InvalidArgumentsError) as refused:
        task.proceed(**wrong)
    assert next(iter(wrong.values())) in str(refused.value)
    assert where(shared, project)["small_0.jpg"] == "Agent 1"


def test_the_pathway_of_another_stage_is_refused(shared, make_project):
    project = make_project()
    with pytest.raises(InvalidArgumentsError):
        next(iter(stage(project).get_tasks())).proceed(pathway_uuid=w.WAY["back"])
    assert set(where(shared, project).values()) == {"Agent 1"}


def test_one_wrong_pathway_refuses_its_whole_bundle(shared, make_project):
    project = make_project()
    with pytest.raises(InvalidArgumentsError):
        with project.create_bundle() as bundle:
            for n, task in enumerate(stage(project).get_tasks()):
                task.proceed(pathway_name="nowhere" if n == 3 else "complete", bundle=bundle)
    assert set(where(shared, project).values()) == {"Agent 1"}


def test_a_loop_brings_a_task_back_with_its_uuid(shared, make_project):
    project = make_project()
    task = next(iter(stage(project).get_tasks(data_title="small_0")))
    task.proceed(pathway_name="second")
    next(iter(stage(project, "Agent 2").get_tasks())).proceed(pathway_name="back")
    back = next(iter(stage(shared.project(project.project_hash)).get_tasks(data_title="small_0")))
    assert back.uuid == task.uuid


def test_people_submit_approve_and_reject(shared, make_project):
    project = make_project()
    for task in list(stage(project).get_tasks())[:2]:
        task.proceed("annotate")
    for task in list(stage(project, "Annotate").get_tasks()):
        task.submit()
    approved, rejected = stage(project, "Review").get_tasks()
    approved.approve()
    rejected.reject()
    now = where(shared, project)
    assert (now[approved.data_title], now[rejected.data_title]) == ("Complete", "Annotate")


def test_a_task_moves_to_any_stage_a_final_one_included(shared, make_project):
    project = make_project()
    tasks = list(stage(project).get_tasks())
    for task, title in zip(tasks, ("Agent 2", "Annotate", "Review", "Complete", "Archive")):
        task.move(destination_stage_uuid=stage(project, title).uuid)
    now = where(shared, project)
    assert [now[t.data_title] for t in tasks[:5]] == ["Agent 2", "Annotate", "Review", "Complete", "Archive"]


def test_a_task_moves_out_of_a_final_stage(shared, make_project):
    project = make_project()
    task = next(iter(stage(project).get_tasks()))
    task.proceed(pathway_name="complete")
    next(iter(stage(project, "Complete").get_tasks())).move(destination_stage_uuid=UUID(w.AGENT_1))
    assert where(shared, project)[task.data_title] == "Agent 1"


def test_moves_are_bundled_and_a_stale_one_refuses_all(shared, make_project):
    project = make_project()
    tasks = list(stage(project).get_tasks())
    shared.post("move", project=project.project_hash, tasks=[str(tasks[0].uuid)], stage="Archive")
    with pytest.raises(EncordException):
        with project.create_bundle() as bundle:
            for task in tasks:
                task.move(destination_stage_uuid=UUID(w.REVIEW), bundle=bundle)
    assert "Review" not in where(shared, project).values()
    with project.create_bundle() as bundle:
        for task in tasks[1:]:
            task.move(destination_stage_uuid=UUID(w.REVIEW), bundle=bundle)
    assert list(where(shared, project).values()).count("Review") == len(tasks) - 1


def test_a_move_to_an_unknown_stage_is_refused(shared, make_project):
    project = make_project()
    with pytest.raises(InvalidArgumentsError):
        next(iter(stage(project).get_tasks())).move(destination_stage_uuid=uuid4())
    assert set(where(shared, project).values()) == {"Agent 1"}


def test_tasks_of_an_unknown_stage_are_not_found(main):
    wrong = AgentStage(_workflow_client=stage(main)._workflow_client, uuid=uuid4(), title="Nowhere", pathways=[])
    with pytest.raises(ResourceNotFoundError):
        list(wrong.get_tasks())


@pytest.mark.parametrize("priority", [0.0, 0.1337, 1 / 3, 0.7, 1.0])
def test_a_priority_reads_back_exactly(shared, make_project, priority):
    project = make_project()
    project.list_label_rows_v2(data_hashes=[w.small_hash(1)])[0].set_priority(priority)
    again = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(1)])[0]
    assert again.priority == priority


def test_priorities_are_bundled(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()
    before = shared.requests_to("priorities")
    with project.create_bundle() as bundle:
        for n, row in enumerate(rows):
            row.set_priority(n / 10, bundle=bundle)
    assert shared.requests_to("priorities") == before + 1
    again = shared.project(project.project_hash).list_label_rows_v2()
    assert {r.data_hash: r.priority for r in again} == {r.data_hash: n / 10 for n, r in enumerate(rows)}


def test_a_row_is_completed_and_reopened(shared, make_project):
    project = make_project()
    row = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    row.initialise_labels()
    row.workflow_complete()
    assert where(shared, project)["small_0.jpg"] == "Complete"
    row.workflow_reopen()
    assert where(shared, project)["small_0.jpg"] == "Annotate"


def test_rows_are_completed_in_one_bundle(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    before = shared.requests_to("complete")
    with project.create_bundle() as bundle:
        for row in rows:
            row.workflow_complete(bundle=bundle)
    assert shared.requests_to("complete") == before + 1
    assert set(where(shared, project).values()) == {"Complete"}
