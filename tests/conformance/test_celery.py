"""Celery on both sides: its producers with our worker, and our messages with its worker and the real `QueueRunner`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery import Celery
from encord_agents.tasks.models import TaskCompletionResult

import brokers
import server as servers
import world as w

ROOT = Path(__file__).parents[2]
LIMIT = 120


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory):
    yield from brokers.started(brokers.RabbitMQ, brokers.RABBITMQ, tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory):
    yield from brokers.started(brokers.Redis, brokers.REDIS, tmp_path_factory.mktemp("redis"))


@pytest.fixture(params=["rabbitmq-rpc", "rabbitmq-redis", "redis-redis"])
def places(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Addresses of a broker and of a result back end."""
    broker, backend = request.param.split("-")
    url = request.getfixturevalue(broker).url
    return url, "rpc://" if backend == "rpc" else request.getfixturevalue(backend).url.replace("/0", "/1")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent of one line, in C."""
    built = tmp_path_factory.mktemp("library") / "libnoop.so"
    include, source = ROOT / "agent-abi/include", ROOT / "tests/fixtures/noop.c"
    subprocess.run(["cc", "-std=c99", "-shared", "-fPIC", f"-I{include}", "-o", built, source], check=True)
    return built


@pytest.fixture
def worker(shared, make_project, places, library, tmp_path: Path, request: pytest.FixtureRequest):
    """A project, a queue of its own, and our worker on it."""
    project, (broker, backend) = make_project(), places
    queue = f"case-{os.getpid()}-{abs(hash(request.node.name))}"
    app = Celery("producer", broker=broker, backend=backend)
    app.conf.task_default_queue = queue
    environment = {**shared.environment(), "WORKBENCH_BROKER": broker}
    if backend != "rpc://":
        environment["WORKBENCH_RESULT_BACKEND"] = backend
    arguments = ["--queue", queue, "--stage", "Agent 1", "--agents", library, "--project-hash", project.project_hash]
    log = tmp_path / "worker.log"
    process = subprocess.Popen(
        [servers.BINARY, "worker", *arguments, "--no-input"],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=log.open("wb"),
    )
    yield project, app
    process.terminate()
    assert process.wait(LIMIT) == 0, log.read_text()


def specs(project) -> list[str]:
    return [task.model_dump_json() for task in project.workflow.get_stage(name="Agent 1").get_tasks()]


def result(text: str) -> TaskCompletionResult:
    return TaskCompletionResult.model_validate_json(text)


def uuid_of(spec: str) -> str:
    return json.loads(spec)["uuid"]


def test_a_producer_gets_the_results_of_our_worker(worker):
    project, app = worker

    @app.task(name="celery_function")
    def celery_function(task_spec):
        raise AssertionError("the producer's own code is not run")

    first, second, third, *rest = specs(project)
    done = result(celery_function.delay(first).get(timeout=LIMIT))
    assert (str(done.task_uuid), done.success, done.error) == (uuid_of(first), True, None)
    assert str(done.pathway) == w.WAY["complete"]
    several = result(celery_function.delay([second]).get(timeout=LIMIT))
    assert [str(uuid) for uuid in several.success] == [uuid_of(second)]
    assert result(celery_function.apply_async(kwargs={"task_spec": third}).get(timeout=LIMIT)).success
    # What was done already is not an error when it comes again from the same folder.
    assert result(celery_function.delay(first).get(timeout=LIMIT)).success
    chunks = celery_function.chunks([(spec,) for spec in rest], 2).apply_async().get(timeout=LIMIT)
    answers = [result(text) for chunk in chunks for text in chunk]
    assert [str(answer.task_uuid) for answer in answers] == [uuid_of(spec) for spec in rest]
    assert all(answer.success for answer in answers)
    assert specs(project) == []


def test_what_cannot_be_understood_raises_in_the_producer(worker):
    _, app = worker

    @app.task(name="celery_function")
    def celery_function(task_spec):
        raise AssertionError("the producer's own code is not run")

    with pytest.raises(ValueError, match="callback"):
        celery_function.apply_async(("{}",), link=celery_function.s()).get(timeout=LIMIT)
    with pytest.raises(ValueError, match="not a task spec"):
        celery_function.delay("{}").get(timeout=LIMIT)


PYTHON_WORKER = """
import os
from celery import Celery
from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import QueueRunner

app = Celery("consumer", broker=os.environ["WORKBENCH_BROKER"])
app.conf.task_default_queue = os.environ["CASE_QUEUE"]
runner = QueueRunner(os.environ["CASE_PROJECT"])

@app.task(name="celery_function")
@runner.stage("Agent 1")
def agent(task: AgentTask) -> str:
    return "complete"
"""


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_a_python_worker_runs_what_we_push(shared, make_project, broker, request, tmp_path: Path):
    project, url = make_project(), request.getfixturevalue(broker).url
    queue = f"pushed-{os.getpid()}-{broker}"
    environment = {**os.environ, **shared.environment(), "WORKBENCH_BROKER": url}
    environment |= {"CASE_QUEUE": queue, "CASE_PROJECT": project.project_hash}
    count = len(specs(project))
    push = [servers.BINARY, "queue", "push", "--queue", queue, "--stage", "Agent 1", "--json"]
    push += ["--project-hash", project.project_hash]
    pushed = subprocess.run(push, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT)
    assert pushed.returncode == 0, pushed.stderr
    assert json.loads(pushed.stdout) == {"pushed": count, "skipped": 0}
    (tmp_path / "consumer.py").write_text(PYTHON_WORKER)
    log = (tmp_path / "celery.log").open("wb")
    consumer = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "consumer", "worker", "-P", "solo", "-l", "info"],
        env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )
    try:
        deadline = time.monotonic() + LIMIT
        while specs(project):
            assert time.monotonic() < deadline, (tmp_path / "celery.log").read_text()[-4000:]
            time.sleep(0.2)
    finally:
        consumer.terminate()
        consumer.wait(LIMIT)
