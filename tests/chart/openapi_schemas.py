"""JSON schemas for kubeconform, without the network: of the API server's own kinds and of our CRDs. Strict: an unknown field is a fault."""
import json
from pathlib import Path

from chart_tools import Object, crd

OPEN = ("x-kubernetes-preserve-unknown-fields", "additionalProperties", "x-kubernetes-embedded-resource")


def strict(node: object) -> object:
    """Properties that are listed are all there are; what may be a number or a text may be either."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string") or node.get("format") == "int-or-string":
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    made = {name: strict(child) for name, child in node.items()}
    if "properties" in made and isinstance(made["properties"], dict) and not any(mark in made for mark in OPEN):
        made["additionalProperties"] = False
    return made


def write(folder: Path, group: str, kind: str, version: str, content: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{group or version}_{version}_{kind.lower()}.json").write_text(json.dumps(content))


def closure(name: str, definitions: Object, found: Object) -> None:
    """`name` and all that it refers to."""
    if name in found:
        return
    found[name] = definitions[name]
    for reference in json.dumps(definitions[name]).split('"#/definitions/')[1:]:
        closure(reference.split('"', 1)[0], definitions, found)


def write_schemas(openapi: Object, kinds: set[tuple[str, str]], folder: Path) -> str:
    """Returns the schema location for kubeconform. `kinds` are pairs of apiVersion and kind."""
    definitions = openapi["definitions"]
    for name, definition in definitions.items():
        for served in definition.get("x-kubernetes-group-version-kind", []):
            api_version = f"{served['group']}/{served['version']}".lstrip("/")
            if (api_version, served["kind"]) in kinds and served["group"] != "athanor.dev":
                needed: Object = {}
                closure(name, definitions, needed)
                write(folder, served["group"], served["kind"], served["version"],
                      {"$ref": f"#/definitions/{name}", "definitions": {key: strict(value) for key, value in needed.items()}})
    for plural in ("databasemigrations", "migrationapprovals"):
        spec = crd(plural)["spec"]
        for version in spec["versions"]:
            content = strict(version["schema"]["openAPIV3Schema"])
            content["properties"]["metadata"] = {"type": "object"}
            write(folder, spec["group"], spec["names"]["kind"], version["name"], content)
    # kubeconform calls the group of `apiVersion: v1` v1.
    return f"{folder}/{{{{ .Group }}}}_{{{{ .ResourceAPIVersion }}}}_{{{{ .ResourceKind }}}}.json"
