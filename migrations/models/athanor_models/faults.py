"""Errors of the models, each with a hint that says how to fix it."""

import os
import sys
import traceback


class Fault(Exception):
    """What is wrong, how to fix it, and the place in the project's own code."""

    def __init__(self, message, hint="", place=""):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def as_json(self):
        return {"message": self.message, "hint": self.hint, "place": self.place}


def shown_path(path):
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def place_of(error):
    """file:line of the innermost frame that belongs to the project: not to this package, nor to a library."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s:%d" % (shown_path(error.filename), error.lineno or 1)
    place = ""
    package = os.path.dirname(globals().get("__file__", "<carried>"))
    for frame in traceback.extract_tb(error.__traceback__):
        library = "site-packages" in frame.filename or frame.filename.startswith(sys.base_prefix + os.sep)
        if os.path.isfile(frame.filename) and not library and os.path.dirname(frame.filename) != package:
            place = "%s:%d" % (shown_path(frame.filename), frame.lineno)
    return place


def first_line(error):
    text = str(error).strip()
    return text.splitlines()[0] if text else ""


def listed(names, most=5):
    names = list(names)
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else "%s and %d more" % (shown, len(names) - most)


def sys_path_text():
    return ", ".join(path or os.getcwd() for path in sys.path if "site-packages" not in path and not path.startswith(sys.base_prefix))


def import_fault(error, module):
    """Why importing `module` failed."""
    kind = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        if module == error.name or module.startswith(error.name + "."):
            return Fault(
                "no Python module `%s` in: %s" % (error.name, sys_path_text()),
                "set prepend_sys_path in athanor.yaml to the folder that contains `%s` (for example prepend_sys_path: src)"
                % error.name.split(".")[0],
            )
        return Fault(
            "importing `%s` needs the module `%s`, which %s does not have" % (module, error.name, sys.executable),
            "run with the Python of the project: --python .venv/bin/python, or activate its virtual environment",
            place_of(error),
        )
    return Fault("importing `%s` failed: %s: %s" % (module, kind, first_line(error)), "`python -c 'import %s'` must work" % module, place_of(error))
