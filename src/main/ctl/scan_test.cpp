// SPDX-License-Identifier: Apache-2.0
// `muster scan` and `feeds import --data` on a directory of their own, without a server.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/test_directory.h"
#include "main/ctl/testing/canned.h"
#include "store/store.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

/// A record of NVD about one product, and one about the same product in OpenSSL's company.
constexpr const char* small_nvd = R"(
{"id": "CVE-2099-0001", "metrics": {"cvssMetricV31": [{"type": "Primary", "cvssData":
  {"baseScore": 9.8, "baseSeverity": "CRITICAL"}}]}, "configurations": [{"nodes": [{"operator": "OR",
  "cpeMatch": [{"vulnerable": true, "criteria": "cpe:2.3:a:7-zip:7-zip:*:*:*:*:*:*:*:*",
  "versionEndExcluding": "23.01"}]}]}]}
{"id": "CVE-2099-0002", "configurations": [{"operator": "AND", "nodes": [{"operator": "OR",
  "cpeMatch": [{"vulnerable": true, "criteria": "cpe:2.3:a:7-zip:7-zip:22.01:*:*:*:*:*:*:*"}]},
  {"operator": "OR", "cpeMatch": [{"vulnerable": false,
  "criteria": "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*"}]}]}]}
)";

/// A data directory with that feed.
struct Scanner {
  TestDirectory directory{memory_backed_path()};
  Desk desk;
  std::string data = directory.path() + "/data";

  Scanner() {
    const std::string feed = write("nvd.json", small_nvd);
    const Transcript done =
        desk.run({"feeds", "import", "--kind", "nvd", feed, "--data", data, "--json"});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.out.find("\"records\": 2"), std::string::npos) << done.out;
  }
  std::string write(const std::string& name, const std::string& content) {
    const std::string path = directory.path() + "/" + name;
    std::ofstream(path) << content;
    return path;
  }
};

TEST(Scan, AnswersEveryLineInItsPlace) {
  Scanner scanner;
  const std::string lines = scanner.write("packages.jsonl", R"x(
{"name": "7-Zip 22.01 (x64)", "version": "22.01", "vendor": "Igor Pavlov", "ecosystem": "windows"}
not json
{"name": "7-Zip", "version": "23.01", "vendor": "Igor Pavlov", "ecosystem": "windows"}
{"name": "x", "version": "22.01", "cpe": "cpe:/a:7-zip:7-zip:22.01"}
{"name": "7-Zip", "ecosystem": "windows"}
{"name": "openssl", "version": "1", "ecosystem": "deb", "distro": "debian:bookworm"})x");
  const Transcript done =
      scanner.desk.run({"scan", "--packages", lines, "--data", scanner.data, "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  std::vector<std::string> answers;
  std::istringstream out(done.out);
  for (std::string line; std::getline(out, line);) {
    std::string ids;
    JsonDocument document;
    const Json answer = document.parse(line).value();
    answer.find("findings")->for_each([&](const Json& each) {
      ids += std::string(each.find("cve")->string().value()) + " ";
    });
    const auto reason = answer.find("reason");
    answers.push_back(ids + (reason ? std::string(reason->string().value()) : "error"));
  }
  const std::vector<std::string> expected = {"error",
                                             "CVE-2099-0001 in_range",
                                             "error",
                                             "outside_ranges",
                                             "CVE-2099-0001 CVE-2099-0002 in_range",
                                             "version_missing",
                                             "distro_not_covered"};
  EXPECT_EQ(answers, expected);
}

TEST(Scan, MatchesReportsAndBillsOfMaterials) {
  Scanner scanner;
  const std::string report = scanner.write("report.json", R"({"hostname": "h",
    "os": {"name": "Ubuntu 22.04.4 LTS", "version": "22.04"}, "software": [
    {"name": "7zip", "version": "22.01", "cpe": "cpe:2.3:a:7-zip:7-zip:*:*:*:*:*:*:*:*"}]})");
  const std::string cyclonedx = scanner.write("bom.json", R"({"bomFormat": "CycloneDX",
    "components": [{"type": "operating-system", "name": "ubuntu", "version": "22.04"},
    {"type": "application", "name": "7zip", "version": "22.01", "cpe": "cpe:/a:7-zip:7-zip:22.01"}]})");
  const std::string spdx = scanner.write("spdx.json", R"({"spdxVersion": "SPDX-2.3", "packages": [
    {"name": "7zip", "versionInfo": "22.01", "externalRefs": [{"referenceType": "cpe23Type",
    "referenceLocator": "cpe:2.3:a:7-zip:7-zip:22.01:*:*:*:*:*:*:*"}]}]})");
  for (const std::string& file : {report, cyclonedx, spdx}) {
    const Transcript done = scanner.desk.run({"scan", file, "--data", scanner.data, "--json"});
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.out.find("CVE-2099-0001"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("CVE-2099-0002"), std::string::npos) << done.out;
  }
  const Transcript table = scanner.desk.run({"scan", report, "--data", scanner.data});
  EXPECT_NE(table.out.find("22.01 < 23.01 (generic)"), std::string::npos) << table.out;
  EXPECT_NE(table.err.find("0 of 1 packages could not be assessed"), std::string::npos)
      << table.err;
}

TEST(Scan, IsRefusedWhereItCannotBeMeant) {
  Scanner scanner;
  const std::string bad = scanner.write("bad.json", "{}");
  EXPECT_EQ(scanner.desk.run({"scan", bad, "--data", scanner.data}).code, 2);
  const std::string text = scanner.write("text.json", "no JSON");
  EXPECT_EQ(scanner.desk.run({"scan", text, "--data", scanner.data}).err,
            "muster: " + text + ": is not valid JSON\n");
  EXPECT_EQ(scanner.desk.run({"scan", "--data", scanner.data}).code, 2);
  EXPECT_EQ(scanner.desk.run({"scan", bad}).code, 2);
  EXPECT_EQ(scanner.desk.run({"scan", bad, "--data", scanner.directory.path() + "/no"}).code, 2);
  const auto held = store::DirectoryLock::acquire(scanner.data);
  const Transcript done = scanner.desk.run({"scan", bad, "--data", scanner.data});
  EXPECT_EQ(done.code, 2);
  EXPECT_NE(done.err.find("use --server"), std::string::npos);
}

}  // namespace
}  // namespace muster::ctl
