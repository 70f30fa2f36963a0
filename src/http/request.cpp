// SPDX-License-Identifier: Apache-2.0
#include "http/request.h"

#include "base/text.h"

namespace muster::http {

std::string_view method_name(Method method) {
  static constexpr std::string_view names[] = {"GET",   "HEAD",   "POST", "PUT",
                                               "PATCH", "DELETE", "OTHER"};
  return names[static_cast<std::size_t>(method)];
}

const Headers::Field* Headers::field(std::string_view name) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (fields_[i].name.size() == name.size() && equal_folded(fields_[i].name, name)) {
      return &fields_[i];
    }
  }
  return nullptr;
}

std::string_view Headers::find(std::string_view name) const {
  const Field* found = field(name);
  return found == nullptr ? std::string_view() : found->value;
}

std::string Headers::list(std::string_view name) const {
  std::string out;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!equal_folded(fields_[i].name, name)) continue;
    if (!out.empty()) out.append(",");
    out.append(fields_[i].value);
  }
  return out;
}

bool Headers::has(std::string_view name) const {
  return field(name) != nullptr;
}

std::optional<std::string> decode_component(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::string> query_param(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (decode_component(pair.substr(0, equals)) == name) {
      return decode_component(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace muster::http
