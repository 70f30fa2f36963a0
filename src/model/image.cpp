// SPDX-License-Identifier: Apache-2.0
#include "model/image.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

constexpr std::string_view docker_hub = "docker.io";
constexpr std::string_view official = "library/";

bool is_lower_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}

bool is_tag(std::string_view text) {
  constexpr std::size_t bytes_max = 128;
  return !text.empty() && text.size() <= bytes_max && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_registry(std::string_view text) {
  const auto end = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const auto colon = text.find(':', end == std::string_view::npos ? 0 : end);
  const std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
      return false;
    }
  }
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') &&
           std::all_of(host.begin() + 1, host.end() - 1,
                       [](char c) { return hex_digit(c) >= 0 || c == ':' || c == '.'; });
  }
  return !host.empty() && is_alnum(host.front()) && is_alnum(host.back()) &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

/// Between the slashes of a repository.
bool is_path_component(std::string_view text) {
  return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_repository(std::string_view text) {
  constexpr std::size_t bytes_max = 255;
  if (text.size() > bytes_max) return false;
  for (;;) {
    const auto slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

/// Whether the first component of a name is a registry and no part of a repository of Docker's.
bool looks_like_registry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:") != std::string_view::npos;
}

struct ScannerType {
  std::string_view text;
  Ecosystem ecosystem;
};

constexpr ScannerType scanner_types[] = {
#define SCANNER_TYPE(text, ecosystem) {text, Ecosystem::ecosystem},
#include "model/scanner_types.def"
#undef SCANNER_TYPE
};

constexpr std::array<std::string_view, 8> fix_status_names = {
    "unknown",      "affected",     "fixed",       "not_affected", "under_investigation",
    "will_not_fix", "fix_deferred", "end_of_life",
};

}  // namespace

std::string ImageReference::text() const {
  std::string_view shown = repository;
  std::string out;
  if (registry != docker_hub) {
    out = registry + "/";
  } else if (shown.starts_with(official) &&
             shown.find('/', official.size()) == std::string_view::npos) {
    shown.remove_prefix(official.size());
  } else if (looks_like_registry(shown.substr(0, shown.find('/')))) {
    out = registry + "/";
  }
  out += shown;
  if (!tag.empty()) out += ":" + tag;
  if (!digest.empty()) out += "@" + digest;
  return out;
}

bool is_image_digest(std::string_view text) {
  constexpr std::string_view algorithm = "sha256:";
  constexpr std::size_t digits = 64;
  if (!text.starts_with(algorithm) || text.size() != algorithm.size() + digits) return false;
  text.remove_prefix(algorithm.size());
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::optional<ImageReference> parse_image_reference(std::string_view text) {
  if (text.size() > limits::image_reference_bytes) return std::nullopt;
  ImageReference reference;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    reference.digest = text.substr(at + 1);
    if (!is_image_digest(reference.digest)) return std::nullopt;
    text = text.substr(0, at);
  }
  const auto last_slash = text.rfind('/');
  const auto colon = text.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    reference.tag = text.substr(colon + 1);
    if (!is_tag(reference.tag)) return std::nullopt;
    text = text.substr(0, colon);
  } else if (reference.digest.empty()) {
    reference.tag = "latest";
  }
  reference.registry = docker_hub;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && looks_like_registry(text.substr(0, slash))) {
    reference.registry = text.substr(0, slash);
    if (!is_registry(reference.registry)) return std::nullopt;
    if (reference.registry == "index.docker.io") reference.registry = docker_hub;
    text = text.substr(slash + 1);
  }
  if (!is_repository(text)) return std::nullopt;
  reference.repository = text;
  if (reference.registry == docker_hub && text.find('/') == std::string_view::npos) {
    reference.repository.insert(0, official);
  }
  return reference;
}

std::optional<ImageReference> join_image_reference(std::string_view name, std::string_view tag) {
  if (!tag.empty()) {
    std::string joined(name);
    joined.append(":").append(tag);
    if (auto whole = parse_image_reference(joined)) return whole;
  }
  return parse_image_reference(name);
}

Ecosystem ecosystem_of_scanner_type(std::string_view type) {
  const auto known = std::find_if(std::begin(scanner_types), std::end(scanner_types),
                                  [&](const ScannerType& each) { return each.text == type; });
  return known == std::end(scanner_types) ? parse_ecosystem(type) : known->ecosystem;
}

std::string_view fix_status_name(FixStatus status) {
  return fix_status_names.at(static_cast<std::size_t>(status));
}

FixStatus parse_fix_status(std::string_view text) {
  const auto found = std::find(fix_status_names.begin(), fix_status_names.end(), text);
  if (found == fix_status_names.end()) return FixStatus::unknown;
  return static_cast<FixStatus>(found - fix_status_names.begin());
}

std::optional<std::string> ImageVulnerability::cve() const {
  if (!is_cve_id(id)) return std::nullopt;
  return id;
}

}  // namespace muster::model
