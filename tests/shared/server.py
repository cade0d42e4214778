"""A PostgreSQL server for tests: of the system's package, as a user of its own, on loopback."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ABSENT = "there is no PostgreSQL on this machine (Debian: apt-get install postgresql-15)"
_START = 30.0
"""Seconds that the server may take."""


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    server = found[-1] if found else Path(os.path.realpath(on_path)) if on_path else None
    return server.parent if server and (server.parent / "initdb").exists() else None


class Server:
    """A server that runs; its databases are made with `database`."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._made = 0

    def start(self) -> None:
        if not (self._folder / "data").exists():
            options = ("-A", "trust", "-E", "UTF8", "--locale=C", "-U", "postgres", "--no-sync")
            self._run("initdb", "-D", str(self._folder / "data"), *options)
        settings = (
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=200",
        )
        arguments = [part for setting in settings for part in ("-c", setting)]
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *arguments],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **_user(),
            )
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + _START
        while True:
            ready = subprocess.run(
                [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            )
            if ready.returncode == 0:
                return
            if time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
            self._process.wait(20)
            self._process = None

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"d{self._made}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement; what it gives, as text."""
        return self._run("psql", "-qAtX", "-d", self.url(database), "-c", statement)

    def backends(self) -> list[int]:
        """The processes that serve connections."""
        found = self.sql(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid()"
        )
        return [int(line) for line in found.split()]

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            **_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout.strip()


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server for a while.

    Raises:
        FileNotFoundError: there is no PostgreSQL on this machine.
    """
    programs = binaries()
    if programs is None:
        raise FileNotFoundError(ABSENT)
    folder = Path(tempfile.mkdtemp(prefix="qqimage-postgresql-"))
    if user := _user().get("user"):
        shutil.chown(folder, user, user)
    server = Server(folder, programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _user() -> dict[str, Any]:
    """Who runs it: it refuses to run as root."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
