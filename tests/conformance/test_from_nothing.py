"""From nothing to labels: ontologies and datasets made, files uploaded and linked, as a notebook does it."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest
import requests
from encord.exceptions import AuthorisationError, EncordException, InvalidArgumentsError, ResourceExistsError
from encord.http.utils import CloudUploadSettings
from encord.objects import Classification, Object, OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute, TextAttribute
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.dataset import DataLinkDuplicatesBehavior, DatasetUserRole, ImagesDataFetchOptions, StorageLocation
from encord.orm.ontology import CreateOrUpdateOntologyPayload
from encord.orm.storage import (
    CustomerProvidedVideoMetadata,
    DataUploadImage,
    DataUploadImageGroupFromItems,
    DataUploadItems,
    StorageItemType,
)
from encord.project_ontology.object_type import ObjectShape

import world as w
from conftest import delete_project


def picture(path: Path, width: int = 64, height: int = 48, shade: int = 128) -> Path:
    assert cv2.imwrite(str(path), np.full((height, width, 3), shade, np.uint8))
    return path


def sound(path: Path, seconds: float = 0.5) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * int(8000 * seconds))
    return path


def document(path: Path, pages: int = 2) -> Path:
    """Page objects and nothing to see: enough for whoever counts pages."""
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    out.write(b"".join(b"%d 0 obj<</Type /Page>>endobj\n" % (n + 1) for n in range(pages)) + b"%%EOF\n")
    path.write_bytes(out.getvalue())
    return path


@pytest.fixture(scope="module")
def clip(workshop, tmp_path_factory) -> Path:
    """A video file as somebody has it on disk."""
    item = workshop.client().get_storage_item(w.ITEM["video"], sign_url=True)
    path = tmp_path_factory.mktemp("media") / "meadow.mp4"
    path.write_bytes(requests.get(item.get_signed_url(), timeout=30).content)
    return path


@pytest.fixture
def dataset(workshop):
    """An empty dataset with a folder of its own."""
    made = workshop.client().create_dataset("A case's dataset", StorageLocation.CORD_STORAGE, "made by a case")
    return workshop.client().get_dataset(made.dataset_hash)


@pytest.fixture
def folder(workshop):
    return workshop.client().create_storage_folder(f"A case's folder {uuid4()}")


def rows(workshop, dataset) -> dict:
    return {r.title: r for r in workshop.client().get_dataset(dataset.dataset_hash).data_rows}


# -- ontologies ----------------------------------------------------------------------------------


def structure() -> OntologyStructure:
    out = OntologyStructure()
    car = out.add_object("Car", Shape.BOUNDING_BOX)
    colour = car.add_attribute(RadioAttribute, "Colour")
    colour.add_option("Red")
    colour.add_option("Blue")
    weather = out.add_classification().add_attribute(RadioAttribute, "Weather")
    weather.add_option("Sunny")
    return out


def test_an_ontology_is_made_and_read_by_another_client(workshop):
    made = workshop.client().create_ontology("Made here", "by a case", structure())
    again = workshop.client().get_ontology(made.ontology_hash)
    assert (again.title, again.description) == ("Made here", "by a case")
    assert again.structure.to_dict() == made.structure.to_dict()
    assert again.structure.get_child_by_title("Car", Object).shape == Shape.BOUNDING_BOX


def test_a_saved_ontology_has_its_new_classes_and_the_projects_see_them(workshop):
    client = workshop.client()
    made = client.create_ontology("Grows", structure=structure())
    project_hash = client.create_project("on a growing ontology", [w.SMALL], ontology_hash=made.ontology_hash)
    try:
        made.structure.add_object("Bus", Shape.POLYGON)
        made.structure.add_classification().add_attribute(TextAttribute, "Remark")
        made.title = "Grown"
        made.save()
        project = workshop.project(project_hash)
        assert workshop.client().get_ontology(made.ontology_hash).title == "Grown"
        assert project.ontology_structure.get_child_by_title("Bus", Object).shape == Shape.POLYGON
        assert project.ontology_structure.get_child_by_title("Remark", Classification)
        assert [o["name"] for o in project.ontology["objects"]] == ["Car", "Bus"]
    finally:
        delete_project(workshop, project_hash)


def test_the_older_call_adds_a_class_to_the_projects_ontology(workshop):
    client = workshop.client()
    made = client.create_ontology("Older", structure=structure())
    project_hash = client.create_project("older", [w.SMALL], ontology_hash=made.ontology_hash)
    try:
        assert workshop.project(project_hash).add_object("Lorry", ObjectShape.BOUNDING_BOX)
        assert workshop.client().get_ontology(made.ontology_hash).structure.get_child_by_title("Lorry", Object)
    finally:
        delete_project(workshop, project_hash)


def test_an_ontology_that_could_not_be_read_back_is_refused(workshop):
    api = workshop.client()._api_client
    for editor in ({"objects": []}, {"objects": [{"name": "x"}], "classifications": []}):
        with pytest.raises(InvalidArgumentsError):
            api.put(
                f"ontologies/{w.ONTOLOGY}",
                params=None,
                payload=CreateOrUpdateOntologyPayload(title="x", description="", editor=editor),
            )
    assert workshop.client().get_ontology(w.ONTOLOGY).title == "Every shape"


# -- datasets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_folder", [True, False])
def test_a_dataset_is_made_with_or_without_a_folder_of_its_own(workshop, with_folder):
    made = workshop.client().create_dataset(
        "Fresh", StorageLocation.CORD_STORAGE, "empty", create_backing_folder=with_folder
    )
    again = workshop.client().get_dataset(made.dataset_hash)
    assert (again.title, again.description, again.data_rows) == ("Fresh", "empty", [])
    assert again.backing_folder_uuid == made.backing_folder_uuid
    assert (made.backing_folder_uuid is not None) == with_folder
    if with_folder:
        assert workshop.client().get_storage_folder(made.backing_folder_uuid).name == "Fresh"
    assert made.dataset_hash in {d["dataset"].dataset_hash for d in workshop.client().get_datasets(title_eq="Fresh")}


def test_linked_items_are_rows_of_the_dataset_and_tasks_of_its_projects(workshop, dataset):
    client = workshop.client()
    project_hash = client.create_project(
        "waits for data", [dataset.dataset_hash], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    try:
        assert not workshop.project(project_hash).list_label_rows_v2()
        wanted = [w.ITEM[k] for k in ("image", "video", "imageGroup", "group", "pdf", "wav")]
        linked = dataset.link_items([UUID(i) for i in wanted])
        assert {str(r.backing_item_uuid) for r in linked} == set(wanted)
        assert {str(r.backing_item_uuid) for r in rows(workshop, dataset).values()} == set(wanted)
        project = workshop.project(project_hash)
        waiting = {str(t.data_hash) for t in project.workflow.get_stage(name="Agent 1").get_tasks()}
        assert waiting == {r.uid for r in linked}
        for row in project.list_label_rows_v2():
            row.initialise_labels()
            assert row.data_hash not in w.HASH.values(), "a unit of its own, not the other dataset's"
        group = next(r for r in project.list_label_rows_v2() if r.data_title == "three views")
        assert group.number_of_frames == len(w.VIEWS)
    finally:
        delete_project(workshop, project_hash)


def test_labels_on_a_linked_image_group_are_its_own(workshop, dataset):
    (linked,) = dataset.link_items([UUID(w.ITEM["imageGroup"])])
    client = workshop.client()
    project_hash = client.create_project(
        "group", [dataset.dataset_hash], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    try:
        (row,) = workshop.project(project_hash).list_label_rows_v2()
        row.initialise_labels()
        box = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        box.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4), frames=[0, 2])
        row.add_object_instance(box)
        row.save()
        (again,) = workshop.project(project_hash).list_label_rows_v2()
        again.initialise_labels()
        assert [a.frame for a in again.get_object_instances()[0].get_annotations()] == [0, 2]
    finally:
        delete_project(workshop, project_hash)


def test_what_is_linked_already_is_skipped_doubled_or_refused_as_asked(workshop, dataset):
    item = [UUID(w.ITEM["image"])]
    assert len(dataset.link_items(item)) == 1
    assert dataset.link_items(item) == []
    with pytest.raises(ResourceExistsError):
        dataset.link_items(item, DataLinkDuplicatesBehavior.FAIL)
    assert len(dataset.link_items(item, DataLinkDuplicatesBehavior.DUPLICATE)) == 1
    assert len(workshop.client().get_dataset(dataset.dataset_hash).data_rows) == 2


def test_linking_an_unknown_item_links_nothing(workshop, dataset):
    with pytest.raises(AuthorisationError):
        dataset.link_items([UUID(w.ITEM["image"]), uuid4()])
    assert not rows(workshop, dataset)


def test_deleted_rows_take_their_tasks_along_and_leave_the_item_to_others(workshop, dataset):
    client = workshop.client()
    project_hash = client.create_project(
        "loses data", [dataset.dataset_hash], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    try:
        first, second = dataset.link_items([UUID(w.ITEM["image"]), UUID(w.ITEM["video"])])
        for row in workshop.project(project_hash).list_label_rows_v2():
            row.initialise_labels()
        dataset.delete_data([first.uid])
        assert [r.data_hash for r in workshop.project(project_hash).list_label_rows_v2()] == [second.uid]
        assert workshop.client().get_storage_item(w.ITEM["image"]).name == "street_1.jpg"
    finally:
        delete_project(workshop, project_hash)


def test_an_item_whose_own_unit_is_deleted_lives_on_where_it_is_linked(workshop, dataset, tmp_path):
    item = workshop.client().get_storage_folder(dataset.backing_folder_uuid).upload_image(picture(tmp_path / "kept.png"))
    other = workshop.client().create_dataset("Keeps it", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    keeper = workshop.client().get_dataset(other.dataset_hash)
    keeper.link_items([item])
    (own,) = rows(workshop, dataset).values()
    dataset.delete_data(own.uid)
    assert not rows(workshop, dataset)
    assert list(rows(workshop, keeper)) == ["kept.png"]
    kept = workshop.client().get_storage_item(item)
    assert kept.parent_folder_uuid == dataset.backing_folder_uuid and kept.backed_data_units_count == 1


def test_a_data_row_is_renamed_and_given_metadata(workshop, dataset):
    (row,) = dataset.link_items([UUID(w.ITEM["plainText"])])
    assert dataset.update_data_item(row.uid, "another name.txt")
    assert list(rows(workshop, dataset)) == ["another name.txt"]


def test_a_data_row_fetches_its_signed_url_pictures_and_metadata(workshop):
    found = rows(workshop, workshop.client().get_dataset(w.MIXED))
    image, group = found["street_1.jpg"], found["three views"]
    image.refetch_data(signed_url=True, client_metadata=True)
    assert requests.get(image.signed_url, timeout=30).ok
    assert dict(image.client_metadata) == {"site": "cam1", "lux": 120}
    group.refetch_data(images_data_fetch_options=ImagesDataFetchOptions(fetch_signed_urls=True))
    assert [i.title for i in group.images_data] == ["view_0.jpg", "view_1.jpg", "view_2.jpg"]
    assert all(requests.get(i.signed_url, timeout=30).ok for i in group.images_data)


def test_people_are_added_to_a_dataset_listed_and_removed(workshop, dataset):
    (added,) = dataset.add_users(["colleague@example.test"], DatasetUserRole.USER)
    assert added.user_email == "colleague@example.test"
    again = workshop.client().get_dataset(dataset.dataset_hash)
    roles = {u.user_email: u.user_role for u in again.list_users()}
    assert roles["colleague@example.test"] == DatasetUserRole.USER
    again.remove_users(["colleague@example.test"])
    assert "colleague@example.test" not in {u.user_email for u in dataset.list_users()}


# -- uploads -------------------------------------------------------------------------------------


def test_a_dataset_takes_a_picture_and_a_video_from_disk(workshop, dataset, clip, tmp_path):
    made = dataset.upload_image(picture(tmp_path / "one.png", 32, 24), title="One")
    film = dataset.upload_video(clip)
    found = rows(workshop, dataset)
    assert {t: r.uid for t, r in found.items()} == {"One": made["data_hash"], "meadow.mp4": film["data_hash"]}
    assert (found["One"].width, found["One"].height, found["One"].file_type) == (32, 24, "image/png")
    assert (found["meadow.mp4"].duration, found["meadow.mp4"].frames_per_second) == (2.96, 25.0)
    item = workshop.client().get_storage_item(found["meadow.mp4"].backing_item_uuid, sign_url=True)
    assert item.frame_count == 74
    assert requests.get(item.get_signed_url(), timeout=30).content == clip.read_bytes()


UPLOADS: dict[str, tuple[StorageItemType, Callable]] = {
    "picture.png": (StorageItemType.IMAGE, lambda f, p: f.upload_image(picture(p), client_metadata={"from": "disk"})),
    "tone.wav": (StorageItemType.AUDIO, lambda f, p: f.upload_audio(sound(p))),
    "words.txt": (StorageItemType.PLAIN_TEXT, lambda f, p: (p.write_text("Käse"), f.upload_text(p))[1]),
    "page.html": (StorageItemType.PLAIN_TEXT, lambda f, p: (p.write_text("<p>x</p>"), f.upload_text(p))[1]),
    "paper.pdf": (StorageItemType.PDF, lambda f, p: f.upload_pdf(document(p))),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_folder_takes_a_file_of_each_kind_and_gives_it_back(workshop, folder, tmp_path, name):
    kind, upload = UPLOADS[name]
    path = tmp_path / name
    uuid = upload(folder, path)
    item = workshop.client().get_storage_item(uuid, sign_url=True)
    assert (item.item_type, item.name, item.parent_folder_uuid) == (kind, name, folder.uuid)
    assert item.file_size == path.stat().st_size and item.backed_data_units_count == 0
    assert requests.get(item.get_signed_url(), timeout=30).content == path.read_bytes()
    assert [i.uuid for i in folder.list_items(item_types=[kind])] == [uuid]
    if kind == StorageItemType.PDF:
        assert item.frame_count == 2
    if kind == StorageItemType.AUDIO:
        assert (item.duration, item.audio_sample_rate) == (0.5, 8000)
    if name == "page.html":
        assert item.mime_type == "text/html"
    if kind == StorageItemType.IMAGE:
        assert item.client_metadata == {"from": "disk"}


def test_an_uploaded_picture_goes_all_the_way_to_labels(workshop, folder, tmp_path):
    client = workshop.client()
    item = folder.upload_image(picture(tmp_path / "new.jpg", 100, 80))
    made = client.create_dataset("From a folder", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    client.get_dataset(made.dataset_hash).link_items([item])
    ontology = client.create_ontology("From nothing", structure=structure())
    project_hash = client.create_project(
        "From nothing", [made.dataset_hash], ontology_hash=ontology.ontology_hash, workflow_template_hash=w.TEMPLATE
    )
    try:
        (row,) = workshop.project(project_hash).list_label_rows_v2()
        assert (row.width, row.height, row.data_title) == (100, 80, "new.jpg")
        row.initialise_labels()
        car = row.ontology_structure.get_child_by_title("Car", Object).create_instance()
        car.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
        row.add_object_instance(car)
        row.save()
        (task,) = workshop.project(project_hash).workflow.get_stage(name="Agent 1").get_tasks()
        task.proceed("complete")
        (again,) = workshop.project(project_hash).list_label_rows_v2()
        again.initialise_labels()
        assert len(again.get_object_instances()) == 1
        assert again.workflow_graph_node.title == "Complete"
    finally:
        delete_project(workshop, project_hash)


def test_an_image_group_is_made_of_files_and_of_items(workshop, folder, tmp_path):
    files = [picture(tmp_path / f"{n}.jpg", 40 + n, 30) for n in range(3)]
    group = workshop.client().get_storage_item(folder.create_image_group(files, title="files"))
    assert (group.item_type, group.frame_count) == (StorageItemType.IMAGE_GROUP, 3)
    assert [(c.name, c.width) for c in group.get_child_items()] == [("0.jpg", 40), ("1.jpg", 41), ("2.jpg", 42)]
    items = [folder.upload_image(f) for f in files[:2]]
    done = folder._add_data(
        None, DataUploadItems(image_groups_from_items=[DataUploadImageGroupFromItems(image_items=items, title="items", create_video=False)])
    )
    group = workshop.client().get_storage_item(done.items_with_names[0].item_uuid)
    assert [c.uuid for c in group.get_child_items()] == items
    summary = workshop.client().get_storage_item(items[0]).get_summary()
    assert (summary.frame_in_groups, [g.name for g in summary.accessible_group_items]) == (1, ["items"])


def test_an_image_sequence_is_a_video_of_its_pictures(workshop, dataset, tmp_path):
    shades = [10, 120, 240]
    files = [picture(tmp_path / f"{n}.png", 48, 32, s) for n, s in enumerate(shades)]
    (made,) = dataset.create_image_group(files, title="sequence")
    row = rows(workshop, dataset)["sequence"]
    assert row.uid == made["data_hash"] and row.is_image_sequence
    item = workshop.client().get_storage_item(row.backing_item_uuid, sign_url=True)
    assert (item.item_type, item.frame_count, item.width) == (StorageItemType.IMAGE_SEQUENCE, 3, 48)
    film = tmp_path / "sequence.mov"
    film.write_bytes(requests.get(item.get_signed_url(), timeout=30).content)
    capture = cv2.VideoCapture(str(film))
    frames = []
    while (read := capture.read())[0]:
        frames.append(round(float(read[1].mean())))
    assert len(frames) == 3 and all(abs(a - b) <= 3 for a, b in zip(frames, shades, strict=True)), frames


def test_pictures_of_two_sizes_make_a_group_but_no_sequence(workshop, dataset, tmp_path):
    files = [picture(tmp_path / "a.png", 40, 30), picture(tmp_path / "b.png", 41, 30)]
    with pytest.raises(EncordException, match="41×30"):
        dataset.create_image_group(files)
    assert not rows(workshop, dataset)
    assert len(dataset.create_image_group(files, title="two", create_video=False)) == 1


@pytest.mark.parametrize("name, upload", [("fake.jpg", "upload_image"), ("fake.mp4", "upload_video"), ("fake.pdf", "upload_pdf"), ("fake.wav", "upload_audio")])
def test_a_file_that_is_something_else_is_refused_by_name_and_nothing_is_made(workshop, folder, tmp_path, name, upload):
    path = tmp_path / name
    path.write_text("only words")
    with pytest.raises(EncordException, match=name):
        getattr(folder, upload)(path)
    assert folder.get_summary().files == 0


def test_a_video_of_unknown_make_is_taken_at_its_owners_word(workshop, folder, tmp_path):
    path = tmp_path / "film.webm"
    path.write_bytes(b"\x1aE\xdf\xa3 not looked at")
    metadata = CustomerProvidedVideoMetadata(fps=10, duration=2.5, width=320, height=240, file_size=19, mime_type="video/webm")
    item = workshop.client().get_storage_item(folder.upload_video(path, video_metadata=metadata))
    assert (item.frame_count, item.fps, item.mime_type) == (25, 10, "video/webm")


def test_an_upload_url_that_was_tampered_with_takes_nothing(workshop, folder, tmp_path):
    (url,) = folder._get_upload_signed_urls(StorageItemType.IMAGE, 1)
    forged = url.signed_url.replace(str(url.item_uuid), str(uuid4()))
    assert requests.put(forged, data=b"x", timeout=30).status_code == 403
    assert requests.put(url.signed_url + "0", data=b"x", timeout=30).status_code == 403
    assert requests.put(url.signed_url, data=picture(tmp_path / "x.png").read_bytes(), timeout=30).ok


def test_one_bad_file_of_a_job_costs_the_others_only_if_errors_count(workshop, folder, tmp_path):
    urls = folder._get_upload_signed_urls(StorageItemType.IMAGE, 2)
    for url, path in zip(urls, (picture(tmp_path / "good.png"), tmp_path / "bad.png"), strict=True):
        if path.name == "bad.png":
            path.write_text("no picture")
        folder._upload_local_file(path, path.name, StorageItemType.IMAGE, url.signed_url, CloudUploadSettings())
    items = DataUploadItems(
        images=[
            DataUploadImage(object_url=u.object_key, placeholder_item_uuid=u.item_uuid, title=t)
            for u, t in zip(urls, ("good.png", "bad.png"), strict=True)
        ]
    )
    with pytest.raises(EncordException, match="bad.png"):
        folder._add_data(None, items)
    assert folder.get_summary().files == 0
    done = folder._add_data(None, items, ignore_errors=True)
    assert [i.name for i in done.items_with_names] == ["good.png"]
    assert (done.units_done_count, done.units_error_count) == (1, 1) and "bad.png" in done.unit_errors[0].error


def test_uploads_outlive_a_restart(start, tmp_path):
    data = tmp_path / "data"
    server = start("--scenario", "seed", "--tasks", "3", "--data", data)
    uuid = server.client().create_storage_folder("kept").upload_image(picture(tmp_path / "kept.png"))
    server.stop()
    again = start("--data", data)
    item = again.client().get_storage_item(uuid, sign_url=True)
    assert requests.get(item.get_signed_url(), timeout=30).content == (tmp_path / "kept.png").read_bytes()


def test_cloud_manifests_are_refused_in_words(workshop, folder, dataset):
    manifest = {"images": [{"objectUrl": "s3://bucket/a.jpg"}]}
    for add in (
        lambda: folder.add_private_data_to_folder_start(str(uuid4()), manifest),
        lambda: dataset.add_private_data_to_dataset(str(uuid4()), manifest),
    ):
        with pytest.raises(EncordException, match="upload the files"):
            add()
    assert workshop.client().get_cloud_integrations() == []
