# SPDX-License-Identifier: Apache-2.0
"""Threads that call a musterd as its agents do and remember what was acknowledged.

A Caller at work does one call after the other on one connection, so it knows the order of its own
writes, and at most one of them (`pending`) has an unknown outcome when the server goes away.
"""
import random
import threading

from muster_process import Musterd, Unanswered, agent_headers, enrolment

#: Packages that reports are made of; every third one has an advisory that version 1 falls under.
UNIVERSE = [f"package-{number:03}" for number in range(240)]
VULNERABLE = set(UNIVERSE[::3])
VERSIONS = ("1.0-1", "2.0-1", "3.0-1")
FEED = {name: {f"CVE-2099-{10000 + UNIVERSE.index(name)}": {
    "description": "Overflows.", "releases": {"bookworm": {
        "status": "resolved", "repositories": {"bookworm": "1.0-1"}, "fixed_version": "2.0-1",
        "urgency": "high"}}}} for name in sorted(VULNERABLE)}


class Tally:
    """Counts acknowledged writes over all threads and stops them."""

    def __init__(self):
        self.condition = threading.Condition()
        self.count = 0
        self.failures = []
        self.stopped = threading.Event()

    def add(self):
        with self.condition:
            self.count += 1
            self.condition.notify_all()

    def fail(self, text):
        with self.condition:
            self.failures.append(text)
            self.condition.notify_all()

    def wait_for(self, count, seconds=60):
        """True once so many writes were acknowledged."""
        with self.condition:
            return self.condition.wait_for(lambda: self.count >= count or self.failures, seconds) \
                and not self.failures


class AtWork(threading.Thread):
    """Calls until it has nothing left to do, the tally stops it, or the server goes away."""

    def __init__(self, caller, rng, tally):
        super().__init__(daemon=True)
        self.caller, self.rng, self.tally = caller, rng, tally
        self.lost = None        # the Unanswered that ended it
        self.refused = 0        # answers 503

    def run(self):
        try:
            while not self.tally.stopped.is_set() and self.step():
                pass
        except Unanswered as unanswered:
            self.lost = unanswered
        except Exception as error:  # pylint: disable=broad-except
            self.tally.fail(f"{type(self).__name__}: {error!r}")
        finally:
            self.caller.close()

    def step(self):
        """One call; False when all is done."""
        raise NotImplementedError

    def call(self, method, path, body, want):
        """True when acknowledged, False when the server said 503."""
        answer = self.caller.ask(method, path, body)
        if answer.status == 503:
            if "Retry-After" not in answer.headers:
                raise AssertionError(f"503 without Retry-After: {answer.body}")
            self.refused += 1
            return False
        if answer.status != want:
            raise AssertionError(f"{method} {path} answered {answer.status}: {answer.body}")
        self.tally.add()
        return True


def random_result(rng, stdout_bytes=0):
    """A result as an agent sends it, in two of three cases with a bundle of controls."""
    result = {"exit_code": rng.randint(-1, 255), "execution_duration_ms": rng.randint(0, 10**6),
              "stdout": f"out {rng.random()} ü\n" + "x" * stdout_bytes,
              "stderr": f"err {rng.random()}", "hostname": "h", "os": "linux", "arch": "amd64"}
    count = rng.choice((0, 5, 12))
    if count:
        result["bundle_results"] = {"bundle_id": f"b-{rng.randint(1, 9)}", "controls": [
            {"control_id": f"CH-{number:03}", "control_name": f"Control {number}",
             "exit_code": rng.choice((0, 101, 126)), "compliant": rng.random() < 0.5,
             "severity": rng.choice(("low", "high")), "details": f"details {rng.random()}",
             "techniques": ["T1562.001"]} for number in range(count)]}
    return result


class ReportsResults(AtWork):
    """An enrolled agent that posts the results of `tasks`; now and then one of them twice."""

    def __init__(self, caller, rng, tally, tasks, stdout_bytes=0):
        super().__init__(caller, rng, tally)
        self.tasks, self.stdout_bytes = list(reversed(tasks)), stdout_bytes
        self.acknowledged = {}  # task -> result
        self.pending = None     # (task, result)

    def step(self):
        if not self.tasks:
            return False
        if self.acknowledged and self.rng.random() < 0.1:
            # Another content for a task that has a result: 200, and nothing changes.
            task = self.rng.choice(sorted(self.acknowledged))
            self.call("POST", f"/api/agent/tasks/{task}/result", random_result(self.rng), 200)
            return True
        task = self.tasks.pop()
        result = random_result(self.rng, self.stdout_bytes)
        self.pending = (task, result)
        if self.call("POST", f"/api/agent/tasks/{task}/result", result, 200):
            self.acknowledged[task] = result
        else:
            self.tasks.insert(0, task)
        self.pending = None
        return True


class ReportsInventory(AtWork):
    """A site that reports its hosts, in full and as deltas; the only one that does."""

    OS = {"name": "Debian GNU/Linux", "version": "12 (bookworm)"}

    def __init__(self, caller, rng, tally, hosts):
        super().__init__(caller, rng, tally)
        self.hosts = hosts      # hostname -> set of (name, version), or None: never reported
        self.pending = None     # (hostname, body, set)

    def step(self):
        hostname = self.rng.choice(sorted(self.hosts))
        present = self.hosts[hostname]
        if present is None or self.rng.random() < 0.2:
            body, after = self.full(hostname)
        else:
            body, after = self.delta(hostname, present)
        self.pending = (hostname, body, after)
        if self.call("POST", "/api/agent/report", body, 200):
            self.hosts[hostname] = after
        self.pending = None
        return True

    def some(self, count):
        return {(name, self.rng.choice(VERSIONS)) for name in self.rng.sample(UNIVERSE, count)}

    def full(self, hostname):
        after = self.some(self.rng.randint(20, 120))
        return {"hostname": hostname, "os": self.OS, "software": items(after)}, after

    def delta(self, hostname, present):
        gone = self.rng.sample(sorted(present), min(len(present), self.rng.randint(0, 5)))
        removals, after = [], set(present)
        for name, version in gone:
            if self.rng.random() < 0.5:
                removals.append({"name": name})
                after = {package for package in after if package[0] != name}
            else:
                removals.append({"name": name, "version": version})
                after.discard((name, version))
        # An upgrade names the same package in both lists; others are new, or there already.
        added = self.some(self.rng.randint(0, 5)) | {(name, VERSIONS[-1]) for name, _ in gone[:2]}
        return ({"hostname": hostname, "delta": True, "software_added": items(added),
                 "software_removed": removals}, after | added)


def items(packages):
    return [{"name": name, "version": version, "ecosystem": "deb"}
            for name, version in sorted(packages)]


def findings_of(packages):
    """What matching has to find: (package, version)."""
    return {(name, version) for name, version in packages
            if name in VULNERABLE and version == VERSIONS[0]}


class Enrols(AtWork):
    """New machines, one after the other."""

    def __init__(self, caller, rng, tally, token, prefix):
        super().__init__(caller, rng, tally)
        self.token, self.prefix, self.number = token, prefix, 0
        self.enrolled = []      # (hostname, data of the answer)
        self.pending = None     # hostname

    def step(self):
        self.number += 1
        self.pending = f"{self.prefix}-{self.number}"
        answer = self.caller.ask("POST", "/api/agent/enroll", enrolment(self.token, self.pending))
        if answer.status == 201:
            self.tally.add()
            self.enrolled.append((self.pending, answer.json()["data"]))
        elif answer.status != 503:
            raise AssertionError(f"enrolment answered {answer.status}: {answer.body}")
        self.pending = None
        return True


class Beats(AtWork):
    """An agent that is updated before every heartbeat; or never, if `same`."""

    def __init__(self, caller, rng, tally, number, same=False):
        super().__init__(caller, rng, tally)
        self.number, self.same = number, same
        self.acknowledged = []  # versions, in order
        self.pending = None

    def step(self):
        if not self.same:
            self.number += 1
        self.pending = version_of(self.number)
        beat = {"status": "idle", "agent_version": self.pending,
                "system": {"uptime_seconds": self.number}}
        if self.call("POST", "/api/agent/heartbeat", beat, 200):
            self.acknowledged.append(self.pending)
        self.pending = None
        return True


def version_of(number):
    return f"1.0.{number}"


def rng_for(seed, *names):
    """Its own sequence for each user of the seed, whatever the order of the threads."""
    return random.Random(":".join(str(part) for part in (seed, *names)))


class WrittenFacts:
    """Compares a server with what was acknowledged; `case` is the test case that asserts. Findings
    may follow a little later where another server than the one that took the report sees to them."""

    def __init__(self, case, operator, findings_follow=False):
        self.case, self.operator, self.findings_follow = case, operator, findings_follow

    def result(self, task, want):
        got = self.operator.must("GET", f"/api/v1/tasks/{task}")["result"]
        self.case.assertIsNotNone(got, f"the acknowledged result of {task} is gone")
        for member in ("exit_code", "execution_duration_ms", "stdout", "stderr"):
            self.case.assertEqual(got[member], want[member], f"{task}: {member}")
        controls = want.get("bundle_results", {}).get("controls", [])
        if not controls:
            return
        rows = self.operator.must("GET", f"/api/v1/tasks/{task}/results?limit=100")["items"]
        self.case.assertEqual(len(rows), len(controls), task)
        for row, control in zip(rows, controls):
            for member, value in control.items():
                self.case.assertEqual(row[member], value, f"{task}: {member}")

    def software(self, hostname):
        """The host's packages, or None for an unknown host. Checks that its findings fit them."""
        answer = self.operator.ask("GET", f"/api/v1/hosts/{hostname}")
        if answer.status == 404:
            return None
        packages = {(item["name"], item["version"]) for item in answer.json()["software"]}
        due = findings_of(packages)
        if self.findings_follow:
            Musterd.wait_for(lambda: self.open_findings(hostname) == due)
        self.case.assertEqual(self.open_findings(hostname), due, f"findings of {hostname}")
        return packages

    def open_findings(self, hostname):
        listed = self.operator.must("GET", f"/api/v1/findings?host={hostname}&limit=1000")["items"]
        return {(row["package"], row["version"]) for row in listed if row["status"] == "open"}

    def key_works(self, server, enrolled):
        caller = server.caller(agent_headers(enrolled))
        caller.must("POST", "/api/agent/heartbeat", {"status": "idle", "agent_version": "1.0.0"})
