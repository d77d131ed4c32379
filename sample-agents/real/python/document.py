"""Asks a language model what a document is, with the ontology as the schema of its answer.

`OntologyDataModel` needs pydantic below 2.11.
"""

import os
from pathlib import Path

import requests
from encord.objects import Classification, LabelRowV2
from encord_agents.core.ontology import OntologyDataModel
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_asset
from encord_agents.tasks.models import TaskAgentReturnStruct
from requests.adapters import HTTPAdapter
from typing_extensions import Annotated
from urllib3.util.retry import Retry

URL = os.environ.get("MODEL_URL", "http://127.0.0.1:8099") + "/v1/chat/completions"
LONGEST = 20_000

runner = Runner()
session = requests.Session()
retry = Retry(4, backoff_factor=0.25, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None)
session.mount("http://", HTTPAdapter(max_retries=retry))
session.mount("https://", HTTPAdapter(max_retries=retry))


@runner.stage("document")
def document(lr: LabelRowV2, asset: Annotated[Path, Depends(dep_asset)]) -> TaskAgentReturnStruct | str:
    kind = lr.ontology_structure.get_child_by_title("Document", Classification)
    answers = OntologyDataModel([kind])
    answer = session.post(
        URL,
        json={
            "model": "small",
            "messages": [
                {"role": "system", "content": "Classify the document. Answer only what is written in it."},
                {"role": "user", "content": asset.read_text(encoding="utf-8")[:LONGEST]},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "document", "schema": answers.model_json_schema},
            },
        },
        headers={"Authorization": f"Bearer {os.environ['MODEL_KEY']}"},
        timeout=20,
    )
    answer.raise_for_status()
    choice = answer.json()["choices"][0]
    if choice["finish_reason"] != "stop" or not choice["message"]["content"]:
        return TaskAgentReturnStruct(pathway="unsure", label_row_priority=0.8)
    for found in answers(choice["message"]["content"]):
        found.set_for_frames(0, manual_annotation=False)
        lr.add_classification_instance(found)
    lr.save()
    return "done"


if __name__ == "__main__":
    runner.run()
