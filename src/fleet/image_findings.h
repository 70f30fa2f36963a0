// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/sha256.h"
#include "fleet/catalogue.h"
#include "fleet/host_matching.h"
#include "fleet/known_packages.h"
#include "fleet/package_marks.h"
#include "model/image.h"
#include "store/sql/images.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// What is vulnerable in images. Two sources speak of it: the scanner, in its last report, and our
/// feeds, about the packages that a report listed. What both say of one flaw of one package is one
/// finding, with the word of both; one of them is enough for it to be open. What is stored follows
/// from the two words alone, in whatever order they came.
namespace muster::fleet {

/// What a scanner says of an image.
struct ScannerWord {
  const std::vector<model::ImageVulnerability>* vulnerabilities = nullptr;
  /// It was asked for no more than the grave ones: what it said before of others stands.
  bool grave_only = false;
};

/// Of all that is stored of what a scanner says, so that equal hashes are equal words.
crypto::Sha256 content_of(const std::vector<model::ImageVulnerability>& vulnerabilities);

/// Brings an image's findings in line with its scanner's word, or with what that was where `word`
/// is absent, and with the verdicts on its packages. A finding keeps its id while it is about the
/// same flaw, also when another source names it otherwise.
MatchCount match_image(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                       KnownPackages& packages, const store::ImageRow& image,
                       const ScannerWord* word, Instant now);

/// Brings the findings of the images that have one of the `changed` packages in line with what is
/// known, as rematch_hosts() does those of hosts: what is new is found in them without a scan.
MatchCount rematch_images(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                          KnownPackages& packages, const PackageMarks& changed, Instant now);

/// Every image with packages, whatever changed: for when nobody knows what did.
MatchCount rematch_all_images(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                              KnownPackages& packages, Instant now);

/// What of a list of packages can be looked up: those of distributions and of languages'
/// registries, by nothing but what these know them by. A CPE is never looked up for an image: a
/// scanner has the identity, and names beside it match other software. The rest is counted in
/// `unidentified`.
std::vector<model::Package> identified_packages(const std::vector<model::Package>& listed,
                                                std::int64_t& unidentified);

}  // namespace muster::fleet
