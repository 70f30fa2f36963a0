// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/image_look.h"

#include <algorithm>
#include <system_error>

#include "agent/bounds.h"
#include "agent/collectors/image_bill.h"
#include "agent/collectors/os.h"
#include "agent/collectors/software.h"
#include "agent/collectors/tool.h"
#include "agent/collectors/tree.h"
#include "base/json_read.h"

namespace muster::agent {

namespace {

/// What is installed in an image, from its layers; nothing if they cannot be read.
std::optional<std::string> read_image(const LocalImage& image, const ImageOrder& order,
                                      const std::atomic<bool>& stop) {
  if (image.layers.empty()) return std::nullopt;
  try {
    Tree tree(image.layers, stop);
    const OsRelease os = read_os_release(tree);
    Found found;
    if (!read_software(tree, order.skipped, os.distro(), found).ok()) return std::nullopt;
    return bill_of_image(image, os, found.packages);
  } catch (const std::system_error&) {
    return std::nullopt;  // removed since it was listed
  }
}

/// Whether this is a report of that very image: its name may have become another's.
bool is_report_of(const std::string& text, const LocalImage& image) {
  JsonDocument document;
  const auto report = document.parse(text);
  if (!report.ok() || !report->is_object() || !report->find("SchemaVersion")) return false;
  const auto metadata = report->find("Metadata");
  const auto id = metadata ? metadata->find("ImageID") : std::nullopt;
  return id && id->string() == image.digest;
}

/// Trivy's report. It is told to look at what is here alone: it would fetch an image that it does
/// not find.
std::optional<std::string> scan_image(const LocalImage& image, const ScannerPlace& scanner,
                                      Bystanders& bystanders, const std::atomic<bool>& stop) {
  const std::string cache = scanner.cache.string();
  Tool tool;
  tool.program = *scanner.program;
  tool.arguments = {"image",
                    "--quiet",
                    "--format",
                    "json",
                    "--list-all-pkgs",
                    "--scanners",
                    "vuln",
                    "--image-src",
                    "docker,podman",
                    "--timeout",
                    "5m",
                    "--cache-dir",
                    cache,
                    image.references.front()};
  tool.variables = {"HOME=" + cache, "TRIVY_NO_PROGRESS=true"};
  tool.timeout = bounds::scanner_timeout;
  tool.output_bytes = bounds::scanner_output_bytes;
  auto report = run_tool(tool, bystanders, stop);
  if (!report || !is_report_of(*report, image)) return std::nullopt;
  return report;
}

}  // namespace

std::optional<ImageSight> look_at_images(const std::filesystem::path& root, const ImageOrder& order,
                                         const ScannerPlace& scanner, Bystanders& bystanders,
                                         const std::atomic<bool>& stop) {
  auto local = list_images(root, stop);
  if (!local) return std::nullopt;
  ImageSight sight;
  sight.local = *std::move(local);
  const bool with_scanner = order.scanner && scanner.program;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < sight.local.images.size(); ++i) {
    const LocalImage& image = sight.local.images[i];
    if (std::binary_search(order.known.begin(), order.known.end(), image.digest)) continue;
    if (bytes >= bounds::image_reports_bytes || (with_scanner && !sight.tried.empty())) {
      sight.more = true;
      break;
    }
    std::optional<std::string> report;
    if (with_scanner) report = scan_image(image, scanner, bystanders, stop);
    sight.by_scanner = report.has_value();
    if (!report) report = read_image(image, order, stop);
    if (stop) return std::nullopt;
    sight.tried.push_back(image.digest);
    if (!report) continue;
    bytes += report->size();
    sight.reports.push_back({i, *std::move(report)});
  }
  return sight;
}

}  // namespace muster::agent
