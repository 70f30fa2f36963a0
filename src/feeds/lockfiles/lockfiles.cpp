// SPDX-License-Identifier: Apache-2.0
#include "feeds/lockfiles/lockfiles.h"

#include "base/limits.h"
#include "base/text.h"
#include "feeds/lockfiles/readers.h"

namespace muster::feeds {

namespace lockfiles {

void Pins::add(std::string_view name, std::string_view version, bool direct) {
  name = trim(name);
  version = trim(version);
  const bool usable = !name.empty() && name.size() <= limits::name_bytes && is_plain_text(name) &&
                      !version.empty() && version.size() <= limits::version_bytes &&
                      is_plain_text(version);
  if (!usable) return skip();
  auto pin = std::pair(std::string(name), std::string(version));
  const auto known = direct_by_pin_.find(pin);
  if (known != direct_by_pin_.end()) {
    known->second = known->second || direct;
  } else if (direct_by_pin_.size() == limits::lockfile_packages) {
    skip();
  } else {
    direct_by_pin_.emplace(std::move(pin), direct);
  }
}

Lockfile Pins::take(model::Ecosystem ecosystem) && {
  Lockfile lockfile;
  lockfile.ecosystem = ecosystem;
  lockfile.skipped = skipped_;
  lockfile.packages.reserve(direct_by_pin_.size());
  for (const auto& [pin, direct] : direct_by_pin_) {
    lockfile.packages.push_back({pin.first, pin.second, direct});
  }
  return lockfile;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? value->string().value_or("") : std::string_view();
}

Result<Json> parse_object(JsonDocument& document, std::string_view content) {
  const Json json = TRY(document.parse(content));
  if (!json.is_object()) return Error{Errc::invalid_json, "The file must be a JSON object."};
  return json;
}

}  // namespace lockfiles

namespace {

using Reader = Result<void> (*)(std::string_view content, lockfiles::Pins& pins);

struct Format {
  std::string_view filename;
  model::Ecosystem ecosystem;
  Reader read;
};

constexpr Format formats[] = {
#define LOCKFILE(filename, ecosystem, reader) \
  {filename, model::Ecosystem::ecosystem, lockfiles::reader},
#include "feeds/lockfiles/lockfiles.def"
#undef LOCKFILE
};

const Format* find_format(std::string_view filename) {
  for (const Format& format : formats) {
    if (format.filename == filename) return &format;
  }
  return nullptr;
}

}  // namespace

bool is_lockfile(std::string_view filename) {
  return find_format(filename) != nullptr;
}

Result<Lockfile> read_lockfile(std::string_view filename, std::string_view content) {
  const Format* format = find_format(filename);
  if (format == nullptr) return invalid_field("filename", "is no lock file that is known");
  if (content.size() > limits::lockfile_bytes) {
    return invalid_field("content",
                         "is longer than " + std::to_string(limits::lockfile_bytes) + " bytes");
  }
  lockfiles::Pins pins;
  TRY(format->read(content, pins));
  return std::move(pins).take(format->ecosystem);
}

}  // namespace muster::feeds
