// SPDX-License-Identifier: Apache-2.0
#include "model/release.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "version/semver_text.h"

namespace muster::model {

namespace {

Error no_manifest(std::string what) {
  return invalid_field("manifest", std::move(what));
}

std::string_view without_prefix(std::string_view version) {
  if (!version.empty() && (version.front() == 'v' || version.front() == 'V')) {
    version.remove_prefix(1);
  }
  return version;
}

/// Cuts the part before the next dot off `rest` and returns the digits that it begins with.
std::string_view take_part(std::string_view& rest) {
  const auto dot = rest.find('.');
  std::string_view part = rest.substr(0, dot);
  rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  return version::take_digits(part);
}

std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view left = take_part(a);
    const std::string_view right = take_part(b);
    if (const auto order = version::compare_digits(left, right); order != 0) return order;
  }
  return b.empty() <=> a.empty();
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  JsonWriter json;
  json.begin_object()
      .member("version", manifest.version)
      .member("os", manifest.os)
      .member("arch", manifest.arch)
      .member("sha256", manifest.sha256.text())
      .member("size", manifest.size)
      .member("serial", manifest.serial)
      .member("expires", manifest.expires_at)
      .end_object();
  return json.take();
}

Result<Manifest> parse_manifest(std::string_view text) {
  JsonDocument document;
  const Result<Json> json = document.parse(text);
  if (!json.ok() || !json->is_object()) return no_manifest("is no JSON object");
  Fields fields(*json, "manifest");
  Manifest manifest;
  manifest.version = fields.text("version", limits::agent_version_bytes);
  manifest.os = fields.text("os", limits::os_bytes);
  manifest.arch = fields.text("arch", limits::os_bytes);
  const auto digest = crypto::parse_sha256(fields.text("sha256", limits::name_bytes));
  manifest.size = fields.integer("size", 1, number_id_max);
  manifest.serial = fields.integer("serial", 1, number_id_max);
  const auto expires = fields.optional_text("expires", limits::name_bytes);
  TRY(fields.finish());
  manifest.sha256 = digest.value_or(crypto::Sha256{});
  if (expires) manifest.expires_at = TRY(parse_rfc3339(*expires));
  if (encode_manifest(manifest) != text) return no_manifest("is not in its canonical form");
  return manifest;
}

bool is_release_version(std::string_view text) {
  if (text.size() > limits::agent_version_bytes) return false;
  const version::SemverText parts = version::split_semver(without_prefix(text));
  return !parts.loose && version::fault_of(parts) == nullptr;
}

std::weak_ordering compare_agent_versions(std::string_view a, std::string_view b) {
  const version::SemverText left = version::split_semver(without_prefix(a));
  const version::SemverText right = version::split_semver(without_prefix(b));
  if (const auto order = compare_numbers(left.release, right.release); order != 0) return order;
  return version::compare_prereleases(left, right, version::LetterCase::kept);
}

bool is_allowed(const Release& release, const UpdateSeeker& agent, Instant now) {
  return release.facts.os == agent.os && release.facts.arch == agent.arch &&
         !release.withdrawn_at && (!release.facts.expires_at || now < *release.facts.expires_at);
}

const Release* latest_allowed(const std::vector<Release>& releases, const UpdateSeeker& agent,
                              Instant now) {
  const Release* latest = nullptr;
  for (const Release& release : releases) {
    if (!is_allowed(release, agent, now)) continue;
    if (latest == nullptr ||
        compare_agent_versions(release.facts.version, latest->facts.version) > 0) {
      latest = &release;
    }
  }
  return latest;
}

std::string_view update_state_name(UpdateState state) {
  static constexpr std::string_view names[] = {"nothing_offered", "up_to_date", "behind", "ahead"};
  return names[static_cast<std::size_t>(state)];
}

UpdateState update_state(const Release* offered, std::string_view running) {
  if (offered == nullptr) return UpdateState::nothing_offered;
  const auto order = compare_agent_versions(running, offered->facts.version);
  if (order == 0) return UpdateState::up_to_date;
  return order < 0 ? UpdateState::behind : UpdateState::ahead;
}

}  // namespace muster::model
