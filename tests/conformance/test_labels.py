"""Labels of every shape on every kind of item: saved, and read back equal by a fresh client."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from encord.objects import Classification, Object
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    CircleCoordinates,
    Cuboid2DIsometricCoordinates,
    Cuboid2DPerspectiveCoordinates,
    EllipseCoordinates,
    HtmlCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
    SkeletonCoordinate,
    SkeletonCoordinates,
    TextCoordinates,
)
from encord.objects.frames import Range
from encord.objects.html_node import HtmlNode, HtmlRange

import world as w

#: What a server may fill in; everything else must come back as it went.
FILLED_IN = {"createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "objectNumber", "last_edited_at", "created_at"}


def points(*pairs: tuple[float, float]) -> list[PointCoordinate]:
    return [PointCoordinate(x, y) for x, y in pairs]


def skeleton() -> SkeletonCoordinates:
    names = ("Head", "Hand", "Foot")
    values = [
        SkeletonCoordinate(x=0.1 * n, y=0.2 * n, name=name, feature_hash=f"Pose{name[:4]:_<4}", value=name.lower())
        for n, name in enumerate(names, 1)
    ]
    return SkeletonCoordinates(values=values, name="Pose")


def mask(height: int, width: int) -> BitmaskCoordinates:
    array = np.zeros((height, width), dtype=bool)
    array[3:9, 5:17] = True
    array[6, 8] = False
    return BitmaskCoordinates(array)


RING = points((0.1, 0.1), (0.9, 0.1), (0.5, 0.9))
HOLE = points((0.4, 0.2), (0.6, 0.2), (0.5, 0.4))
GEOMETRY = {
    "box": ("Vehicle", BoundingBoxCoordinates(height=0.1, width=1 / 3, top_left_x=0.3, top_left_y=0.4)),
    "rotatable box": ("Tilted", RotatableBoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4, theta=12.5)),
    "polygon": ("Person", PolygonCoordinates(values=RING)),
    "polygon with a hole": ("Person", PolygonCoordinates(polygons=[[RING, HOLE]])),
    "several polygons": ("Person", PolygonCoordinates(polygons=[[HOLE], [points((0, 0), (0.1, 0), (0, 0.1))]])),
    "polyline": ("Road", PolylineCoordinates(values=points((0, 0), (0.25, 0.5), (1, 1)))),
    "point": ("Spot", PointCoordinate(0.123456789, 0.987654321)),
    "skeleton": ("Pose", skeleton()),
    "ellipse": ("Wheel", EllipseCoordinates(0.5, 0.5, 0.1, 0.2, 30.0)),
    "circle": ("Lamp", CircleCoordinates(0.5, 0.5, 0.125)),
    "cuboid in perspective": (
        "Crate",
        Cuboid2DPerspectiveCoordinates(points((0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1)), PointCoordinate(0.4, 0.3), 0.75),
    ),
    "isometric cuboid": (
        "Crate",
        Cuboid2DIsometricCoordinates(points((0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1)), PointCoordinate(0.05, -0.05)),
    ),
}


def comparable(part):
    """A label row without what a server may fill in."""
    if isinstance(part, dict):
        out = {key: comparable(value) for key, value in part.items() if key not in FILLED_IN}
        if "actions" in out:  # the SDK keeps them in a set, so that their order means nothing
            out["actions"].sort(key=lambda action: json.dumps(action, sort_keys=True))
        return out
    if isinstance(part, list):
        return [comparable(value) for value in part]
    return part


@pytest.fixture
def rows(shared, make_project):
    """Row of a kind of item in a project of the case's own, initialised."""
    project = make_project(w.MIXED)

    def get(kind: str, fresh: bool = False):
        source = shared.project(project.project_hash) if fresh else project
        found = source.list_label_rows_v2(data_hashes=[w.HASH[kind]])[0]
        found.initialise_labels()
        return found

    return get


def add(row, name: str, coordinates, frames=0, **facts):
    instance = row.ontology_structure.get_child_by_title(name, Object).create_instance()
    instance.set_for_frames(coordinates, frames=frames, **facts) if frames is not None else instance.set_for_frames(
        coordinates, **facts
    )
    row.add_object_instance(instance)
    return instance


def classify(row, name: str, answer, frames=0):
    feature = row.ontology_structure.get_child_by_title(name, Classification)
    instance = feature.create_instance(range_only=frames is None)
    instance.set_answer(answer)
    instance.set_for_frames(Range(0, 0) if frames is None else frames)
    row.add_classification_instance(instance)
    return instance


def saved_equal(rows, kind: str, row):
    """Saves, reads with a fresh client, compares all; returns what was read."""
    before = comparable(copy.deepcopy(row.to_encord_dict()))
    row.save()
    again = rows(kind, fresh=True)
    assert comparable(again.to_encord_dict()) == before
    return again


@pytest.mark.parametrize("shape", GEOMETRY)
def test_a_shape_on_a_picture_reads_back_equal(rows, shape):
    name, coordinates = GEOMETRY[shape]
    row = rows("image")
    made = add(row, name, coordinates, confidence=0.75, manual_annotation=False)
    again = saved_equal(rows, "image", row)
    (found,) = again.get_object_instances()
    assert (found.object_hash, found.object_name) == (made.object_hash, name)
    annotation = found.get_annotation(0)
    assert (annotation.confidence, annotation.manual_annotation) == (0.75, False)
    assert comparable(vars_of(annotation.coordinates)) == comparable(vars_of(coordinates))


def vars_of(coordinates):
    return coordinates.to_dict("multiple_polygons") if isinstance(coordinates, PolygonCoordinates) else coordinates.to_dict()


def test_a_bitmask_reads_back_equal_pixel_by_pixel(rows):
    row = rows("image")
    wanted = mask(row.height, row.width)
    add(row, "Puddle", wanted)
    again = saved_equal(rows, "image", row)
    found = again.get_object_instances()[0].get_annotation(0).coordinates
    assert np.array_equal(found.to_numpy_array(), wanted.to_numpy_array())


@pytest.mark.parametrize("shape", ["box", "polygon with a hole", "skeleton", "rotatable box", "polyline", "point"])
def test_a_shape_on_frames_of_a_video_reads_back_equal(rows, shape):
    name, coordinates = GEOMETRY[shape]
    row = rows("video")
    add(row, name, coordinates, frames=[0, 3, 73])
    again = saved_equal(rows, "video", row)
    (found,) = again.get_object_instances()
    assert sorted(a.frame for a in found.get_annotations()) == [0, 3, 73]


def test_an_object_moves_from_frame_to_frame_of_a_video(rows):
    row = rows("video")
    instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    for frame in range(0, 74, 5):
        instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, frame / 100, 0.5), frames=frame)
    row.add_object_instance(instance)
    again = saved_equal(rows, "video", row)
    at = {a.frame: a.coordinates.top_left_x for a in again.get_object_instances()[0].get_annotations()}
    assert at == {frame: frame / 100 for frame in range(0, 74, 5)}


def test_pictures_of_a_group_have_labels_of_their_own(rows):
    row = rows("imageGroup")
    for frame in range(3):
        add(row, "Vehicle", BoundingBoxCoordinates(0.1, 0.1, frame / 10, 0.5), frames=frame)
    again = saved_equal(rows, "imageGroup", row)
    for frame in range(3):
        (found,) = again.get_frame_view(frame).get_object_instances()
        assert found.get_annotation(frame).coordinates.top_left_x == frame / 10
        assert again.get_frame_view(frame).image_hash == w.VIEWS[frame]


def test_one_object_spans_several_pictures_of_a_group(rows):
    row = rows("imageGroup")
    add(row, "Vehicle", GEOMETRY["box"][1], frames=[0, 2])
    again = saved_equal(rows, "imageGroup", row)
    (found,) = again.get_object_instances()
    assert sorted(a.frame for a in found.get_annotations()) == [0, 2]


def test_an_image_sequence_is_labelled_by_frame(rows):
    row = rows("imageSequence")
    add(row, "Vehicle", GEOMETRY["box"][1], frames=[0, 73])
    again = saved_equal(rows, "imageSequence", row)
    assert sorted(a.frame for a in again.get_object_instances()[0].get_annotations()) == [0, 73]


def test_pages_of_a_pdf_are_labelled_like_frames(rows):
    row = rows("pdf")
    add(row, "Page mark", GEOMETRY["box"][1], frames=[0, 2])
    again = saved_equal(rows, "pdf", row)
    assert sorted(a.frame for a in again.get_object_instances()[0].get_annotations()) == [0, 2]


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_ranges_of_sound_read_back_equal(rows, kind):
    row = rows(kind)
    add(row, "Sound", AudioCoordinates(range=[Range(0, 250), Range(1000, 1500)]), frames=None)
    again = saved_equal(rows, kind, row)
    (found,) = again.get_object_instances()
    assert [(r.start, r.end) for r in found.range_list] == [(0, 250), (1000, 1500)]


def test_ranges_of_text_read_back_equal(rows):
    row = rows("plainText")
    add(row, "Word", TextCoordinates(range=[Range(0, 5), Range(10, 12)]), frames=None)
    again = saved_equal(rows, "plainText", row)
    assert [(r.start, r.end) for r in again.get_object_instances()[0].range_list] == [(0, 5), (10, 12)]


def test_ranges_of_html_read_back_equal(rows):
    row = rows("html")
    node = lambda path, offset: HtmlNode(xpath=path, offset=offset)  # noqa: E731
    ranges = [HtmlRange(start=node("/html[1]/body[1]/p[1]/text()[1]", 3), end=node("/html[1]/body[1]/p[2]/text()[1]", 9))]
    add(row, "Word", HtmlCoordinates(range=ranges), frames=None)
    again = saved_equal(rows, "html", row)
    assert again.get_object_instances()[0].range_html == ranges


def test_bitmasks_on_frames_of_a_video_read_back_equal(rows):
    row = rows("video")
    wanted = mask(row.height, row.width)
    add(row, "Puddle", wanted, frames=[7, 8])
    again = saved_equal(rows, "video", row)
    for annotation in again.get_object_instances()[0].get_annotations():
        assert np.array_equal(annotation.coordinates.to_numpy_array(), wanted.to_numpy_array())


@pytest.mark.parametrize("kind", ["wav", "plainText"])
def test_sound_and_text_are_classified_as_a_whole(rows, kind):
    row = rows(kind)
    classify(row, "Notes", "whole file", frames=None)
    again = saved_equal(rows, kind, row)
    (found,) = again.get_classification_instances()
    assert (found.classification_name, found.get_answer()) == ("Notes", "whole file")


def test_a_group_saves_empty_and_reads_back(rows):
    row = rows("group")
    saved_equal(rows, "group", row)


def vehicle_with(row, frames=0):
    vehicle = row.ontology_structure.get_child_by_title("Vehicle", Object)
    instance = vehicle.create_instance()
    instance.set_for_frames(GEOMETRY["box"][1], frames=frames)
    return vehicle, instance


def test_nested_attributes_read_back_equal(rows):
    row = rows("image")
    vehicle, instance = vehicle_with(row)
    red = vehicle.get_child_by_title("Red")
    instance.set_answer(red, attribute=vehicle.get_child_by_title("Colour"))
    instance.set_answer("crimson", attribute=vehicle.get_child_by_title("Shade"))
    row.add_object_instance(instance)
    again = saved_equal(rows, "image", row)
    (found,) = again.get_object_instances()
    assert found.get_answer(vehicle.get_child_by_title("Colour")).title == "Red"
    assert found.get_answer(vehicle.get_child_by_title("Shade")) == "crimson"


def test_text_checklist_and_number_attributes_read_back_equal(rows):
    row = rows("image")
    vehicle, instance = vehicle_with(row)
    extras = [vehicle.get_child_by_title("Roof box"), vehicle.get_child_by_title("Trailer")]
    instance.set_answer("ZH 1234 – \"ä\" \\ 🚗", attribute=vehicle.get_child_by_title("Plate"))
    instance.set_answer(extras, attribute=vehicle.get_child_by_title("Extras"))
    instance.set_answer(1234.5, attribute=vehicle.get_child_by_title("Weight"))
    row.add_object_instance(instance)
    again = saved_equal(rows, "image", row)
    (found,) = again.get_object_instances()
    assert found.get_answer(vehicle.get_child_by_title("Plate")) == "ZH 1234 – \"ä\" \\ 🚗"
    assert {o.title for o in found.get_answer(vehicle.get_child_by_title("Extras"))} == {"Roof box", "Trailer"}
    assert found.get_answer(vehicle.get_child_by_title("Weight")) == 1234.5


def test_dynamic_attributes_read_back_equal_over_their_ranges(rows):
    row = rows("video")
    vehicle, instance = vehicle_with(row, frames=list(range(20)))
    lights, speed = vehicle.get_child_by_title("Lights"), vehicle.get_child_by_title("Speed")
    instance.set_answer(vehicle.get_child_by_title("On"), attribute=lights, frames=Range(0, 9))
    instance.set_answer(vehicle.get_child_by_title("Off"), attribute=lights, frames=[Range(10, 14), Range(17, 19)])
    instance.set_answer("50 km/h", attribute=speed, frames=5)
    row.add_object_instance(instance)
    again = saved_equal(rows, "video", row)
    (found,) = again.get_object_instances()
    answers = {a.answer.title: [(r.start, r.end) for r in a.ranges] for a in found.get_answer(lights)}
    assert answers == {"On": [(0, 9)], "Off": [(10, 14), (17, 19)]}
    assert [(a.answer, [(r.start, r.end) for r in a.ranges]) for a in found.get_answer(speed)] == [("50 km/h", [(5, 5)])]


def test_radio_text_and_checklist_classifications_read_back_equal(rows):
    row = rows("image")
    structure = row.ontology_structure
    classify(row, "Notes", "first line\nsecond line")
    classify(row, "Tags", [structure.get_child_by_title("Blurry"), structure.get_child_by_title("Crowded")])
    weather = classify(row, "Weather", structure.get_child_by_title("Rainy"))
    weather.set_answer("a lot", attribute=structure.get_child_by_title("How much"))
    again = saved_equal(rows, "image", row)
    found = {c.classification_name: c for c in again.get_classification_instances()}
    assert found["Notes"].get_answer() == "first line\nsecond line"
    assert {o.title for o in found["Tags"].get_answer()} == {"Blurry", "Crowded"}
    assert found["Weather"].get_answer().title == "Rainy"
    assert found["Weather"].get_answer(structure.get_child_by_title("How much")) == "a lot"


def test_classifications_over_ranges_of_a_video_read_back_equal(rows):
    row = rows("video")
    structure = row.ontology_structure
    classify(row, "Weather", structure.get_child_by_title("Sunny"), frames=[Range(0, 9), Range(20, 29)])
    classify(row, "Notes", "dark", frames=[Range(60, 73)])
    again = saved_equal(rows, "video", row)
    ranges = {
        c.classification_name: [(r.start, r.end) for r in c.range_list] for c in again.get_classification_instances()
    }
    assert ranges == {"Weather": [(0, 9), (20, 29)], "Notes": [(60, 73)]}


def test_a_save_replaces_all_that_was_there(rows):
    row = rows("image")
    gone = add(row, "Vehicle", GEOMETRY["box"][1])
    classify(row, "Notes", "old")
    row.save()
    row = rows("image", fresh=True)
    row.remove_object(row.get_object_instances()[0])
    row.remove_classification(row.get_classification_instances()[0])
    kept = add(row, "Person", GEOMETRY["polygon"][1])
    row.save()
    again = rows("image", fresh=True)
    assert [o.object_hash for o in again.get_object_instances()] == [kept.object_hash] != [gone.object_hash]
    assert not again.get_classification_instances()


def test_the_last_writer_wins(rows):
    one, two = rows("image", fresh=True), rows("image", fresh=True)
    add(one, "Vehicle", GEOMETRY["box"][1])
    add(two, "Person", GEOMETRY["polygon"][1])
    one.save()
    two.save()
    assert [o.object_name for o in rows("image", fresh=True).get_object_instances()] == ["Person"]


def test_the_caller_becomes_the_author_of_what_has_none(rows):
    row = rows("image")
    add(row, "Vehicle", GEOMETRY["box"][1])
    row.save()
    again = rows("image", fresh=True)
    author = again.get_object_instances()[0].get_annotation(0).created_by
    assert author and "@" in author


def test_an_author_that_is_given_stays(rows):
    row = rows("image")
    add(row, "Vehicle", GEOMETRY["box"][1], created_by="somebody@example.test")
    row.save()
    again = rows("image", fresh=True)
    assert again.get_object_instances()[0].get_annotation(0).created_by == "somebody@example.test"


def test_objects_are_numbered_and_keep_their_numbers(rows):
    row = rows("image")
    first, second = (add(row, "Vehicle", GEOMETRY["box"][1]) for _ in "ab")
    row.save()
    row = rows("image", fresh=True)
    numbers = {o.object_hash: o.object_number for o in row.get_object_instances()}
    assert sorted(numbers.values()) == [1, 2]
    row.remove_object(next(o for o in row.get_object_instances() if o.object_hash == first.object_hash))
    third = add(row, "Vehicle", GEOMETRY["box"][1])
    row.save()
    after = {o.object_hash: o.object_number for o in rows("image", fresh=True).get_object_instances()}
    assert after[second.object_hash] == numbers[second.object_hash]
    assert after[third.object_hash] not in (None, after[second.object_hash])


def test_saving_moves_when_the_row_was_last_edited_but_not_when_it_was_made(rows):
    row = rows("image")
    made = row.created_at
    add(row, "Vehicle", GEOMETRY["box"][1])
    row.save()
    again = rows("image", fresh=True)
    assert again.created_at == made
    assert again.last_edited_at >= row.last_edited_at


def test_a_row_with_two_thousand_objects_reads_back_equal(rows):
    row = rows("video")
    for n in range(2000):
        add(row, "Vehicle", BoundingBoxCoordinates(0.1, 0.1, n / 2500, 0.5), frames=n % 74)
    again = saved_equal(rows, "video", row)
    assert len(again.get_object_instances()) == 2000


def test_labels_saved_unchanged_stay_unchanged(rows):
    row = rows("video")
    add(row, "Vehicle", GEOMETRY["box"][1], frames=[1, 2])
    classify(row, "Notes", "x", frames=[Range(0, 3)])
    row.save()
    first = rows("video", fresh=True)
    before = copy.deepcopy(first.to_encord_dict())
    first.save()
    after = rows("video", fresh=True).to_encord_dict()
    drop = lambda d: {k: v for k, v in d.items() if k != "last_edited_at"}  # noqa: E731
    assert drop(after) == drop(before)


def test_a_row_saved_by_the_older_single_call_reads_back_equal(shared, rows):
    row = rows("image")
    add(row, "Vehicle", GEOMETRY["box"][1])
    blob = row.to_encord_dict()
    before = comparable(copy.deepcopy(blob))
    project = shared.project(row_project(shared, row))
    project.save_label_row(row.label_hash, blob)
    assert comparable(rows("image", fresh=True).to_encord_dict()) == before


def test_the_older_calls_for_one_row_read_what_the_newer_ones_saved(shared, rows):
    row = rows("image")
    made = add(row, "Vehicle", GEOMETRY["box"][1])
    row.save()
    old = shared.project(row_project(shared, row)).get_label_row(row.label_hash)
    (unit,) = old["data_units"].values()
    assert [o["objectHash"] for o in unit["labels"]["objects"]] == [made.object_hash]


def row_project(server, row) -> str:
    """The project that a label row belongs to."""
    for project in server.client().list_projects():
        if any(r.label_hash == row.label_hash for r in project.list_label_rows_v2(data_hashes=[row.data_hash])):
            return project.project_hash
    raise AssertionError("the row is in no project")
