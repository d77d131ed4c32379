"""The world of a test suite that makes its own short-lived projects: it knows every id beforehand.

One ontology, one dataset with every kind of item, one with many small pictures, one workflow template. The ids
stand here as they stand in such a suite's constants.
"""

from __future__ import annotations

ONTOLOGY = "6a1f0c52-3b58-4c35-9d0b-0d6a4f1e7a01"
EVERY_KIND = "6a1f0c52-3b58-4c35-9d0b-0d6a4f1e7a02"
PICTURES = "6a1f0c52-3b58-4c35-9d0b-0d6a4f1e7a03"
TEMPLATE = "6a1f0c52-3b58-4c35-9d0b-0d6a4f1e7a04"
AGENT = "6011c844-fb26-438b-b465-0b0825951015"
PATHWAY = "49a786f3-5edf-4b94-aff0-3da9042d3bf0"
DONE = "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"
#: Feature hash of the bounding box.
BOX = "BoxOnDem"
PICTURE_COUNT = 520

KINDS = ("image", "imageGroup", "imageSequence", "video", "audio", "pdf", "plainText", "group")


def _item(kind: str) -> dict:
    item = {"type": kind, "clientMetadata": {"item_type": kind, "suite": "on demand"}, "title": f"one {kind}"}
    part = lambda kind, title: {"type": kind, "title": title}  # noqa: E731
    if kind == "imageGroup":
        item["children"] = [part("image", f"view {n}.jpg") for n in range(3)]
    if kind == "group":
        item["children"] = [part("image", "part.jpg"), part("plainText", "part.txt")]
    if kind == "audio":
        item.update(media="mp3/2", mimeType="audio/mpeg")
    return item


def world() -> dict:
    box = {"id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": BOX, "attributes": []}
    notes = {"id": "1.1", "name": "Notes", "type": "text", "featureNodeHash": "NoteAtt1"}
    return {
        "ontologies": [
            {
                "id": ONTOLOGY,
                "title": "For all purposes",
                "structure": {
                    "objects": [box],
                    "classifications": [{"id": "1", "featureNodeHash": "NoteCls1", "attributes": [notes]}],
                },
            }
        ],
        "datasets": [
            {"id": EVERY_KIND, "title": "One of each", "items": [_item(k) for k in KINDS]},
            {
                "id": PICTURES,
                "title": "Pictures",
                "items": [{"type": "image", "title": "small_###.jpg", "count": PICTURE_COUNT}],
            },
        ],
        "workflowTemplates": [
            {
                "id": TEMPLATE,
                "title": "Agent, then complete",
                "graphNodes": [
                    {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START", "toNode": AGENT},
                    {
                        "uuid": AGENT,
                        "nodeType": "AGENT",
                        "title": "Agent 1",
                        "pathways": [{"uuid": PATHWAY, "name": "complete", "targetNode": DONE}],
                    },
                    {"uuid": DONE, "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
                ],
            }
        ],
    }
