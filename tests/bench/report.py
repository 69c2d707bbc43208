"""What was measured, told as it comes: a line of JSON per run, a table per operation."""
import datetime
import json
import statistics

TITLES = {("W1", "up"): "W1: up from an empty database", ("W4", "down"): "W4: all of it down again",
          ("W2", "noop"): "W2: nothing to do", ("W3", "noop"): "W3: nothing to do, many on disk",
          ("W3", "current"): "W3: current, or status where a tool has no such command", ("W3", "heads"): "W3: heads",
          ("W3", "history"): "W3: history", ("W6", "fleet"): "W6: many databases"}


class Report:
    def __init__(self, json_path=None, markdown_path=None):
        self.results = {}  # (workload, operation) -> tool -> [Measurement]
        # Appended to and written through: what ends the run early loses nothing, and series of several runs share a file.
        self.json = open(json_path, "a", encoding="utf-8", buffering=1) if json_path else None
        self.markdown_path = markdown_path
        self.started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def add(self, workload, operation, tool, m):
        self.results.setdefault((workload, operation), {}).setdefault(tool, []).append(m)
        if self.json:
            self.json.write(json.dumps({"run": self.started, "workload": workload, "operation": operation, "tool": tool,
                                        "wall": m.wall, "cpu": m.cpu, "rss_mib": m.rss, "disturbed": m.noisy,
                                        "foreign_cpu": round(m.foreign, 3)}) + "\n")

    def floor(self, workload, operation):
        """The reference's median; commands that it has not are held against its "nothing to do"."""
        runs = self.results.get((workload, operation), {}).get("reference") or self.results.get((workload, "noop"), {}).get("reference")
        return statistics.median(m.wall for m in runs) if runs else None

    def table(self, workload, operation):
        by_tool = self.results[workload, operation]
        floor = self.floor(workload, operation)
        medians = {tool: [statistics.median(getattr(m, field) for m in runs) for field in ("wall", "cpu", "rss")]
                   for tool, runs in by_tool.items()}
        lines = ["", f"| {TITLES[workload, operation]} | wall s | × reference | CPU s | RSS MiB | disturbed |",
                 "|---|---:|---:|---:|---:|---:|"]
        for tool, (wall, cpu, rss) in sorted(medians.items(), key=lambda item: item[1][0]):
            ratio = f"{wall / floor:.2f}" if floor else "–"
            disturbed = sum(m.noisy for m in by_tool[tool])
            name = f"**{tool}**" if tool.startswith("athanor") else tool
            lines.append(f"| {name} | {wall:.3f} | {ratio} | {cpu:.3f} | {rss:.1f} | {disturbed} of {len(by_tool[tool])} |")
        return lines

    def tables(self, workloads=None):
        """Lines of Markdown for these workloads, or for all that were begun; the file holds all of them."""
        if self.markdown_path:
            with open(self.markdown_path, "w", encoding="utf-8") as file:
                file.write("\n".join(line for key in self.results for line in self.table(*key)) + "\n")
        return [line for key in self.results if workloads is None or key[0] in workloads for line in self.table(*key)]
