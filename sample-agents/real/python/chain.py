"""Two stages of one workflow: `draft` labels, `vet` looks at what `draft` wrote."""

import cv2
import numpy as np
from encord.objects import Classification, LabelRowV2
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_single_frame
from encord_agents.tasks.models import TaskAgentReturnStruct
from numpy.typing import NDArray
from typing_extensions import Annotated

runner = Runner()


@runner.stage("draft")
def draft(lr: LabelRowV2, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
    mean = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).mean() / 255
    light = lr.ontology_structure.get_child_by_title("Light", Classification).create_instance()
    option = "Dark" if mean < 0.4 else "Bright"
    light.set_answer(light.ontology_item.attributes[0].get_child_by_title(option))
    sure = min(abs(mean - 0.4) * 2 + 0.2, 1)
    light.set_for_frames(0, confidence=sure, manual_annotation=False)
    lr.add_classification_instance(light)
    lr.save()
    return "vet"


@runner.stage("vet")
def vet(lr: LabelRowV2) -> TaskAgentReturnStruct | str:
    kind = lr.ontology_structure.get_child_by_title("Light", Classification)
    found = lr.get_classification_instances(kind)
    sure = found[0].get_annotation(0).confidence if found else 0.0
    if sure >= 0.5:
        return "done"
    return TaskAgentReturnStruct(pathway="people", label_row_priority=1 - sure)


if __name__ == "__main__":
    runner.run()
