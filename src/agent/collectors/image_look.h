// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/bystanders.h"
#include "agent/collectors/image_store.h"

namespace muster::agent {

/// How to look at the images of a host.
struct ImageOrder {
  std::vector<std::string> skipped;  // sources of software
  std::vector<std::string> known;    // sorted digests of those that need no new report
  bool scanner = false;              // ask Trivy, if it is there, before reading them ourselves
};

/// What was seen of them.
struct ImageSight {
  struct Report {
    std::size_t image;  // its place in `images`
    std::string text;   // Trivy's report, or a CycloneDX bill of materials, as JSON
  };
  LocalImages local;
  std::vector<Report> reports;
  std::vector<std::string> tried;  // digests of those that were looked into
  bool by_scanner = false;         // Trivy made the reports
  bool more = false;               // others need a report too: look again
};

/// Where a scanner keeps what it knows, and how it is run.
struct ScannerPlace {
  std::optional<std::string> program;  // none: there is no scanner
  std::filesystem::path cache;
};

/// Lists the images below `root`, and reports on those that are not known, up to
/// bounds::image_reports_bytes, or one where the scanner is asked; an image that it fails on is
/// read by ourselves. Nothing when images cannot be listed, or soon after `stop` became true.
std::optional<ImageSight> look_at_images(const std::filesystem::path& root, const ImageOrder& order,
                                         const ScannerPlace& scanner, Bystanders& bystanders,
                                         const std::atomic<bool>& stop);

}  // namespace muster::agent
