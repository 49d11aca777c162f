"""Check 30: every reply that calve's server gave is as Iceberg's OpenAPI document says; and replies that are spoilt on purpose are found out."""
import collections, json, os, threading
import openapi

DOCUMENT = f"{os.path.dirname(os.path.abspath(__file__))}/../../build/interop/openapi/rest-catalog.yaml"


class Replies:
    """Every reply of a server, as a proxy saw it."""

    def __init__(self):
        self.lock, self.seen = threading.Lock(), []

    def saw(self, *reply):
        with self.lock:
            self.seen.append(reply)

    def check(self):
        """How many replies are right, each fault with how often it came, and how many of the spoilt replies nobody noticed."""
        document, faults, right = openapi.Document(DOCUMENT), collections.Counter(), []
        for reply in self.seen:
            found = document.faults(*reply)
            method, path, status = reply[:3]
            for fault in found:
                faults[f"{method} {document.operation(method, path)[0] or path}, {status}: {fault}"] += 1
            if not found:
                right.append(reply)
        missed = [words for reply in kinds(document, right) for words, spoilt in spoil(document, reply) if not document.faults(*spoilt)]
        return len(right), faults, missed


def kinds(document, replies):
    """One reply of each operation and status."""
    return {(reply[0], document.operation(*reply[:2])[0], reply[2]): reply for reply in replies}.values()


def spoil(document, reply):
    """Replies made wrong, each with words for what was done to it."""
    method, path, status, content_type, body = reply
    place = f"{method} {path} {status}"
    yield f"{place} as 299", (method, path, 299, content_type, body)
    if method == "HEAD" or not body:
        yield f"{place} with a body", (method, path, status, content_type, b"{}")
        return
    yield f"{place} as text/plain", (method, path, status, "text/plain", body)
    yield f"{place} cut short", (method, path, status, content_type, body[:-1])
    for words, spoilt in spoil_json(json.loads(body), document.keys(method, path, status)):
        yield f"{place} {words}", (method, path, status, content_type, json.dumps(spoilt).encode())


def spoil_json(value, keys):
    """Another type for the reply and for each of `keys` at its top; no message, type or code in an error; no version or id in metadata."""
    yield "as a list", [value]
    for key in value.keys() & keys:
        yield f"with another type of {key}", {**value, key: [] if isinstance(value[key], (str, type(None))) else "1"}
    for key in value.get("error", {}) if isinstance(value.get("error"), dict) else {}:
        yield f"without {key} in its error", {"error": {k: v for k, v in value["error"].items() if k != key}}
    if "metadata" in value:
        for key in ("format-version", "table-uuid", "view-uuid"):
            if key in value["metadata"]:
                yield f"without {key}", {**value, "metadata": {k: v for k, v in value["metadata"].items() if k != key}}
