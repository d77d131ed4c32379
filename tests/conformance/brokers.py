"""Starts real brokers from the system's packages, on loopback and with folders of their own. Ends only what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
REDIS = "/usr/bin/redis-server"
START_DEADLINE = 180.0  # Erlang on a busy machine


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    """One broker, in process groups of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.processes: list[subprocess.Popen] = []

    def start(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        log = (self.folder / f"out-{len(self.processes)}").open("ab")
        self.processes.append(
            subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )

    def wait(self, port: int, greeting: bytes) -> None:
        end = time.monotonic() + START_DEADLINE
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
                    if not greeting:
                        return
                    stream.sendall(greeting)
                    if stream.recv(1):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the broker in {self.folder} does not start")

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class RabbitMQ(Broker):
    def __init__(self, folder: Path):
        super().__init__(folder)
        names, distribution = free_port(), free_port()
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = false\n")
        (folder / "plugins").write_text("[].\n")
        environment = {
            "HOME": str(folder),
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": "conformance@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false +S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }
        self.start(["epmd", "-port", str(names), "-address", "127.0.0.1"])
        self.wait(names, b"")
        self.start([RABBITMQ], environment)
        self.wait(self.port, b"AMQP\x00\x00\x09\x01")
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"


class Redis(Broker):
    def __init__(self, folder: Path):
        super().__init__(folder)
        self.start([REDIS, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), "--save", ""])
        self.wait(self.port, b"PING\r\n")
        self.url = f"redis://127.0.0.1:{self.port}/0"


def started(kind: type[Broker], program: str, folder: Path):
    """A broker for the session; cases that need it are left out where it is not installed."""
    if not Path(program).exists():
        pytest.skip(f"{program} is not installed")
    broker = kind(folder)
    yield broker
    broker.stop()
