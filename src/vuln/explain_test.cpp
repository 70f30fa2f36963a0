// SPDX-License-Identifier: Apache-2.0
#include "vuln/explain.h"

#include <gtest/gtest.h>

#include "model/advisory.h"

namespace muster::vuln {
namespace {

using model::Advisory;

model::Package openssl(const std::string& version) {
  model::Package package;
  package.name = "openssl";
  package.version = version;
  package.ecosystem = model::Ecosystem::deb;
  package.distro = "debian:12";
  return package;
}

Advisory fixed_in(const std::string& version) {
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "CVE-2023-0001";
  advisory.ecosystem = model::Ecosystem::deb;
  advisory.distro = "debian:12";
  advisory.package = "openssl";
  advisory.ranges = {{"", version, ""}};
  return advisory;
}

Evidence evidence_of(const Index& index, const model::Package& package) {
  return match(index, package).matches.at(0).evidence;
}

std::string failed_steps(const Explanation& explanation) {
  std::string names;
  for (const auto& step : explanation.steps) {
    if (!step.holds) names += std::string(step.name) + " ";
  }
  return names;
}

TEST(Explanation, HoldsStepByStepWhereNothingChanged) {
  const auto index = Index::build({fixed_in("3.0.11-1")});
  const model::Package package = openssl("3.0.9-1");
  const Explanation told = explain(*index, package, evidence_of(*index, package), {});
  EXPECT_TRUE(told.holds);
  EXPECT_EQ(failed_steps(told), "");
  ASSERT_EQ(told.steps.size(), 6U);
  EXPECT_EQ(told.steps[0].name, "identity");
  EXPECT_EQ(told.steps[4].text, "3.0.9-1 < 3.0.11-1");
  EXPECT_EQ(told.current, evidence_of(*index, package));
}

TEST(Explanation, HoldsWhereOnlyAPartOfTheVersionWasCompared) {
  const auto failed = [](const Advisory& advisory, const model::Package& package) {
    const auto index = Index::build({advisory});
    return failed_steps(explain(*index, package, evidence_of(*index, package), {}));
  };
  model::Package torch = openssl("2.0.0+cu118");
  torch.ecosystem = model::Ecosystem::pypi;
  torch.distro.clear();
  Advisory last = fixed_in("");
  last.ecosystem = torch.ecosystem;
  last.distro.clear();
  last.ranges = {{"", "", "2.0.0"}};
  EXPECT_EQ(failed(last, torch), "") << "a build of the public version";
  model::Package rpm = openssl("1:3.0.7-24.el9");
  rpm.ecosystem = model::Ecosystem::rpm;
  rpm.distro = "almalinux:9";
  Advisory bare = fixed_in("3.0.7-25.el9");
  bare.ecosystem = rpm.ecosystem;
  bare.distro = rpm.distro;
  EXPECT_EQ(failed(bare, rpm), "") << "the bulletin tells no epoch";
}

TEST(Explanation, NamesTheKernelThatWasSigned) {
  Advisory advisory = fixed_in("6.1.76-1");
  advisory.package = "linux";
  model::Package image = openssl("6.1.69-1");
  image.source_name = "linux-signed-amd64";
  image.source_version = "6.1.69+1";
  const auto index = Index::build({advisory});
  const Explanation told = explain(*index, image, evidence_of(*index, image), {});
  EXPECT_EQ(told.steps[0].text, "a deb of debian:12, built by it from the source linux");
  EXPECT_EQ(failed_steps(told), "");
}

TEST(Explanation, SaysWhatTheAdvisorySaysNow) {
  const auto former = Index::build({fixed_in("3.0.11-1")});
  const model::Package package = openssl("3.0.9-1");
  const Evidence stored = evidence_of(*former, package);
  const auto moved = Index::build({fixed_in("3.0.13-1")});
  const Explanation still = explain(*moved, package, stored, {});
  EXPECT_TRUE(still.holds);
  EXPECT_EQ(still.steps[2].text, "before 3.0.13-1; it was before 3.0.11-1");

  const auto lowered = Index::build({fixed_in("3.0.8-1")});
  const Explanation gone = explain(*lowered, package, stored, {});
  EXPECT_FALSE(gone.holds);
  EXPECT_EQ(gone.reason, Reason::outside_ranges);
  EXPECT_EQ(failed_steps(gone), "advisory range ");
  EXPECT_FALSE(gone.current);
}

TEST(Explanation, ComparesTheVersionsItselfAndDoesNotBelieveTheSentence) {
  const auto index = Index::build({});
  Evidence forged;
  forged.feed = "debian";
  forged.advisory_id = "CVE-2023-0001";
  forged.scheme = "deb";
  forged.installed = "9";
  forged.range = {"1", "3", ""};
  forged.sentence = "9 < 3 (deb)";
  const Explanation told = explain(*index, openssl("9"), forged, {});
  EXPECT_FALSE(told.holds);
  EXPECT_EQ(told.steps[4].text, "9 >= 1, 9 < 3: no");
  EXPECT_FALSE(told.steps[4].holds);
}

TEST(Explanation, ReadsTheStoredFormOfEvidence) {
  Evidence evidence;
  evidence.feed = "nvd";
  evidence.advisory_id = "CVE-1";
  evidence.package = "a:b";
  evidence.distro = "debian:12";
  evidence.scheme = "generic";
  evidence.installed = "1";
  evidence.range = {"0", "2", "3", "4"};
  evidence.sentence = "s";
  evidence.criteria = "cpe:2.3:a:a:b:*:*:*:*:*:*:*:*";
  evidence.caveats = {"one", "two"};
  JsonDocument document;
  const std::string json = encode_evidence(evidence);
  EXPECT_EQ(decode_evidence(document.parse(json).value()), evidence);
}

}  // namespace
}  // namespace muster::vuln
