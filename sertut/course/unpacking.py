"""Unpacking an archive that somebody else made: all of it is looked at before the first byte is written."""

import errno
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sertut.errors import SertutError

RATIO = 200
"""A file may become so many times longer; recordings become two to ten times longer, and an archive bomb a thousand."""


class ArchiveError(SertutError):
    """An archive that is damaged, or that does what an archive of recordings need not do."""


def unpack(archive: Path, folder: Path, most_bytes: int, most_files: int, only: str = ".*") -> None:
    """Unpack a ZIP archive into a folder that does not exist yet: whole or not at all.

    Refused before anything is written: what is no ZIP archive; a name that leads out of the folder; two names that some
    disk takes for one; links, devices and whatever else is neither file nor folder; encrypted files; more than was
    expected. Refused while it is written: a file that does not have the length or the sum (CRC) that the archive says.

    Args:
        folder: is written under a temporary name beside it, then renamed.
        most_bytes, most_files: what the unpacked files may come to.
        only: regular expression of the names to unpack; the others are left in the archive.

    Raises:
        ArchiveError: see above. Nothing is left behind.
        SertutError: the disk has too little room.
    """
    temporary = folder.with_name(f"{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [entry for entry in opened.infolist() if re.fullmatch(only, entry.orig_filename)]
            if wrong := fault(wanted, most_bytes, most_files):
                raise ArchiveError(f"{archive.name} was not unpacked: {wrong}; tell those who publish it.")
            enough_room(folder, sum(entry.file_size for entry in wanted), f"unpack {archive.name}")
            opened.extractall(temporary, wanted)  # compares the sum of each file, but not its length
            files = [entry for entry in wanted if not entry.is_dir()]
            if short := [file for file in files if (temporary / file.filename).stat().st_size != file.file_size]:
                raise zipfile.BadZipFile(f"{short[0].filename} is shorter than the archive says")
        temporary.rename(folder)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError) as problem:
        if isinstance(problem, OSError) and problem.errno != errno.EINVAL:  # that one: offsets outside of the archive
            raise
        raise ArchiveError(f"{archive.name} is damaged or no ZIP archive ({problem}); fetch it again.") from problem
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def fault(entries: Sequence[zipfile.ZipInfo], most_bytes: int, most_files: int) -> str:
    """Why these entries must not be unpacked; nothing if they may be."""
    if not entries:
        return "it holds nothing that is wanted"
    if len(entries) > most_files:
        return f"it holds {len(entries):,} entries, and at most {most_files:,} are expected"
    if (total := sum(entry.file_size for entry in entries)) > most_bytes:
        return f"it would unpack to {total:,} bytes, and at most {most_bytes:,} are expected"
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        name = entry.orig_filename  # as it stands in the archive: Python itself cuts a name at a zero byte
        parts = name.removesuffix("/").split("/")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if re.search(r"[\\:\x00-\x1f]", name) or any(part in ("", ".", "..") for part in parts):
            return f"the name {name!r} leads out of its folder"
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > entry.is_dir():
            return f"{name!r} is a link or a device, and neither file nor folder"
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return f"{name!r} is encrypted, or compressed in an uncommon way"
        if entry.file_size > RATIO * max(entry.compress_size, 1_000):
            return f"{name!r} would become {entry.file_size:,} bytes from {entry.compress_size:,}"
        same = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        if same in files or (same in folders and not entry.is_dir()):
            return f"the name {name!r} stands there twice, or differs from another one in case only"
        (folders if entry.is_dir() else files).add(same)
        folders |= {str(above) for above in PurePosixPath(same).parents}
    return f"{min(files & folders)!r} is a file and a folder" if files & folders else ""


def enough_room(folder: Path, needed: int, what: str) -> None:
    """Refuse, if the disk that holds `folder`, which need not be there yet, has fewer free bytes than `needed`."""
    there = next(above for above in (folder, *folder.absolute().parents) if above.is_dir())
    if (free := shutil.disk_usage(there).free) < needed:
        raise SertutError(
            f"too little room in {there} to {what}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free;"
            " free some, or set SERTUT_DATA to a folder on another disk."
        )
