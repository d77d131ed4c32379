"""Finds e-mail addresses, dates and amounts in long texts and marks their characters."""

import re
from pathlib import Path

from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import TextCoordinates
from encord.objects.frames import Range
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_asset
from typing_extensions import Annotated

PATTERNS = {
    "Email": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"),
    "Date": re.compile(r"\b\d{4}-\d{2}-\d{2}\b"),
    "Amount": re.compile(r"(?:EUR|USD|CHF)\s?\d[\d,']*(?:\.\d{2})?"),
}

runner = Runner()


@runner.stage("entities")
def entities(lr: LabelRowV2, asset: Annotated[Path, Depends(dep_asset)]) -> str:
    text = asset.read_text(encoding="utf-8")
    for title, pattern in PATTERNS.items():
        kind = lr.ontology_structure.get_child_by_title(title, Object)
        for found in pattern.finditer(text):
            entity = kind.create_instance()
            entity.set_for_frames(
                TextCoordinates(range=[Range(found.start(), found.end() - 1)]), manual_annotation=False
            )
            lr.add_object_instance(entity)
    lr.save()
    return "done"


if __name__ == "__main__":
    runner.run()
