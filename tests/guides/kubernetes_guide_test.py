"""docs/getting-started-kubernetes.md from its first command to its last, on a cluster of its own: the page names its namespaces itself."""
import subprocess
import sys
from pathlib import Path

from guide import ROOT, Database, run
from throwaway_cluster import ThrowawayCluster


def test_every_command_of_the_page_does_what_the_page_shows(own_cluster: ThrowawayCluster, database: Database, tmp_path: Path) -> None:
    tools = subprocess.run([ROOT / "tests/cluster/tools"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        run(ROOT / "docs/getting-started-kubernetes.md", tmp_path,
            replacements={"postgresql://postgres:example@postgres.shop.svc/orders": database.url},
            environment={"GUIDE_PYTHON": sys.executable, "GUIDE_CLUSTER": str(own_cluster.directory), "GUIDE_HELM": f"{tools}/helm",
                         "GUIDE_DATABASE": database.url})
    finally:
        log = tmp_path / "operator.log"
        print(log.read_text()[-10_000:] if log.exists() else "the operator was not started")
    assert database.rows("SELECT version_num FROM alembic_version") == [("2b7d9e1f4a60",)]
