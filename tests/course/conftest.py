"""The small repository of :mod:`tests.course.tiny`, and a server to download from."""

import contextlib
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from sertut.course import downloading
from sertut.course.execution import run_chapters
from tests.course.tiny import write_repository


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its root, and the current folder."""
    write_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its root with both chapters run, beside settings of a user that must not matter; copy it before changing it."""
    root, mine = tmp_path_factory.mktemp("done"), tmp_path_factory.mktemp("mine")
    write_repository(root)
    startup = mine / "profile_default" / "startup" / "mine.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("import os; os._exit(3)")
    kernel = mine / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_PATH", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(mine))
        patch.delenv("OMP_NUM_THREADS", raising=False)
        run_chapters(root=root, progress=False)
    return root


@pytest.fixture
def serve(monkeypatch):
    """``serve(handler)``: a server at `at`, with a list `asked` for its handler; no call waits between attempts."""
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    with contextlib.ExitStack() as stack:

        def start(handler) -> ThreadingHTTPServer:
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            server.asked, server.at, server.daemon_threads = [], f"http://127.0.0.1:{server.server_port}/", True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            stack.callback(server.shutdown)
            return server

        yield start
