#!/usr/bin/env python3
"""Alembic's own answers on random revision graphs, as one JSON file.

    python alembic_oracle.py --seed 1 --graphs 300 --queries 20 -o oracle.json [--check] [--keep DIR]

Needs alembic and sqlalchemy in the Python that runs it. alembic-oracle-seed1.json.gz in this folder is the answer to the line above;
files of other seeds are replayed with

    ATHANOR_ORACLE=oracle.json[,more.json] build/tests/graph_test --gtest_filter='Oracle.*'

Graphs are written as real Alembic version folders and loaded with ScriptDirectory; steps come from script._upgrade_revs,
_downgrade_revs and _stamp_revs, rows from HeadMaintainer: nothing is modelled a second time.

Alembic iterates over sets of strings in places, so a few answers depend on the hash seed of the Python process. Every query is
answered under several values of PYTHONHASHSEED; where the answers differ, "alternatives" lists them all and any one is correct.
Revision.__hash__ (by default the memory address) is replaced by the hash of the revision id to make runs repeatable; equality
stays as it is.
"""
import argparse, hashlib, io, json, os, random, shutil, signal, subprocess, sys, tempfile, warnings
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
import alembic, sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import HeadMaintainer, MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import Revision

Revision.__hash__ = lambda self: hash(self.revision)
warnings.simplefilter("ignore")  # ask() records the warnings of a query itself
HASH_SEEDS = [str(i) for i in range(32)]  # enough to see every order of two sets
BROKEN = ["self_loop", "cycle", "dep_self_loop", "dep_cycle", "missing_down", "missing_dep",
          "dup_id", "dup_label", "label_is_id", "bad_char"]
LABELS = ["billing", "core", "shop", "auth", "abcdlabel", "abcx", "svc-2x", "v2", "a1b2", "ops_team"]


def make_ids(rng, n):
    style = rng.choice(["hex", "hex", "prefix", "seq", "short", "word", "mixed"])
    out = []
    while len(out) < n:
        s = rng.choice(["hex", "prefix", "seq", "short", "word"]) if style == "mixed" else style
        h = "".join(rng.choices("0123456789abcdef", k=12))
        new = {"hex": h, "prefix": rng.choice(["abcd", "abcde", "a1b2"]) + h[:rng.randint(1, 8)],
               "seq": "%04d" % rng.randint(1, 60), "short": h[:rng.randint(1, 3)],
               "word": rng.choice(["add", "drop", "fix"]) + "_" + h[:rng.randint(1, 4)]}[s]
        if new not in out and new not in LABELS:
            out.append(new)
    return out


def make_graph(rng):
    n = rng.choices([0, 1, 3, 6, 9, 12, 16], [1, 3, 10, 22, 28, 24, 12])[0]
    ids, labels = make_ids(rng, n), rng.sample(LABELS, len(LABELS))
    p_root, p_merge, p_branch, p_dep, p_label = (rng.choice(p) for p in (
        (.04, .12, .3), (.05, .2, .35), (.1, .25, .5), (0, .15, .35), (.05, .2, .4)))
    revs, heads = [], []
    for i, rid in enumerate(ids):
        if not revs or rng.random() < p_root:
            down = []
        elif len(heads) > 1 and rng.random() < p_merge:
            pool = heads if rng.random() < .85 else ids[:i]
            down = rng.sample(pool, min(len(pool), rng.choice([2, 2, 2, 3])))
        else:
            down = [rng.choice(ids[:i] if rng.random() < p_branch else heads)]
        deps = []
        if i and rng.random() < p_dep:
            for r in rng.sample(revs, min(i, rng.choice([1, 1, 2]))):
                if r["id"] not in down:
                    deps.append(rng.choice(r["labels"]) if r["labels"] and rng.random() < .5 else r["id"])
        mine = [labels.pop() for _ in range(rng.choice([1, 1, 1, 2])) if labels] if rng.random() < p_label else []
        revs.append({"id": rid, "down": down, "depends_on": deps, "labels": mine})
        heads = [h for h in heads if h not in down] + [rid]
    return revs


def break_graph(rng, revs, kind):
    """Damage a valid graph (>= 3 revisions) in one specific way."""
    a, b = rng.sample(revs, 2)
    if kind == "self_loop": a["down"] = [a["id"]]
    elif kind == "cycle": revs[0]["down"] = [revs[-1]["id"]]; revs[-1]["down"] = [revs[0]["id"]]
    elif kind == "dep_self_loop": a["depends_on"] = [a["id"]]
    elif kind == "dep_cycle": a["depends_on"], b["depends_on"] = [b["id"]], [a["id"]]
    elif kind == "missing_down": a["down"] = ["feedfacecafe"]
    elif kind == "missing_dep": a["depends_on"] = ["feedfacecafe"]
    elif kind == "dup_id": revs.append({**b, "down": [a["id"]] if a["down"] != [b["id"]] else [], "labels": []})
    elif kind == "dup_label": a["labels"], b["labels"] = ["twice"], ["twice"]
    elif kind == "label_is_id": a["labels"] = [b["id"]]
    elif kind == "bad_char":
        old, new = a["id"], "bad%sid" % rng.choice("@-+:")
        for r in revs:
            r["down"] = [new if d == old else d for d in r["down"]]
            r["depends_on"] = [new if d == old else d for d in r["depends_on"]]
        a["id"] = new


def write_dir(root, revs):
    (root / "versions").mkdir(parents=True)
    (root / "env.py").write_text("")
    lit = lambda v: repr(None if not v else v[0] if len(v) == 1 else tuple(v))
    for r in revs:
        (root / "versions" / r["file"]).write_text(
            '"""m %s"""\nrevision = %r\ndown_revision = %s\nbranch_labels = %s\ndepends_on = %s\n\n\n'
            "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
            % (r["id"], r["id"], lit(r["down"]), lit(r["labels"]), lit(r["depends_on"])))


class Recorder(HeadMaintainer):
    """HeadMaintainer that also notes the row operations it performs on alembic_version."""
    def _insert_version(self, version): super()._insert_version(version); self.ops.append(["insert", version])
    def _delete_version(self, version): super()._delete_version(version); self.ops.append(["delete", version])
    def _update_version(self, from_, to_): super()._update_version(from_, to_); self.ops.append(["update", from_, to_])


class Hang(BaseException):
    """Alembic does not see every cycle; on such a graph its topological sort never ends."""


def hangs(asker):
    def stop(*_):
        raise Hang
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(5)
    try:
        return asker.summary() is None
    except Hang:
        return True
    finally:
        signal.alarm(0)


def error_of(e):
    """"message" is what the CLI prints after "FAILED: "; a "crash" is not a CommandError, i.e. a traceback there."""
    cause = e.__cause__
    return {"class": type(e).__name__, "crash": not isinstance(e, alembic.util.CommandError), "message": str(e),
            "cause": cause and type(cause).__name__, "cause_message": cause and str(cause)}


class Asker:
    def __init__(self, root):
        self.script = ScriptDirectory(str(root))
        self.config = Config()
        self.config.set_main_option("script_location", str(root))
        self.context = MigrationContext.configure(
            dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()})

    def ask(self, op, current, target):
        steps, error = [], None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if ":" in target and op != "stamp":
                    getattr(command, op)(self.config, target)  # raises before env.py is run
                wanted = (target,) if op == "stamp" else target
                todo = getattr(self.script, "_%s_revs" % op)(wanted, tuple(current))
                maintainer = Recorder(self.context, current)
                for step in todo:
                    maintainer.ops = []
                    maintainer.update_to_step(step)
                    one = ({"from": sorted(step.from_), "to": sorted(step.to_)} if op == "stamp"
                           else {"id": step.revision.revision})
                    steps.append({"dir": "upgrade" if step.is_upgrade else "downgrade", **one,
                                  "heads": sorted(maintainer.heads), "ops": maintainer.ops})
            except Exception as e:
                error = error_of(e)
        notes = [str(w.message) for w in caught]
        return {"ok": error is None, "steps": steps, **({"error": error} if error else {}),
                **({"warnings": notes} if notes else {})}

    def summary(self):
        try:
            with self.script._catch_revision_errors():
                m = self.script.revision_map
                revs = [r for k, r in m._revision_map.items() if r is not None and k == r.revision]
            return {"heads": list(m.heads), "effective_heads": list(m._real_heads), "bases": list(m.bases),
                    "branch_points": [r.revision for r in revs if r.is_branch_point],
                    "merge_points": [r.revision for r in revs if r.is_merge_point],
                    "all_labels": {r.revision: sorted(r.branch_labels) for r in revs},
                    "history": [r.revision for r in self.script.walk_revisions()]}
        except Exception as e:
            return {"error": error_of(e)}


def ancestors(revs, ids):
    down, out, todo = {r["id"]: r["down"] for r in revs}, set(), list(ids)
    while todo:
        one = todo.pop()
        if one in down and one not in out:
            out.add(one)
            todo += down[one]
    return sorted(out)


def make_target(rng, op, revs, current):
    ids = [r["id"] for r in revs] or ["none"]
    labels = [x for r in revs for x in r["labels"]]
    near = (ancestors(revs, current) if op == "downgrade" else None) or ids
    signs, words = ("-+", [1, 1, 8]) if op == "downgrade" else ("+-", [4, 5, 1])

    def atom():
        full = rng.choice(near if rng.random() < .75 else ids)
        return rng.choices([full, full[:rng.randint(1, max(1, len(full) - 1))], rng.choice(labels or ids),
                            word(), rng.choice(["deadbeef", "zz", "abcd", "a1b2", "abc"])], [60, 18, 14, 4, 4])[0]
    num = lambda: rng.choices(signs, [9, 1])[0] + str(rng.choices([0, 1, 2, 3, 5, 20], [2, 45, 25, 15, 10, 3])[0])
    word = lambda: rng.choices(["head", "heads", "base"], words)[0]
    branch = lambda: rng.choice(labels) if labels and rng.random() < .75 else atom()
    return rng.choices([word, atom, num, lambda: atom() + num(), lambda: branch() + "@" + word(),
                        lambda: branch() + "@" + num(), lambda: branch() + "@" + atom(),
                        lambda: branch() + "@" + atom() + num(), lambda: atom() + ":" + atom(),
                        lambda: rng.choice(["current", "", "nolabel@head", "+", "-", "head@", "1"])],
                       [20, 32, 14, 8, 10, 8, 4, 1, 1, 2])[0]()


def make_states(rng, asker, revs):
    """Sets of alembic_version rows reachable by real upgrades and downgrades."""
    states = [[]]
    for _ in range(12 if revs else 0):
        op = rng.choice(["upgrade", "upgrade", "downgrade"])
        got = asker.ask(op, rng.choice(states), rng.choice([r["id"] for r in revs] + ["heads"]))
        if got["ok"] and got["steps"]:
            state = rng.choice([got["steps"][-1], rng.choice(got["steps"])])["heads"]
            if state not in states:
                states.append(state)
    return states


def build(seed, index, queries, root):
    rng = random.Random("%s/%s" % (seed, index))
    broken = BROKEN[index // 20 % len(BROKEN)] if index % 20 == 7 else None  # one graph in 20, every kind in turn
    revs = make_graph(rng)
    while broken and len(revs) < 3:
        revs = make_graph(rng)
    if broken:
        break_graph(rng, revs, broken)
    stamps = rng.random() < .3  # date-first file names: load order is then unrelated to the ids
    for i, r in enumerate(revs):
        r["file"] = ("%03d_%s%d.py" % (rng.randint(0, 999), r["id"], i)) if stamps else "%s_m%d.py" % (r["id"], i)
    revs.sort(key=lambda r: r["file"])  # Alembic loads a version directory in file name order
    write_dir(root, revs)
    asker = Asker(root)
    if broken and hangs(asker):
        return {"index": index, "broken": broken, "hang": True, "revisions": revs, "queries": []}
    states = [[]] if broken else make_states(rng, asker, revs)
    asked = []
    for _ in range(queries if not broken else min(queries, 4)):
        op = rng.choices(["upgrade", "downgrade", "stamp"], [45, 45, 10])[0]
        current = list(rng.choice(states[1:] if op == "downgrade" and states[1:] and rng.random() < .85 else states))
        if revs and rng.random() < .04:  # rows no migration run would leave behind
            current = rng.sample([r["id"] for r in revs] + ["0123456789ab"], min(len(revs), rng.choice([1, 2, 2, 3])))
            current = list(dict.fromkeys(current))
        rng.shuffle(current)
        asked.append({"op": op, "from": current, "target": make_target(rng, op, revs, current)})
    return {"index": index, "broken": broken, "revisions": revs, "queries": asked}


def answer_all(graphs, dirs):
    out = []
    for g in graphs:
        if g.get("hang"):
            out.append([{"error": error_of(Hang("Alembic does not terminate on this graph"))}])
            continue
        asker = Asker(dirs / str(g["index"]))
        out.append([asker.summary()] + [asker.ask(q["op"], q["from"], q["target"]) for q in g["queries"]])
    return out


def settle(key, other, variants):
    """One answer, and all of them where the hash seed changes it; ops are dropped where only they vary."""
    bare = lambda v: {**v, "steps": [{k: s[k] for k in s if k != "ops"} for s in v["steps"]]} if "steps" in v else v
    distinct = lambda vs: list({json.dumps(v, sort_keys=True): v for v in vs}.values())
    full, plain = distinct(variants), distinct(map(bare, variants))
    return {key: full[0] if len(full) == 1 else plain[0], **({other: plain} if len(plain) > 1 else {})}


def run(a):
    dirs = Path(a.keep or tempfile.mkdtemp(prefix="oracle-"))
    try:
        graphs = [build(a.seed, i, a.queries, dirs / str(i)) for i in range(a.graphs)]
        payload, answers = json.dumps(graphs), []
        for hs in HASH_SEEDS:
            done = subprocess.run([sys.executable, __file__, "--worker", str(dirs)], input=payload, text=True,
                                  stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONHASHSEED": hs})
            answers.append(json.loads(done.stdout))
    finally:
        if not a.keep:
            shutil.rmtree(dirs)
    counts = Counter({"graphs Alembic hangs on": sum("hang" in g for g in graphs)})
    for gi, g in enumerate(graphs):
        g.update(settle("summary", "summary_alternatives", [x[gi][0] for x in answers]))
        for qi, q in enumerate(g["queries"], 1):
            q.update(settle("result", "alternatives", [x[gi][qi] for x in answers]))
            e, none = q["result"].get("error"), "" if q["result"]["steps"] else " (no steps)"
            counts["hash-dependent"] += "alternatives" in q
            counts["error %s/%s" % (e["class"], e["cause"]) if e else "%s ok%s" % (q["op"], none)] += 1
    meta = {"alembic": alembic.__version__, "sqlalchemy": sqlalchemy.__version__, "seed": a.seed,
            "graphs": a.graphs, "queries": a.queries, "hash_seeds": HASH_SEEDS}
    text = '{"meta":%s,\n"graphs":[\n%s\n]}\n' % (json.dumps(meta), ",\n".join(json.dumps(g) for g in graphs))
    Path(a.output).write_text(text)
    return hashlib.sha256(text.encode()).hexdigest(), counts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--graphs", type=int, default=300)
    p.add_argument("--queries", type=int, default=20, help="queries per graph")
    p.add_argument("-o", "--output", default="oracle.json")
    p.add_argument("--keep", help="new folder in which to leave the version directories (DIR/<index>/versions)")
    p.add_argument("--check", action="store_true", help="run a second time and compare the two files")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.worker:
        return json.dump(answer_all(json.load(sys.stdin), Path(a.worker)), sys.stdout)
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable] + sys.argv, {**os.environ, "PYTHONHASHSEED": "0"})
    digest, counts = run(a)
    for name, count in sorted(counts.items()):
        print("%6d  %s" % (count, name))
    print("wrote %s  sha256 %s" % (a.output, digest))
    if a.check:
        a.keep = None
        same = run(a)[0] == digest
        print("second run:", "identical" if same else "DIFFERENT")
        sys.exit(not same)


if __name__ == "__main__":
    main()
