# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import figures  # noqa: E402
import parts  # noqa: E402
import record  # noqa: E402


def benchmark(name, **times):
    return {"name": name, "run_type": "iteration", "time_unit": "us", "cpu_time": 2.0,
            "real_time": 9.0, **times}


class OfBenchmarks(unittest.TestCase):
    def rows(self, *runs):
        return {row["id"]: row for row in figures.of_benchmarks({"benchmarks": list(runs)})}

    def test_the_cheapest_repetition_counts_and_aggregates_do_not(self):
        rows = self.rows(benchmark("dispatch_heartbeat/1"),
                         benchmark("dispatch_heartbeat/1", cpu_time=1.5),
                         {**benchmark("dispatch_heartbeat/1_mean", cpu_time=0.1),
                          "run_type": "aggregate"})
        self.assertEqual([(key, row["value"]) for key, row in rows.items()],
                         [("dispatch_heartbeat/1", 1.5)])

    def test_what_the_process_used_comes_before_what_its_caller_did(self):
        rows = self.rows(benchmark("report_first/1/iterations:100/real_time", cpu_us=700.0))
        self.assertEqual(rows["report_first/1"]["value"], 700)

    def test_work_of_other_threads_is_told_by_the_clock(self):
        rows = self.rows(benchmark("group_commit/postgres:0/real_time"))
        self.assertEqual(rows["group_commit/postgres:0"]["value"], 9)
        self.assertTrue(rows["group_commit/postgres:0"]["what"].endswith("elapsed"))

    def test_a_bench_that_failed_has_no_figure(self):
        self.assertEqual(self.rows(benchmark("build_nvd_index", error_occurred=True)), {})

    def test_the_index_has_its_aims_in_time_and_memory(self):
        rows = self.rows(benchmark("build_nvd_index/iterations:3", time_unit="ms", cpu_time=1500,
                                   bytes=139e6))
        self.assertFalse(record.met(rows["build_nvd_index"]))
        self.assertTrue(record.met(rows["build_nvd_index/bytes"]))


class OfScenario(unittest.TestCase):
    OUTCOME = {"requests": 100, "p99_ms": 4.0, "offline": None, "results_per_second": 30.0,
               "max_ms": None, "verdicts": [
                   {"figure": "p99_ms", "at_most": 5, "value": 4.0, "holds": True},
                   {"figure": "offline", "at_most": 0, "value": None, "holds": False},
                   {"figure": "results_per_second", "at_least": 40, "value": 30.0,
                    "holds": False}]}

    def test_aims_are_those_of_the_scenario_and_hold_as_the_swarm_says(self):
        rows = {row["id"]: row for row in figures.of_scenario({"outcome": self.OUTCOME})}
        self.assertEqual({key: record.met(rows[key]) for key in rows},
                         {"offline": False, "requests": None, "results_per_second": False,
                          "p99_ms": True})

    def test_every_figure_that_a_scenario_limits_is_shown(self):
        known = {key for key, _, _ in figures.SCENARIO}
        for path in (record.ROOT / "bench/scenarios").glob("*.toml"):
            limits = parts.tomllib.loads(path.read_text(encoding="utf-8"))["assert"]
            self.assertLessEqual(set(limits), known, path.name)


class OfOtherBenches(unittest.TestCase):
    def test_a_heartbeat_has_an_aim_beside_nginx(self):
        rows = figures.of_http({"servers": [
            {"server": "nginx return 200", "cpu_us": 8.0, "ratio": 1.0},
            {"server": "musterd heartbeat", "cpu_us": 16.0, "ratio": 2.0}]})
        self.assertEqual([row["id"] for row in rows if record.met(row) is False],
                         ["ratio/musterd heartbeat"])

    def test_a_heartbeat_over_tls_has_a_narrower_one(self):
        def aim_met(ratio):
            rows = figures.of_http({"servers": [
                {"server": "nginx return 200, TLS", "cpu_us": 20.0, "ratio": 1.0},
                {"server": "musterd heartbeat, TLS", "cpu_us": 20.0 * ratio, "ratio": ratio}]})
            return record.met(rows[-1])
        self.assertEqual([aim_met(ratio) for ratio in (1.2, 1.21)], [True, False])

    def test_results_have_the_same_aims_on_a_slowed_disk(self):
        run = {"controls": 5, "per_second": 9000, "p50_ms": 40.0, "p99_ms": 90.0}
        rows = figures.of_results({"sync_p50_ms": 0.1, "runs": [
            {**run, "added_sync_ms": 0}, {**run, "added_sync_ms": 5, "per_second": 7000}]})
        self.assertEqual({row["id"]: record.met(row) for row in rows if row["unit"] == "a second"},
                         {"5/0": True, "5/5": False})

    def test_two_servers_are_compared_with_one_on_the_same_store(self):
        each = {"heartbeats_per_second": 100, "results_per_second": 50}
        rows = figures.of_nodes({"sqlite": each, "postgresql": each, "two_servers": {
            "heartbeats_per_second": 190, "results_per_second": 75}})
        self.assertEqual([row["value"] for row in rows if row["id"].startswith("ratio/")],
                         [1.9, 1.5])

    def test_overload_takes_its_aims_from_the_bench(self):
        rows = figures.of_overload({"peak_per_second": 1000, "goodput_percent": 80,
                                    "aims": {"goodput_percent": {"at_least": 90}}})
        self.assertEqual([record.met(row) for row in rows], [None, False])


def aim_today(part, key):
    """Of a figure of these parts; the others' benches give their own."""
    if part in ("micro", "matching"):
        known = figures.KNOWN.get(key, ("", None))[1]
        return figures.INDEX_MB_AIM if key.endswith("/bytes") else known
    if part == "http":
        return figures.HTTP_AIMS.get(key.removeprefix("ratio/"))
    if part == "results":
        run = re.fullmatch(r"(\d+)/\d+", key)
        return run and figures.results_aim(int(run[1]))
    scenario = record.ROOT / f"bench/scenarios/{parts.SCENARIOS[part]}.toml"
    return parts.tomllib.loads(scenario.read_text(encoding="utf-8"))["assert"].get(key)


class OfRecords(unittest.TestCase):
    def test_a_record_has_the_aims_of_today(self):
        """An aim that changes is changed in the records too: what they miss is to show."""
        for name, kept in record.read_all().items():
            if kept["part"] not in ("micro", "matching", "http", "results", *parts.SCENARIOS):
                continue
            for row in kept["figures"]:
                with self.subTest(record=name, figure=row["id"]):
                    self.assertEqual(row.get("at_most", row.get("at_least")),
                                     aim_today(kept["part"], row["id"]))


class SizeOfFleets(unittest.TestCase):
    STEADY = record.ROOT / "bench/scenarios/steady.toml"

    def test_each_number_of_hosts_is_a_run_and_a_record(self):
        settings = parts.Settings(record.ROOT / "build", record.ROOT / "build", [1000, 10_000], "5m")
        steps = parts.PARTS["steady"].steps(settings)
        self.assertEqual([(step.name, step.notes) for step in steps],
                         [("1000", {"agents": 1000}), ("10000", {"agents": 10_000})])
        settings.agents = []
        self.assertEqual(len(parts.PARTS["steady"].steps(settings)), 1)

    def test_without_a_wish_each_host_can_have_a_connection(self):
        agents, told = parts.fleet(self.STEADY, None, 20_000)
        self.assertEqual(agents, 19_000)
        self.assertNotIn("--connections", told)

    def test_more_hosts_than_descriptors_share_connections(self):
        agents, told = parts.fleet(self.STEADY, 100_000, 20_000)
        self.assertEqual((agents, told[2:]), (100_000, ["--connections", "15000"]))

    def test_a_smaller_fleet_is_switched_on_in_less_time(self):
        self.assertEqual(parts.fleet(self.STEADY, 50_000, 200_000)[1][2:], ["--ramp", "450"])

    def test_a_fleet_of_the_usual_size_is_told_nothing_more(self):
        self.assertEqual(parts.fleet(self.STEADY, None, 200_000),
                         (100_000, ["--agents", "100000"]))


if __name__ == "__main__":
    unittest.main()
