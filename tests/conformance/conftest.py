"""Servers, clients and projects for the cases.

Cases stand alone: whoever changes something makes a project of its own (`make_project`) or a server
of its own (`start`), and reads its effect back with a client that has seen nothing before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from encord.project import Project

import server as servers
import world as w
from server import Server


def pytest_configure(config: pytest.Config) -> None:
    if not servers.BINARY or not Path(servers.BINARY).is_file():
        raise pytest.UsageError(f"WORKBENCH_BIN is {servers.BINARY!r}; start the suite with tests/conformance/run")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """What the servers of a failed case wrote goes into its report."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Server) and value.log.stat().st_size:
                report.sections.append((f"server {value.domain}", value.log.read_text()[-4000:]))


def write_key(path: Path, width: int = 70) -> str:
    """Makes a private key in the file, in lines as `ssh-keygen` writes them; returns the public one."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    first, *body, last = text.splitlines()
    whole = "".join(body)
    lines = [whole[at : at + width] for at in range(0, len(whole), width)]
    path.write_text("\n".join([first, *lines, last, ""]))
    path.chmod(0o600)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.fixture(scope="session")
def second_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A second user's key file and its public text."""
    path = tmp_path_factory.mktemp("keys") / "second"
    return path, write_key(path)


@pytest.fixture(scope="session")
def stranger_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound key that no server knows."""
    path = tmp_path_factory.mktemp("keys") / "stranger"
    write_key(path)
    return path


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory, second_key: tuple[Path, str]) -> Path:
    path = tmp_path_factory.mktemp("world") / "world.json"
    path.write_text(json.dumps(w.world(second_key[1])))
    return path


def _starter(folder: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*args: str | Path, **more) -> Server:
        log = folder / f"server-{len(started)}.log"
        started.append(Server(*args, log=log, **more))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers that end with the case."""
    yield from _starter(tmp_path)


@pytest.fixture(scope="session")
def start_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    yield from _starter(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="session")
def shared(start_for_all: Callable[..., Server], world_file: Path) -> Iterator[Server]:
    """The server of the scenario file, for everybody. encord-agents finds it in the environment."""
    server = start_for_all("--scenario-file", world_file)
    before = dict(os.environ)
    os.environ.update(ENCORD_SSH_KEY_FILE=server.key_file, ENCORD_DOMAIN=server.domain)
    yield server
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def workshop(start_for_all: Callable[..., Server], world_file: Path) -> Server:
    """The same world again, for cases that make datasets, folders, items and ontologies."""
    return start_for_all("--scenario-file", world_file)


@pytest.fixture(scope="session")
def seed(start_for_all: Callable[..., Server]) -> Server:
    """The scenario of the founding text. Read only."""
    return start_for_all("--scenario", "seed")


@pytest.fixture(scope="session")
def demo(start_for_all: Callable[..., Server]) -> Server:
    """The demo's scenario. Read only."""
    return start_for_all("--scenario", "demo", "--tasks", "60")


@pytest.fixture(scope="session")
def troubled(start_for_all: Callable[..., Server], world_file: Path) -> Server:
    """A server for faults; use `faulty`."""
    return start_for_all("--scenario-file", world_file)


@pytest.fixture
def faulty(troubled: Server) -> Iterator[Server]:
    """A server whose faults the case sets; they end with it."""
    troubled.faults()
    yield troubled
    troubled.faults()


@pytest.fixture
def main(shared: Server) -> Project:
    """The main project, as a fresh client sees it. Read only."""
    return shared.project(w.MAIN)


def _project_maker(server: Server) -> Iterator[Callable[..., Project]]:
    made: list[str] = []

    def make(*datasets: str, template: str = w.TEMPLATE, title: str = "A case's own") -> Project:
        client = server.client()
        made.append(
            client.create_project(
                project_title=title,
                dataset_hashes=list(datasets or [w.SMALL]),
                ontology_hash=w.ONTOLOGY,
                workflow_template_hash=template,
            )
        )
        return client.get_project(made[-1])

    yield make
    server.faults()
    for project_hash in made:
        delete_project(server, project_hash)


def delete_project(server: Server, project_hash: str) -> None:
    """Deletes a project with the SDK's own querier; the package has no method for it."""
    from encord.orm.project import Project as OrmProject

    server.client().querier.basic_delete(OrmProject, project_hash)


@pytest.fixture
def make_project(shared: Server) -> Iterator[Callable[..., Project]]:
    """Makes projects on the shared server that go with the case."""
    yield from _project_maker(shared)


@pytest.fixture
def make_faulty_project(faulty: Server) -> Iterator[Callable[..., Project]]:
    """Makes projects on the server for faults."""
    yield from _project_maker(faulty)
