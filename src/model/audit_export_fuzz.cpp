// SPDX-License-Identifier: Apache-2.0
// What somebody may hand in as an export of the audit log.
#include <algorithm>

#include "base/check.h"
#include "model/audit_export.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  std::string_view left(reinterpret_cast<const char*>(bytes), size);
  // Its first line may be a head that was noted.
  std::vector<model::AuditHead> noted;
  if (const auto head = model::parse_audit_head(left.substr(0, left.find('\n')), OrgId{1});
      head.ok()) {
    CHECK(model::parse_audit_head(model::encode_audit_head(*head), OrgId{2}).value() == *head);
    noted.push_back(*head);
    left.remove_prefix(std::min(left.find('\n'), left.size() - 1) + 1);
  }
  model::AuditCheck check(noted);
  std::int64_t lines = 0;
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    const auto linked = model::parse_audit_line(line);
    if (linked.ok()) CHECK(model::encode_audit_line(*linked) == line);
    if (check.take(line)) return 0;
    CHECK(++lines >= check.rows());
  }
  check.finish();
  return 0;
}
