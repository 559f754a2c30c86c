"""What a submission runs in: a process that runs its cells, calls its functions, and can reach little else.

A script of its own, started once by :mod:`sertut.course.grading`. It loads the libraries and then forks: a child for
each submission, which is asked over a socket, in messages that begin with their length. Questions are pickled, since
they come from the teacher's process; answers are JSON, so that nothing in them can act there. Nothing that a child says
is believed, except as what a student's function returned.
"""

import ast
import base64
import contextlib
import ctypes
import json
import os
import pickle
import re
import resource
import signal
import socket
import struct
import time

MEMORY, DISK, FILE, PROCESSES, FILES, SECONDS = 2**30, 2**26, 2**24, 16, 256, 600
"""What a submission gets: bytes of memory beside the libraries', bytes on its disk and in a file, processes, open
files, seconds of processor time."""

USERS, PROCESS_IDS, NETWORK, MOUNTS, MESSAGES = 0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000  # CLONE_NEW*
BIND, PLAIN = 4096, 2 | 4 | 8  # MS_BIND; MS_NOSUID, MS_NODEV, MS_NOEXEC
MOUNT_SETATTR, RECURSIVE, READ_ONLY, PRIVATE = 442, 0x8000, 1, 1 << 18


def close(disk: str, home: str, hidden: list[str]) -> None:
    """Go where there is no network and all that is mounted is read-only, but for an empty disk in memory over `disk`.

    What is `hidden` looks empty, and processes outside cannot be seen. Who mounts can unmount, so the submission runs
    among other users than who did it. It ends when its watch ends, which also ends it when it has too many processes.

    Raises:
        OSError: ordinary users may not do this here.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def must(code: int) -> None:
        if code:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def mount(kind: bytes, path: str, options: bytes = b"") -> int:
        return libc.mount(kind, path.encode(), kind, PLAIN, options)

    users = {"uid_map": f"0 {os.geteuid()} 1", "gid_map": f"0 {os.getegid()} 1"}
    must(libc.unshare(USERS | PROCESS_IDS | NETWORK | MOUNTS | MESSAGES))
    for name, text in {"setgroups": "deny", **users}.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    must(libc.syscall(MOUNT_SETATTR, -100, b"/", RECURSIVE, struct.pack("QQQQ", READ_ONLY, 0, PRIVATE, 0), 32))
    for path in filter(os.path.exists, hidden):
        place, folder = path.encode(), os.path.isdir(path)
        must(mount(b"tmpfs", path, b"size=4k") if folder else libc.mount(b"/dev/null", place, None, BIND, None))
    must(mount(b"tmpfs", disk, b"size=%d" % DISK))
    os.makedirs(home, exist_ok=True)
    _continue_in_child(lambda: None)
    counted = mount(b"proc", "/proc") == 0

    def watch() -> None:
        if counted and sum(name.isdecimal() for name in os.listdir("/proc")) > PROCESSES:
            os._exit(0)

    _continue_in_child(watch)
    must(libc.unshare(USERS))


def _continue_in_child(watch) -> None:
    """Fork: the child returns, this process only waits for its end."""
    if child := os.fork():
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            watch()
            time.sleep(0.05)
        os._exit(0)


def limit() -> None:
    """Set what the submission may use, beside what the libraries use already."""
    used = 0
    with contextlib.suppress(FileNotFoundError), open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    most = {"AS": used + MEMORY, "FSIZE": FILE, "NPROC": PROCESSES, "NOFILE": FILES, "CPU": SECONDS, "CORE": 0}
    for name, value in most.items():
        with contextlib.suppress(ValueError):  # macOS does not have all of them
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


class Student:
    """The names that a submission has defined, and what of its chapter it may use."""

    def __init__(self, offered: dict[str, str]) -> None:
        """`offered`: name -> the import or definition in the chapter that makes it; run when a cell uses the name."""
        self.offered = offered
        self.names: dict = {"__name__": "__main__", "display": print, "check": lambda *_: True}

    def run(self, text: str) -> None:
        """Run a cell; lines for IPython (``%time``, ``!pip``) are left out."""
        try:
            ast.parse(text)
        except SyntaxError:
            text = re.sub(r"^\s*[%!].*$", "", text, flags=re.M)
        self._bring(text)
        exec(compile(text, "<your cell>", "exec"), self.names)

    def _bring(self, text: str) -> None:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Name) and node.id not in self.names and node.id in self.offered:
                offer = self.offered.pop(node.id)
                self._bring(offer)
                exec(offer, self.names)

    def call(self, names: list[str], arguments: tuple) -> dict:
        """What the function that bears one of the names returns, and which weights of a network it left trainable."""
        function = next((found for name in names if (found := self.names.get(name)) not in (None, ...)), None)
        if function is None:
            return {"value": None}
        if not callable(function):
            raise TypeError(f"pass the function itself, without calling it; {function!r} is none")
        value = plain(function(*arguments))
        networks = [each for each in arguments if hasattr(each, "parameters")]
        return {"value": value, "trained": [[p.requires_grad for p in each.parameters()] for each in networks]}


def plain(value: object) -> object:
    """A value as JSON can hold it; of what is not plain data, its type and what it looks like."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        return {"tensor": plain(value.detach().cpu().resolve_conj().numpy())["array"]}  # type: ignore[index]
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array": [value.dtype.str, value.shape, base64.b64encode(value.tobytes()).decode()]}
    if isinstance(value, (tuple, list, set, frozenset, range)):
        kind = "tuple" if isinstance(value, tuple) else "set" if isinstance(value, (set, frozenset)) else "list"
        return {kind: [plain(part) for part in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return None if value is ... else {"other": [type(value).__name__, repr(value)[:200]]}


def serve(line: socket.socket, disk: str, home: str, hidden: list[str], fenced: bool) -> None:
    """Answer until nobody asks any more."""

    def say(answer: dict) -> None:
        message = json.dumps(answer).encode()
        line.sendall(struct.pack(">Q", len(message)) + message)

    os.setsid()
    try:
        if fenced:
            close(disk, home, hidden)
        os.chdir(home)
        limit()
        say({"ready": True})
    except OSError as problem:
        say({"error": [type(problem).__name__, str(problem)]})
        return
    os.environ |= {"HOME": home, "TMPDIR": home}
    reader = line.makefile("rb")
    student = Student({})
    while size := reader.read(8):
        question = reader.read(struct.unpack(">Q", size)[0])
        try:
            what, *rest = pickle.loads(question)
            if what == "offer":
                student = Student(*rest)
            if what == "run":
                student.run(*rest)
            say(student.call(*rest) if what == "call" else {})
        except BaseException as problem:  # also what ends a program: SystemExit
            say({"error": [type(problem).__name__, str(problem)[:500]]})


def main() -> None:
    """Load the libraries, then start and end children as the teacher's process asks."""
    teacher = socket.socket(fileno=os.dup(0))
    import torch

    import sertut.corpora
    import sertut.models  # noqa: F401  (arguments are made of what is in here)

    torch.set_num_threads(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    children: set[int] = set()
    while True:
        teacher.send(b".")
        order, handles, *_ = socket.recv_fds(teacher, 2**16, 1)
        settings = json.loads(order) if order else {}
        if handles:
            if not (child := os.fork()):
                teacher.close()
                try:
                    serve(socket.socket(fileno=handles[0]), **settings)
                finally:
                    os._exit(0)
            os.close(handles[0])
            children.add(child)
            teacher.send(b"%d" % child)
        for child in [settings["end"]] if "end" in settings else list(children) if not order else []:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            children.remove(child)
        if not order:
            return


if __name__ == "__main__":
    main()
