"""Prints "N passed, N failed, N skipped" over the logs of meson test.

Counts cases, not programs: the subtests of TAP programs, one for any other
program, and one failure more for a program that crashed or ran out of time.
Exit code 1 if a case failed or none passed.

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import re
import sys

LINE = re.compile(r"^\s*(ok|not ok)\b(.*)$")


def count(test):
    """(passed, failed, skipped) of one entry of testlog.json."""
    passed = failed = skipped = 0
    for line in (test.get("stdout") or "").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        if re.search(r"#\s*SKIP", match[2], re.IGNORECASE):
            skipped += 1
            print(f"skipped: {test['name']}: {match[2].strip()}")
        elif match[1] == "ok":
            passed += 1
        else:
            failed += 1
            print(f"failed: {test['name']}: {match[2].strip()}")
    result = test["result"]
    if passed + failed + skipped == 0:
        passed, failed, skipped = {
            "OK": (1, 0, 0),
            "SKIP": (0, 0, 1),
        }.get(result, (0, 1, 0))
        if not passed:
            print(f"{result.lower()}: {test['name']}")
    elif result not in ("OK", "SKIP") and failed == 0:
        failed = 1
        print(f"{result.lower()}: {test['name']}")
    return passed, failed, skipped


def main():
    total = [0, 0, 0]
    for build in sys.argv[1:]:
        log = pathlib.Path(build) / "meson-logs" / "testlog.json"
        if not log.exists():
            print(f"no test ran in {build}")
            total[1] += 1
            continue
        for line in log.read_text().splitlines():
            for i, n in enumerate(count(json.loads(line))):
                total[i] += n
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    sys.exit(1 if total[1] or not total[0] else 0)


main()
