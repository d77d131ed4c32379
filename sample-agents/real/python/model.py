"""Asks a model behind an HTTP API for boxes, again while it is busy."""

import os

import numpy as np
import requests
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord_agents.core.data_model import Frame
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_single_frame
from numpy.typing import NDArray
from requests.adapters import HTTPAdapter
from typing_extensions import Annotated
from urllib3.util.retry import Retry

URL = os.environ.get("MODEL_URL", "http://127.0.0.1:8099") + "/boxes"
LEAST_SCORE = 0.0

runner = Runner()
session = requests.Session()
retry = Retry(4, backoff_factor=0.25, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None)
session.mount("http://", HTTPAdapter(max_retries=retry))
session.mount("https://", HTTPAdapter(max_retries=retry))


@runner.stage("model")
def model(lr: LabelRowV2, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
    answer = session.post(
        URL,
        json={"image": Frame(0, frame).b64_encoding(output_format="url")},
        headers={"Authorization": f"Bearer {os.environ['MODEL_KEY']}"},
        timeout=20,
    )
    answer.raise_for_status()
    for scored in answer.json()["boxes"]:
        if scored["score"] < LEAST_SCORE:
            continue
        found = lr.ontology_structure.get_child_by_title(scored["label"], Object).create_instance()
        found.set_for_frames(
            BoundingBoxCoordinates(
                top_left_x=scored["x"], top_left_y=scored["y"], width=scored["w"], height=scored["h"]
            ),
            confidence=scored["score"],
            manual_annotation=False,
        )
        lr.add_object_instance(found)
    lr.save()
    return "annotate"


if __name__ == "__main__":
    runner.run()
