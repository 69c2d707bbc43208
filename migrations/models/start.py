# Behind SOURCES, a table of the modules of athanor_models: makes them importable, and runs the package.
import importlib.abc
import importlib.util
import sys


class Carried(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name in SOURCES:
            return importlib.util.spec_from_loader(name, self, is_package=name == "athanor_models")

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], "<%s>" % module.__name__, "exec"), module.__dict__)


sys.meta_path.insert(0, Carried())
# `python -` puts the current folder first; prepend_sys_path says what belongs there.
if sys.path and sys.path[0] == "":
    del sys.path[0]
from athanor_models.__main__ import main

sys.exit(main(sys.argv[1:]))
