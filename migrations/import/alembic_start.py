# Behind SOURCES, a table of the files beside this one: makes modules of them, the last of which does the work.
import sys
import types

for name, text in SOURCES:
    sys.modules[name] = types.ModuleType(name)
    exec(compile(text, "<%s>" % name, "exec"), sys.modules[name].__dict__)
