"""Labels on the parts of a data group: each part is a space of the group's one label row."""

from __future__ import annotations

import pytest
import requests
from encord.exceptions import AnswerDictionaryError
from encord.http.query_methods import QueryMethods
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.frames import Range

import world as w


@pytest.fixture
def row(make_project):
    project = make_project(w.MIXED)
    found = project.list_label_rows_v2(data_hashes=[w.HASH["group"]])[0]
    found.initialise_labels()
    return found


def again(shared, row):
    fresh = shared.project(row._project_client.project_hash).list_label_rows_v2(data_hashes=[row.data_hash])[0]
    fresh.initialise_labels()
    return fresh


def test_each_part_is_a_space_with_its_kind_name_and_place(row):
    spaces = {s.space_id: (s.metadata.file_name, s.metadata.layout_key) for s in row.get_spaces()}
    assert spaces == {
        w.GROUP_CHILDREN[0]: ("group_picture.jpg", "0"),
        w.GROUP_CHILDREN[1]: ("group_note.txt", "1"),
    }
    assert row.get_space(layout_key="0", type_="image").space_id == w.GROUP_CHILDREN[0]


def test_labels_on_parts_are_read_back_by_another_client(shared, row):
    box = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    row.get_space(id=w.GROUP_CHILDREN[0], type_="image").put_object_instance(
        box, BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4)
    )
    word = row.ontology_structure.get_child_by_title("Word", Object).create_instance()
    row.get_space(id=w.GROUP_CHILDREN[1], type_="text").put_object_instance(word, ranges=Range(2, 9))
    note = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    note.set_answer("on the picture")
    row.get_space(id=w.GROUP_CHILDREN[0], type_="image").put_classification_instance(note)
    row.save()
    fresh = again(shared, row)
    picture = fresh.get_space(id=w.GROUP_CHILDREN[0], type_="image")
    (found,) = picture.get_object_instances()
    assert found.object_hash == box.object_hash
    (annotation,) = picture.get_annotations(type_="object")
    assert annotation.coordinates == BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4)
    assert annotation.created_by == shared.project().creator_email
    assert [c.get_answer() for c in picture.get_classification_instances()] == ["on the picture"]
    (found,) = fresh.get_space(id=w.GROUP_CHILDREN[1], type_="text").get_object_instances()
    assert found.object_hash == word.object_hash
    fresh.save()
    assert len(again(shared, row).get_space(id=w.GROUP_CHILDREN[0], type_="image").get_object_instances()) == 1


def test_a_removed_label_is_gone_from_its_part(shared, row):
    space = row.get_space(id=w.GROUP_CHILDREN[0], type_="image")
    box = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    space.put_object_instance(box, BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
    row.save()
    fresh = again(shared, row)
    fresh.get_space(id=w.GROUP_CHILDREN[0], type_="image").remove_object_instance(box.object_hash)
    fresh.save()
    assert not again(shared, row).get_space(id=w.GROUP_CHILDREN[0], type_="image").get_object_instances()


def travelling(row) -> dict:
    """The row as it travels, before the SDK takes from it what it knows."""
    querier = row._project_client._querier
    call = querier._request(QueryMethods.GET, "labelrow", [row.label_hash], 30, payload={"multi_request": True})
    answer = requests.post(querier._config.endpoint, data=call.data, headers=call.headers, timeout=30)
    return answer.json()["response"][0]


def unit_of(row) -> dict:
    return travelling(row)["data_units"][row.data_hash]


def test_the_labels_of_a_group_are_by_frame_as_sdks_before_0_1_187_need_it(row):
    assert unit_of(row)["labels"] == {}
    row.save()
    assert unit_of(row)["labels"] == {}, "this SDK saves two empty lists"
    blob = row.to_encord_dict()
    frame = {"objects": [], "classifications": [{"classificationHash": "CCCCCCC1"}]}
    blob["data_units"][row.data_hash]["labels"] = frame
    row._project_client.save_label_rows([row.label_hash], [blob])
    assert unit_of(row)["labels"] == {"0": frame}


def test_what_this_sdk_does_not_know_is_kept_in_rows_units_and_spaces(row):
    blob = row.to_encord_dict()
    blob["later"] = {"serial": 123456789012345678901234567890}
    blob["data_units"][row.data_hash]["later"] = [1]
    blob["spaces"] = {w.GROUP_CHILDREN[0]: {"space_type": "image", "labels": {}, "later": 2}}
    row._project_client.save_label_rows([row.label_hash], [blob])
    kept = travelling(row)
    assert kept["later"] == {"serial": 123456789012345678901234567890}
    assert kept["data_units"][row.data_hash]["later"] == [1]
    assert kept["spaces"][w.GROUP_CHILDREN[0]]["later"] == 2


def test_a_box_on_a_part_needs_its_answer(row):
    blob = row.to_encord_dict()
    box = {"objectHash": "nobody00", "featureHash": "Obj00001", "shape": "bounding_box", "boundingBox": {}}
    blob["spaces"] = {
        w.GROUP_CHILDREN[0]: {"space_type": "image", "labels": {"0": {"objects": [box], "classifications": []}}}
    }
    with pytest.raises(AnswerDictionaryError):
        row._project_client.save_label_rows([row.label_hash], [blob])


def test_a_group_made_of_uploads_has_the_same_spaces_in_each_project(workshop, tmp_path):
    from encord.orm.dataset import StorageLocation

    from conftest import delete_project
    from test_from_nothing import document, picture, sound

    client = workshop.client()
    folder = client.create_storage_folder("parts")
    parts = [
        folder.upload_image(picture(tmp_path / "a.png")),
        folder.upload_audio(sound(tmp_path / "b.wav")),
        folder.upload_pdf(document(tmp_path / "c.pdf", 3)),
    ]
    made = client.create_dataset("parts", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    client.get_dataset(made.dataset_hash).link_items([folder.create_data_group(parts)])
    project_hash = client.create_project(
        "parts", [made.dataset_hash], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    try:
        (row,) = workshop.project(project_hash).list_label_rows_v2()
        row.initialise_labels()
        kinds = [type(s).__name__ for s in row.get_spaces()]
        assert kinds == ["ImageSpace", "AudioSpace", "PdfSpace"]
        assert {r.group_hash for r in workshop.project(project_hash).list_label_rows_v2(include_children=True)} == {
            None,
            row.data_hash,
        }
    finally:
        delete_project(workshop, project_hash)
