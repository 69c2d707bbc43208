"""A branch is asked for at the interval of its source, whatever the resync; and one commit is waited for that the branch does not show yet."""
import pytest
from databases import Database
from declarations import Declarations, chain, condition, kstatus
from git_servers import Authority, HttpsServer, Project
from git_test import authority, from_git, https, plant, project, with_password  # noqa: F401 (fixtures)
from operator_process import OperatorProcess


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    """No resync helps."""
    return "--leader-elect=false", "--resync=1h"


def test_a_branch_is_polled_at_the_interval_of_its_source(operator: OperatorProcess, declare: Declarations, database: Database,
                                                             project: Project, https: HttpsServer, authority: Authority) -> None:
    project.commit(chain("a1"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main", interval="10s")
    orders.at("a1")
    second = project.commit(chain("a1", "a2"))
    resource = orders.at("a2", within=30)
    assert (resource["metadata"]["generation"], resource["status"]["source"]["revision"]) == (1, f"main@{second}")


def test_nothing_runs_until_the_branch_has_the_commit(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                                        https: HttpsServer, authority: Authority) -> None:
    first = project.commit(chain("a1"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main", interval="10s")
    orders.at("a1")
    wanted = "0123456789" * 4
    orders.patch(source={"revision": wanted})
    outdated = orders.because("SourceOutdated")
    assert kstatus(outdated) == "InProgress"
    assert f"the source is at main@{first}, not at spec.source.revision {wanted}" in condition(outdated, "Ready")["message"]
    second = project.commit(chain("a1", "a2"))
    orders.patch(source={"revision": second})  # asks at once
    orders.at("a2")
