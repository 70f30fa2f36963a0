// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"

namespace muster::agent {

/// A program of this agent that an update brought, below the state directory. Its file is named
/// after its digest: what the name says can be checked before it is started.
struct Build {
  static constexpr const char* folder = "builds";

  std::string version;
  crypto::Sha256 sha256;
  std::int64_t serial = 0;  // of its manifest

  std::string file() const { return folder + ("/" + sha256.text()); }
  friend bool operator==(const Build&, const Build&) = default;
};

/// Which build runs, and what became of the others: update.json, replaced as one step. That step is
/// the switch, so there is no moment at which no build is chosen.
///
///   (none) --downloaded--> trial --proved--> current
///                            |--started too often, unusable--> failed
///                            |--heard no server--> suspect --the build before it--> failed | trial
struct UpdateRecord {
  static constexpr const char* file = "update.json";

  /// Started next, and counted, until it has proved that it works.
  struct Trial {
    Build build;
    int starts = 0;
    int suspicions = 0;  // trials that ended because no server answered
  };
  /// Never tried again.
  struct Failure {
    Build build;
    std::string why;
  };

  std::optional<Build> current;  // proved; none: the installed program
  std::optional<Trial> trial;
  /// A trial that heard no server. Whether that is its fault is settled by the build before it,
  /// which either hears the server at once or does not hear it either.
  std::optional<Trial> suspect;
  std::vector<Failure> failures;  // newest last, at most bounds::failed_builds
  std::int64_t serial = 0;        // the highest that was proved: older manifests are replays

  bool has_failed(const crypto::Sha256& sha256) const;
  void fail(const Build& build, std::string why);
  /// Files of builds that may still be started.
  std::vector<std::string> files_in_use() const;
};

std::string encode_update(const UpdateRecord& record);
/// Fails with invalid_json, invalid_field or missing_field for a damaged file.
Result<UpdateRecord> decode_update(std::string_view json);

}  // namespace muster::agent
