"""The control surface of the mock server, for the programs that call it with other people's clients."""

import json
import urllib.request

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _call(endpoint, method, path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{endpoint}/_mock/v1{path}", data=data, method=method)
    with _direct.open(request, timeout=30) as answer:
        assert answer.status < 300, answer.status


def advance_clock(endpoint, time):
    """Advances the clock by a time such as `1h 30m`."""
    _call(endpoint, "PUT", "/clock", {"advance": time})


def answer_once(endpoint, operation, status):
    """Lets the next call of an operation be answered with the failure of this status."""
    fault = {
        "when": {"operation": operation, "times": 1},
        "then": {"kind": "answer", "status": status},
    }
    _call(endpoint, "POST", "/faults", fault)
