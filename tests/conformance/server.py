"""Starts and ends real servers, and asks their own pages what they have seen."""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import subprocess
import time
from pathlib import Path

import requests
from encord import EncordUserClient
from encord.http.constants import RequestsSettings

BINARY = os.environ.get("WORKBENCH_BIN", "")
START_DEADLINE = 60.0  # a debug build on a busy machine
STOP_DEADLINE = 20.0


class Server:
    """One `workbench serve` process. Ends only what it started."""

    def __init__(self, *args: str | Path, log: Path, file_limit: int | None = None):
        """`file_limit`: no file of this server may become larger, in bytes."""
        self.log = log
        self._errors = log.open("ab")
        # Small pages, so that listings have several.
        pages = [] if "--page-size" in args else ["--page-size", "100"]
        command = [BINARY, "serve", "--port", "0", *pages, *map(str, args)]
        # The state folder of this process, so that none appears beside the tests.
        limit = file_limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit)))
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            preexec_fn=limit,
        )
        try:
            self.ready = json.loads(self._first_line())
        except BaseException:
            self.kill()
            raise
        self.domain: str = self.ready["domain"]
        self.key_file: str = self.ready["ssh_key_file"]
        self.project_hash: str = self.ready["project_hash"]
        #: For the server's own pages.
        self.token = {"Authorization": f"Bearer {self.ready['local_token']}"}
        self.twin_project_hash: str | None = self.ready["twin_project_hash"]

    def _first_line(self) -> bytes:
        """The ready line; a server that ends or stays silent is an error with its own words."""
        out = self.process.stdout
        assert out is not None
        line = b""
        end = time.monotonic() + START_DEADLINE
        with selectors.DefaultSelector() as waiting:
            waiting.register(out, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not waiting.select(max(0.0, end - time.monotonic())):
                    raise TimeoutError(f"no ready line within {START_DEADLINE} s; it wrote: {self.log.read_text()}")
                piece = os.read(out.fileno(), 4096)
                if not piece:
                    raise RuntimeError(f"the server ended with {self.process.wait()}: {self.log.read_text()}")
                line += piece
        return line

    # -- clients ---------------------------------------------------------------------------------

    def client(self, key_file: str | Path | None = None, **settings) -> EncordUserClient:
        """A client of its own: nothing that another one remembers is believed."""
        more = {"requests_settings": RequestsSettings(**settings)} if settings else {}
        return EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=str(key_file or self.key_file), domain=self.domain, **more
        )

    def project(self, project_hash: str | None = None):
        """The project as a fresh client sees it."""
        return self.client().get_project(project_hash or self.project_hash)

    def environment(self) -> dict[str, str]:
        """What a script needs to find this server, and nothing of ours beside it."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("ENCORD_", "WORKBENCH_"))}
        return {**keep, "ENCORD_SSH_KEY_FILE": self.key_file, "ENCORD_DOMAIN": self.domain, "NO_COLOR": "1"}

    # -- the server's own pages ------------------------------------------------------------------

    def local(self, page: str, **query) -> dict:
        answer = requests.get(f"{self.domain}/local/{page}", params=query, headers=self.token, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, page: str, **body) -> dict:
        answer = requests.post(f"{self.domain}/local/{page}", json=body, headers=self.token, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def faults(self, *faults: str) -> None:
        """Replaces the faults; none ends them."""
        self.post("faults", faults=list(faults))

    def struck(self) -> int:
        return sum(f["struck"] for f in self.local("faults")["faults"])

    def requests_to(self, endpoint: str) -> int:
        return self.local("counters")["endpoints"].get(endpoint, {}).get("requests", 0)

    def state(self, project_hash: str | None = None) -> dict[str, dict]:
        """Every task of a project by its title."""
        query = {"project": project_hash} if project_hash else {}
        return {t["data_title"]: t for t in self.local("state", **query)["tasks"]}

    # -- the end ---------------------------------------------------------------------------------

    def stop(self) -> int:
        """Asks it to end, as a terminal does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._close()
        return code

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process.stdout:
            self.process.stdout.close()
        self._errors.close()
