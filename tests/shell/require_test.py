"""tests/support/require: what is missing is named at once, with one line that installs it."""
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def require(*needs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "tests/support/require", "make it", *needs], capture_output=True, text=True, check=False)


def test_says_nothing_when_everything_is_here(tmp_path: Path) -> None:
    done = require("sh", f"{tmp_path}=some-package")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_the_packages_of_everything_that_is_missing_once_each() -> None:
    done = require("sh", "no-such-program", "no-such-tool=its-package", "/no/such/file=its-package")
    assert done.returncode == 1
    assert done.stderr == ("error: make it needs more packages; run: apt-get install --no-install-recommends no-such-program its-package\n")
