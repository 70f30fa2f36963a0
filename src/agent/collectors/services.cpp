// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/services.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "agent/collectors/tool.h"
#include "base/text.h"

namespace muster::agent {

namespace {

bool comes_and_goes(std::string_view unit) {
  return unit.starts_with("user@") || unit.starts_with("user-runtime-dir@") ||
         unit.find(':') != std::string_view::npos;
}

}  // namespace

std::vector<model::ServiceState> parse_units(std::string_view text) {
  std::vector<model::ServiceState> services;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view unit = take_word(line);
    take_word(line);  // LOAD: what has failed may be gone from the disk since
    const std::string_view active = take_word(line);
    const std::string_view sub = take_word(line);
    const bool counts = active == "active" || active == "failed";
    if (!counts || sub.empty() || !unit.ends_with(".service") || comes_and_goes(unit)) continue;
    if (unit.size() > model::service_name_bytes || !is_plain_text(unit) || !is_plain_text(sub)) {
      continue;
    }
    const std::string_view state = active == "failed" ? active : sub;
    services.push_back(
        {std::string(unit), std::string(cut_utf8(state, model::service_state_bytes))});
  }
  return services;
}

std::optional<std::vector<model::ServiceState>> list_services(Bystanders& bystanders,
                                                              const std::atomic<bool>& stop) {
  auto program = find_tool("systemctl");
  if (!program) return std::nullopt;
  Tool tool;
  tool.program = *std::move(program);
  tool.arguments = {"list-units",  "--type=service", "--plain",
                    "--no-legend", "--no-pager",     "--full"};
  tool.timeout = bounds::systemctl_timeout;
  tool.output_bytes = bounds::systemctl_bytes;
  const auto text = run_tool(tool, bystanders, stop);
  if (!text) return std::nullopt;
  return parse_units(*text);
}

bool has_systemd(const std::filesystem::path& root) {
  std::error_code none;
  return std::filesystem::is_directory(root / "run/systemd/system", none);
}

}  // namespace muster::agent
