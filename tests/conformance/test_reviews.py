"""Annotation and review as people do them: submitting, single labels, issues, and what was done when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from encord.exceptions import InvalidArgumentsError, ResourceNotFoundError
from encord.issues.issue_client import AnnotationIssue, CoordinateIssue, FileIssue, FrameIssue, IssueFrameRange, _IssueClient
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.analytics import TaskActionType

import world as w
from test_runner import where


def task_at(server, project, stage: str, n: int = 0):
    """The task of the `n`th small picture, if it is there."""
    place = server.project(project.project_hash).workflow.get_stage(name=stage)
    return next(iter(place.get_tasks(data_hash=w.small_hash(n))), None)


@pytest.fixture
def labelled(shared, make_project):
    """A project whose first picture has a box and a note and waits for annotation."""
    project = make_project()
    row = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    row.initialise_labels()
    box = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    box.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
    row.add_object_instance(box)
    note = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    note.set_answer("looks fine")
    note.set_for_frames(0)
    row.add_classification_instance(note)
    row.save()
    task_at(shared, project, "Agent 1").proceed("annotate")
    return project


def test_each_label_has_a_review_that_is_decided_alone(shared, labelled):
    task_at(shared, labelled, "Annotate").submit()
    reviews = {r.label_type: r for r in task_at(shared, labelled, "Review").get_label_reviews()}
    row = labelled.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    row.initialise_labels()
    assert reviews["Object"].label_id == row.get_object_instances()[0].object_hash
    assert reviews["Classification"].label_id == row.get_classification_instances()[0].classification_hash
    assert {r.status.value for r in reviews.values()} == {"NEW"}
    reviews["Object"].approve()
    reviews["Classification"].reject(comment="wrong", issue_tags=["typo"])
    task = task_at(shared, labelled, "Review")
    assert {r.label_type: r.status.value for r in task.get_label_reviews()} == {
        "Object": "APPROVED",
        "Classification": "REJECTED",
    }
    (issue,) = task.issues.list()
    assert isinstance(issue, AnnotationIssue) and issue.comments[0].content == "wrong"
    assert issue.annotation_id == reviews["Classification"].label_id and [t.name for t in issue.tags] == ["typo"]
    reviews["Object"].reopen()
    assert "REOPENED" in {r.status.value for r in task.get_label_reviews()}


@pytest.mark.parametrize("decision, stage, status", [("approve", "Complete", "APPROVED"), ("reject", "Annotate", "REJECTED")])
def test_the_decision_about_a_task_is_that_about_its_labels(shared, labelled, decision, stage, status):
    task_at(shared, labelled, "Annotate").submit()
    task = task_at(shared, labelled, "Review")
    getattr(task, decision)()
    assert {r.status.value for r in task.get_label_reviews()} == {status}
    assert where(shared, labelled)[stage] == 1


def test_a_review_cannot_be_decided_after_its_task_has_left(shared, labelled):
    task_at(shared, labelled, "Annotate").submit()
    task = task_at(shared, labelled, "Review")
    review = next(iter(task.get_label_reviews()))
    task.approve()
    with pytest.raises(InvalidArgumentsError, match="left"):
        review.reject()


def test_reviews_are_found_at_review_stages_only(shared, labelled):
    task = task_at(shared, labelled, "Annotate")
    stage = labelled.workflow.get_stage(name="Annotate").uuid
    path = f"projects/{labelled.project_hash}/workflow/stages/{stage}/tasks/{task.uuid}/reviews"
    with pytest.raises(InvalidArgumentsError, match="REVIEW"):
        labelled._api_client.get(path, params=None, result_type=None)


def test_who_submits_can_hand_over_or_keep_the_task(shared, labelled):
    task = task_at(shared, labelled, "Annotate")
    with pytest.raises(InvalidArgumentsError, match="not assigned"):
        task.submit(retain_assignee=True)
    task.assign("a@example.test")
    task.submit(retain_assignee=True)
    assert task_at(shared, labelled, "Review").assignee == "a@example.test"
    task_at(shared, labelled, "Review").reject(assignee="b@example.test")
    back = task_at(shared, labelled, "Annotate")
    assert (back.assignee, back.status.value) == ("b@example.test", "ASSIGNED")
    back.release()
    assert task_at(shared, labelled, "Annotate").assignee is None


def test_wrong_kinds_of_action_are_refused(shared, labelled):
    """An action that does not go with the stage's kind changes nothing."""
    from encord.workflow.stages.review import _ActionApprove

    task = task_at(shared, labelled, "Annotate")
    client, stage = task._get_client_data()
    with pytest.raises(InvalidArgumentsError, match="ANNOTATION"):
        client.action(stage, _ActionApprove(task_uuid=task.uuid))
    assert where(shared, labelled)["Annotate"] == 1


def test_issues_of_every_kind_are_kept_with_author_and_tags(shared, labelled):
    task = task_at(shared, labelled, "Annotate")
    task.issues.add_file_issue("about the file", ["blurry"])
    task.issues.add_frame_issue(0, "about the frame", [])
    task.issues.add_coordinate_issue(0, 0.25, 0.5, "about a place", ["blurry", "dark"])
    task.issues.add_annotation_issue("abcd1234", "about a label", [], [IssueFrameRange(start=0, end=0)])
    found = list(task_at(shared, labelled, "Annotate").issues.list())
    assert [type(i) for i in found] == [FileIssue, FrameIssue, CoordinateIssue, AnnotationIssue]
    assert (found[2].coordinate.x, found[2].coordinate.y) == (0.25, 0.5)
    assert found[0].comments[0].author_email == labelled.creator_email
    assert {t.name for t in labelled.get_issue_tags()} == {"blurry", "dark"}
    task.issues.delete([found[0], found[1].uuid])
    assert [i.comments[0].content for i in task.issues.list()] == ["about a place", "about a label"]
    with pytest.raises(ResourceNotFoundError):
        task.issues.delete([found[2], uuid4()])
    assert len(list(task.issues.list())) == 2
    other = w.small_hash(1)
    assert not list(_IssueClient(labelled._api_client).get_issues(project_uuid=UUID(labelled.project_hash), data_uuid=other))


def test_what_people_did_is_listed_by_kind_person_and_time(shared, labelled):
    before = datetime.now(timezone.utc) - timedelta(minutes=5)
    task = task_at(shared, labelled, "Annotate")
    task.assign("a@example.test")
    task.submit()
    task_at(shared, labelled, "Review").reject()
    task_at(shared, labelled, "Annotate").move(destination_stage_uuid=w.ARCHIVE)
    again = shared.project(labelled.project_hash)
    kinds = lambda **query: [a.action_type for a in again.get_task_actions(after=before, **query)]  # noqa: E731
    T = TaskActionType
    assert kinds() == [T.ASSIGN, T.SUBMIT, T.REJECT, T.MOVE]
    assert kinds(action_type=[T.SUBMIT, T.REJECT]) == [T.SUBMIT, T.REJECT]
    assert kinds(workflow_stage_uuid=w.REVIEW) == [T.REJECT]
    assert kinds(actor_email="nobody@example.test") == []
    assert kinds(data_unit_uuid=w.small_hash(1)) == []
    (first, *_) = again.get_task_actions(after=before)
    assert (first.task_uuid, first.data_unit_uuid, first.actor_email) == (task.uuid, task.data_hash, labelled.creator_email)


def test_nobody_spends_time_in_an_editor_here(main):
    day = datetime.now(timezone.utc) - timedelta(days=1)
    assert not list(main.list_time_spent(day)) and not list(main.list_collaborator_timers(day))
    assert not list(main.get_editor_logs(day, datetime.now(timezone.utc)))
    assert not main.get_label_logs(after=day)
