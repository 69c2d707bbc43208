#!/usr/bin/env python3
"""Random Alembic file headers and what Python itself makes of them.

    make_alembic_headers.py [--seed N] [--count N] > tests/golden/alembic-headers.json

Python executes every header; the answers are what our parser must find without Python. A case whose header assigns something
computed has no answer: our parser must refuse it.
"""
import argparse
import json
import random
import re

WORDS = ["add", "users", "email", "index", "drop", "table", "orders", "naïve", "größe", "with: colon", "it's", 'say "hi"', "a\\b"]
HEX = "0123456789abcdef"


def identifier(rng):
    return "".join(rng.choice(HEX) for _ in range(rng.choice([4, 12, 12, 12])))


def quoted(rng, text):
    """One spelling of a string literal."""
    prefix = rng.choice(["", "", "", "", "u", "U", "r", "R"])
    quote = rng.choice(["'", '"', "'", '"', "'''", '"""'])
    plain = re.fullmatch(r"[\w .]*", text, re.ASCII)
    if prefix in "rR" and prefix and not plain:
        prefix = ""
    body = text if prefix in ("r", "R") and prefix else text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    if prefix not in ("r", "R") and body and rng.random() < 0.2:
        at = rng.randrange(len(text))
        code = ord(text[at])
        spelled = rng.choice(["\\x%02x" % code if code < 256 else "\\u%04x" % code, "\\u%04x" % code, "\\U%08x" % code])
        rest = text[at + 1:].replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
        body = text[:at].replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"') + spelled + rest
    if len(quote) == 1 and prefix not in ("r", "R") and rng.random() < 0.05 and "\\" not in body:
        at = rng.randrange(len(body) + 1)
        body = body[:at] + "\\\n" + body[at:]
    return prefix + quote + body + quote


def string(rng, text):
    """Perhaps in several adjacent pieces; those need brackets when they span lines."""
    if len(text) > 2 and rng.random() < 0.15:
        cut = rng.randrange(1, len(text))
        pieces = [quoted(rng, text[:cut]), quoted(rng, text[cut:])]
        if rng.random() < 0.5:
            return "(" + rng.choice(["", "\n    "]) + "\n    ".join(pieces) + rng.choice(["", "\n"]) + ")"
        return " ".join(pieces)
    if rng.random() < 0.1:
        return "(" + quoted(rng, text) + ")"
    return quoted(rng, text)


def listing(rng, items):
    opening, closing = rng.choice(["()", "[]", "{}"] if len(items) == 1 else ["()", "[]"])
    separator = rng.choice([", ", ",", ",\n    ", ",  # next\n    ", " ,\n\n\t"])
    body = separator.join(string(rng, item) for item in items)
    comma = "," if opening == "(" and len(items) == 1 else rng.choice(["", ",", " ,"]) if items else ""
    if opening == "(" and rng.random() < 0.15 and "\n" not in body and items:
        return body + ("," if len(items) == 1 else rng.choice(["", ","]))
    edge = rng.choice(["", "\n", "  # why\n", " "])
    return opening + edge + body + comma + rng.choice(["", "\n", " "]) + closing


def value(rng, items, scalar_allowed=True):
    if not items:
        return rng.choice(["None", "None", "()", "[]", "(None)"])
    if len(items) == 1 and scalar_allowed and rng.random() < 0.6:
        return string(rng, items[0])
    return listing(rng, items)


def assignment(rng, name, text):
    annotation = rng.choice(["", "", ": str", ": Union[str, Sequence[str], None]", ': "Union[str, None]"', ":Optional[str]"])
    space = rng.choice([" ", " ", "", " \\\n    "])
    return name + annotation + rng.choice([" ", ""]) + "=" + space + text + rng.choice(["", "  # used by Alembic", ";", " "])


def noise(rng, names):
    name = rng.choice(names)
    return rng.choice([
        "# " + name + " = 'commented'",
        "import os",
        "from typing import (\n    Optional,\n    Sequence,\n    Union,\n)",
        "text = '''\n%s = \"inside a string\"\n'''" % name,
        'text = r"""\\\n%s = 1\n"""' % name,
        "other_%s = 'x'" % name,
        "class Holder:\n    %s = 'in a class'\n\n    def method(self):\n        %s = 1" % (name, name),
        "def helper():\n    %s = 'in a function'\n    return '''\n%s = 1\n'''" % (name, name),
        "numbers = [1, 2,\n  3]",
        "if os is None: pass",
        "mapping = {\n'%s': 1,\n}" % name,
        "x = 1; y = 2",
        "f = f\"{os} and {'nested'}\"",
        "%s: str" % name,
        "",
    ])


def make_case(rng, number):
    message = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 5)))
    docstring_message = message.replace("\\", "\\\\").replace('"', '\\"')
    header = {"revision": [identifier(rng)],
              "down_revision": [identifier(rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))],
              "branch_labels": [identifier(rng) for _ in range(rng.choice([0, 0, 1, 2]))],
              "depends_on": [identifier(rng) for _ in range(rng.choice([0, 0, 1, 2]))]}
    lines = ["from __future__ import annotations", "import os", "from typing import Optional, Sequence, Union"]
    names = list(header)
    optional = [name for name in ("branch_labels", "depends_on") if rng.random() < 0.15]
    if rng.random() < 0.15:
        lines.append(assignment(rng, "down_revision", value(rng, [identifier(rng)])))  # the later one wins
    rng.shuffle(names)
    for name in names:
        if rng.random() < 0.4:
            lines.append(noise(rng, list(header)))
        if name in optional:
            continue
        text = string(rng, header[name][0]) if name == "revision" else value(rng, header[name])
        lines.append(assignment(rng, name, text))
    if rng.random() < 0.12:
        bad = rng.choice(["tuple(['a'])", "'a' + 'b'", "os.getcwd()", "'%s' % 1", "123", "('a', 'b')[0]", "[x for x in ()]",
                          "f'a'", "'a' if os else 'b'", "str", "('a', None)", "*('a',),", "[['a']]", "-1", "''"])
        lines.append("down_revision = " + bad)
    lines += ["", "", "def upgrade():", "    revision = 'not this'", "    pass", "", "def downgrade():", "    pass"]
    docstring = '"""%s\n\nRevision ID: %s\nRevises: x\nCreate Date: 2026-11-%02d 02:10:00.%06d\n\n"""' % (
        docstring_message, header["revision"][0], rng.randint(1, 28), rng.randrange(10**6))
    docstring = rng.choice([docstring] * 6 + [quoted(rng, message), "", "# no docstring\nx = 1"])
    comment = rng.choice(["", "", "# -*- coding: utf-8 -*-\n", "\n\n", "#!/usr/bin/env python\n\n"])
    text = comment + docstring + "\n" + "\n".join(lines) + rng.choice(["\n", ""])
    if rng.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return {"name": "%03d" % number, "text": text}


def answer(text):
    """What the module holds after Python ran it; None where a value is no literal of strings."""
    import ast
    tree = ast.parse(text.replace("\r\n", "\n"))
    literal = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision", "branch_labels", "depends_on") \
                    and node.value is not None:
                literal[target.id] = node.value
    for node in literal.values():
        try:
            read = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            return None
        items = [read] if isinstance(read, str) else [] if read is None else read
        if isinstance(node, ast.JoinedStr) or isinstance(items, (int, bytes)) or not all(isinstance(i, str) and i for i in items):
            return None
        if isinstance(read, set) and len(read) > 1:
            raise AssertionError("the order of a set is not Python's to keep")
    space = {}
    exec(compile(text.replace("\r\n", "\n"), "header", "exec"), space)

    def items(name):
        found = space.get(name)
        return [found] if isinstance(found, str) else list(found or ())

    doc = (space.get("__doc__") or "").strip()
    created = [line.strip()[len("Create Date:"):].strip() for line in doc.split("\n") if line.strip().startswith("Create Date:")]
    return {"id": space["revision"], "down": items("down_revision"), "labels": items("branch_labels"),
            "depends_on": items("depends_on"), "message": doc.split("\n")[0].strip(), "created": (created + [""])[0]}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=150)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    cases = []
    while len(cases) < options.count:
        case = make_case(rng, len(cases))
        try:
            case["answer"] = answer(case["text"])
        except SyntaxError:
            continue
        cases.append(case)
    print(json.dumps({"seed": options.seed, "cases": cases}, indent=0, ensure_ascii=False))


if __name__ == "__main__":
    main()
