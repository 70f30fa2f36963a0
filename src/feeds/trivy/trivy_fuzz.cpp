// SPDX-License-Identifier: Apache-2.0
// Any bytes: no report and no bill of materials, or scans whose vulnerabilities and packages are
// ordered, whole and printable; and names that read back as the same images. And JSON of every form
// comes apart into as many pieces as it has members.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "feeds/image_report.h"
#include "feeds/json_values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto named = model::parse_image_reference(text)) {
    CHECK(model::parse_image_reference(named->text()) == named);
  }
  JsonDocument document;
  const auto json = document.parse(text);
  if (!json.ok()) return 0;
  if (json->is_object() || json->is_array()) {
    const auto pieces = feeds::split_json(text);
    CHECK(pieces && pieces->size() == json->size());
  }
  const auto scans = feeds::read_image_report(text);
  if (!scans.ok()) return 0;
  for (const model::ImageScan& scan : *scans) {
    CHECK(is_plain_text(scan.name) && is_plain_text(scan.os));
    CHECK(scan.digest.empty() || model::is_image_digest(scan.digest));
    const auto key = [](const model::ImageVulnerability& one) {
      return std::tie(one.type, one.package, one.id);
    };
    const auto& all = scan.vulnerabilities;
    CHECK(std::adjacent_find(all.begin(), all.end(), [&](const auto& a, const auto& b) {
            return !(key(a) < key(b));
          }) == all.end());
    if (scan.packages) {
      const auto& packages = *scan.packages;
      CHECK(std::is_sorted(packages.begin(), packages.end()));
      for (const model::Package& package : packages) {
        CHECK(!package.name.empty() && is_plain_text(package.name));
        CHECK(is_plain_text(package.version) && is_plain_text(package.source_name));
        CHECK(is_plain_text(package.distro) && is_plain_text(package.arch));
      }
    }
    for (const model::ImageVulnerability& one : all) {
      CHECK(!one.id.empty() && !one.package.empty() && !one.places.empty());
      CHECK(is_plain_text(one.title) && is_plain_text(one.places.front().version));
    }
  }
  return 0;
}
