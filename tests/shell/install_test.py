"""deploy/packages/install, with an apt-get that only notes how it was called."""
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A Debian of which only apt-get, dpkg-query and sudo are made up."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.calls.touch()
        self.lock = folder / "lib/dpkg/lock-frontend"
        self.lock.parent.mkdir(parents=True)
        self.lock.touch()
        self.program("dpkg-query", "echo 'present installed'")
        self.program("apt-get", f'echo "$*" >>{self.calls}')
        self.program("bash", 'while [ "$1" != -- ]; do shift; done; shift\n'  # of the part for root: without what it writes to /etc and /usr
                             'sed -n "/^# Unattended/,/^fi$/p;/^if ! install/,/^fi$/p" >"$0.part"; exec /bin/bash -eu "$0.part" "$@"')
        self.program("sudo", 'exec "$@"')

    def program(self, name: str, body: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def install(self, *packages: str) -> subprocess.CompletedProcess[str]:
        wanted = self.folder / "packages.txt"
        wanted.write_text("# what is wanted\n\n" + "\n".join(packages) + "\n")
        return subprocess.run(["/bin/bash", ROOT / "deploy/packages/install", wanted], capture_output=True, text=True, check=False,
                              env={"PATH": f"{self.programs}:{os.environ['PATH']}", "ATHANOR_LOCKS": str(self.folder / "lib")})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_leaves_a_machine_alone_that_has_everything(machine: Machine) -> None:
    done = machine.install("present")
    assert (done.returncode, done.stdout, machine.calls.read_text()) == (0, "", "")


def test_installs_what_is_missing_and_would_wait_for_the_lock(machine: Machine) -> None:
    done = machine.install("present", "absent")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Installing Debian packages: absent\n"
    assert machine.calls.read_text() == "-o DPkg::Lock::Timeout=900 install -y -qq --no-install-recommends absent\n"


def test_says_that_it_waits_while_another_program_holds_the_lock(machine: Machine) -> None:
    with machine.lock.open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        done = machine.install("absent")
    assert done.returncode == 0, done.stderr
    assert "Another program is installing packages: waiting for it, up to 15 minutes\n" in done.stdout


def test_fetches_the_lists_when_a_package_is_not_found(machine: Machine) -> None:
    machine.program("apt-get", f'echo "$*" >>{machine.calls}; [ "$1" = update ] || grep -q ^update {machine.calls}')
    assert machine.install("absent").returncode == 0
    assert [line.split()[-1] if "install" in line else line for line in machine.calls.read_text().splitlines()] == ["absent", "update -qq", "absent"]
