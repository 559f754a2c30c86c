"""Getting recorded corpora: what it costs and under which license, then a download that can break off, checked.

A corpus is made in a hidden folder beside its place, ``.ravdess.fetching``, and renamed when it is whole. That folder
stays when a download breaks off, and the next call goes on there.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import filelock
import pooch
import requests
from tqdm.contrib.concurrent import thread_map

from sertut.corpora import RECORDED, folder_of
from sertut.course.downloading import ROOM, TIMEOUT, File, download
from sertut.course.unpacking import ArchiveError, enough_room, unpack
from sertut.errors import SertutError, must_be_known
from sertut.files import write
from sertut.progress import static

AT_ONCE = 8  # small files at a time
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n")


@dataclass(frozen=True)
class Placeholders:
    """Recordings for which the archive holds placeholders of Git LFS, each with the sum of the true file.

    size: bytes of all recordings. sum: SHA-256 of the lines ``<sha256>  <name>``, sorted by name.
    """

    folder: str
    url: str
    size: int
    sum: str


@dataclass(frozen=True)
class Offer:
    """What is downloaded for a corpus.

    bytes, files: of all that is unpacked, about. checked: by what a reader may trust it. record: address that tells
    the sums of the files. only: regular expression of the names that are unpacked.
    """

    archives: tuple[File, ...]
    bytes: int
    files: int
    checked: str
    record: str | None = None
    only: str = r"(?!__MACOSX/).*"
    placeholders: Placeholders | None = None

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.archives) + (self.placeholders.size if self.placeholders else 0)

    @property
    def on_disk(self) -> int:
        """Bytes of what stays."""
        return self.bytes + (self.placeholders.size if self.placeholders else 0)


CREMAD = "https://github.com/CheyneyComputerScience/CREMA-D/archive/refs/heads/master.zip"
ZENODO = "https://zenodo.org/records/1188976/files/{}?download=1"
VIDEO_SIZES = """552968353 570673024 567824665 546560009 562966425 568517859 565652404 562573079 523489249 565580163
518634370 557928718 501877549 552484059 525205576 562416513 551688845 565655520 581121687 561349264 590292896 560907466
545177865 595799165"""
VIDEOS = {f"Video_Speech_Actor_{actor:02d}.zip": int(size) for actor, size in enumerate(VIDEO_SIZES.split(), start=1)}
AUDIO = "Audio_Speech_Actors_01-24.zip"
OFFERS = {
    "ravdess": Offer(
        archives=(File(AUDIO, ZENODO.format(AUDIO), 208_468_073, sum="md5:bc696df654c87fed845eb13823edef8a"),),
        bytes=515_000_000,  # an hour and a half at 48 kHz, 16 bit
        files=1_440 + 24,
        checked="The length and the MD5 of the archive are those that its publisher and several projects tell.",
    ),
    "ravdess-video": Offer(
        archives=tuple(File(name, ZENODO.format(name), size) for name, size in VIDEOS.items()),
        bytes=sum(VIDEOS.values()),
        files=24 * 121,
        checked="The lengths of the archives are known from one public source; their MD5 sums are asked of Zenodo when"
        " the download starts, and no second source confirms them. Without the sums nothing is downloaded.",
        record="https://zenodo.org/api/records/1188976",
    ),
    "emodb": Offer(
        archives=(File("download.zip", "http://emodb.bilderbar.info/download/download.zip", 40_500_000, exact=False),),
        bytes=60_000_000,  # 25 minutes at 16 kHz, 16 bit, and its label files
        files=2_200,
        checked="NOT VERIFIED: nobody tells a checksum, the address has no encryption, and the size is known roughly."
        " The archive's own sums, the names and the number of clips are checked; compare the SHA-256 that is printed"
        " with that of somebody who has the archive.",
    ),
    "cremad": Offer(
        archives=(File("CREMA-D-master.zip", CREMAD, 24_000_000, exact=False),),
        bytes=30_000_000,
        files=8_000,
        only=r"[^/]+/(AudioWAV/[^/]+\.wav|VideoDemographics\.csv|processedResults/[^/]+\.csv|LICENSE[^/]*|README[^/]*)",
        checked="Each of the recordings has the SHA-256 that the authors' repository tells, and the list of these sums"
        " is the one that was counted for this book. The tables come from the repository as it is on that day; nothing"
        " verifies them. Sound and votes only: the videos (VideoFlash) are for Git LFS.",
        placeholders=Placeholders(
            "AudioWAV",
            "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/AudioWAV/",
            605_899_936,
            "5a926e03e9801b41a6de63f156e29b5630dad7e71ac5fe83c75f04438b6401ea",
        ),
    ),
}
"""Corpora that anybody may download."""

ASK = {
    "iemocap": """Nobody may pass IEMOCAP on, so nothing can be fetched. How to ask for it:
1. Open https://sail.usc.edu/iemocap/ and there "Release"; fill in and sign Data_Release_Form_IEMOCAP.pdf. It is free
   for research. Where your university has signed already, ask whoever did.
2. Send the form as the page says; an address for the download comes back. The archive has about 18 GB.
3. Unpack it, so that Session1 to Session5 lie in {folder}.
4. Keep to it: no recording, and nothing derived from single turns, is passed on.""",
    "afew": """Nobody may pass AFEW on, so nothing can be fetched. How to ask for it:
1. Open https://cs.anu.edu.au/few/AFEW.html; whether the page still answers is not verified. If it does not, write to
   the organizers of the EmotiW challenges, the authors of doi 10.1109/MMUL.2012.26.
2. Ask for the training and validation clips of EmotiW 2016 to 2018 and sign the agreement, as a rule by a permanent
   member of a university: academic use, no passing on, no frames in print.
3. Unpack what comes, so that Train_AFEW and Val_AFEW lie in {folder}.""",
}
"""Corpora that are had by asking: how."""


def terms(name: str) -> str:
    """What getting a corpus costs, its license, and what is verified; for corpora that one must ask for, how to ask.

    Raises:
        SertutError: no such corpus.
    """
    folder = folder_of(name)
    if name in ASK:
        return ASK[name].format(folder=folder)
    must_be_known("corpus to fetch", name, (*OFFERS, *ASK))
    offer, about = OFFERS[name], RECORDED[name].ABOUT
    return f"""{name}: {about.title}
download:  {offer.size / 1e6:,.0f} MB; on disk {offer.on_disk / 1e6:,.0f} MB, in {folder}
license:   {about.license}
cite:      {about.citation}
from:      {about.url}
checked:   {offer.checked}"""


def fetch(name: str) -> list[str]:
    """Download a corpus to where :func:`sertut.load` looks for it; who calls this accepts the license in :func:`terms`.

    ``fetched.json`` in its folder keeps when each archive came from where, with its SHA-256.

    Returns:
        what was fetched, a line each.

    Raises:
        SertutError: it is there already; too little room; the download breaks off again and again, or is not what was
            published; an archive is refused; another process fetches. What is good is kept for the next call.
    """
    offer, folder = OFFERS[name], folder_of(name)
    if folder.is_dir() and any(folder.iterdir()):
        raise SertutError(
            f"{folder} is there already: `sertut data validate {name}` reads it; move it away to fetch {name} anew."
        )
    staging = folder.with_name(f".{folder.name}.fetching")
    try:
        staging.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(staging / "lock", timeout=0), requests.Session() as session:
            session.headers.update({"User-Agent": "sertut", "Accept-Encoding": "identity"})
            done = _assemble(name, offer, staging, session)
            if folder.is_dir():
                folder.rmdir()
            os.replace(staging / "content", folder)
    except filelock.Timeout as busy:
        raise SertutError(f"another process is fetching {name} into {staging}; wait for it, or stop it.") from busy
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EACCES):
            raise
        full = problem.errno == errno.ENOSPC
        what = "the disk is full; free some space and run this again" if full else "may not write it"
        where = problem.filename or staging
        raise SertutError(f"{where}: {what}, or set SERTUT_DATA to another folder.") from problem
    shutil.rmtree(staging, ignore_errors=True)
    return [*done, f"{name} is in {folder}; `sertut data validate {name}` reads every file."]


def _assemble(name: str, offer: Offer, staging: Path, session: requests.Session) -> list[str]:
    """Make ``staging/content``, whole and read once; return what was fetched."""
    there = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
    largest = max(file.size for file in offer.archives)  # an archive is removed when it is unpacked
    enough_room(staging, offer.on_disk + largest - there, f"fetch {name}")
    content, log = staging / "content", staging / "fetched.json"
    rows = json.loads(log.read_text("utf-8")) if log.is_file() else {}
    for file in told(offer, session):
        unpacked = staging / Path(file.name).stem
        if not unpacked.is_dir():  # else an earlier call did it
            path = download(file, staging, session)
            rows[file.name] = {"url": file.url, "bytes": path.stat().st_size, "sha256": pooch.file_hash(str(path))}
            rows[file.name] |= {"checked": file.sum, "date": datetime.now(UTC).isoformat(timespec="seconds")}
            write(log, json.dumps(rows, indent=2) + "\n")
            share = len(offer.archives) / ROOM  # the archives of a corpus are about alike
            try:
                unpack(path, unpacked, int(offer.bytes / share), int(offer.files / share), offer.only)
            except ArchiveError:
                path.unlink()
                raise
            path.unlink()
        tops, skip = [unpacked], None
        if offer.placeholders:
            _recordings(offer.placeholders, unpacked, content, session)
            tops, skip = list(unpacked.iterdir()), shutil.ignore_patterns(offer.placeholders.folder)  # as GitHub packs
        for top in tops:
            shutil.copytree(top, content, ignore=skip, copy_function=os.replace, dirs_exist_ok=True)
    shutil.copy(log, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # here, that it is incomplete is an error
            missing = ", ".join(RECORDED[name].read(content).missing())
    except SertutError as problem:
        missing = str(problem)
    if missing:
        shutil.rmtree(staging, ignore_errors=True)
        raise SertutError(f"what was fetched is not {name} as it was published, and was removed: {missing}")
    return [f"{key}: {row['bytes']:,} bytes, SHA-256 {row['sha256']}" for key, row in rows.items()]


def told(offer: Offer, session: requests.Session) -> tuple[File, ...]:
    """The archives of an offer, with the sums that its record tells.

    Raises:
        SertutError: the record cannot be had, lacks an archive, or tells another length.
    """
    if not offer.record:
        return offer.archives
    try:
        answer = session.get(offer.record, timeout=TIMEOUT)
        answer.raise_for_status()
        listed = {entry["key"]: (entry["size"], entry["checksum"]) for entry in answer.json()["files"]}
        files = tuple(replace(file, size=listed[file.name][0], sum=listed[file.name][1]) for file in offer.archives)
    except (requests.RequestException, ValueError, KeyError, TypeError) as problem:
        raise SertutError(
            f"{offer.record} does not tell the sums of the archives ({problem!r}), and without them nothing is fetched;"
            " try later, or download and compare by hand."
        ) from problem
    for file, ours in zip(files, offer.archives, strict=True):
        if file.size != ours.size or not re.fullmatch("md5:[0-9a-f]{32}", str(file.sum)):
            raise SertutError(
                f"{offer.record} tells {file.size} bytes and the sum {file.sum} of {file.name}, which has {ours.size}"
                " bytes and an MD5; look there what has changed."
            )
    return files


def _recordings(offer: Placeholders, unpacked: Path, content: Path, session: requests.Session) -> None:
    """Download the recordings that placeholders stand for into ``content``."""
    paths = sorted(unpacked.glob(f"*/{offer.folder}/*"), key=lambda path: path.name)
    found = {path.name: POINTER.fullmatch(path.read_bytes()) for path in paths}
    recorded = {name: (match[1].decode(), int(match[2])) for name, match in found.items() if match}
    lines = "".join(f"{sum}  {name}\n" for name, (sum, _) in recorded.items())
    if hashlib.sha256(lines.encode()).hexdigest() != offer.sum:
        shutil.rmtree(unpacked)
        raise SertutError(
            f"the {len(paths)} placeholders in {offer.folder} are not those that were counted for this book"
            f" ({len(recorded)} of them tell a sum), so nothing was fetched; look at the repository for what has"
            " changed."
        )
    files = [File(name, offer.url + name, size, sum=f"sha256:{sum}") for name, (sum, size) in recorded.items()]
    (content / offer.folder).mkdir(parents=True, exist_ok=True)
    get = partial(download, folder=content / offer.folder, session=session, bar=False)
    thread_map(get, files, max_workers=AT_ONCE, desc=offer.folder, unit="file", disable=static(), leave=False)
