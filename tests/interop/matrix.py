"""What a run of the interop programs found, written down for docs/interop.md: one line of JSON for each outcome in the file INTEROP_RESULTS.

Every outcome belongs to a check (its number in docs/interop.md) and an engine. It is `equal`, `known` (the engine can't, for a cause that is
given), `lacking` (calve can't) or `failed`. INTEROP_STEP says which program is running.
"""
import json, os

def record(check, engine, outcome, cause="", count=1):
    place = os.environ.get("INTEROP_RESULTS")
    if not place:
        return
    with open(place, "a") as out:
        out.write(json.dumps({"check": check, "engine": engine, "outcome": outcome, "cause": cause, "count": count,
                              "step": os.environ.get("INTEROP_STEP", "")}) + "\n")

def recorded():
    with open(os.environ["INTEROP_RESULTS"]) as lines:
        return [json.loads(line) for line in lines]

def forget(step):
    """What a program said when it was run before."""
    if os.path.exists(os.environ["INTEROP_RESULTS"]):
        kept = [result for result in recorded() if result["step"] != step]
        with open(os.environ["INTEROP_RESULTS"], "w") as out:
            out.writelines(json.dumps(result) + "\n" for result in kept)
