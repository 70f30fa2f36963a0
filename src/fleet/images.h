// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/known_packages.h"
#include "model/image.h"
#include "store/sql/images.h"
#include "store/total.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// What a host's scanner says of its images.
struct ContainerScan {
  /// An image that the host has.
  struct Image {
    std::string reference;                 // under which it has it; empty if that names none
    std::optional<model::ImageScan> scan;  // none: it was not scanned, and what was known stays
    std::string given = {};                // the reference as the host calls it
  };

  OrgId org;
  HostId host;
  std::vector<Image> images;
  /// They are all that the host has: those it does not name are gone.
  bool complete = false;
};

struct ContainerScanOutcome {
  std::int64_t processed = 0;        // images that have a name or digest
  std::int64_t created = 0;          // that the host did not have
  std::int64_t updated = 0;          // that it had
  std::int64_t skipped = 0;          // without either
  std::int64_t retired = 0;          // that the host has no more
  std::int64_t vulnerabilities = 0;  // open findings of the images of this scan
};

/// Stores a scan. Images are known by the digest of their configuration, so hosts share one and its
/// findings; one whose digest no scan told is known by its reference. A finding is one package's
/// vulnerability in one image: it keeps its id over scans, and opened_at while it is open.
///
/// A scan that is older than the one before it changes no finding. One that has found nothing
/// below high severity does not resolve what is below it in an image with a digest: agents in the
/// field ask their scanner for no more, and what has a digest never changes. What a scan lists as
/// installed is matched with `knowledge` at once and after every import (image_findings.h); a bill
/// of materials alone changes nothing that a scanner said. Fails with unknown_host when the host
/// was deleted since somebody looked.
Result<ContainerScanOutcome> record_container_scan(store::Tx& tx, NumberIds& ids,
                                                   const Knowledge& knowledge,
                                                   KnownPackages& packages,
                                                   const ContainerScan& scan, Instant now);

struct ImagePage {
  std::vector<store::ImageView> images;
  std::string next_cursor;
  store::Total total;
};
/// Newest first. Fails with invalid_field for a cursor that is none of this list.
Result<ImagePage> list_image_page(store::Store& store, const store::ImageFilter& filter,
                                  std::string_view cursor, int count);

/// An image with the hosts that have it or had it, at most limits::page_size.
struct ImageDetail {
  store::ImageView view;
  std::vector<store::ImageHostView> hosts;
};
/// Fails with not_found.
Result<ImageDetail> show_image(store::Store& store, ImageId id);

/// A finding with what is joined to it when it is read.
struct ImageFindingView {
  store::ImageFindingView stored;
  std::optional<model::KevEntry> kev;
};
struct ImageFindingPage {
  std::vector<ImageFindingView> findings;
  std::string next_cursor;
  store::Total total;
};
/// Known exploited first, then most severe, then newest. Fails with not_found, and with
/// invalid_field for a cursor that is none of this list.
Result<ImageFindingPage> list_image_finding_page(store::Store& store, const Catalogue& catalogue,
                                                 ImageId image, bool open_only,
                                                 std::string_view cursor, int count);

}  // namespace muster::fleet
