// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "http/response.h"
#include "model/release.h"

namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

namespace muster::fleet {

using model::Release;
using model::ReleaseId;

/// What an operator publishes: a stored file (store_blob, of store::server_org) and what it is.
struct ReleaseOrder {
  std::string version;
  std::string os;
  std::string arch;
  crypto::Sha256 sha256;
  bool mandatory = false;
  std::string notes;
  /// Signed elsewhere; else the server signs.
  struct Signed {
    std::string manifest;
    crypto::Signature signature{};
    crypto::PublicKey signer{};
  };
  std::optional<Signed> manifest;
};

/// Offers a release to all agents of its platform at once. The same file as the same version again
/// offers it again if it was withdrawn. Fails with invalid_field for a version that is none and a
/// manifest that does not hold, with not_found for a file that is not stored, with name_taken when
/// the version is published with another file.
Result<Release> publish_release(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                OperatorId publisher, const crypto::SigningKey& server_key,
                                const ReleaseOrder& order, Instant now);

/// From now on nobody is given it. A repeat changes nothing. Fails with not_found.
Result<Release> withdraw_release(store::Tx& tx, NumberIds& ids, const Actor& actor, ReleaseId id,
                                 Instant now);

/// Fails with not_found.
Result<Release> show_release(store::Store& store, ReleaseId id);
struct ReleasePage {
  std::vector<Release> releases;
  std::string next_cursor;
  store::Total total;
};
/// Newest first. Fails with invalid_field for a cursor that is none.
Result<ReleasePage> list_release_page(store::Store& store, std::string_view cursor, int count);

/// What agents are offered at one moment; the releases of each platform are read once. For as long
/// as one transaction.
class CurrentReleases {
 public:
  CurrentReleases(store::Reader& reader, Instant now) : reader_(reader), now_(now) {}

  /// The release that agents of that platform should move to, null when there is none. It lives as
  /// long as this.
  const Release* find(const std::string& os, const std::string& arch);

 private:
  store::Reader& reader_;
  Instant now_;
  std::map<std::pair<std::string, std::string>, std::optional<Release>> platforms_;
};

/// Which release each agent was told of last. Agents in the field ask for the facts and then for
/// the file, and refuse a file that does not match: a release that is published in between must not
/// come between the two. Kept for `life` to twice that; about 50 bytes for each agent that was told
/// of a release within that time. Safe from several threads.
class ToldReleases {
 public:
  static constexpr Duration life = std::chrono::minutes(10);

  void tell(AgentId agent, ReleaseId release, Instant now);
  std::optional<ReleaseId> find(AgentId agent, Instant now);

 private:
  using Told = boost::unordered_flat_map<AgentId, ReleaseId, std::hash<AgentId>>;
  struct Pages {
    void turn(Instant now);
    Instant since;
    Told current;
    Told former;
  };
  Guarded<Pages> pages_;
};

/// The release that an agent should move to, by the platform it enrolled with, and remembers that
/// it was told; nothing when there is none or it runs that version.
std::optional<Release> offer_update(store::Store& store, ToldReleases& told, OrgId org,
                                    AgentId agent, std::string_view running, Instant now);

struct OpenedRelease {
  Release release;
  http::Stream content;
};
/// The file that an agent was told of, else the latest; os and arch that are empty are those it
/// enrolled with. Fails with not_found in the words of the field.
Result<OpenedRelease> open_update(store::Store& store, ToldReleases& told, OrgId org, AgentId agent,
                                  std::string os, std::string arch, Instant now);
/// The latest file of a platform. Fails with not_found.
Result<OpenedRelease> open_latest(store::Store& store, std::string_view os, std::string_view arch,
                                  Instant now);

}  // namespace muster::fleet
