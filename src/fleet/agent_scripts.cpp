// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_scripts.h"

#include "base/limits.h"
#include "fleet/announcements.h"
#include "fleet/blobs.h"
#include "store/store.h"
#include "version/scheme.h"

namespace muster::fleet {

namespace {

Error no_script(std::string_view platform) {
  return {Errc::not_found, "There is no agent script for " + std::string(platform) + "."};
}

void record(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
            const AgentScript& script, Instant now) {
  record_audit(
      tx, ids, store::server_org, actor, action, script.platform,
      [&](JsonWriter& details) {
        details.member("version", script.version).member("sha256", script.sha256.text());
      },
      now);
}

}  // namespace

bool is_script_platform(std::string_view platform) {
  return platform == "linux" || platform == "macos" || platform == "windows";
}

void AgentScripts::load(store::Reader& reader) {
  std::map<std::string, AgentScript> stored;
  for (AgentScript& script : store::list_agent_scripts(reader)) {
    std::string platform = script.platform;
    stored.emplace(std::move(platform), std::move(script));
  }
  scripts_.with([&](auto& scripts) { scripts = std::move(stored); });
}

std::vector<AgentScript> AgentScripts::list() const {
  return scripts_.with([](const auto& scripts) {
    std::vector<AgentScript> all;
    all.reserve(scripts.size());
    for (const auto& [platform, script] : scripts) all.push_back(script);
    return all;
  });
}

std::optional<AgentScript> AgentScripts::find_newer(std::string_view platform,
                                                    std::string_view running) const {
  auto script = scripts_.with([&](const auto& scripts) -> std::optional<AgentScript> {
    const auto found = scripts.find(std::string(platform));
    if (found == scripts.end()) return std::nullopt;
    return found->second;
  });
  if (!script) return std::nullopt;
  const auto order = version::compare(version::Scheme::semver, running, script->version);
  if (!order.ok() || *order != std::weak_ordering::less) return std::nullopt;
  return script;
}

void AgentScripts::set(const AgentScript& script) {
  scripts_.with([&](auto& scripts) { scripts.insert_or_assign(script.platform, script); });
}

void AgentScripts::erase(const std::string& platform) {
  scripts_.with([&](auto& scripts) { scripts.erase(platform); });
}

Result<AgentScript> upload_agent_script(store::Tx& tx, NumberIds& ids, AgentScripts& scripts,
                                        const Actor& actor, AgentScript script, Instant now) {
  if (!is_script_platform(script.platform)) {
    return invalid_field("platform", "must be one of linux, macos, windows");
  }
  if (!version::validate(version::Scheme::semver, script.version).ok()) {
    return invalid_field("version", "must be a version like 1.5.0");
  }
  const auto former = store::find_agent_script(tx, script.platform);
  const auto size = store::keep_blob(tx, {store::server_org, script.sha256});
  if (!size) return Error{Errc::not_found, "sha256: no such file was uploaded", "sha256"};
  if (*size > limits::script_bytes) {
    return invalid_field(
        "sha256", "is of more than " + std::to_string(limits::script_bytes) + " bytes: no script");
  }
  script.size = static_cast<std::int64_t>(*size);
  script.uploaded_at = now;
  store::set_agent_script(tx, script);
  if (former && former->sha256 != script.sha256) {
    store::let_go_of_blob(tx, {store::server_org, former->sha256}, now + limits::loose_blob_life);
  }
  record(tx, ids, actor, "scripts.upload", script, now);
  announce_agent_scripts(tx);
  tx.on_commit([&scripts, script] { scripts.set(script); });
  return script;
}

Result<AgentScript> delete_agent_script(store::Tx& tx, NumberIds& ids, AgentScripts& scripts,
                                        const Actor& actor, const std::string& platform,
                                        Instant now) {
  auto script = store::find_agent_script(tx, platform);
  if (!script) return no_script(platform);
  store::delete_agent_script(tx, platform);
  store::let_go_of_blob(tx, {store::server_org, script->sha256}, now + limits::loose_blob_life);
  record(tx, ids, actor, "scripts.delete", *script, now);
  announce_agent_scripts(tx);
  tx.on_commit([&scripts, platform] { scripts.erase(platform); });
  return *std::move(script);
}

Result<OpenedScript> open_agent_script(store::Store& store, std::string_view platform) {
  auto script =
      store.read([&](store::Reader& reader) { return store::find_agent_script(reader, platform); });
  auto content = script ? open_blob(store, {store::server_org, script->sha256}) : std::nullopt;
  if (!content) return no_script(platform);
  return OpenedScript{*std::move(script), *std::move(content)};
}

}  // namespace muster::fleet
