"""Marks where somebody speaks in a recording: stretches that are louder than the rest."""

import wave
from pathlib import Path

import numpy as np
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import AudioCoordinates
from encord.objects.frames import Range
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_asset
from encord_agents.tasks.models import TaskAgentReturnStruct
from typing_extensions import Annotated

WINDOW, PAUSE, LOUD = 50, 300, 0.05

runner = Runner()


def stretches(samples: np.ndarray, per_window: int) -> list[Range]:
    found: list[Range] = []
    for n, start in enumerate(range(0, len(samples), per_window)):
        at = n * WINDOW
        if np.abs(samples[start : start + per_window].astype(float)).mean() / 32_768 < LOUD:
            continue
        if found and at <= found[-1].end + PAUSE:
            found[-1].end = at + WINDOW - 1
        else:
            found.append(Range(at, at + WINDOW - 1))
    return found


@runner.stage("sounds")
def sounds(lr: LabelRowV2, asset: Annotated[Path, Depends(dep_asset)]) -> TaskAgentReturnStruct | str:
    with wave.open(str(asset)) as file:
        if file.getsampwidth() != 2:
            raise ValueError("not 16 bits per sample")
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        per_window = file.getframerate() * file.getnchannels() * WINDOW // 1000
    found = stretches(samples, per_window)
    if not found:
        return TaskAgentReturnStruct(pathway="silent", label_row_priority=0.0)
    voice = lr.ontology_structure.get_child_by_title("Voice", Object).create_instance()
    voice.set_for_frames(AudioCoordinates(range=found), manual_annotation=False)
    lr.add_object_instance(voice)
    lr.save()
    return "done"


if __name__ == "__main__":
    runner.run()
