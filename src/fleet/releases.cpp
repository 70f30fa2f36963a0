// SPDX-License-Identifier: Apache-2.0
#include "fleet/releases.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "fleet/blobs.h"
#include "fleet/cursor.h"
#include "store/sql/agents.h"
#include "store/sql/releases.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_release() {
  return {Errc::not_found, "There is no such release."};
}
Error no_version() {
  return {Errc::not_found, "No version available for this platform"};
}

std::string target_of(const Release& release) {
  return release.facts.version + " " + release.facts.os + "/" + release.facts.arch;
}

void record(store::Tx& tx, NumberIds& ids, const Actor& actor, std::string_view action,
            const Release& release, Instant now) {
  record_audit(
      tx, ids, store::server_org, actor, action, target_of(release),
      [&](JsonWriter& details) {
        details.member("release_id", release.id)
            .member("sha256", release.facts.sha256.text())
            .member("serial", release.facts.serial)
            .member("mandatory", release.mandatory)
            .member("public_key", to_hex(release.signer));
      },
      now);
}

/// Greater than every serial of the platform; the clock's seconds when they are, as offline.
std::int64_t next_serial(const std::vector<Release>& platform, Instant now) {
  std::int64_t serial = std::max<std::int64_t>(now.unix_ms / 1000, 1);
  for (const Release& release : platform) serial = std::max(serial, release.facts.serial + 1);
  return serial;
}

/// Takes the facts of a manifest that was signed elsewhere, if all of it holds.
Result<void> take_manifest(const ReleaseOrder::Signed& given, const std::vector<Release>& platform,
                           Release& release) {
  const model::Manifest facts = TRY(model::parse_manifest(given.manifest));
  const model::Manifest& file = release.facts;
  if (facts.version != file.version || facts.os != file.os || facts.arch != file.arch) {
    return invalid_field("manifest", "is of another version or platform");
  }
  if (facts.sha256 != file.sha256 || facts.size != file.size) {
    return invalid_field("manifest", "is of another file");
  }
  if (!crypto::verify(given.manifest, given.signature, given.signer)) {
    return invalid_field("manifest_signature", "does not hold under that public key");
  }
  std::int64_t published = 0;
  for (const Release& known : platform) published = std::max(published, known.facts.serial);
  if (published >= facts.serial) {
    return invalid_field("manifest",
                         "has the serial " + std::to_string(facts.serial) +
                             ", which must be above those already published, the last of them " +
                             std::to_string(published) +
                             ": sign again with muster releases sign --serial " +
                             std::to_string(published + 1));
  }
  release.facts = facts;
  release.manifest = given.manifest;
  release.manifest_signature = given.signature;
  release.signer = given.signer;
  return {};
}

std::optional<Release> find_latest(store::Reader& reader, std::string_view os,
                                   std::string_view arch, Instant now) {
  const std::vector<Release> platform = store::list_platform_releases(reader, os, arch);
  const Release* latest = model::latest_allowed(platform, {os, arch}, now);
  if (latest == nullptr) return std::nullopt;
  return *latest;
}

Result<OpenedRelease> open(store::Store& store, std::optional<Release> release) {
  if (!release) return no_version();
  auto content = open_blob(store, {store::server_org, release->facts.sha256});
  if (!content) return Error{Errc::not_found, "Binary file not found on server"};
  return OpenedRelease{*std::move(release), *std::move(content)};
}

}  // namespace

Result<Release> publish_release(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                OperatorId publisher, const crypto::SigningKey& server_key,
                                const ReleaseOrder& order, Instant now) {
  if (!model::is_release_version(order.version)) {
    return invalid_field("version", "must be a version like 1.2.3 or 1.2.3-rc.1");
  }
  const auto platform = store::list_platform_releases(tx, order.os, order.arch);
  const auto same = std::find_if(platform.begin(), platform.end(), [&](const Release& known) {
    return known.facts.version == order.version;
  });
  if (same != platform.end()) {
    if (same->facts.sha256 != order.sha256) {
      return Error{Errc::name_taken, "version: is published with another file", "version"};
    }
    Release again = *same;
    if (!again.withdrawn_at) return again;
    again.withdrawn_at.reset();
    store::set_release_withdrawn(tx, again.id, std::nullopt);
    record(tx, ids, actor, "releases.publish", again, now);
    return again;
  }
  const auto size = store::keep_blob(tx, {store::server_org, order.sha256});
  if (!size) return Error{Errc::not_found, "sha256: no such file was uploaded", "sha256"};
  Release release;
  release.id = ids.next<ReleaseId>(now);
  release.facts.version = order.version;
  release.facts.os = order.os;
  release.facts.arch = order.arch;
  release.facts.sha256 = order.sha256;
  release.facts.size = static_cast<std::int64_t>(*size);
  release.mandatory = order.mandatory;
  release.notes = order.notes;
  release.signature = server_key.sign(order.sha256.octets());
  release.published_at = now;
  release.published_by = publisher;
  if (order.manifest) {
    TRY(take_manifest(*order.manifest, platform, release));
  } else {
    release.facts.serial = next_serial(platform, now);
    release.manifest = model::encode_manifest(release.facts);
    release.manifest_signature = server_key.sign(release.manifest);
    release.signer = server_key.public_key();
  }
  store::insert_release(tx, release);
  record(tx, ids, actor, "releases.publish", release, now);
  return release;
}

Result<Release> withdraw_release(store::Tx& tx, NumberIds& ids, const Actor& actor, ReleaseId id,
                                 Instant now) {
  std::optional<Release> release = store::find_release(tx, id);
  if (!release) return no_release();
  if (!release->withdrawn_at) {
    release->withdrawn_at = now;
    store::set_release_withdrawn(tx, id, now);
    record(tx, ids, actor, "releases.withdraw", *release, now);
  }
  return *std::move(release);
}

Result<Release> show_release(store::Store& store, ReleaseId id) {
  auto release = store.read([&](store::Reader& reader) { return store::find_release(reader, id); });
  if (!release) return no_release();
  return *std::move(release);
}

Result<ReleasePage> list_release_page(store::Store& store, std::string_view cursor, int count) {
  const ReleaseId before{TRY(parse_id_cursor(cursor, number_id_max))};
  return store.read([&](store::Reader& reader) {
    ReleasePage page;
    page.releases = store::list_releases(reader, before, count + 1);
    page.total = store::count_releases(reader);
    if (page.releases.size() > static_cast<std::size_t>(count)) {
      page.releases.pop_back();
      page.next_cursor = std::to_string(page.releases.back().id.value);
    }
    return page;
  });
}

const Release* CurrentReleases::find(const std::string& os, const std::string& arch) {
  const auto [found, is_new] = platforms_.try_emplace({os, arch});
  if (is_new) found->second = find_latest(reader_, os, arch, now_);
  return found->second ? &*found->second : nullptr;
}

void ToldReleases::Pages::turn(Instant now) {
  if (now - since < life && now >= since) return;
  former = now - since < life * 2 && now >= since ? std::move(current) : Told();
  current = Told();
  since = now;
}

void ToldReleases::tell(AgentId agent, ReleaseId release, Instant now) {
  pages_.with([&](Pages& pages) {
    pages.turn(now);
    pages.current[agent] = release;
  });
}

std::optional<ReleaseId> ToldReleases::find(AgentId agent, Instant now) {
  return pages_.with([&](Pages& pages) -> std::optional<ReleaseId> {
    pages.turn(now);
    for (const Told* told : {&pages.current, &pages.former}) {
      if (const auto found = told->find(agent); found != told->end()) return found->second;
    }
    return std::nullopt;
  });
}

std::optional<Release> offer_update(store::Store& store, ToldReleases& told, OrgId org,
                                    AgentId agent, std::string_view running, Instant now) {
  std::optional<Release> latest = store.read([&](store::Reader& reader) -> std::optional<Release> {
    const auto enrolled = store::find_agent(reader, org, agent);
    if (!enrolled) return std::nullopt;
    return find_latest(reader, enrolled->os, enrolled->arch, now);
  });
  if (!latest || model::compare_agent_versions(latest->facts.version, running) == 0) {
    return std::nullopt;
  }
  told.tell(agent, latest->id, now);
  return latest;
}

Result<OpenedRelease> open_update(store::Store& store, ToldReleases& told, OrgId org, AgentId agent,
                                  std::string os, std::string arch, Instant now) {
  const std::optional<ReleaseId> promised = told.find(agent, now);
  return open(store, store.read([&](store::Reader& reader) -> std::optional<Release> {
    if (os.empty() || arch.empty()) {
      const auto enrolled = store::find_agent(reader, org, agent);
      if (!enrolled) return std::nullopt;
      if (os.empty()) os = enrolled->os;
      if (arch.empty()) arch = enrolled->arch;
    }
    auto release = promised ? store::find_release(reader, *promised) : std::nullopt;
    if (release && model::is_allowed(*release, {os, arch}, now)) return release;
    return find_latest(reader, os, arch, now);
  }));
}

Result<OpenedRelease> open_latest(store::Store& store, std::string_view os, std::string_view arch,
                                  Instant now) {
  return open(
      store, store.read([&](store::Reader& reader) { return find_latest(reader, os, arch, now); }));
}

}  // namespace muster::fleet
