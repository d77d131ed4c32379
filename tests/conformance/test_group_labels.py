"""Labels on the parts of a data group between Rust and the real SDK, in both directions.

A group with a part of each kind gets every label that the SDK can put there. An agent reads them
(`agent-abi/examples/carry.rs`), draws them once more, copies them (`copies.rs`), also into the same group of the
twin project, and the SDK reads the row again.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.frames import Range
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.objects.spaces.base_space import Space
from encord.objects.spaces.image_space import ImageSpace
from encord.objects.spaces.multiframe_space.multiframe_space import MultiFrameSpace

import world as w
from test_groups import travelling
from test_labels import GEOMETRY, comparable, mask
from test_roundtrip import ENDING, ON_RANGES, ROOT, carry, in_any_order, numbers, rows_of, without_hashes

#: Frames that objects lie on, by kind of part.
FRAMES = {"image": [0], "video": [0, 3, 73], "imageSequence": [1, 73], "pdf": [0, 2]}
#: Kinds whose labels lie on ranges, and what the SDK calls the part.
TYPES = {
    "image": "image",
    "video": "video",
    "imageSequence": "image_sequence",
    "wav": "audio",
    "plainText": "text",
    "html": "html",
    "pdf": "pdf",
}


def parts_of(row: LabelRowV2) -> dict[str, Space]:
    return {kind: row.get_space(id=w.PARTS[kind], type_=TYPES[kind]) for kind in TYPES}


def put(space: Space, instance, coordinates, frames: list[int], **facts) -> None:
    """An object on frames of a part; an image has only one."""
    at = () if isinstance(space, ImageSpace) else (frames,)
    space.put_object_instance(instance, *at, coordinates, **facts)


def classify(space: Space, name: str, answer, frames: list[int] | None):
    instance = space._label_row.ontology_structure.get_child_by_title(name, Classification).create_instance()
    instance.set_answer(answer)
    at = (frames,) if isinstance(space, MultiFrameSpace) else ()
    space.put_classification_instance(instance, *at)
    return instance


def fill(space: Space, kind: str) -> int:
    """Every label that a part of this kind can carry; their number."""
    structure = space._label_row.ontology_structure
    frames = FRAMES.get(kind)
    if frames is None:
        name, coordinates = ON_RANGES[kind]
        instance = structure.get_child_by_title(name, Object).create_instance()
        space.put_object_instance(instance, ranges=coordinates.range)
        classify(space, "Tags", [structure.get_child_by_title("Dark")], None)
        return 2
    for name, coordinates in GEOMETRY.values():
        instance = structure.get_child_by_title(name, Object).create_instance()
        put(space, instance, coordinates, frames, confidence=0.75, manual_annotation=False)
    if kind != "pdf":  # its pages have no pixels
        info = space._space_info
        puddle = structure.get_child_by_title("Puddle", Object).create_instance()
        put(space, puddle, mask(info["height"], info["width"]), frames[:1])
    vehicle = structure.get_child_by_title("Vehicle", Object)
    child = vehicle.get_child_by_title
    car = vehicle.create_instance()
    car.set_answer(child("Red"), attribute=child("Colour"))
    car.set_answer("crimson", attribute=child("Shade"))
    car.set_answer("ZH 1 – \"ä\" \\ 🚗", attribute=child("Plate"))
    car.set_answer([child("Roof box"), child("Trailer")], attribute=child("Extras"))
    car.set_answer(1234.5, attribute=child("Weight"))
    put(space, car, BoundingBoxCoordinates(0.25, 0.25, 0.5, 0.5), frames)
    if kind == "video":
        space.set_dynamic_answer(car, [Range(0, 0), Range(3, 3)], "50 km/h", child("Speed"))
        space.set_dynamic_answer(car, 73, child("Off"), child("Lights"))
    weather = classify(space, "Weather", structure.get_child_by_title("Rainy"), frames)
    weather.set_answer("a lot", attribute=structure.get_child_by_title("How much"))
    classify(space, "Tags", [structure.get_child_by_title(t) for t in ("Blurry", "Crowded")], frames[:1])
    return len(space.get_object_instances()) + len(space.get_classification_instances())


def fill_all(row: LabelRowV2) -> int:
    return sum(fill(space, kind) for kind, space in parts_of(row).items())


def spans(frames: list[int]) -> list[list[int]]:
    """Ascending frames as ranges."""
    out: list[list[int]] = []
    for frame in frames:
        if out and frame == out[-1][1] + 1:
            out[-1][1] = frame
        else:
            out.append([frame, frame])
    return out


def summary_of(space: Space, kind: str) -> list[dict]:
    """What the agent should have reported of this part, as the SDK reads it."""
    out = []
    for o in space.get_object_instances():
        attributes = {a.title: a for a in o.ontology_item.attributes}
        answer = lambda title: o.get_answer(attributes[title]) if title in attributes else None  # noqa: E731
        notes = list(space.get_annotations("object", [o.object_hash]))
        drawn = kind in FRAMES
        frames = [a.frame for a in notes] if drawn else []
        ranges = notes[0].ranges if not drawn else []
        speed = {}
        if kind == "video" and "Speed" in attributes:
            for dynamic in space.get_dynamic_answer(o, frames, attributes["Speed"]):
                speed.update({f: dynamic.answer for r in dynamic.ranges for f in range(r.start, r.end + 1)})
        at = lambda p: [p.xpath, p.offset]  # noqa: E731
        colour, extras = answer("Colour"), answer("Extras")
        out.append(
            {
                "name": o.object_name,
                "shape": o.ontology_item.shape.value,
                "frames": frames,
                "shapes": [numbers(a.coordinates) for a in notes] if drawn else [],
                "ranges": [[r.start, r.end] for r in ranges] if kind != "html" else [],
                "html": [at(r.start) + at(r.end) for r in ranges] if kind == "html" else [],
                "plate": answer("Plate") or None,
                "colour": colour.title if colour else None,
                "extras": ", ".join(e.title for e in extras) if extras else None,
                "speed": [speed.get(f) for f in frames],
            }
        )
    for c in space.get_classification_instances():
        first = c.get_answer()
        nested = None
        if c.classification_name == "Weather":
            nested = c.get_answer(space._label_row.ontology_structure.get_child_by_title("How much"))
        notes = list(space.get_annotations("classification", [c.classification_hash]))
        # Of a part without frames it covers the whole, as frame 0 does of an image.
        frames = [a.frame for a in notes] if isinstance(space, MultiFrameSpace) else [0]
        out.append(
            {
                "title": c.classification_name,
                "answer": ", ".join(a.title for a in first) if isinstance(first, list) else getattr(first, "title", first),
                "ranges": spans(sorted(frames)),
                "nested": nested or None,
            }
        )
    return out


def hashes(row: LabelRowV2) -> set[str]:
    return {o.object_hash for space in row.get_spaces() for o in space.get_object_instances()}


def group(server, project) -> LabelRowV2:
    return rows_of(server, project)[w.EVERY_PART]


@pytest.fixture
def project(shared, make_project):
    """A project whose only row is the group, filled by the SDK."""
    made = make_project(w.GROUPED)
    (row,) = made.list_label_rows_v2()
    row.initialise_labels()
    assert fill_all(row) > 60
    row.save()
    return made


def test_parts_that_the_sdk_drew_are_read_by_an_agent_and_drawn_once_more_equal(shared, project, tmp_path):
    saved = group(shared, project)
    carry(shared, tmp_path, project, "Agent 1")
    after = group(shared, project)
    for kind, space in parts_of(after).items():
        (notes,) = [c for c in space.get_classification_instances() if c.classification_name == "Notes"]
        wanted = summary_of(parts_of(saved)[kind], kind)
        assert in_any_order(json.loads(notes.get_answer())) == in_any_order(wanted), kind
        space.remove_classification_instance(notes.classification_hash)
    assert comparable(after.to_encord_dict()) == comparable(saved.to_encord_dict())

    carry(shared, tmp_path, project, "Agent 2")
    row = group(shared, project)
    for space in row.get_spaces():
        (notes,) = [c for c in space.get_classification_instances() if c.classification_name == "Notes"]
        space.remove_classification_instance(notes.classification_hash)
    assert not hashes(saved) & hashes(row) and len(hashes(saved)) == len(hashes(row))
    got, wanted = without_hashes(row), without_hashes(saved)
    assert got["objects"] == wanted["objects"]
    assert got == wanted


def test_parts_that_an_agent_copies_have_everything_but_their_hashes(shared, project, tmp_path):
    before = group(shared, project)
    carry(shared, tmp_path, project, "Agent 1", agents="copies")
    after = group(shared, project)
    assert not hashes(before) & hashes(after) and len(hashes(before)) == len(hashes(after))
    assert without_hashes(after) == without_hashes(before)


def test_a_group_is_copied_part_by_part_into_its_twin_and_what_was_there_stays(start, tmp_path):
    world = w.world()
    world["projects"][0]["datasets"] = world["projects"][1]["datasets"] = ["Grouped"]
    world["projects"][0].pop("tasks")
    file = tmp_path / "world.json"
    file.write_text(json.dumps(world))
    server = start("--scenario-file", file)
    main, twin = server.project(w.MAIN), server.project(w.TWIN)
    own = group(server, main)
    fill_all(own)
    own.save()
    theirs = group(server, twin)
    box = theirs.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    put(parts_of(theirs)["video"], box, BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4), [5])
    theirs.save()

    stage = main.workflow.get_stage(name="Agent 1")
    next(iter(stage.get_tasks())).proceed(pathway_name="second")
    carry(server, tmp_path, main, "Agent 2", agents="copies")
    after = group(server, twin)
    (found,) = parts_of(after)["video"].get_annotations("object", [box.object_hash])
    assert (found.frame, found.coordinates) == (5, BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
    parts_of(after)["video"].remove_object_instance(box.object_hash)
    assert without_hashes(after)["objects"] == without_hashes(group(server, main))["objects"]


#: What an agent in C adds, by name and part.
ADDED = [
    {"name": "Vehicle", "part": "street.jpg", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}},
    {"name": "Vehicle", "part": "1", "frame": 7, "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}},
    {"name": "Spot", "part": "form.pdf", "frame": 1, "point": [0.5, 0.25]},
    {"name": "Sound", "part": "silence.mp3", "range": [5, 9]},
    {"name": "Word", "part": "note.txt", "range": [2, 4]},
    {"name": "Notes", "part": "page.html", "answer": "seen → read"},
]


def test_labels_that_an_agent_in_c_adds_leave_everything_else_byte_for_byte(shared, project, tmp_path):
    before = travelling(group(shared, project))
    agent = picky(tmp_path, {"route": "complete", "add": ADDED})
    carry(shared, tmp_path, project, "Agent 1", agents=agent)
    row = group(shared, project)
    after = travelling(row)
    sections = ("object_answers", "object_actions", "classification_answers")
    new = {key for section in sections for key in set(after[section]) - set(before[section])}
    assert len(new) == len(ADDED)
    for section in sections:
        for key in new:
            after[section].pop(key, None)
    for space in after["spaces"].values():
        for frame, labels in list(space["labels"].items()):
            labels["objects"] = [o for o in labels["objects"] if o["objectHash"] not in new]
            if not labels["objects"]:
                del space["labels"][frame]
    kept = lambda blob: json.dumps(  # noqa: E731
        {key: blob[key] for key in (*sections, "spaces")} | {"labels": [u["labels"] for u in blob["data_units"].values()]},
        sort_keys=True,
    )
    assert kept(after) == kept(before)

    parts = parts_of(row)
    drawn = {kind: [o for o in space.get_object_instances() if o.object_hash in new] for kind, space in parts.items()}
    assert {kind: [o.object_name for o in found] for kind, found in drawn.items() if found} == {
        "image": ["Vehicle"],
        "video": ["Vehicle"],
        "pdf": ["Spot"],
        "wav": ["Sound"],
        "plainText": ["Word"],
    }
    (on_video,) = parts["video"].get_annotations("object", [drawn["video"][0].object_hash])
    assert (on_video.frame, on_video.coordinates) == (7, BoundingBoxCoordinates(0.4, 0.3, 0.1, 0.2))
    assert parts["wav"].get_object_ranges(drawn["wav"][0]) == [Range(5, 9)]
    assert parts["plainText"].get_object_ranges(drawn["plainText"][0]) == [Range(2, 4)]
    notes = [c for c in parts["html"].get_classification_instances() if c.classification_hash in new]
    assert [c.get_answer() for c in notes] == ["seen → read"]


def picky(folder: Path, answer: dict) -> Path:
    """An agent in C that gives this answer for every task."""
    library = folder / f"picky.{ENDING}"
    text = json.dumps(json.dumps(answer, ensure_ascii=False), ensure_ascii=False)
    definitions = [f"-DGOOD={text}", '-DSTAGE="Agent 1"', "-DNEEDS=WB_NEED_LABEL_ROW|WB_NEED_LABEL_ROW_WRITE|WB_NEED_PROJECT"]
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", ROOT / "agent-abi/include", *definitions]
    subprocess.run([*command, "-o", library, ROOT / "tests/fixtures/picky.c"], check=True, timeout=60)
    return library


def test_labels_on_several_parts_are_changed_on_one_and_stay_on_the_others(shared, make_project, tmp_path):
    project = make_project(w.GROUPED)
    (row,) = project.list_label_rows_v2()
    row.initialise_labels()
    parts = parts_of(row)
    vehicle = row.ontology_structure.get_child_by_title("Vehicle", Object)
    moved, removed = vehicle.create_instance(), vehicle.create_instance()
    moved.set_answer("ZH 1", attribute=vehicle.get_child_by_title("Plate"))
    area = BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4)
    for instance in (moved, removed):
        put(parts["image"], instance, area, [0])
        put(parts["video"], instance, area, [3, 4])
    notes = row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    notes.set_answer("before")
    parts["image"].put_classification_instance(notes)
    parts["video"].put_classification_instance(notes, [3])
    parts["plainText"].put_classification_instance(notes)
    row.save()

    there = {"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25}
    answer = {
        "route": "complete",
        "remove": [removed.object_hash],
        "add": [{"hash": moved.object_hash, "part": "meadow.mp4", "frame": 4, "boundingBox": there}],
        "answer": [
            {"hash": moved.object_hash, "name": "Plate", "value": "ZH 2"},
            {"hash": notes.classification_hash, "value": "after"},
        ],
    }
    carry(shared, tmp_path, project, "Agent 1", agents=picky(tmp_path, answer))
    after = parts_of(group(shared, project))
    found = {
        (kind, a.object_hash, a.frame): (a.coordinates, a.object_instance.get_answer(vehicle.get_child_by_title("Plate")))
        for kind in ("image", "video")
        for a in after[kind].get_annotations("object")
    }
    assert found == {
        ("image", moved.object_hash, 0): (area, "ZH 2"),
        ("video", moved.object_hash, 3): (area, "ZH 2"),
        ("video", moved.object_hash, 4): (BoundingBoxCoordinates(0.25, 0.25, 0.5, 0.5), "ZH 2"),
    }
    answers = {kind: [c.get_answer() for c in space.get_classification_instances()] for kind, space in after.items()}
    assert {kind: given for kind, given in answers.items() if given} == dict.fromkeys(("image", "video", "plainText"), ["after"])
    assert [a.frame for a in after["video"].get_annotations("classification")] == [3]


def test_agents_take_pictures_and_files_of_single_parts(shared, project, tmp_path):
    carry(shared, tmp_path, project, "Agent 1", agents="inputs")
    row = group(shared, project)
    (notes,) = row.get_classification_instances()
    seen = json.loads(notes.get_answer())
    files = {item.name: item for item in row.get_storage_item().get_child_items(get_signed_urls=True)}
    content = {name: requests.get(item.get_signed_url(), timeout=30).content for name, item in files.items()}
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content["meadow.mp4"])
    luma = []
    for frame in (0, 73):
        video = cv2.VideoCapture(str(clip))
        for _ in range(frame + 1):
            decoded, picture = video.read()
            assert decoded
        luma.append(picture[:, :, ::-1].astype(float) @ [0.299, 0.587, 0.114])
    height, width = cv2.imdecode(np.frombuffer(content["street.jpg"], np.uint8), cv2.IMREAD_COLOR).shape[:2]
    assert seen.pop("luma") == [pytest.approx(values.mean(), abs=2) for values in luma]
    assert seen == {
        "still": [width, height],
        "frames": 74,
        "note": content["note.txt"].decode(),
        "absent": True,
        "silent": True,
        "pictures": [True, True, True, False, False, False, False],
    }


def test_a_part_that_is_not_there_fails_with_the_names_of_those_that_are(shared, project, tmp_path):
    stage = project.workflow.get_stage(name="Agent 1")
    next(iter(stage.get_tasks())).proceed(pathway_name="second")
    (task, _) = carry(shared, tmp_path, project, "Agent 2", agents="inputs", code=1)
    summary = task["fault"]["summary"]
    assert 'no part "stret.jpg"' in summary and "street.jpg" in summary, summary
