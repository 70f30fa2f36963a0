# SPDX-License-Identifier: Apache-2.0
import unittest

import accuracy_oracle as oracle


def cve(operator, *nodes):
    return {"id": "CVE-2099-1", "configurations": [{"operator": operator, "nodes": [
        {"operator": "OR", "cpeMatch": [
            {"criteria": f"cpe:2.3:{name}:*:*:*:*:*:*:*", "vulnerable": vulnerable, **bounds}
            for name, vulnerable, bounds in node]} for node in nodes]}]}


class Oracle(unittest.TestCase):
    def test_debian_versions_sort_as_dpkg_has_them(self):
        ascending = ["1.0~rc1", "1.0~rc1-1", "1.0", "1.0-1", "1.0-1+deb9u1", "1.0-1+deb9u10",
                     "1.0+b1", "1.0a", "1.9", "1.10", "2:0"]
        ascending.sort(key=oracle.dpkg_key)
        self.assertEqual(ascending, [
            "1.0~rc1", "1.0~rc1-1", "1.0", "1.0-1", "1.0-1+deb9u1", "1.0-1+deb9u10", "1.0a",
            "1.0+b1", "1.9", "1.10", "2:0"])
        self.assertEqual(oracle.dpkg_key("1.09"), oracle.dpkg_key("0:1.9-0"))

    def test_semantic_versions_sort_and_others_have_no_key(self):
        ascending = ["1.0.0-1", "1.0.0-a", "1.0.0-a.1", "1.0.0", "1.0.1-0", "1.0.1", "1.10.0"]
        self.assertEqual(sorted(reversed(ascending), key=oracle.semver_key), ascending)
        self.assertIsNone(oracle.semver_key("devel"))

    def test_events_open_and_close_a_range(self):
        events = [{"introduced": "0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"},
                  {"last_affected": "2.1.0"}]
        inside = [version for version in ("0.1.0", "1.1.9", "1.2.0", "2.0.0-1", "2.0.0", "2.1.0",
                                          "2.1.1")
                  if oracle.in_events(version, events, oracle.semver_key)]
        self.assertEqual(inside, ["0.1.0", "1.1.9", "2.0.0", "2.1.0"])
        self.assertIsNone(oracle.in_events("devel", events, oracle.semver_key))

    def test_a_criterion_has_a_range_or_a_version(self):
        flaw = oracle.Record(cve("OR", [
            ("a:v:p:*", True, {"versionStartIncluding": "2.0", "versionEndExcluding": "2.5"}),
            ("a:v:p:1.1", True, {}), ("a:v:p:-", True, {}), ("a:v:q:3", False, {})]))
        holding = [version for version in ("1.1", "1.1.0", "1.2", "2", "2.4.9", "2.5")
                   if flaw.holds(("a", "v", "p"), version)]
        self.assertEqual(holding, ["1.1", "1.1.0", "2", "2.4.9"])
        self.assertFalse(flaw.holds(("a", "v", "q"), "3"), "a platform is not affected")

    def test_a_conjunction_asks_for_other_software_and_trusts_in_systems(self):
        product = ("a", "v", "p")
        part = [("a:v:p:1", True, {})]
        on_system = oracle.Record(cve("AND", part, [("o:m:os:-", False, {})]))
        with_other = oracle.Record(cve("AND", part, [("a:m:x:*", False, {})]))
        self.assertTrue(on_system.holds(product, "1"))
        self.assertFalse(with_other.holds(product, "1"))


if __name__ == "__main__":
    unittest.main()
