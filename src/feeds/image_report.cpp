// SPDX-License-Identifier: Apache-2.0
#include "feeds/image_report.h"

#include "feeds/sbom/sbom.h"
#include "feeds/trivy/trivy.h"

namespace muster::feeds {

Result<std::vector<model::ImageScan>> read_image_report(std::string_view text) {
  if (!is_sbom(text)) return read_trivy(text);
  std::vector<model::ImageScan> scans;
  scans.push_back(TRY(read_sbom(text)));
  return scans;
}

}  // namespace muster::feeds
