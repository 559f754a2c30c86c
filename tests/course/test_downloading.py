"""Downloading from a server that stalls, breaks off, lies about lengths and ranges, and sends wrong bytes."""

import hashlib
import itertools
import threading
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from sertut.course import downloading
from sertut.course.downloading import File, download
from sertut.errors import SertutError

BODY = bytes(range(256)) * 2_048  # eight blocks, as they are written
HALF = len(BODY) // 2
SUM = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """What a path does: /<behavior>. The server keeps the ranges that were asked of it in `asked`."""

    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None  # noqa: E731

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        behavior, calls = self.path.strip("/"), len(self.server.asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        body, status = BODY[start:], 206 if asked else 200
        changes = {  # what it does -> body, announced length, status
            "breaks": calls < 3 and (body[: HALF // 2], len(body), status),
            "stalls": calls == 1 and (BODY[:HALF], len(BODY), status),
            "never": (b"", len(body), status),
            "wrong": (bytes(len(body)), len(body), status),
            "ignores": (BODY[:HALF] if calls == 1 else BODY, len(BODY), 200),
            "another": asked and (BODY, len(BODY), status),
            "refuses": asked and (b"", 0, 416),
            "longer": (body + b"more", len(body) + 4, status),
            "endless": (body, "none", status),
            "absent": (b"", 0, 404),
            "busy": calls < 3 and (b"", 0, 503),
        }
        body, announced, status = changes.get(behavior) or (body, len(body), status)
        span = f"bytes {0 if behavior == 'another' else start}-{len(BODY) - 1}/{len(BODY)}"
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", span)
        if announced != "none":
            self.send_header("Content-Length", str(announced))
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for block in itertools.repeat(BODY) if behavior == "endless" else [body]:
                self.wfile.write(block)
            if behavior == "stalls" and calls == 1:
                self.server.over.wait(8)
        except OSError:
            pass  # the client has hung up
        self.close_connection = True


@pytest.fixture
def server(serve, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT", 2.0)  # no less: a busy machine is no stalled server
    server = serve(Handler)
    server.over = threading.Event()
    yield server
    server.over.set()


def get(server, folder, behavior, **changes):
    file = File("corpus.zip", server.at + behavior, **{"size": len(BODY), **changes})
    with requests.Session() as session:
        return download(file, folder, session)


@pytest.mark.parametrize(
    ("behavior", "asked"),
    [
        ("fine", [None]),
        ("breaks", [None, f"bytes={HALF // 2}-", f"bytes={HALF // 2 * 2}-"]),
        ("stalls", [None, f"bytes={HALF}-"]),
        ("ignores", [None, f"bytes={HALF}-"]),
        ("busy", [None, None, None]),
    ],
)
def test_it_arrives_whole(server, tmp_path, behavior, asked):
    path = get(server, tmp_path, behavior, sum=SUM)
    assert path.read_bytes() == BODY and [file.name for file in tmp_path.iterdir()] == ["corpus.zip"]
    assert server.asked == asked


@pytest.mark.parametrize("behavior", ["fine", "another", "refuses", "ignores", "refuses, too long"])
def test_a_part_of_an_earlier_call_is_used_or_thrown_away(server, tmp_path, behavior):
    """What the server does not go on with is asked for anew, and not glued to what is there."""
    behavior, long, _ = behavior.partition(", too long")
    part = BODY + b"more" if long else BODY[:HALF]
    (tmp_path / "corpus.zip.part").write_bytes(part)
    server.asked += [None] if behavior == "ignores" else []
    assert get(server, tmp_path, behavior, sum=SUM).read_bytes() == BODY
    assert f"bytes={len(part)}-" in server.asked


@pytest.mark.parametrize("changes", [{}, {"exact": False, "size": HALF}, {"exact": False, "size": len(BODY) * 2}])
def test_a_size_known_roughly_is_enough(server, tmp_path, changes):
    assert get(server, tmp_path, "breaks", **changes).read_bytes() == BODY


def test_a_broken_line_keeps_what_came(server, tmp_path):
    (tmp_path / "corpus.zip.part").write_bytes(BODY[:HALF])
    said = rf"broke off {downloading.ATTEMPTS} times, last at {HALF:,} of {len(BODY):,}"
    with pytest.raises(SertutError, match=said):
        get(server, tmp_path, "never", sum=SUM)
    assert (tmp_path / "corpus.zip.part").read_bytes() == BODY[:HALF]
    assert get(server, tmp_path, "fine", sum=SUM).read_bytes() == BODY


@pytest.mark.parametrize(
    ("behavior", "changes", "says"),
    [
        ("wrong", {"sum": SUM}, "its sum is not sha256"),
        ("wrong", {"sum": "md5:" + "0" * 32}, "its sum is not md5"),
        ("longer", {"sum": SUM}, f"has {len(BODY) + 4:,} bytes, and {len(BODY):,} were published"),
        ("fine", {"size": len(BODY) + 1}, "were published"),
        ("fine", {"size": len(BODY) // 5, "exact": False}, "were published"),
        ("endless", {"sum": SUM}, f"sends more than {len(BODY):,} bytes"),
        ("absent", {}, "404 Client Error: Not Found"),
    ],
)
def test_what_was_not_published_is_refused(server, tmp_path, behavior, changes, says):
    with pytest.raises(SertutError, match=says):
        get(server, tmp_path, behavior, **changes)
    assert not (tmp_path / "corpus.zip").exists()


def test_encryption_is_not_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(requests.Response, "url", "http://elsewhere", raising=False)

    class Elsewhere(requests.Session):
        def get(self, url, **options):
            return super().get(url.replace("https:", "http:"), **options)

    file = File("corpus.zip", server.at.replace("http:", "https:") + "fine", len(BODY))
    with pytest.raises(SertutError, match="is not encrypted"), Elsewhere() as session:
        download(file, tmp_path, session)
    assert not list(tmp_path.iterdir())
