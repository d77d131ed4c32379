"""The world that most cases live in: every kind of item, every shape, ids fixed.

It is handed to the server as a scenario file. Cases make their own projects in it and delete them
again; what they share is read only (or theirs by name, see ``SCRATCH``).
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5


def fixed(name: str) -> str:
    """The same id in every run, so that a scenario file that loses one is found out."""
    return str(uuid5(NAMESPACE_URL, f"conformance/{name}"))


ONTOLOGY, TEMPLATE, ROUTED = fixed("ontology"), fixed("template"), fixed("routed")
MIXED, PICTURES, SMALL, SCRATCH, NUMBERED, GROUPED = (
    fixed(n) for n in ("mixed", "pictures", "small", "scratch", "numbered", "grouped")
)
MAIN, TWIN = fixed("main project"), fixed("twin project")
SECOND_USER = "second@example.test"

#: One data hash per kind of item in the dataset `Mixed`.
HASH = {
    kind: fixed(f"data/{kind}")
    for kind in ("image", "photo", "video", "imageGroup", "imageSequence", "wav", "mp3", "plainText", "html", "pdf", "group")
}
ITEM = {kind: fixed(f"item/{kind}") for kind in HASH}
GROUP_CHILDREN = [fixed("group/picture"), fixed("group/note")]
#: A data group with a part of each kind: its data hash, and those of its parts in order.
EVERY_PART = fixed("data/every part")
PARTS = {
    kind: fixed(f"part/{kind}") for kind in ("image", "video", "imageSequence", "wav", "plainText", "html", "pdf")
}
VIEWS = [fixed(f"view/{n}") for n in range(3)]
#: `Pictures` has more than two pages of 100.
PICTURE_COUNT, SMALL_COUNT, SCRATCH_COUNT = 230, 6, 8
#: The titles of `Numbered` without `.jpg`: a priority in percent.
NUMBERS = (0, 7, 25, 50, 99, 100)

AGENT_1, AGENT_2, ANNOTATE, REVIEW, COMPLETE, ARCHIVE = (
    fixed(f"stage/{n}") for n in ("agent 1", "agent 2", "annotate", "review", "complete", "archive")
)
WAY = {n: fixed(f"pathway/{n}") for n in ("complete", "second", "annotate", "archive", "done", "back")}


def _option(label: str, tag: str, number: str, **more) -> dict:
    return {
        "id": number,
        "label": label,
        "value": label.lower().replace(" ", "_"),
        "featureNodeHash": tag,
        "archived": False,
        **more,
    }


def _attribute(number: str, name: str, kind: str, tag: str, **more) -> dict:
    return {
        "id": number,
        "name": name,
        "type": kind,
        "required": False,
        "dynamic": False,
        "archived": False,
        "featureNodeHash": tag,
        **more,
    }


def _object(number: int, name: str, shape: str, attributes: list[dict] | None = None) -> dict:
    return {
        "id": str(number),
        "name": name,
        "color": "#D33115",
        "shape": shape,
        "featureNodeHash": f"Obj{number:05}",
        "required": False,
        "archived": False,
        "attributes": attributes or [],
    }


def _vehicle_attributes() -> list[dict]:
    shade = _attribute("1.1.1.1", "Shade", "text", "VehShade")
    weight = _attribute("1.4", "Weight", "numeric", "VehWeigh")
    return [
        _attribute(
            "1.1",
            "Colour",
            "radio",
            "VehColou",
            options=[_option("Red", "VehRed01", "1.1.1", options=[shade]), _option("Blue", "VehBlue1", "1.1.2")],
        ),
        _attribute("1.2", "Plate", "text", "VehPlate"),
        _attribute(
            "1.3",
            "Extras",
            "checklist",
            "VehExtra",
            options=[_option("Roof box", "VehRoof1", "1.3.1"), _option("Trailer", "VehTrail", "1.3.2")],
        ),
        weight,
        _attribute("1.5", "Speed", "text", "VehSpeed", dynamic=True),
        _attribute(
            "1.6",
            "Lights",
            "radio",
            "VehLight",
            dynamic=True,
            options=[_option("On", "VehLiOn1", "1.6.1"), _option("Off", "VehLiOff", "1.6.2")],
        ),
    ]


SHAPES = {
    "Vehicle": "bounding_box",
    "Tilted": "rotatable_bounding_box",
    "Person": "polygon",
    "Road": "polyline",
    "Spot": "point",
    "Puddle": "bitmask",
    "Pose": "skeleton",
    "Wheel": "ellipse",
    "Lamp": "circle",
    "Crate": "cuboid_2d",
    "Sound": "audio",
    "Word": "text",
    "Page mark": "bounding_box",
}


def ontology() -> dict:
    vertex = lambda n, name: {  # noqa: E731
        "x": n / 4,
        "y": n / 4,
        "name": name,
        "color": "#00000",
        "value": name.lower(),
        "featureHash": f"Pose{name[:4]:_<4}",
    }
    template = {
        "name": "Pose",
        "width": 0.2,
        "height": 0.3,
        "skeleton": {str(n): vertex(n, name) for n, name in enumerate(("Head", "Hand", "Foot"))},
        "skeletonEdges": {"0": {"1": {"color": "#00000"}}, "1": {"2": {"color": "#00000"}}},
        "featureNodeHash": "Obj00007",
        "shape": "skeleton",
    }
    whole = lambda n, tag, attribute: {"id": str(n), "featureNodeHash": tag, "attributes": [attribute]}  # noqa: E731
    weather = [
        _option("Sunny", "WeathSun", "1.1.1"),
        _option(
            "Rainy", "WeathRai", "1.1.2", options=[_attribute("1.1.2.1", "How much", "text", "WeathHow")]
        ),
    ]
    tags = [_option(t, f"Tag{t[:5]:_<5}", f"3.1.{n + 1}") for n, t in enumerate(("Blurry", "Dark", "Crowded"))]
    return {
        "objects": [
            _object(n + 1, name, shape, _vehicle_attributes() if name == "Vehicle" else None)
            for n, (name, shape) in enumerate(SHAPES.items())
        ],
        "classifications": [
            whole(1, "ClsWeath", _attribute("1.1", "Weather", "radio", "AttWeath", options=weather)),
            whole(2, "ClsNotes", _attribute("2.1", "Notes", "text", "AttNotes")),
            whole(3, "ClsTags1", _attribute("3.1", "Tags", "checklist", "AttTags1", options=tags)),
        ],
        "skeleton_templates": [{"template": template}],
    }


def _way(name: str, target: str, key: str | None = None) -> dict:
    return {"uuid": WAY[key or name], "name": name, "targetNode": target}


def workflow() -> list[dict]:
    """Two agent stages with a loop, annotation and review with a loop, two final stages."""
    return [
        {"uuid": fixed("stage/start"), "nodeType": "START", "toNode": AGENT_1},
        {
            "uuid": AGENT_1,
            "nodeType": "AGENT",
            "title": "Agent 1",
            "pathways": [
                _way("complete", COMPLETE),
                _way("second", AGENT_2),
                _way("annotate", ANNOTATE),
                _way("archive", ARCHIVE),
            ],
        },
        {
            "uuid": AGENT_2,
            "nodeType": "AGENT",
            "title": "Agent 2",
            "pathways": [_way("complete", COMPLETE, "done"), _way("back", AGENT_1)],
        },
        {"uuid": ANNOTATE, "nodeType": "ANNOTATION", "title": "Annotate", "toNode": REVIEW},
        {"uuid": REVIEW, "nodeType": "REVIEW", "title": "Review", "approveNode": COMPLETE, "rejectNode": ANNOTATE},
        {"uuid": COMPLETE, "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
        {"uuid": ARCHIVE, "nodeType": "DONE", "title": "Archive", "nodeSubtype": "ARCHIVED"},
    ]


def routed_workflow() -> list[dict]:
    """A router behind the agent: half to each of two final stages. Routers are not stages."""
    agent, router, left, right = (fixed(f"routed/{n}") for n in ("agent", "router", "left", "right"))
    half = lambda name, to: {"uuid": fixed(f"routed/to {name}"), "name": name, "targetNode": to, "percentage": 50}  # noqa: E731
    return [
        {"uuid": fixed("routed/start"), "nodeType": "START", "toNode": agent},
        {
            "uuid": agent,
            "nodeType": "AGENT",
            "title": "Split",
            "pathways": [{"uuid": fixed("routed/on"), "name": "on", "targetNode": router}],
        },
        {
            "uuid": router,
            "nodeType": "PERCENTAGE_ROUTER",
            "title": "Half and half",
            "pathways": [half("left", left), half("right", right)],
        },
        {"uuid": left, "nodeType": "DONE", "title": "Left", "nodeSubtype": "COMPLETED"},
        {"uuid": right, "nodeType": "DONE", "title": "Right", "nodeSubtype": "COMPLETED"},
    ]


def _mixed_items() -> list[dict]:
    def item(kind: str, name: str | None = None, **more) -> dict:
        name = name or kind
        return {"id": HASH[name], "itemId": ITEM[name], "type": kind, **more}

    views = [
        {"id": VIEWS[n], "type": "image", "title": f"view_{n}.jpg", "media": f"photo/{3 + n}/{7 + n}"} for n in range(3)
    ]
    children = [
        {"id": GROUP_CHILDREN[0], "type": "image", "title": "group_picture.jpg"},
        {"id": GROUP_CHILDREN[1], "type": "plainText", "title": "group_note.txt"},
    ]
    return [
        item("image", title="street_1.jpg", clientMetadata={"site": "cam1", "lux": 120}),
        item("image", "photo", title="Night Übergang 100%_&+.jpg", media="photo/0/0"),
        item("video", title="meadow.mp4"),
        item("imageGroup", title="three views", children=views),
        item("imageSequence", title="sequence"),
        item("audio", "wav", title="beep.wav"),
        item("audio", "mp3", title="silence.mp3", media="mp3/2", mimeType="audio/mpeg"),
        item("plainText", title="note.txt", media="text/1"),
        item("plainText", "html", title="page.html", media="text/2", mimeType="text/html"),
        item("pdf", title="form.pdf", media="pdf/3"),
        item("group", title="picture with note", children=children),
    ]


def _every_part() -> dict:
    """A data group with a part of each kind."""
    facts = {
        "image": {"title": "street.jpg"},
        "video": {"title": "meadow.mp4"},
        "imageSequence": {"title": "sequence"},
        "wav": {"type": "audio", "title": "silence.mp3", "media": "mp3/2", "mimeType": "audio/mpeg"},
        "plainText": {"title": "note.txt", "media": "text/1"},
        "html": {"type": "plainText", "title": "page.html", "media": "text/2", "mimeType": "text/html"},
        "pdf": {"title": "form.pdf", "media": "pdf/3"},
    }
    children = [{"id": PARTS[kind], "type": kind, **more} for kind, more in facts.items()]
    return {"id": EVERY_PART, "type": "group", "title": "a part of each kind", "children": children}


def world(public_key: str | None = None) -> dict:
    """The scenario file's content. `public_key` belongs to a second user (`ssh-ed25519 …`)."""
    metadata = [{"site": f"cam{n % 2 + 1}", "order": n} for n in range(SMALL_COUNT)]
    small = [
        {"id": fixed(f"small/{n}"), "type": "image", "title": f"small_{n}.jpg", "clientMetadata": metadata[n]}
        for n in range(SMALL_COUNT)
    ]
    scratch = [{"id": fixed(f"scratch/{n}"), "type": "image", "title": f"scratch_{n}.jpg"} for n in range(SCRATCH_COUNT)]
    out = {
        "ontologies": [{"id": ONTOLOGY, "title": "Every shape", "structure": ontology()}],
        "datasets": [
            {"id": MIXED, "title": "Mixed", "folder": fixed("folder/mixed"), "items": _mixed_items()},
            {
                "id": PICTURES,
                "title": "Pictures",
                "items": [{"type": "image", "title": "picture_###.jpg", "count": PICTURE_COUNT}],
            },
            {"id": SMALL, "title": "Small", "items": small},
            {"id": SCRATCH, "title": "Scratch", "items": scratch},
            {"id": GROUPED, "title": "Grouped", "items": [_every_part()]},
            {"id": NUMBERED, "title": "Numbered", "items": [{"type": "image", "title": f"{n}.jpg"} for n in NUMBERS]},
        ],
        "workflowTemplates": [
            {"id": TEMPLATE, "title": "Two agents", "graphNodes": workflow()},
            {"id": ROUTED, "title": "Half and half", "graphNodes": routed_workflow()},
        ],
        "projects": [
            {
                "id": MAIN,
                "title": "Main project",
                "description": "read only",
                "datasets": ["Mixed", "Small"],
                "workflowTemplate": "Two agents",
                "tasks": [
                    {"data": "small_4.jpg", "stage": "Review", "priority": 0.9},
                    {"data": "small_5.jpg", "stage": "Complete"},
                ],
            },
            {"id": TWIN, "title": "Twin project", "datasets": ["Mixed"], "workflowTemplate": "Two agents"},
        ],
    }
    if public_key:
        out["users"] = [{"email": SECOND_USER, "publicKey": public_key}]
    return out


def small_hash(n: int) -> UUID:
    """The data hash of the `n`th picture of the dataset `Small`."""
    return UUID(fixed(f"small/{n}"))
