"""The programs are hardened: position-independent, bound and read-only after the start, no executable stack; where they are optimised, with
stack protectors and checked library calls."""
import json
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ATHANOR_BINARY_DIR", SOURCE / "build"))
CACHE = (BUILD / "CMakeCache.txt").read_text()


def setting(name: str) -> str:
    found = re.search(rf"^{name}:[A-Z]+=(.*)$", CACHE, re.MULTILINE)
    return found.group(1) if found else ""


# An empty build type is Release.
OPTIMISED = setting("CMAKE_BUILD_TYPE") in ("", "Release", "RelWithDebInfo") and not setting("ATHANOR_SANITIZE")


def readelf(*arguments: object) -> str:
    return subprocess.run(["readelf", "--wide", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


@pytest.fixture(params=["athanor", "athanor-operator"])
def program(request: pytest.FixtureRequest) -> Path:
    return BUILD / "bin" / request.param


def test_it_is_position_independent(program: Path) -> None:
    assert re.search(r"Type:\s+DYN", readelf("--file-header", program))
    assert "PIE" in readelf("--dynamic", program)


def test_everything_loaded_is_bound_at_the_start_and_read_only_from_then_on(program: Path) -> None:
    segments = readelf("--program-headers", program)
    assert "GNU_RELRO" in segments
    assert re.search(r"\(FLAGS(_1)?\).*\b(BIND_NOW|NOW)\b", readelf("--dynamic", program))


def test_nothing_is_writable_and_executable(program: Path) -> None:
    segments = readelf("--program-headers", program)
    assert re.search(r"GNU_STACK\s.* RW ", segments)
    assert not re.search(r"LOAD\s.* RWE ", segments)


def test_it_takes_no_library_from_a_folder_of_its_own(program: Path) -> None:
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf("--dynamic", program))


@pytest.mark.skipif(not OPTIMISED, reason="FORTIFY and stack protectors belong to optimised builds")
def test_our_own_code_checks_stacks_and_library_calls() -> None:
    """Looked for in an archive of ours: Debian's static libraries have such checks whatever we do."""
    assert "__stack_chk_fail" in readelf("--syms", BUILD / "migrations/base/libathanor_base.a")
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    ours = [one["command"] for one in commands if re.search(r"/(migrations|operator)/.*\.cpp$", one["file"]) and "/tests/" not in one["file"]]
    assert ours and all("-D_FORTIFY_SOURCE=3" in command and re.search(r" -O[123]", command) for command in ours)


@pytest.mark.skipif(not OPTIMISED, reason="FORTIFY belongs to optimised builds")
@pytest.mark.parametrize("library", ["text", "cli", "operator_api", "operator_jobs"])
def test_checked_library_calls_are_in_the_code_itself(library: str) -> None:
    """The definition on the command line has no effect without optimisation, or where a file undoes it."""
    symbols = "".join(readelf("--syms", archive) for archive in BUILD.glob(f"**/libathanor_{library}.a"))
    assert re.search(r"UND __\w+_chk$", symbols, re.MULTILINE)


def test_continuous_integration_builds_what_is_checked_here() -> None:
    """Without an optimised build, the tests above are skipped."""
    presets = {one["name"]: one for one in json.loads((SOURCE / "CMakePresets.json").read_text())["configurePresets"]}
    assert presets["release"]["cacheVariables"] == {"CMAKE_BUILD_TYPE": "Release"}
    assert re.search(r"^PRESET \?= release$", (SOURCE / "Makefile").read_text(), re.MULTILINE)
    assert re.search(r"^exec make test$", (SOURCE / ".ci/run").read_text(), re.MULTILINE)
    assert "cmake --preset release" in (SOURCE / "Dockerfile").read_text()


@pytest.mark.skipif(not OPTIMISED or platform.machine() != "x86_64", reason="indirect branches are tracked on x86-64")
def test_our_own_code_marks_the_targets_of_indirect_branches() -> None:
    """Not the whole program: Debian's static libraries are not marked, so the linker does not mark what holds them."""
    notes = readelf("--notes", BUILD / "migrations/base/libathanor_base.a")
    members = notes.count("File: ")
    assert members > 0 and len(re.findall(r"x86 feature: IBT, SHSTK", notes)) >= members - 1  # the precompiled header has no code
