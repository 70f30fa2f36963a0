// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/advisory.h"
#include "model/package.h"

namespace muster::model {

/// How a registry names an image (https://github.com/distribution/reference).
struct ImageReference {
  std::string registry;    // "localhost:5000"; "docker.io" when none is named
  std::string repository;  // "team/app", "library/nginx"
  std::string tag;         // "latest" when neither a tag nor a digest is named
  std::string digest;      // "sha256:" and 64 hexadecimal digits; empty if none

  /// The short form that Docker shows: "nginx:1.25", "localhost:5000/team/app:2.0". Reads back as
  /// the same reference.
  std::string text() const;

  friend auto operator<=>(const ImageReference&, const ImageReference&) = default;
};

/// "sha256:" and 64 hexadecimal digits in lower case: the only digests that name anything here.
bool is_image_digest(std::string_view text);

/// Nothing for text that names no image, such as "<none>:<none>".
std::optional<ImageReference> parse_image_reference(std::string_view text);

/// Of a name and a tag apart. Agents in the field split at the first colon, which a registry's port
/// or a digest has before the tag's: "localhost" and "5000/team/app:2.0" are one reference.
std::optional<ImageReference> join_image_reference(std::string_view name, std::string_view tag);

/// What a scanner's source says is to be done about a vulnerability of a package.
enum class FixStatus : std::uint8_t {
  unknown,
  affected,  // and there is no fix yet
  fixed,     // in a version that it names
  not_affected,
  under_investigation,
  will_not_fix,
  fix_deferred,
  end_of_life,
};
/// "will_not_fix"; "unknown" for unknown.
std::string_view fix_status_name(FixStatus status);
FixStatus parse_fix_status(std::string_view text);

/// The ecosystem of the packages in places that a scanner calls `type` ("debian", "jar"), which may
/// also be the name of an ecosystem itself; unknown for others.
Ecosystem ecosystem_of_scanner_type(std::string_view type);

/// One vulnerability of one package of an image, wherever in the image the package is.
struct ImageVulnerability {
  /// An installation of the package; an image may have several, in several versions.
  struct Place {
    std::string target;  // "app/go.mod", "debian:12 (debian 12.5)"
    std::string path;    // "usr/lib/app.jar"; empty for a distribution's packages
    std::string version;
    std::string fixed_version;  // empty if there is none
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  std::string type;     // the scanner's word for where the package is from: "debian", "jar"
  std::string package;  // as that place spells it
  std::string id;       // "CVE-2019-1549", "GHSA-…"
  Severity severity = Severity::unknown;
  FixStatus status = FixStatus::unknown;
  std::string title;
  std::string url;
  std::string source;         // whose advisory it is: "alpine", "ghsa"
  std::vector<Place> places;  // one at least

  std::optional<std::string> cve() const;

  friend auto operator<=>(const ImageVulnerability&, const ImageVulnerability&) = default;
};

/// What one scan says of one image.
struct ImageScan {
  std::string kind;    // "container_image", "filesystem"; empty if not told
  std::string name;    // what the scanner was told to scan; empty if not told
  std::string digest;  // of the image's configuration: the same on every host; empty if not told
  std::vector<std::string> tags;          // references under which the host has it
  std::vector<std::string> repo_digests;  // "repository@sha256:…"
  std::string os;                         // "debian 12.5"
  std::string arch;
  std::optional<Instant> scanned_at;
  /// Ordered by type, package and id, each once.
  std::vector<ImageVulnerability> vulnerabilities;
  /// False for a bill of materials, which has no word on what is vulnerable.
  bool judged = true;
  /// What is installed in it, ordered, each once; nothing if the report does not list it.
  std::optional<std::vector<Package>> packages;
  std::int64_t skipped = 0;  // entries that do not say which vulnerability or package they are of
};

}  // namespace muster::model
