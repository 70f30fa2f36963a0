// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include <algorithm>
#include <cstdio>

namespace muster::sim {

std::string Trace::text_of(const Line& line) {
  const std::string milliseconds = std::to_string(1000 + line.at.unix_ms % 1000);
  std::string text = format_rfc3339(line.at);
  text.insert(text.size() - 1, "." + milliseconds.substr(1));
  text += "  " + line.who + "  " + line.what;
  if (line.number != 0) text += "  " + std::to_string(line.number);
  return text;
}

void Trace::print(const Line& line) const {
  const std::string text = text_of(line);
  if (text.find(about_) != std::string::npos) std::printf("  %s\n", text.c_str());
}

std::vector<std::string> Trace::last_lines() const {
  std::vector<std::string> lines;
  const std::uint64_t kept = std::min<std::uint64_t>(noted_, last_.size());
  for (std::uint64_t i = noted_ - kept; i < noted_; ++i) {
    lines.push_back(text_of(last_[i % last_.size()]));
  }
  return lines;
}

}  // namespace muster::sim
