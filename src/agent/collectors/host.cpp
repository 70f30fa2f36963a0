// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/host.h"

#include "agent/bounds.h"
#include "agent/files.h"

namespace muster::agent {

LinuxHost::LinuxHost(std::filesystem::path root) : root_(root), vitals_(std::move(root)) {}

Vitals LinuxHost::measure() {
  return vitals_.measure();
}

std::optional<Survey> LinuxHost::survey() {
  Survey survey;
  survey.facts = read_host_facts(root_);
  const std::filesystem::path status = root_ / "var/lib/dpkg/status";
  std::error_code none;
  if (std::filesystem::exists(status, none)) {
    const auto text = read_small_file(status, bounds::dpkg_status_bytes);
    if (!text) return std::nullopt;
    DpkgStatus dpkg = parse_dpkg_status(*text, survey.facts.os.distro());
    survey.software = std::move(dpkg.packages);
    survey.malformed = dpkg.malformed;
    survey.beyond_limit = dpkg.beyond_limit;
  }
  return survey;
}

}  // namespace muster::agent
