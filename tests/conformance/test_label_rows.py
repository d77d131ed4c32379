"""Label rows as a list: what is included, how they are filtered, initialised, and kept on branches."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from encord.constants.enums import DataType
from encord.exceptions import EncordException
from encord.orm.label_row import LabelStatus
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates

import world as w

BOX = BoundingBoxCoordinates(height=0.1, width=0.2, top_left_x=0.3, top_left_y=0.4)


def row(project, kind: str, **options):
    return project.list_label_rows_v2(data_hashes=[w.HASH[kind]], **options)[0]


def add_box(label_row, name="Vehicle", frames=0):
    instance = label_row.ontology_structure.get_child_by_title(name, Object).create_instance()
    instance.set_for_frames(BOX, frames=frames)
    label_row.add_object_instance(instance)
    return instance


def test_there_is_one_row_per_data_unit_initialised_or_not(main):
    rows = main.list_label_rows_v2()
    assert len(rows) == len(w.HASH) + w.SMALL_COUNT
    assert {r.data_hash for r in rows} >= set(w.HASH.values())
    assert all(r.label_hash is None and not r.is_labelling_initialised for r in rows)


@pytest.mark.parametrize(
    ("kind", "data_type", "frames"),
    [
        ("image", DataType.IMAGE, 1),
        ("video", DataType.VIDEO, 74),
        ("imageGroup", DataType.IMG_GROUP, 3),
        ("imageSequence", DataType.IMG_GROUP, 74),
        ("wav", DataType.AUDIO, 1),
        ("plainText", DataType.PLAIN_TEXT, 1),
        ("pdf", DataType.PDF, 3),
        ("group", DataType.GROUP, 2),
    ],
)
def test_a_row_has_the_data_type_and_the_exact_number_of_frames(main, kind, data_type, frames):
    found = row(main, kind)
    assert (found.data_type, found.number_of_frames) == (data_type, frames)
    assert str(found.backing_item_uuid) == w.ITEM[kind]
    assert (found.dataset_hash, found.dataset_title) == (w.MIXED, "Mixed")


def test_a_row_has_the_measures_of_its_medium(main):
    video, image, wav = row(main, "video"), row(main, "image"), row(main, "wav")
    assert (video.width, video.height, video.fps, video.duration) == (320, 180, 25.0, 2.96)
    assert (image.width, image.height, image.file_type) == (512, 512, "image/jpeg")
    assert wav.audio_sample_rate and wav.audio_num_channels == 1 and wav.audio_bit_depth == 16 and wav.audio_codec
    assert row(main, "mp3").file_type == "audio/mpeg"


def test_a_row_names_its_task_stage_and_priority(main):
    found = row(main, "image")
    task = next(iter(main.workflow.get_stage(name="Agent 1").get_tasks(data_hash=w.HASH["image"])))
    assert found.task_uuid == task.uuid
    assert (str(found.workflow_graph_node.uuid), found.workflow_graph_node.title) == (w.AGENT_1, "Agent 1")
    assert found.priority == 0.5


def test_the_workflow_node_is_left_out_when_not_wanted(main):
    assert row(main, "image", include_workflow_graph_node=False).workflow_graph_node is None


def test_client_metadata_comes_only_when_wanted(main):
    assert row(main, "image", include_client_metadata=True).client_metadata == {"site": "cam1", "lux": 120}
    assert row(main, "image").client_metadata is None


def test_images_data_give_the_pictures_of_a_group_in_order(main):
    found = row(main, "imageGroup", include_images_data=True)
    frames = found.get_frames_metadata()
    assert [f.image_hash for f in frames] == w.VIEWS
    assert [f.title for f in frames] == [f"view_{n}.jpg" for n in range(3)]
    assert all(f.width > 0 and f.height > 0 for f in frames)


def test_children_of_groups_come_as_rows_when_wanted(main):
    plain = {r.data_hash for r in main.list_label_rows_v2()}
    rows = main.list_label_rows_v2(include_children=True)
    children = [r for r in rows if r.group_hash is not None]
    assert {r.data_hash for r in rows} - plain == set(w.GROUP_CHILDREN)
    assert {r.data_hash for r in children} == set(w.GROUP_CHILDREN)
    assert all(r.group_hash == w.HASH["group"] and r.workflow_graph_node is None for r in children)


def test_rows_are_filtered_by_data_hash(main):
    wanted = [w.HASH["pdf"], w.HASH["image"]]
    assert {r.data_hash for r in main.list_label_rows_v2(data_hashes=wanted)} == set(wanted)
    assert main.list_label_rows_v2(data_hashes=[uuid4()]) == []


def test_rows_are_filtered_by_label_hash(shared, make_project):
    project = make_project()
    made = project.list_label_rows_v2(data_hashes=[w.small_hash(2)])[0]
    made.initialise_labels()
    found = shared.project(project.project_hash).list_label_rows_v2(label_hashes=[made.label_hash])
    assert [r.data_title for r in found] == ["small_2.jpg"]


def test_rows_are_filtered_by_title_exactly_and_by_pattern(main):
    titles = lambda **query: sorted(r.data_title for r in main.list_label_rows_v2(**query))  # noqa: E731
    assert titles(data_title_eq="small_1.jpg") == ["small_1.jpg"]
    assert titles(data_title_eq="small_1") == []
    assert titles(data_title_like="small_%") == [f"small_{n}.jpg" for n in range(w.SMALL_COUNT)]
    assert titles(data_title_like="%Übergang%") == ["Night Übergang 100%_&+.jpg"]


def test_rows_are_filtered_by_stage(main):
    titles = lambda **query: sorted(r.data_title for r in main.list_label_rows_v2(**query))  # noqa: E731
    assert titles(workflow_graph_node_title_eq="Review") == ["small_4.jpg"]
    assert titles(workflow_graph_node_title_like="%pl%te") == ["small_5.jpg"]
    assert len(titles(workflow_graph_node_title_like="Agent%")) == len(w.HASH) + w.SMALL_COUNT - 2


def test_rows_are_filtered_by_when_they_were_edited(shared, make_project):
    project = make_project()
    edited = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    edited.initialise_labels()
    now = dt.datetime.now(dt.timezone.utc)
    hour = dt.timedelta(hours=1)
    listed = lambda **query: [r.data_title for r in shared.project(project.project_hash).list_label_rows_v2(**query)]  # noqa: E731
    assert listed(edited_after=now - hour) == ["small_0.jpg"]
    assert listed(edited_before=now + hour) == ["small_0.jpg"]
    assert listed(edited_after=now + hour) == []
    assert listed(edited_after=(now - hour).isoformat(), edited_before=(now + hour).isoformat()) == ["small_0.jpg"]


def test_rows_are_filtered_by_label_status(shared, make_project):
    project = make_project()
    project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0].initialise_labels()
    again = shared.project(project.project_hash)
    titles = lambda *statuses: sorted(r.data_title for r in again.list_label_rows_v2(label_statuses=list(statuses)))  # noqa: E731
    assert titles(LabelStatus.LABEL_IN_PROGRESS) == ["small_0.jpg"]
    assert titles(LabelStatus.NOT_LABELLED) == [f"small_{n}.jpg" for n in range(1, w.SMALL_COUNT)]
    assert len(titles(LabelStatus.NOT_LABELLED, LabelStatus.LABEL_IN_PROGRESS)) == w.SMALL_COUNT


def test_a_row_is_initialised_empty_and_keeps_its_label_hash(shared, make_project):
    project = make_project(w.MIXED)
    made = row(project, "image")
    made.initialise_labels()
    assert made.is_labelling_initialised and made.label_hash
    assert not made.get_object_instances() and not made.get_classification_instances()
    again = row(shared.project(project.project_hash), "image")
    assert again.label_hash == made.label_hash
    assert again.created_at is not None and again.last_edited_at is not None


def test_initialising_twice_gives_the_same_row(shared, make_project):
    project = make_project()
    one, two = (shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(0)])[0] for _ in "ab")
    one.initialise_labels()
    add_box(one)
    one.save()
    two.initialise_labels()  # it does not know of the row yet: creates it again
    assert two.label_hash == one.label_hash
    assert [o.object_hash for o in two.get_object_instances()] == [o.object_hash for o in one.get_object_instances()]


def test_rows_are_initialised_in_one_request(shared, make_project):
    project = make_project(w.PICTURES)
    rows = project.list_label_rows_v2()
    before = shared.requests_to("create_labels")
    with project.create_bundle() as bundle:
        for r in rows:
            r.initialise_labels(bundle=bundle)
    assert shared.requests_to("create_labels") == before + 1
    assert len({r.label_hash for r in rows}) == w.PICTURE_COUNT
    again = shared.project(project.project_hash).list_label_rows_v2()
    assert {r.label_hash for r in again} == {r.label_hash for r in rows}


def test_existing_rows_are_read_in_one_request(shared, make_project):
    project = make_project()
    with project.create_bundle() as bundle:
        for r in project.list_label_rows_v2():
            r.initialise_labels(bundle=bundle)
    rows = shared.project(project.project_hash).list_label_rows_v2()
    before = shared.requests_to("get_labels")
    with project.create_bundle() as bundle:
        for r in rows:
            r.initialise_labels(bundle=bundle)
    assert shared.requests_to("get_labels") == before + 1
    assert all(r.is_labelling_initialised for r in rows)


def test_rows_are_saved_in_bundles_of_the_size_asked_for(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()
    with project.create_bundle() as bundle:
        for r in rows:
            r.initialise_labels(bundle=bundle)
    before = shared.requests_to("save_labels")
    with project.create_bundle(bundle_size=4) as bundle:
        for r in rows:
            add_box(r)
            r.save(bundle=bundle)
    assert shared.requests_to("save_labels") == before + 2
    again = shared.project(project.project_hash)
    for r in again.list_label_rows_v2():
        r.initialise_labels()
        assert len(r.get_object_instances()) == 1


def test_only_wanted_objects_are_read(shared, make_project):
    project = make_project(w.MIXED)
    made = row(project, "image")
    made.initialise_labels()
    add_box(made)
    add_box(made, "Page mark")
    made.save()
    again = row(shared.project(project.project_hash), "image")
    wanted = made.ontology_structure.get_child_by_title("Page mark").feature_node_hash
    again.initialise_labels(include_object_feature_hashes={wanted})
    assert [o.object_name for o in again.get_object_instances()] == ["Page mark"]


def test_only_wanted_classifications_are_read(shared, make_project):
    project = make_project(w.MIXED)
    made = row(project, "image")
    made.initialise_labels()
    for name, text in (("Notes", "clear"), ("Weather", None)):
        feature = made.ontology_structure.get_child_by_title(name, Classification)
        instance = feature.create_instance()
        instance.set_answer(text or feature.get_child_by_title("Sunny"))
        instance.set_for_frames(0)
        made.add_classification_instance(instance)
    made.save()
    again = row(shared.project(project.project_hash), "image")
    again.initialise_labels(include_classification_feature_hashes={"ClsNotes"})
    assert [c.classification_name for c in again.get_classification_instances()] == ["Notes"]


def test_a_filter_that_matches_nothing_reads_nothing(shared, make_project):
    project = make_project(w.MIXED)
    made = row(project, "video")
    made.initialise_labels()
    add_box(made, frames=[0, 5])
    made.save()
    again = row(shared.project(project.project_hash), "video")
    again.initialise_labels(include_object_feature_hashes=set(), include_classification_feature_hashes=set())
    # An empty set of the SDK means "no filter" or "nothing" on the wire; the labels survive either way.
    final = row(shared.project(project.project_hash), "video")
    final.initialise_labels()
    assert len(final.get_object_instances()) == 1


def test_a_signed_url_comes_with_the_labels_when_wanted(shared, make_project):
    import requests

    project = make_project(w.MIXED)
    made = row(project, "image")
    made.initialise_labels(include_signed_url=True)
    assert requests.get(made.data_link, timeout=30).content[:2] == b"\xff\xd8"


def test_overwrite_reads_the_labels_again(shared, make_project):
    project = make_project(w.MIXED)
    made = row(project, "image")
    made.initialise_labels()
    add_box(made)
    with pytest.raises(EncordException):
        made.initialise_labels()
    made.initialise_labels(overwrite=True)
    assert not made.get_object_instances()


def test_a_new_branch_is_listed_empty_and_made_on_demand(shared, make_project):
    project = make_project(w.MIXED)
    fresh = row(project, "image", branch_name="second opinion")
    assert (fresh.branch_name, fresh.label_hash) == ("second opinion", None)
    fresh.initialise_labels()
    add_box(fresh)
    fresh.save()
    again = shared.project(project.project_hash)
    there, on_main = row(again, "image", branch_name="second opinion"), row(again, "image")
    assert there.label_hash == fresh.label_hash and on_main.label_hash is None
    there.initialise_labels()
    assert len(there.get_object_instances()) == 1


def test_branches_do_not_touch_each_other(shared, make_project):
    project = make_project(w.MIXED)
    for branch, count in (("main", 1), ("left", 2), ("right", 3)):
        r = row(project, "image", branch_name=branch)
        r.initialise_labels()
        for _ in range(count):
            add_box(r)
        r.save()
    again = shared.project(project.project_hash)
    for branch, count in (("main", 1), ("left", 2), ("right", 3)):
        r = row(again, "image", branch_name=branch)
        r.initialise_labels()
        assert len(r.get_object_instances()) == count, branch


def test_all_branches_are_listed_when_wanted(shared, make_project):
    project = make_project()
    for branch in ("main", "other"):
        project.list_label_rows_v2(data_hashes=[w.small_hash(0)], branch_name=branch)[0].initialise_labels()
    again = shared.project(project.project_hash)
    rows = again.list_label_rows_v2(data_hashes=[w.small_hash(0)], include_all_label_branches=True)
    assert sorted(r.branch_name for r in rows) == ["main", "other"]
    assert set(again.list_branches()) == {"main", "other"}


def test_a_branch_of_its_own_does_not_hide_a_rows_main_branch(shared, make_project):
    project = make_project()
    project.list_label_rows_v2(data_hashes=[w.small_hash(0)], branch_name="other")[0].initialise_labels()
    rows = shared.project(project.project_hash).list_label_rows_v2(include_all_label_branches=True)
    assert len([r for r in rows if r.branch_name == "main"]) == w.SMALL_COUNT
    assert [(r.data_hash, bool(r.label_hash)) for r in rows if r.branch_name == "other"] == [(str(w.small_hash(0)), True)]


def test_a_row_of_a_groups_child_can_be_initialised_and_saved(shared, make_project):
    project = make_project(w.MIXED)
    child = project.list_label_rows_v2(data_hashes=[w.GROUP_CHILDREN[0]], include_children=True)[0]
    child.initialise_labels()
    add_box(child)
    child.save()
    again = shared.project(project.project_hash)
    child = again.list_label_rows_v2(data_hashes=[w.GROUP_CHILDREN[0]], include_children=True)[0]
    child.initialise_labels()
    assert len(child.get_object_instances()) == 1


def test_two_projects_keep_different_labels_for_one_item(shared, make_project):
    one, two = make_project(w.MIXED), make_project(w.MIXED)
    for project, count in ((one, 1), (two, 2)):
        r = row(project, "image")
        r.initialise_labels()
        for _ in range(count):
            add_box(r)
        r.save()
    for project, count in ((one, 1), (two, 2)):
        r = row(shared.project(project.project_hash), "image")
        r.initialise_labels()
        assert len(r.get_object_instances()) == count
