// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/host.h"

#include <algorithm>
#include <utility>

#include "agent/collectors/listening.h"
#include "agent/collectors/services.h"
#include "agent/collectors/software.h"
#include "agent/collectors/tool.h"
#include "agent/collectors/tree.h"

namespace muster::agent {

namespace {

/// What runs on the host, but for the parts that are `skipped`.
std::optional<model::Runtime> look_at_runtime(const std::filesystem::path& root,
                                              const std::vector<std::string>& skipped,
                                              Bystanders& bystanders,
                                              const std::atomic<bool>& stop) {
  const auto wants = [&](std::string_view part) {
    return std::find(skipped.begin(), skipped.end(), part) == skipped.end();
  };
  model::Runtime runtime;
  if (wants("ports")) {
    runtime.listening = list_listening_ports(root, stop);
    if (!runtime.listening) return std::nullopt;
  }
  if (wants("services") && has_systemd(root)) {
    runtime.services = list_services(bystanders, stop);
    if (!runtime.services) return std::nullopt;
  }
  runtime.settle();
  return runtime;
}

}  // namespace

LinuxHost::LinuxHost(std::filesystem::path root, Bystanders& bystanders,
                     std::filesystem::path cache)
    : root_(std::move(root)), bystanders_(bystanders), cache_(std::move(cache)), vitals_(root_) {}

Vitals LinuxHost::measure() {
  return vitals_.measure();
}

Result<Survey> LinuxHost::survey(const std::vector<std::string>& skipped,
                                 const std::atomic<bool>& stop) {
  Survey survey;
  Tree tree(root_, stop);
  survey.facts = root_ == "/" ? read_host_facts() : read_facts_of_files(tree);
  Found found;
  TRY(read_software(tree, skipped, survey.facts.os.distro(), found));
  survey.software = std::move(found.packages);
  survey.runtime = look_at_runtime(root_, skipped, bystanders_, stop);
  survey.malformed = found.malformed;
  survey.beyond_limit = found.beyond_limit + (tree.exhausted() ? 1 : 0);
  return survey;
}

std::optional<ImageSight> LinuxHost::look_at_images(const ImageOrder& order,
                                                    const std::atomic<bool>& stop) {
  const ScannerPlace scanner{order.scanner ? find_tool("trivy") : std::nullopt, cache_};
  return agent::look_at_images(root_, order, scanner, bystanders_, stop);
}

}  // namespace muster::agent
