// SPDX-License-Identifier: Apache-2.0
#include "fleet/images.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/limits.h"
#include "fleet/cursor.h"
#include "fleet/finding_cursor.h"
#include "fleet/image_findings.h"
#include "fleet/package_list.h"
#include "fleet/second_sources.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using model::ImageScan;
using model::Severity;

/// Takes over what is installed in an image, if the scan lists it; returns whether that is news.
bool take_packages(store::Tx& tx, KnownPackages& known, store::ImageRow& image,
                   const ImageScan& scan, Instant now) {
  const Instant listed_at = std::min(scan.scanned_at.value_or(now), now);
  if (image.packages_at && listed_at < *image.packages_at) return false;
  const auto former = image.package_set;
  if (scan.packages) {
    PackageList list;
    image.unidentified_count = 0;
    for (const auto& one : identified_packages(*scan.packages, image.unidentified_count)) {
      list.add({one.name, one.version, one.vendor, one.ecosystem, one.distro, one.source_name,
                one.source_version, one.arch, one.cpe});
    }
    std::vector<PackageId> packages;
    for (std::size_t i = 0; i < list.size(); ++i) {
      packages.push_back(known.intern(tx, image.org, list.canonical(i)).id);
    }
    std::sort(packages.begin(), packages.end());
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
    image.packages_at = listed_at;
    image.package_count = static_cast<std::int64_t>(packages.size());
    image.package_set = store::insert_package_set(tx, image.org, packages);
  } else if (scan.judged && image.digest.empty()) {
    // Under a name that may mean another image by now, nobody knows what is installed.
    image.package_set.reset();
    image.package_count = 0;
    image.unidentified_count = 0;
  }
  if (scan.packages ? former.has_value() : former != image.package_set) {
    store::release_package_set(tx, image.org, *former);
  }
  return former != image.package_set;
}

/// Takes over what a scan found in an image; `image` becomes what must be stored of it.
void take_findings(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge, KnownPackages& known,
                   store::ImageRow& image, const ImageScan& scan, Instant now) {
  const bool repacked = take_packages(tx, known, image, scan, now);
  // A scanner whose clock is ahead must not silence those that come after it.
  const Instant scanned_at = std::min(scan.scanned_at.value_or(now), now);
  const bool older = image.scanned_at && scanned_at < *image.scanned_at;
  bool news = false;
  if (scan.judged && !older) {
    const crypto::Sha256 content = content_of(scan.vulnerabilities);
    news = !image.scanned_at || content != image.content;
    image.scanned_at = scanned_at;
    image.content = content;
  }
  ScannerWord word{&scan.vulnerabilities};
  word.grave_only = !image.digest.empty() &&
                    std::all_of(scan.vulnerabilities.begin(), scan.vulnerabilities.end(),
                                [](const auto& one) { return one.severity >= Severity::high; });
  if (news || repacked) {
    match_image(tx, ids, knowledge, known, image, news ? &word : nullptr, now);
  }
}

/// Stores one scan of a host.
class ScanRecorder {
 public:
  ScanRecorder(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge, KnownPackages& packages,
               const ContainerScan& scan, Instant now)
      : tx_(tx), ids_(ids), knowledge_(knowledge), packages_(packages), scan_(scan), now_(now) {
    standing_ = store::list_images_of_host(tx, scan.org, scan.host);
  }

  ContainerScanOutcome record() {
    for (const ContainerScan::Image& image : scan_.images) take(image);
    retire();
    std::set<ImageId> counted;
    for (const auto& [image, reference] : named_) {
      if (!counted.insert(image).second) continue;
      outcome_.vulnerabilities += store::count_open_findings_of_image(tx_, scan_.org, image);
    }
    return outcome_;
  }

 private:
  using Name = std::pair<ImageId, std::string>;

  void take(const ContainerScan::Image& image) {
    std::optional<store::ImageRow> row = row_of(image);
    if (!row) {
      ++outcome_.skipped;
      return;
    }
    if (image.scan) {
      take_facts(*row, *image.scan);
      take_findings(tx_, ids_, knowledge_, packages_, *row, *image.scan, now_);
    }
    store::set_image(tx_, *row);
    if (!named_.insert({row->id, image.reference}).second) return;
    ++outcome_.processed;
    const bool had = std::any_of(standing_.begin(), standing_.end(), [&](const auto& known) {
      return known.image == row->id && known.reference == image.reference;
    });
    ++(had ? outcome_.updated : outcome_.created);
    store::set_host_image(tx_, {scan_.org, scan_.host, row->id, image.reference, now_, now_,
                                std::nullopt, image.given});
  }

  /// The image that is meant, new if nobody has it; nothing if neither digest nor reference is
  /// known.
  std::optional<store::ImageRow> row_of(const ContainerScan::Image& image) {
    const std::string digest = image.scan ? image.scan->digest : "";
    const std::string& identity = digest.empty() ? image.reference : digest;
    if (identity.empty()) return std::nullopt;
    if (!image.scan) {
      // It was not scanned this time, but the host has it under that name already.
      const auto known =
          std::find_if(standing_.begin(), standing_.end(),
                       [&](const auto& standing) { return standing.reference == image.reference; });
      if (known != standing_.end()) return store::find_image(tx_, known->image);
    }
    if (auto row = store::find_image_by_identity(tx_, scan_.org, identity)) return row;
    store::ImageRow row;
    row.org = scan_.org;
    row.id = ids_.next<ImageId>(now_);
    row.identity = identity;
    row.digest = digest;
    row.first_seen = now_;
    return row;
  }

  static void take_facts(store::ImageRow& row, const ImageScan& scan) {
    const auto take = [](std::string& fact, const std::string& said) {
      if (!said.empty()) fact = said;
    };
    take(row.kind, scan.kind);
    take(row.os, scan.os);
    take(row.arch, scan.arch);
    for (const std::string& digest : scan.repo_digests) {
      auto& known = row.repo_digests;
      if (known.size() < limits::image_tags &&
          std::find(known.begin(), known.end(), digest) == known.end()) {
        known.push_back(digest);
      }
    }
  }

  /// Of what the host had: with a complete scan all that it does not name, else the names that now
  /// mean another image.
  void retire() {
    for (const store::HostImageRow& row : standing_) {
      if (named_.contains({row.image, row.reference})) continue;
      const bool moved = !row.reference.empty() &&
                         std::any_of(named_.begin(), named_.end(), [&](const Name& name) {
                           return name.second == row.reference;
                         });
      if (!scan_.complete && !moved) continue;
      store::retire_host_image(tx_, row.org, row.host, row.image, row.reference, now_);
      ++outcome_.retired;
    }
  }

  store::Tx& tx_;
  NumberIds& ids_;
  const Knowledge& knowledge_;
  KnownPackages& packages_;
  const ContainerScan& scan_;
  Instant now_;
  std::vector<store::HostImageRow> standing_;  // what the host had before
  std::set<Name> named_;                       // by this scan
  ContainerScanOutcome outcome_;
};

Error no_such_image() {
  return {Errc::not_found, "There is no such image."};
}

}  // namespace

Result<ContainerScanOutcome> record_container_scan(store::Tx& tx, NumberIds& ids,
                                                   const Knowledge& knowledge,
                                                   KnownPackages& packages,
                                                   const ContainerScan& scan, Instant now) {
  // Of a host that is no more, nothing would ever end what it has.
  if (!store::find_host(tx, scan.org, scan.host)) return send_full_report();
  return ScanRecorder(tx, ids, knowledge, packages, scan, now).record();
}

Result<ImagePage> list_image_page(store::Store& store, const store::ImageFilter& filter,
                                  std::string_view cursor, int count) {
  const ImageId before{TRY(parse_id_cursor(cursor, number_id_max))};
  ImagePage page;
  store.read([&](store::Reader& reader) {
    page.total = store::count_images(reader, filter);
    page.images = store::list_images(reader, filter, before, count + 1);
  });
  if (page.images.size() > static_cast<std::size_t>(count)) {
    page.images.pop_back();
    page.next_cursor = std::to_string(page.images.back().image.id.value);
  }
  return page;
}

Result<ImageDetail> show_image(store::Store& store, ImageId id) {
  return store.read([&](store::Reader& reader) -> Result<ImageDetail> {
    auto image = store::find_image(reader, id);
    if (!image) return no_such_image();
    ImageDetail detail;
    detail.hosts = store::list_hosts_of_image(reader, image->org, id, limits::page_size);
    detail.view = store::view_image(reader, std::move(*image));
    return detail;
  });
}

Result<ImageFindingPage> list_image_finding_page(store::Store& store, const Catalogue& catalogue,
                                                 ImageId image, bool open_only,
                                                 std::string_view cursor, int count) {
  std::optional<store::FindingPlace> after;
  if (!cursor.empty()) after = TRY(parse_finding_place(cursor));
  ImageFindingPage page;
  std::vector<store::ImageFindingView> rows;
  const bool known = store.read([&](store::Reader& reader) {
    const auto found = store::find_image(reader, image);
    if (!found) return false;
    page.total = store::count_image_findings(reader, found->org, image, open_only);
    rows = store::list_image_findings(reader, found->org, image, open_only, after, count + 1);
    return true;
  });
  if (!known) return no_such_image();
  if (rows.size() > static_cast<std::size_t>(count)) {
    rows.pop_back();
    const store::ImageFindingView& last = rows.back();
    page.next_cursor = format_finding_place(
        {last.known_exploited, static_cast<std::int64_t>(last.finding.severity), last.finding.id});
  }
  const std::shared_ptr<const Knowledge> knowledge = catalogue.current();
  page.findings.reserve(rows.size());
  for (store::ImageFindingView& row : rows) {
    ImageFindingView& view = page.findings.emplace_back();
    view.stored = std::move(row);
    if (!view.stored.finding.cve) continue;
    const auto entry = knowledge->kev.find(*view.stored.finding.cve);
    if (entry != knowledge->kev.end()) view.kev = entry->second;
  }
  return page;
}

}  // namespace muster::fleet
