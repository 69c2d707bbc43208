"""Two types of one name in one namespace link without a word and destroy memory at run time: no name is defined in two files."""
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TYPE = re.compile(r"^(?:struct|class|enum class|enum) (?:\[\[\w+\]\] )?(\w+)\b(?!::)(?!.*;\s*$)")
NAMESPACE = re.compile(r"^namespace ([\w:]*) ?\{")
END = re.compile(r"^\}  // namespace ?([\w:]*)")


def types_of(path: Path) -> list[tuple[str, str]]:
    """Names with their namespaces; those of unnamed namespaces are left out, because they are the file's own."""
    found, open_namespaces = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if begins := NAMESPACE.match(line):
            open_namespaces.append(begins[1])
        elif END.match(line) and open_namespaces:
            open_namespaces.pop()
        elif (name := TYPE.match(line)) and "" not in open_namespaces:
            found.append(("::".join(open_namespaces), name[1]))
    return found


def test_no_type_of_the_product_is_defined_twice() -> None:
    places = defaultdict(set)
    for folder in ("migrations", "operator"):
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            for name in types_of(path):
                places[name].add(str(path.relative_to(ROOT)))
    assert len(places) > 300  # the pattern still fits the code
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
