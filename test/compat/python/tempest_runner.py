"""Runs modules of tempest one after the other and prints one JSON line for each outcome.

    tempest_runner.py <tempest.conf> <module> [<module> ...]

A line is {"test": <id>, "outcome": "ok" | "failed" | "skipped", "reason": <text>}. A module that this version of tempest
does not have is reported as {"test": <module>, "outcome": "absent"}.
"""

import importlib.util
import json
import os
import sys
import unittest


def say(test, outcome, reason=""):
    print(json.dumps({"test": test, "outcome": outcome, "reason": reason}), flush=True)


class Reporter(unittest.TestResult):
    """Passes every outcome on as it comes; that of a class's set-up too."""

    def addSuccess(self, test):
        super().addSuccess(test)
        say(test.id(), "ok")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        say(test.id(), "skipped", str(reason))

    def addFailure(self, test, error):
        super().addFailure(test, error)
        say(test.id(), "failed", self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        say(test.id(), "failed", self.errors[-1][1])


def main(config, *modules):
    os.environ["TEMPEST_CONFIG_DIR"] = os.path.dirname(os.path.abspath(config))
    os.environ["TEMPEST_CONFIG"] = os.path.basename(config)
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    for module in absent:
        say(module, "absent")
    reporter = Reporter()
    # One suite: a result that is used for several would tear the last class of each down twice.
    unittest.TestLoader().loadTestsFromNames([module for module in modules if module not in absent]).run(reporter)
    return 0 if reporter.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
