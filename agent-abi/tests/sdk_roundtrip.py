"""Label rows between this crate and the Python SDK, in both directions, without a network.

    pip install encord==0.1.211
    cargo build -p agent-abi --example every_shape
    python agent-abi/tests/sdk_roundtrip.py target/debug/examples/every_shape

Rust writes a row of every data type with every shape and attribute; the SDK reads it and writes it
again; the two must agree. Then Rust reads what the SDK wrote and must find the same labels.
"""

import json
import subprocess
import sys
import tempfile
from types import SimpleNamespace

from encord.objects import OntologyStructure
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.orm.label_row import LabelRowMetadata

SECTIONS = ("object_answers", "classification_answers", "object_actions", "data_units")
NOISE = ("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "objectNumber")


def metadata(given, blob):
    kind = blob["data_type"]
    return LabelRowMetadata.from_dict({
        "label_hash": blob["label_hash"], "branch_name": "main", "created_at": None, "last_edited_at": None,
        "data_hash": blob["data_hash"], "dataset_hash": blob["dataset_hash"], "dataset_title": "D", "data_title": "T",
        "data_type": kind.upper(), "data_link": "a/b", "label_status": "LABEL_IN_PROGRESS",
        "annotation_task_status": None, "is_shadow_data": False, "number_of_frames": given["number_of_frames"],
        "duration": {"audio": 60.0, "video": 1.2}.get(kind), "frames_per_second": 10.0 if kind == "video" else None,
        "height": 48, "width": 64, "audio_codec": "pcm_s16le", "audio_sample_rate": 8000, "audio_bit_depth": 16,
        "audio_num_channels": 1, "task_uuid": None, "priority": 0.5, "file_type": given["file_type"], "is_valid": True,
        "backing_item_uuid": None, "assigned_user_email": None, "last_actioned_by_user_email": None,
        "group_hash": None, "spaces": {}, "client_metadata": None, "images_data": None, "workflow_graph_node": None,
    })


def canon(value):
    """Without who and when; lists in one order, since the SDK keeps answers in a set.

    Whether a person gave an answer is left out too: the SDK does not keep it when it reads answers."""
    if isinstance(value, dict):
        noise = (*NOISE, "manualAnnotation") if "answers" in value else NOISE
        return {k: canon(v) for k, v in value.items() if k not in noise}
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return sorted((canon(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def read_by_rust(program, document):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        return sorted(subprocess.run([program, file.name], check=True, capture_output=True, text=True).stdout.splitlines())


def main(program):
    ours = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    ontology = SimpleNamespace(structure=OntologyStructure.from_dict(ours["ontology"]))
    theirs = {"ontology": ours["ontology"], "rows": []}
    labels = differences = 0
    for row in ours["rows"]:
        blob = row["labels"]
        sdk = LabelRowV2(metadata(row["metadata"], blob), None, ontology)
        sdk.from_labels_dict(json.loads(json.dumps(blob)))
        labels += len(sdk.get_object_instances()) + len(sdk.get_classification_instances())
        again = json.loads(json.dumps(sdk.to_encord_dict()))
        theirs["rows"].append({"metadata": row["metadata"], "labels": again})
        for section in SECTIONS:
            if canon(blob[section]) != canon(again[section]):
                differences += 1
                print(f"{blob['data_type']}/{section}:\n  Rust {canon(blob[section])}\n  SDK  {canon(again[section])}")
    if read_by_rust(program, ours) != read_by_rust(program, theirs):
        differences += 1
        print("Rust reads other labels from what the SDK wrote")
    print(f"{labels} labels on {len(ours['rows'])} kinds of data, both directions, {differences} differences")
    return 1 if differences or not labels else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
