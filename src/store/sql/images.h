// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "crypto/sha256.h"
#include "model/advisory.h"
#include "model/finding.h"
#include "model/image.h"
#include "store/sql/findings.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// A container image, shared by the hosts that have it.
struct ImageRow {
  OrgId org;
  ImageId id;
  std::string identity;  // the digest of its configuration, or else the reference that names it
  std::string digest;    // of its configuration; empty if no scan told it
  std::string kind;
  std::string os;
  std::string arch;
  std::vector<std::string> repo_digests;
  Instant first_seen;
  std::optional<Instant> scanned_at;  // when its findings were found
  crypto::Sha256 content;             // of what that scan found
  /// What is installed in it: counted as one more host on its set (store/sql/inventory.h). None if
  /// no scan listed it.
  std::optional<crypto::KeyHash> package_set;
  std::int64_t package_count = 0;
  std::int64_t unidentified_count = 0;  // listed beside them, of which nothing is known
  std::optional<Instant> packages_at;   // when they were listed
};
std::optional<ImageRow> find_image_by_identity(Reader& reader, OrgId org,
                                               std::string_view identity);
std::optional<ImageRow> find_image(Reader& reader, ImageId id);
/// Stores it or what is new about it; the first moment that it was seen stays.
void set_image(Tx& tx, const ImageRow& image);

/// Those with a package set, of all organisations, after `after`, by id.
std::vector<ImageRow> list_images_with_packages(Reader& reader, ImageId after, int count);

/// A name under which a host has an image.
struct HostImageRow {
  OrgId org;
  HostId host;
  ImageId image;
  std::string reference;
  Instant first_seen;
  Instant last_seen;
  std::optional<Instant> retired_at;  // since when its scans do not name it any more
  std::string given = {};             // the name as the host gave it; empty if not known
};
/// Stores it, or sets when it was last seen and ends its retirement.
void set_host_image(Tx& tx, const HostImageRow& row);
/// Those of a host that are not retired.
std::vector<HostImageRow> list_images_of_host(Reader& reader, OrgId org, HostId host);
void retire_host_image(Tx& tx, OrgId org, HostId host, ImageId image, std::string_view reference,
                       Instant now);

/// A host that has an image, or had it.
struct ImageHostView {
  HostImageRow row;
  std::string hostname;
};
/// Those that have it first, then the one seen last.
std::vector<ImageHostView> list_hosts_of_image(Reader& reader, OrgId org, ImageId image, int count);

/// A vulnerability of an image.
struct ImageFinding {
  OrgId org;
  FindingId id;
  ImageId image;
  std::string type;  // with package and advisory_id: what names it within its image
  std::string package;
  std::string advisory_id;
  std::optional<std::string> cve;
  std::string version;
  std::string fixed_version;
  model::Severity severity = model::Severity::unknown;
  model::FixStatus fix_status = model::FixStatus::unknown;
  model::FindingStatus status = model::FindingStatus::open;
  std::optional<AcceptanceId> acceptance;  // that it is accepted by
  Instant opened_at;
  std::optional<Instant> resolved_at;
  std::string resolution;  // "not_reported", "not_affected"
  std::string details;     // JSON object: title, url, source, places
  /// The scanner's last word on the image names it. What it says is then in the members above;
  /// else they are what our feeds say.
  bool reported = false;
  /// What our feeds say: a JSON array of objects, each of one advisory and one package.
  std::string matches = "[]";
};
/// Stores a finding, or what is new about one that the image has already: it keeps its id, and
/// opened_at until it is resolved.
void set_image_finding(Tx& tx, const ImageFinding& finding);
/// Calls a finding of another source's by the name that set_image_finding() then knows it by.
void rename_image_finding(Tx& tx, const ImageFinding& finding);
void resolve_image_finding(Tx& tx, OrgId org, FindingId id, std::string_view resolution,
                           Instant now);
/// Also the resolved ones.
std::vector<ImageFinding> list_findings_of_image(Reader& reader, OrgId org, ImageId image);
std::int64_t count_open_findings_of_image(Reader& reader, OrgId org, ImageId image);

/// An image with what is counted when it is read.
struct ImageView {
  ImageRow image;
  std::int64_t hosts = 0;                     // that have it
  std::vector<std::string> references;        // under which they have it, or had it
  std::array<std::int64_t, 6> findings = {};  // open ones, by severity
  std::int64_t known_exploited = 0;           // of the open ones
};
struct ImageFilter {
  std::optional<OrgId> org;
  std::optional<HostId> host;      // that has it
  std::optional<std::string> cve;  // that it has open
  bool retired = false;            // also those that no host has any more
};
/// Newest first, older than `before`.
std::vector<ImageView> list_images(Reader& reader, const ImageFilter& filter, ImageId before,
                                   int count);
Total count_images(Reader& reader, const ImageFilter& filter);
/// What list_images() counts, for one image.
ImageView view_image(Reader& reader, ImageRow image);

struct ImageFindingView {
  ImageFinding finding;
  bool known_exploited = false;
  std::optional<model::EpssScore> epss;
};
/// In the order of their places.
std::vector<ImageFindingView> list_image_findings(Reader& reader, OrgId org, ImageId image,
                                                  bool open_only,
                                                  const std::optional<FindingPlace>& after,
                                                  int count);
Total count_image_findings(Reader& reader, OrgId org, ImageId image, bool open_only);
std::optional<ImageFindingView> find_image_finding(Reader& reader, FindingId id);

}  // namespace muster::store
