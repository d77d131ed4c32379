"""Labels between Rust and the real SDK, in both directions, for every shape on every kind of data.

First without a network, straight from blob to blob; then through the local server: what the SDK saved is read
by an agent (`agent-abi/examples/carry.rs`), drawn once more by another one, and read by the SDK again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from encord.objects.coordinates import (
    AudioCoordinates,
    BitmaskCoordinates,
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
    SkeletonCoordinates,
    TextCoordinates,
)
from encord.objects.frames import Range
from encord.objects.html_node import HtmlNode, HtmlRange

import server as servers
import world as w
from test_labels import GEOMETRY, add, classify, comparable, mask

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ENDING = "dylib" if sys.platform == "darwin" else "so"


def example(name: str) -> Path:
    """Builds an example of the authors' crate: a program or a library."""
    cargo = os.environ.get("CARGO", "cargo")
    build = ["build", "--quiet", "--locked", "-p", "agent-abi", "--example", name]
    subprocess.run([cargo, *build], cwd=ROOT, check=True, timeout=600)
    library = TARGET / f"debug/examples/lib{name}.{ENDING}"
    return library if library.is_file() else TARGET / "debug/examples" / name


def test_labels_are_the_same_in_both_directions() -> None:
    script = ROOT / "agent-abi/tests/sdk_roundtrip.py"
    command = [sys.executable, script, example("every_shape")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ", 0 differences" in ended.stdout, ended.stdout


# -- through the server --------------------------------------------------------------------------

#: Frames that objects lie on, by kind of item; `None`: on ranges.
FRAMES = {
    "image": [0],
    "video": [0, 3, 73],
    "imageGroup": [0, 2],
    "imageSequence": [1, 73],
    "pdf": [0, 2],
    "wav": None,
    "plainText": None,
    "html": None,
}
NODES = ("/html[1]/body[1]/p[1]/text()[1]", "/html[1]/body[1]/p[2]/text()[1]")
ON_RANGES = {
    "wav": ("Sound", AudioCoordinates(range=[Range(0, 250), Range(1000, 1500)])),
    "plainText": ("Word", TextCoordinates(range=[Range(0, 5), Range(10, 12)])),
    "html": (
        "Word",
        HtmlCoordinates(
            range=[
                HtmlRange(start=HtmlNode(xpath=NODES[0], offset=3), end=HtmlNode(xpath=NODES[1], offset=9)),
                HtmlRange(start=HtmlNode(xpath=NODES[0], offset=0), end=HtmlNode(xpath=NODES[0], offset=2)),
            ]
        ),
    ),
}


def fill(row, kind: str) -> int:
    """Every label that this kind of data can carry; their number."""
    frames = FRAMES[kind]
    structure = row.ontology_structure
    if frames is None:
        name, coordinates = ON_RANGES[kind]
        add(row, name, coordinates, frames=None)
        classify(row, "Tags", [structure.get_child_by_title("Dark")], frames=None)
        return 2
    for name, coordinates in GEOMETRY.values():
        add(row, name, coordinates, frames=frames, confidence=0.75, manual_annotation=False)
    if kind != "pdf":  # its pages have no pixels
        view = row.get_frame_view(frames[0])
        add(row, "Puddle", mask(view.height, view.width), frames=frames[:1])
    vehicle = structure.get_child_by_title("Vehicle")
    child = vehicle.get_child_by_title
    vehicle = add(row, "Vehicle", BoundingBoxCoordinates(0.25, 0.25, 0.5, 0.5), frames=frames)
    vehicle.set_answer(child("Red"), attribute=child("Colour"))
    vehicle.set_answer("crimson", attribute=child("Shade"))
    vehicle.set_answer("ZH 1 – \"ä\" \\ 🚗", attribute=child("Plate"))
    vehicle.set_answer([child("Roof box"), child("Trailer")], attribute=child("Extras"))
    vehicle.set_answer(1234.5, attribute=child("Weight"))
    if kind == "video":
        vehicle.set_answer("50 km/h", attribute=child("Speed"), frames=[Range(0, 0), Range(3, 3)])
        vehicle.set_answer(child("Off"), attribute=child("Lights"), frames=[Range(73, 73)])
    weather = classify(row, "Weather", structure.get_child_by_title("Rainy"), frames=frames)
    weather.set_answer("a lot", attribute=structure.get_child_by_title("How much"))
    classify(row, "Tags", [structure.get_child_by_title(t) for t in ("Blurry", "Crowded")], frames=frames[:1])
    return len(row.get_object_instances()) + len(row.get_classification_instances())


def numbers(at) -> list:
    """A shape as the agent reports it: plain numbers."""
    pairs = lambda points: [[p.x, p.y] for p in points]  # noqa: E731
    match at:
        case BoundingBoxCoordinates():
            return [at.top_left_x, at.top_left_y, at.width, at.height]
        case RotatableBoundingBoxCoordinates():
            return [at.top_left_x, at.top_left_y, at.width, at.height, at.theta]
        case BitmaskCoordinates():
            array = at.to_numpy_array()
            return [array.shape[1], array.shape[0], int(array.sum())]
        case EllipseCoordinates():
            return [at.center_x, at.center_y, at.rx, at.ry, at.theta]
        case CircleCoordinates():
            return [at.center_x, at.center_y, at.radius, at.stretch, at.theta]
        case Cuboid2DPerspectiveCoordinates():
            return [pairs(at.front), [at.vanishing_point.x, at.vanishing_point.y, at.scale_ratio]]
        case Cuboid2DIsometricCoordinates():
            return [pairs(at.front), [at.offset.x, at.offset.y]]
        case SkeletonCoordinates():
            return [[v.name, v.x, v.y] for v in at.values]
        case PolygonCoordinates():
            return [[pairs(ring) for ring in polygon] for polygon in at.polygons]
        case PolylineCoordinates():
            return pairs(at.values)
        case PointCoordinate():
            return [[at.x, at.y]]
    raise AssertionError(f"unexpected {at!r}")


def summary_of(row) -> list[dict]:
    """What the agent should have reported of this row, as the SDK reads it."""
    out = []
    for o in row.get_object_instances():
        attributes = {a.title: a for a in o.ontology_item.attributes}
        answer = lambda title: o.get_answer(attributes[title]) if title in attributes else None  # noqa: E731
        drawn = row.data_type.value.lower() not in ("audio", "plain_text")
        notes = sorted(o.get_annotations(), key=lambda a: a.frame) if drawn else []
        frames = [a.frame for a in notes]
        colour, extras = answer("Colour"), answer("Extras")
        html = o.range_html or []
        at = lambda p: [p.xpath, p.offset]  # noqa: E731
        speed = {}
        for dynamic in answer("Speed") or []:
            speed.update({f: dynamic.answer for r in dynamic.ranges for f in range(r.start, r.end + 1)})
        out.append(
            {
                "name": o.object_name,
                "shape": o.ontology_item.shape.value,
                "frames": frames,
                "shapes": [numbers(a.coordinates) for a in notes],
                "ranges": [] if drawn or html else [[r.start, r.end] for r in o.range_list],
                "html": [at(r.start) + at(r.end) for r in html],
                "plate": answer("Plate") or None,
                "colour": colour.title if colour else None,
                "extras": ", ".join(e.title for e in extras) if extras else None,
                "speed": [speed.get(f) for f in frames],
            }
        )
    for c in row.get_classification_instances():
        first = c.get_answer()
        nested = None
        if c.classification_name == "Weather":
            nested = c.get_answer(row.ontology_structure.get_child_by_title("How much"))
        whole = row.data_type.value.lower() in ("audio", "plain_text")
        out.append(
            {
                "title": c.classification_name,
                "answer": ", ".join(a.title for a in first) if isinstance(first, list) else getattr(first, "title", first),
                "ranges": [[r.start, r.end] for r in c.range_list],
                "nested": nested or None,
            }
            | ({"ranges": [[0, 0]]} if whole else {})
        )
    return out


def plain(part):
    """All numbers as floats: 0 and 0.0 are the same place."""
    if isinstance(part, dict):
        return {key: plain(value) for key, value in part.items()}
    if isinstance(part, list):
        return [plain(value) for value in part]
    return float(part) if isinstance(part, int) and not isinstance(part, bool) else part


def in_any_order(entries: list[dict]) -> list[str]:
    """Lists that the SDK keeps as sets may come in any order."""
    for entry in entries:
        if entry.get("extras"):
            entry["extras"] = ", ".join(sorted(entry["extras"].split(", ")))
        if entry.get("title") == "Tags":
            entry["answer"] = ", ".join(sorted(entry["answer"].split(", ")))
    return sorted(json.dumps(plain(e), sort_keys=True) for e in entries)


def without_hashes(row) -> dict:
    """The row's labels with each hash replaced by what it stands for, so that a copy equals its model."""
    blob = plain(comparable(row.to_encord_dict()))
    objects: dict[str, list] = {}
    drawn = {unit["data_sequence"]: unit["labels"] for unit in blob["data_units"].values()}
    drawn |= {part: space.pop("labels") for part, space in blob["spaces"].items()}
    for of, labels in drawn.items():
        by_frame = {"": labels} if "objects" in labels else labels
        for frame, found in by_frame.items():
            for value in found.get("objects", []):
                entry = {k: v for k, v in value.items() if k != "objectHash"}
                objects.setdefault(value["objectHash"], []).append([f"{of}/{frame}", entry])
    for section in ("object_answers", "object_actions"):
        for key, value in blob[section].items():
            entry = {k: v for k, v in value.items() if k != "objectHash"}
            for actions in (entry.get("actions", []), entry.get("classifications", [])):
                actions.sort(key=lambda a: json.dumps(a, sort_keys=True))
                for action in actions:
                    if isinstance(action.get("answers"), list):
                        action["answers"].sort(key=lambda a: a["featureHash"])
            objects.setdefault(key, []).append([section, entry])
    # Dynamic answers that were given frame by frame may come as one range or as several.
    return {
        "objects": sorted(json.dumps(o, sort_keys=True) for o in objects.values()),
        "classifications": blob["classification_answers"],
        "spaces": blob["spaces"],
    }


def carry(server, folder: Path, project, stage: str, agents: str | Path = "carry", code: int = 0) -> list[dict]:
    """Runs the agents of an example, or of a library that is built."""
    library = agents if isinstance(agents, Path) else example(agents)
    command = [servers.BINARY, "run", "--agents", library, "--json", "--no-input", "--stage", stage]
    ended = subprocess.run(
        [*command, "--project-hash", project.project_hash, "--num-retries", "0"],
        env=server.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def rows_of(server, project) -> dict:
    rows = server.project(project.project_hash).list_label_rows_v2()
    for row in rows:
        row.initialise_labels()
    return {str(r.data_hash): r for r in rows}


def test_what_the_sdk_saved_is_read_by_an_agent_and_drawn_once_more_equal(shared, make_project, tmp_path):
    project = make_project(w.MIXED)
    rows = {r.data_hash: r for r in project.list_label_rows_v2()}
    labels = 0
    for kind in FRAMES:
        row = rows[w.HASH[kind]]
        row.initialise_labels()
        labels += fill(row, kind)
        row.save()
    saved = {hash_: row for hash_, row in rows_of(shared, project).items() if hash_ in map(w.HASH.get, FRAMES)}
    assert labels > 80

    carry(shared, tmp_path, project, "Agent 1")
    after = rows_of(shared, project)
    for kind in FRAMES:
        before, row = saved[w.HASH[kind]], after[w.HASH[kind]]
        (notes,) = [c for c in row.get_classification_instances() if c.classification_name == "Notes"]
        assert in_any_order(json.loads(notes.get_answer())) == in_any_order(summary_of(before)), kind
        row.remove_classification(notes)
        assert comparable(row.to_encord_dict()) == comparable(before.to_encord_dict()), kind

    carry(shared, tmp_path, project, "Agent 2")
    redrawn = rows_of(shared, project)
    for kind in FRAMES:
        before, row = after[w.HASH[kind]], rows_of(shared, project)[w.HASH[kind]]
        row.remove_classification(next(c for c in row.get_classification_instances() if c.classification_name == "Notes"))
        hashes = lambda r: {o.object_hash for o in r.get_object_instances()}  # noqa: E731
        assert not hashes(before) & hashes(row) and len(hashes(before)) == len(hashes(row))
        got, wanted = without_hashes(row), without_hashes(before)
        assert got['objects'] == wanted['objects'], kind
        assert got == wanted, kind
    print(f"{labels} labels on {len(FRAMES)} kinds of data: read, carried and drawn once more equal")
    assert np.array_equal(*masks(saved[w.HASH["image"]], redrawn[w.HASH["image"]]))


def test_objects_that_an_agent_copies_have_everything_but_their_hashes(shared, make_project, tmp_path):
    project = make_project(w.MIXED)
    rows = {r.data_hash: r for r in project.list_label_rows_v2()}
    for kind in FRAMES:
        row = rows[w.HASH[kind]]
        row.initialise_labels()
        fill(row, kind)
        row.save()
    before = rows_of(shared, project)
    carry(shared, tmp_path, project, "Agent 1", agents="copies")
    after = rows_of(shared, project)
    hashes = lambda r: {o.object_hash for o in r.get_object_instances()}  # noqa: E731
    for kind in FRAMES:
        old, new = before[w.HASH[kind]], after[w.HASH[kind]]
        assert not hashes(old) & hashes(new) and len(hashes(old)) == len(hashes(new)) > 0, kind
        assert without_hashes(new) == without_hashes(old), kind


def masks(*rows) -> list[np.ndarray]:
    """The mask of each row, pixel by pixel."""
    found = [next(o for o in r.get_object_instances() if o.object_name == "Puddle") for r in rows]
    return [o.get_annotation(0).coordinates.to_numpy_array() for o in found]


@pytest.mark.parametrize("kind", ["group", "mp3", "photo"])
def test_rows_that_an_agent_only_looks_at_stay_as_they_are(shared, make_project, tmp_path, kind):
    project = make_project(w.MIXED)
    before = rows_of(shared, project)[w.HASH[kind]].to_encord_dict()
    carry(shared, tmp_path, project, "Agent 1")
    row = rows_of(shared, project)[w.HASH[kind]]
    for space in row.get_spaces():
        for notes in space.get_classification_instances():
            space.remove_classification_instance(notes.classification_hash)
    for notes in row.get_classification_instances():
        row.remove_classification(notes)
    assert comparable(row.to_encord_dict()) == comparable(before)
