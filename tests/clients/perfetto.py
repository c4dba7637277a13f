"""Reads traces with Perfetto's own trace processor, and compares them with what SQL answers."""

import json
import os
import pathlib
import subprocess

from glasshouse import ROOT

TRACE_PROCESSOR = os.environ.get("TRACE_PROCESSOR")


def ask(trace, *queries):
    """The rows of each query over a trace."""
    assert TRACE_PROCESSOR, "TRACE_PROCESSOR names no folder: `cargo xtask test` fetches one and names it"
    asked = subprocess.run(
        ["node", ROOT / "tests/clients/node/trace_processor.mjs", trace],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def number(value):
    return None if value is None else int(value)


class Trace:
    """What trace processor makes of a trace."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        stats, slices, args, flows, counters, threads, processes = ask(
            path,
            "SELECT name, severity, value FROM stats WHERE value > 0",
            "SELECT id, name, ts, dur, depth, parent_id, category, track_id, arg_set_id FROM slice",
            "SELECT arg_set_id, key, value_type, int_value, string_value, real_value FROM args",
            "SELECT slice_out, slice_in FROM flow",
            "SELECT c.ts, c.value, t.name, t.unit FROM counter c JOIN counter_track t ON c.track_id = t.id",
            "SELECT tt.id AS track_id, t.tid, t.name, p.name AS process, p.pid FROM thread_track tt"
            " JOIN thread t USING (utid) LEFT JOIN process p USING (upid)",
            "SELECT name, pid FROM process WHERE pid > 0",
        )
        self.stats = {row["name"]: row for row in stats}
        self.args = {}
        for row in args:
            self.args.setdefault(row["arg_set_id"], {})[row["key"]] = self._value(row)
        self.slices = {
            int(row["id"]): {
                **row,
                "ts": int(row["ts"]),
                "dur": int(row["dur"]),
                "depth": int(row["depth"]),
                "parent_id": number(row["parent_id"]),
                "args": self.args.get(row["arg_set_id"], {}),
            }
            for row in slices
        }
        self.flows = [(int(row["slice_out"]), int(row["slice_in"])) for row in flows]
        self.counters = [{**row, "ts": int(row["ts"])} for row in counters]
        self.threads = {row["track_id"]: row for row in threads}
        self.processes = {row["name"]: int(row["pid"]) for row in processes}
        points = {"EVENT", "LINK", "LOG"}
        is_point = lambda s: bool(points & set((s["category"] or "").split(",")))  # noqa: E731
        self.points = [s for s in self.slices.values() if is_point(s)]
        self.spans = {s["args"]["debug.otel_span_id"]: s for s in self.slices.values() if not is_point(s)}
        assert len(self.spans) + len(self.points) == len(self.slices), "a span comes twice"

    @staticmethod
    def _value(row):
        if row["value_type"] == "string":
            return row["string_value"]
        if row["value_type"] == "real":
            return row["real_value"]
        return bool(int(row["int_value"])) if row["value_type"] == "bool" else number(row["int_value"])

    def of_category(self, category):
        return [point for point in self.points if category in point["category"].split(",")]

    def check(self):
        """Nothing was dropped, repaired or left hanging."""
        lost = [row for row in self.stats.values() if row["severity"] in ("error", "data_loss")]
        assert not lost, lost
        assert not [name for name in self.stats if "drop" in name], self.stats

    def check_spans(self, rows, cut=(None, None)):
        """The spans are those of SQL: names, times, nesting, arrows, attributes. `cut` is the window."""
        begin, end = cut
        assert set(self.spans) == {row["span_id"] for row in rows}
        by_id = {slice["id"]: span_id for span_id, slice in self.spans.items()}
        points = {point["id"] for point in self.points}
        wanted = set()
        for row in rows:
            shown = self.spans[row["span_id"]]
            assert shown["name"] == row["name"].replace("\0", "␀")
            start = max(row["start_time"], begin) if begin else row["start_time"]
            assert shown["ts"] == start, row
            if row["end_time"] is None:
                assert shown["dur"] == -1 and shown["args"]["debug.glasshouse_open"] is True, shown
            else:
                until = min(row["end_time"], end) if end else row["end_time"]
                assert shown["dur"] == until - start, row
            if begin and row["start_time"] < begin:
                assert shown["args"]["debug.glasshouse_start_time"] == row["start_time"]
            within = by_id.get(str(shown["parent_id"]))
            parent = row["parent_span_id"]
            if parent in self.spans and within != parent and self.spans[parent]["ts"] <= shown["ts"]:
                wanted.add((parent, row["span_id"]))
            depth = 0 if shown["parent_id"] is None else self.slices[shown["parent_id"]]["depth"] + 1
            assert shown["depth"] == depth
            for key, value in json.loads(row["attributes"] or "{}").items():
                if not isinstance(value, (list, dict)):
                    assert shown["args"][f"debug.{key.replace('.', '_')}"] == value, (row["span_id"], key)
        # An arrow to a span leads from its parent, and there is one whenever the span is not directly within it.
        to_spans = {(by_id.get(str(out)), by_id[str(into)]) for out, into in self.flows if str(into) not in points}
        assert to_spans == wanted
