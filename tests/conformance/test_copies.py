"""Copies of projects, labels on branches, datasets that projects take up and drop, and the older calls."""

from __future__ import annotations

from uuid import uuid4

import pytest
from encord.exceptions import AuthorisationError, EncordException, ResourceNotFoundError
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.project import CopyDatasetAction, CopyDatasetOptions, CopyLabelsOptions
from encord.utilities.project_user import ProjectUserRole

import world as w
from conftest import delete_project
from test_runner import where


@pytest.fixture
def labelled(make_project):
    """A project with a box on two pictures, one of them in an image group."""
    project = make_project(w.MIXED)
    for kind in ("image", "imageGroup"):
        row = project.list_label_rows_v2(data_hashes=[w.HASH[kind]])[0]
        row.initialise_labels()
        box = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        box.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
        row.add_object_instance(box)
        row.save()
    return project


@pytest.fixture
def copies(shared, labelled):
    """Copies the labelled project; what is made goes with the case."""
    made: list[str] = []

    def copy(**options):
        made.append(labelled.copy_project(**options))
        return shared.project(made[-1])

    yield copy
    for project_hash in made:
        delete_project(shared, project_hash)


def boxes(project) -> dict[str, int]:
    out = {}
    for row in project.list_label_rows_v2():
        if row.label_hash is None:
            continue
        row.initialise_labels()
        out[row.data_title] = len(row.get_object_instances())
    return out


def test_a_bare_copy_has_the_workflow_and_ontology_and_no_data(labelled, copies):
    copy = copies(new_title="Bare", new_description="no data")
    assert (copy.title, copy.description) == ("Bare", "no data")
    assert copy.ontology_hash == labelled.ontology_hash
    assert [s.uuid for s in copy.workflow.stages] == [s.uuid for s in labelled.workflow.stages]
    assert not copy.list_label_rows_v2() and not list(copy.list_datasets())


def test_a_copy_with_data_and_people_begins_at_the_beginning(shared, labelled, copies):
    labelled.add_users(["kept@example.test"], ProjectUserRole.REVIEWER)
    copy = copies(copy_datasets=True, copy_collaborators=True)
    assert copy.title == f"Copy of {labelled.title}"
    assert where(shared, copy) == {"Agent 1": len(w.HASH)}
    assert not boxes(copy)
    assert {u.user_email: u.user_role for u in copy.list_users()}["kept@example.test"] == ProjectUserRole.REVIEWER


def test_copied_labels_are_the_copys_own(shared, labelled, copies):
    copy = copies(copy_datasets=True, copy_labels=CopyLabelsOptions())
    assert boxes(copy) == {"street_1.jpg": 1, "three views": 1}
    row = copy.list_label_rows_v2(data_hashes=[w.HASH["image"]])[0]
    row.initialise_labels()
    row.remove_object(row.get_object_instances()[0])
    row.save()
    assert boxes(shared.project(labelled.project_hash)) == {"street_1.jpg": 1, "three views": 1}


def test_only_the_named_labels_are_copied(labelled, copies):
    wanted = labelled.list_label_rows_v2(data_hashes=[w.HASH["image"]])[0].label_hash
    copy = copies(copy_datasets=True, copy_labels=CopyLabelsOptions(accepted_label_hashes=[wanted]))
    assert boxes(copy) == {"street_1.jpg": 1}


def test_a_cloned_dataset_has_units_of_its_own_with_the_labels_on_them(shared, copies):
    options = CopyDatasetOptions(
        action=CopyDatasetAction.CLONE,
        dataset_title="Clone",
        datasets_to_data_hashes_map={w.MIXED: [w.HASH["image"], w.HASH["imageGroup"], w.HASH["video"]]},
    )
    copy = copies(copy_datasets=options, copy_labels=CopyLabelsOptions())
    assert [d.title for d in copy.list_datasets()] == ["Clone"]
    assert boxes(copy) == {"street_1.jpg": 1, "three views": 1}
    assert not {r.data_hash for r in copy.list_label_rows_v2()} & set(w.HASH.values())
    group = next(r for r in copy.list_label_rows_v2() if r.data_title == "three views")
    group.initialise_labels()
    group.save()
    assert boxes(shared.project(copy.project_hash))["three views"] == 1


def test_a_project_takes_up_and_drops_datasets_with_their_tasks(shared, make_project):
    project = make_project(w.SMALL)
    assert project.add_datasets([w.NUMBERED, w.SMALL])
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT + len(w.NUMBERS)}
    row = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    row.initialise_labels()
    assert project.remove_datasets([w.SMALL])
    again = shared.project(project.project_hash)
    assert {d.title for d in again.list_datasets()} == {"Numbered"}
    assert len(again.list_label_rows_v2()) == len(w.NUMBERS)
    with pytest.raises(ResourceNotFoundError):
        again.remove_datasets([w.SMALL])
    with pytest.raises((ResourceNotFoundError, AuthorisationError)):
        again.add_datasets([str(uuid4())])


def test_labels_are_copied_to_a_branch_once_or_again(shared, labelled):
    assert labelled.copy_labels_to_branch("second") == 2
    assert set(labelled.list_branches()) == {"main", "second"}
    assert labelled.copy_labels_to_branch("second") == 0
    assert labelled.copy_labels_to_branch("second", overwrite=True, data_hashes=[w.HASH["image"]]) == 1
    rows = shared.project(labelled.project_hash).list_label_rows_v2(branch_name="second", data_hashes=[w.HASH["image"]])
    rows[0].initialise_labels()
    assert len(rows[0].get_object_instances()) == 1
    rows[0].remove_object(rows[0].get_object_instances()[0])
    rows[0].save()
    assert boxes(shared.project(labelled.project_hash))["street_1.jpg"] == 1


def test_classifications_are_read_in_bulk(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()[:3]
    for n, row in enumerate(rows):
        row.initialise_labels()
        note = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
        note.set_answer(f"note {n}")
        note.set_for_frames(0)
        row.add_classification_instance(note)
        row.save()
    asked = [r.label_hash for r in rows] + [str(uuid4())]
    found = list(shared.project(project.project_hash).get_label_classifications(asked, batch_size=2))
    answers = {str(e.data_uuid): [a.classifications[0].answers for a in e.classification_answers.values()] for e in found}
    assert answers == {r.data_hash: [f"note {n}"] for n, r in enumerate(rows)}


def test_a_saved_row_is_valid(make_project):
    row = make_project().list_label_rows_v2()[0]
    row.initialise_labels()
    row.save()
    assert row.is_valid and row._project_client.get_label_validation_errors(row.label_hash) == []


def test_the_older_call_lists_a_units_files(main):
    import requests

    video, images = main.get_data(w.HASH["video"], get_signed_url=True)
    assert images is None and video["title"] == "meadow.mp4" and requests.get(video["file_link"], timeout=30).ok
    video, images = main.get_data(w.HASH["imageGroup"], get_signed_url=True)
    assert video is None and [i["title"] for i in images] == ["view_0.jpg", "view_1.jpg", "view_2.jpg"]
    assert all(requests.get(i["file_link"], timeout=30).ok for i in images)
    assert main.get_data(w.HASH["wav"]) == (None, None)
    with pytest.raises(ResourceNotFoundError):
        main.get_data(str(uuid4()))


def test_the_older_list_of_projects_is_filtered(shared):
    found = shared.client().get_projects(title_eq="Main project")
    assert [p["project"]["project_hash"] for p in found] == [w.MAIN]
    assert {w.MAIN, w.TWIN} <= {p["project"]["project_hash"] for p in shared.client().get_projects()}


def test_a_project_that_names_no_ontology_or_workflow_gets_an_empty_and_the_usual_one(shared):
    project_hash = shared.client().create_project("plain", [w.SMALL])
    try:
        project = shared.project(project_hash)
        assert not project.ontology_structure.objects and not project.ontology_structure.classifications
        assert [s.stage_type.value for s in project.workflow.stages] == ["ANNOTATION", "REVIEW", "DONE"]
    finally:
        delete_project(shared, project_hash)


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.active_sync(),
        lambda p: list(p.list_collections()),
        lambda p: p.object_interpolation({"video": {"0": {}}}, ["x"]),
        lambda p: p.copy_project(copy_datasets=True, copy_labels=CopyLabelsOptions(accepted_label_statuses=["APPROVED"])),
    ],
    ids=["active", "its collections", "interpolation", "labels by review"],
)
def test_calls_for_what_a_local_project_lacks_are_refused_by_name(main, call):
    with pytest.raises(EncordException, match="local project"):
        call(main)
