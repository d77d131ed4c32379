"""Two stages: the first adds labels, the second looks at them."""

from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

runner = Runner()


@runner.stage("prelabel", will_set_priority=True)
def prelabel_task(lr: LabelRowV2) -> TaskAgentReturnStruct:
    car = lr.ontology_structure.get_child_by_title("Car", Object).create_instance()
    car.set_for_frames(BoundingBoxCoordinates(top_left_x=0.1, top_left_y=0.2, width=0.3, height=0.4))
    lr.add_object_instance(car)
    return TaskAgentReturnStruct(pathway="review", label_row=lr, label_row_priority=0.75)


@runner.stage("validate")
def validate_task(lr: LabelRowV2) -> str:
    assert lr.get_object_instances()
    return "complete"


if __name__ == "__main__":
    runner.run()
