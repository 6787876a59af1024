"""Times one peer in this process: `measure.py PEER DIRECTORY` prints CPU seconds of all threads, and rows, as JSON."""

import json
import sys
import time

LINES = ["orjson_online", "orjson_numpy", "polars", "evidently_pandas"]
MEMORY = ["numpy_scipy", "scouter", "evidently", "nannyml"]


def prepare(peer, directory):
    """What is to be timed, and on how many rows."""
    import data

    if peer in LINES:
        import lines

        with open(f"{directory}/predictions.jsonl", "rb") as file:
            n = sum(1 for _ in file)
        return getattr(lines, peer)(directory, data.reference(directory)), n
    import memory

    rows = data.rows(directory)
    n = len(rows["label"])
    return getattr(memory, peer)(data.reference(directory), rows), n - n % data.WINDOW


def main():
    peer, directory = sys.argv[1:]
    job, n = prepare(peer, directory)
    before = time.process_time()
    result = job()
    seconds = time.process_time() - before
    assert result, "a peer that found nothing did nothing"
    print(json.dumps({"seconds": seconds, "rows": n}))


if __name__ == "__main__":
    main()
