"""Boxes the form fields of a PDF, page by page, with the name of each."""

from pathlib import Path

from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_asset
from pypdf import PdfReader
from typing_extensions import Annotated

runner = Runner()


@runner.stage("fields")
def fields(lr: LabelRowV2, asset: Annotated[Path, Depends(dep_asset)]) -> str:
    kind = lr.ontology_structure.get_child_by_title("Field", Object)
    name = kind.get_child_by_title("Name")
    found = 0
    for number, page in enumerate(PdfReader(asset).pages):
        left, bottom, right, top = (float(edge) for edge in page.mediabox)
        width, height = right - left, top - bottom
        for annotation in page.get("/Annots") or []:
            annotation = annotation.get_object()
            if annotation.get("/Subtype") != "/Widget":
                continue
            x0, y0, x1, y1 = (float(edge) for edge in annotation["/Rect"])
            field = kind.create_instance()
            field.set_for_frames(
                BoundingBoxCoordinates(
                    top_left_x=(min(x0, x1) - left) / width,
                    top_left_y=(top - max(y0, y1)) / height,
                    width=abs(x1 - x0) / width,
                    height=abs(y1 - y0) / height,
                ),
                frames=number,
                manual_annotation=False,
            )
            field.set_answer(str(annotation.get("/T", "")), name)
            lr.add_object_instance(field)
            found += 1
    if found:
        lr.save()
    return "done" if found else "no fields"


if __name__ == "__main__":
    runner.run()
