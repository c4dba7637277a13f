"""kill -9 in the middle of load, with flushes and merges running: every acknowledged row is there exactly once.

CRASHES says how many crashes there are in a run (3 unless told otherwise).
"""

import os
import random
import threading
import time

from glasshouse import Refused, eventually

SENDERS = 3
SPANS = 200


class Sender(threading.Thread):
    """Sends requests one after the other, and keeps in mind which were acknowledged."""

    def __init__(self, server, number, acknowledged):
        super().__init__(daemon=True)
        self.server, self.number, self.acknowledged = server, number, acknowledged
        self.sequence = len(acknowledged) * 1_000_000
        self.url_is_up = True

    def body(self):
        start = time.time_ns()
        ids = []
        spans = []
        for position in range(SPANS):
            self.sequence += 1
            span_id = f"{self.number + 1:04x}{self.sequence:012x}"
            ids.append(span_id)
            spans.append(
                {
                    "trace_id": f"{self.number + 1:08x}{self.sequence // 20 + 1:024x}",
                    "span_id": span_id,
                    "name": f"operation {position % 9}",
                    "service_name": f"sender-{self.number}",
                    "start_time": str(start + position),
                    "end_time": str(start + position + 1000),
                    "attributes": {"filler": random.randbytes(60).hex(), "position": position},
                }
            )
        return {"spans": spans}, ids

    def run(self):
        while self.url_is_up:
            body, ids = self.body()
            try:
                self.server.post_json("/v1/traces", body)
            except Refused as refused:
                assert refused.status in (429, 503), refused
            except OSError:
                # The server was killed: whether it kept these spans, nobody was told.
                return
            except Exception as error:  # a connection that ends within an answer
                if "IncompleteRead" in type(error).__name__ or "RemoteDisconnected" in type(error).__name__:
                    return
                raise
            else:
                self.acknowledged.update(ids)


def test_acknowledged_spans_survive_kill_nine_exactly_once(start):
    seed = int(os.environ.get("CRASH_SEED", random.randrange(2**32)))
    print(f"CRASH_SEED={seed}")
    chance = random.Random(seed)
    # Little memory makes generations small, so that flushes and merges are always under way.
    server = start("--memory-limit", "96MiB")
    acknowledged = [set() for _ in range(SENDERS)]
    for _ in range(int(os.environ.get("CRASHES", "3"))):
        before = sum(map(len, acknowledged))
        senders = [Sender(server, number, acknowledged[number]) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        more = chance.randrange(2_000, 60_000)
        eventually("enough is sent", lambda: sum(map(len, acknowledged)) - before > more)
        time.sleep(chance.random() * 0.05)  # the moment of the crash is a matter of chance
        server.kill()
        for sender in senders:
            sender.url_is_up = False
            sender.join()
        server.start()
        assert_exactly_once(server, acknowledged)
    server.wait_until_flushed()
    assert_exactly_once(server, acknowledged)
    server.restart()
    assert_exactly_once(server, acknowledged)


def assert_exactly_once(server, acknowledged):
    found = {}
    for row in server.sql("SELECT span_id, count(*) AS n FROM spans GROUP BY span_id"):
        found[row["span_id"]] = row["n"]
    twice = [span_id for span_id, n in found.items() if n != 1]
    assert not twice, f"{len(twice)} spans are there more than once, e.g. {twice[:3]}"
    lost = set().union(*acknowledged) - found.keys()
    assert not lost, f"{len(lost)} of {sum(map(len, acknowledged))} acknowledged spans are lost, e.g. {sorted(lost)[:3]}"
