"""What the answer depends on: source files, folders of packages, variables of the environment. As long as none of them changes, the
caller need not ask again."""

import hashlib
import os
import sys


class Inputs:
    def __init__(self):
        self._variables = {}
        self._opened = set()
        self._watch_environment()
        self._watch_files()

    def _watch_files(self):
        """Settings, templates, lists of names: whatever the project opens. Python 3.8 and newer can tell."""
        seen = self._opened

        def hook(event, arguments):
            if event == "open" and isinstance(arguments[0], str):
                seen.add(arguments[0])

        if hasattr(sys, "addaudithook"):
            sys.addaudithook(hook)

    def _watch_environment(self):
        kind = type(os.environ)
        original = kind.__getitem__
        seen = self._variables

        def recording(environ, key):
            try:
                value = original(environ, key)
            except KeyError:
                seen[key] = None
                raise
            seen[key] = value
            return value

        kind.__getitem__ = recording

    def variables(self):
        """Name and digest of every variable that was read; an empty digest when it is not set. Never a value: it may be a secret."""
        found = []
        for name, value in sorted(self._variables.items()):
            if isinstance(name, str):
                digest = "" if value is None else hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
                found.append([name, digest])
        return found

    def files(self):
        """The project's own files, those of libraries, and the folders of the project's packages, where a new file may appear."""
        own = {os.path.abspath(path) for path in list(self._opened) if is_own(path) and "__pycache__" not in path}
        libraries = set()
        folders = set()
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if not isinstance(path, str) or not os.path.isfile(path):
                continue
            path = os.path.abspath(path)
            if is_own(path):
                own.add(path)
                folders.add(os.path.dirname(path))
            else:
                libraries.add(path)
        return sorted(own), sorted(libraries), sorted(folders)


def is_own(path):
    path = os.path.abspath(path)
    outside = (sys.prefix + os.sep, sys.base_prefix + os.sep, "/dev/", "/proc/", "/sys/")
    return "site-packages" not in path and "dist-packages" not in path and not path.startswith(outside)
