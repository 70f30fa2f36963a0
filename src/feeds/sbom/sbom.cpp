// SPDX-License-Identifier: Apache-2.0
#include "feeds/sbom/sbom.h"

#include "base/text.h"
#include "feeds/sbom/cyclonedx.h"
#include "feeds/sbom/spdx.h"

namespace muster::feeds {

namespace {

bool is_cyclonedx(const OpenObject& bill) {
  return bill.member("bomFormat") == R"("CycloneDX")";
}

}  // namespace

bool is_sbom(std::string_view text) {
  text = trim(text);
  const auto bill = OpenObject::open(text);
  return bill.ok() && (is_cyclonedx(*bill) || bill->has("spdxVersion"));
}

Result<model::ImageScan> read_sbom(std::string_view text) {
  const OpenObject bill = TRY(OpenObject::open(trim(text)));
  if (is_cyclonedx(bill)) return read_cyclonedx(bill);
  if (bill.has("spdxVersion")) return read_spdx(bill);
  return Error{Errc::invalid_field, "This is no CycloneDX and no SPDX bill of materials."};
}

}  // namespace muster::feeds
