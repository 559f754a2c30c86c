"""One file over a line that breaks off: it goes on where it stopped, and counts only with the right length and sum."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from sertut.errors import SertutError
from sertut.progress import progress_bar

ATTEMPTS, PAUSE, TIMEOUT = 8, 2.0, 30.0
"""Connections for one file; seconds between them, and seconds without a byte after which one is given up."""

ROOM = 4  # what is known roughly only may come to so many times as much
TRY_LATER = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class File:
    """A file to download.

    size: bytes; exact, or about, where `exact` is False. sum: "md5:..." or "sha256:...", None where nobody tells it.
    """

    name: str
    url: str
    size: int
    exact: bool = True
    sum: str | None = None


def download(file: File, folder: Path, session: requests.Session, bar: bool = True) -> Path:
    """Download a file into a folder, checked; where ``<name>.part`` is there, go on with it.

    Raises:
        SertutError: it cannot be had, or its length or sum is another one.
    """

    def go_on(url: str, output: str, _) -> None:
        part = folder / f"{file.name}.part"
        with progress_bar(
            total=file.size, desc=file.name, unit="B", unit_scale=True, unit_divisor=1000, disable=not bar
        ) as shown:
            _whole(file, part, session, shown)
        os.replace(part, output)

    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(pooch.retrieve(file.url, file.sum, file.name, folder, downloader=go_on))
    except ValueError as problem:  # by pooch, which has removed the file
        raise SertutError(
            f"{file.name} is not what was published: its sum is not {file.sum}. It was removed; run this again, and if"
            f" that does not help, {file.url} serves another file."
        ) from problem


def _whole(file: File, part: Path, session: requests.Session, shown) -> None:
    """Ask for the rest of a file until it is there, a limited number of times."""
    problem: Exception | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(min(attempt, 5) * PAUSE)
        try:
            return _transfer(file, part, session, shown)
        except requests.HTTPError as refused:
            if refused.response is not None and refused.response.status_code not in TRY_LATER:
                raise SertutError(f"{refused}; `sertut data list` says where the corpus is published.") from refused
            problem = refused
        except requests.RequestException as broken:
            problem = broken
    have = part.stat().st_size if part.exists() else 0
    raise SertutError(
        f"{file.name} broke off {ATTEMPTS} times, last at {have:,} of {file.size:,} bytes ({problem}); what is there is"
        " kept: run the same command again, and it goes on from there."
    ) from problem


def _transfer(file: File, part: Path, session: requests.Session, shown) -> None:
    """One connection: append what is missing to `part`; begin anew where the server knows no ranges.

    Raises:
        requests.RequestException: it broke off; another connection may help.
        SertutError: another length than was published, or more than was expected.
    """
    have = part.stat().st_size if part.exists() else 0
    if file.exact and have == file.size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with session.get(file.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # there is nothing after what we have: it is too long, or another file
            part.unlink()
            raise requests.ConnectionError("the server has no such range; it is asked for the whole file")
        answer.raise_for_status()
        if file.url.startswith("https:") and not answer.url.startswith("https:"):
            raise SertutError(f"{file.url} leads to {answer.url}, which is not encrypted; nothing was fetched.")
        if answer.status_code == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise requests.ConnectionError("the server sent another range; it is asked for the whole file")
        have = have if answer.status_code == 206 else 0
        announced = answer.headers.get("Content-Length")
        total = have + int(announced) if announced else None
        most = file.size if file.exact else ROOM * file.size
        if total and (total > most or (file.exact and total != file.size)):
            raise SertutError(f"{file.url} has {total:,} bytes, and {file.size:,} were published; nothing was fetched.")
        shown.reset(total or file.size)
        shown.update(have)
        with part.open("ab" if have else "wb") as to:
            for block in answer.iter_content(1 << 16):
                have += len(block)
                if have > most:
                    raise SertutError(f"{file.url} sends more than {most:,} bytes; what came is of no use.")
                to.write(block)
                shown.update(len(block))
    if file.exact and have < file.size:  # where the server announced a length, requests has held it against that
        raise requests.ConnectionError(f"it ended after {have:,} bytes")
