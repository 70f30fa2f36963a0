// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"

namespace muster::model {

using ReleaseId = NumberId<struct ReleaseTag>;

/// What is signed of a release, possibly on a machine that is on no network.
struct Manifest {
  std::string version;
  std::string os;    // "linux", "windows" or "darwin"
  std::string arch;  // "amd64" or "arm64"
  crypto::Sha256 sha256;
  std::int64_t size = 0;
  std::int64_t serial = 0;  // grows with each release of a platform: an older one is a replay
  std::optional<Instant> expires_at;
};

/// The one text of a manifest: a JSON object with its members in the order of the struct, `expires`
/// null or RFC 3339.
std::string encode_manifest(const Manifest& manifest);
/// Fails with invalid_field naming `manifest` for any text that encode_manifest does not yield.
Result<Manifest> parse_manifest(std::string_view text);

/// A published program of agents.
struct Release {
  ReleaseId id;
  Manifest facts;
  bool mandatory = false;
  std::string notes;
  crypto::Signature signature{};  // over the 32 octets of the digest, by the server: for the field
  std::string manifest;           // the text that is signed: encode_manifest(facts)
  crypto::Signature manifest_signature{};
  crypto::PublicKey signer{};  // of the manifest
  Instant published_at;
  OperatorId published_by;
  std::optional<Instant> withdrawn_at;
};

/// Numbers joined by dots, a `v` before them or not, and perhaps `-PRERELEASE` and `+BUILD` as in
/// semver 2.0; at most limits::agent_version_bytes.
bool is_release_version(std::string_view text);

/// The order of agents' versions. As the agents in the field compare: number by number, a `v` in
/// front dropped, of each part the digits before anything else, shorter is older. Where they see no
/// difference, and for prereleases, which they do not know, semver 2.0 (11.3, 11.4): 1.2.0-rc.1 is
/// before 1.2.0.
std::weak_ordering compare_agent_versions(std::string_view a, std::string_view b);

/// For whom a release is looked for.
struct UpdateSeeker {
  std::string_view os;
  std::string_view arch;
};
/// Whether an agent may be given a release at `now`: it is for its platform, neither withdrawn nor
/// expired. Rollouts will have their say here.
bool is_allowed(const Release& release, const UpdateSeeker& agent, Instant now);
/// The highest version that the agent may be given, whenever it was published; null when there is
/// none.
const Release* latest_allowed(const std::vector<Release>& releases, const UpdateSeeker& agent,
                              Instant now);

/// How what an agent runs stands to the release that it is offered.
enum class UpdateState : std::uint8_t { nothing_offered, up_to_date, behind, ahead };
std::string_view update_state_name(UpdateState state);
/// Of an agent that runs `running`; `offered` is null when nothing is.
UpdateState update_state(const Release* offered, std::string_view running);

}  // namespace muster::model
