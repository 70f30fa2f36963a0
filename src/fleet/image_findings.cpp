// SPDX-License-Identifier: Apache-2.0
#include "fleet/image_findings.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "fleet/acceptances.h"
#include "fleet/rematch.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/identify.h"

namespace muster::fleet {

namespace {

using model::FixStatus;
using model::ImageVulnerability;
using model::Package;
using store::ImageFinding;

/// Images matched in one transaction: keeps the writer free for agents in between.
constexpr int images_per_batch = 20;

/// Images read at once where only their sets count.
constexpr int images_per_page = 1000;

void add(MatchCount& sum, const MatchCount& count) {
  sum.opened += count.opened;
  sum.resolved += count.resolved;
}

/// Those that have one of the sets.
std::vector<ImageId> find_images(store::Reader& reader, const PackageSets& sets) {
  std::vector<ImageId> images;
  if (sets.empty()) return images;
  for (ImageId after;;) {
    const auto page = store::list_images_with_packages(reader, after, images_per_page);
    for (const store::ImageRow& image : page) {
      if (sets.contains({image.org, *image.package_set})) images.push_back(image.id);
      after = image.id;
    }
    if (page.size() < images_per_page) return images;
  }
}

/// A package as both sources know it: its ecosystem, or the scanner's word where that is none of
/// ours, and its name there.
using PackageName = std::pair<std::string, std::string>;

PackageName package_name(std::string_view type, std::string_view name) {
  const model::Ecosystem ecosystem = model::ecosystem_of_scanner_type(type);
  const std::string_view known = model::ecosystem_name(ecosystem);
  return {std::string(known.empty() ? type : known),
          model::canonical_package_name(ecosystem, name)};
}

/// One advisory of our feeds that holds for one package.
struct Match {
  Package package;
  Verdict::Hit hit;
  std::vector<std::string> names;  // of the flaw: id, CVE and aliases
  std::string fixed_version;
  std::string summary;
};

std::string text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? std::string(value->string().value_or("")) : "";
}

void add_texts(const Json& object, std::string_view member, std::vector<std::string>& texts) {
  const auto list = object.find(member);
  if (!list || !list->is_array()) return;
  list->for_each([&](const Json& each) { texts.emplace_back(each.string().value_or("")); });
}

Match match_of(Package package, const Verdict::Hit& hit) {
  Match match{std::move(package), hit, {hit.advisory_id}, {}, {}};
  if (hit.cve) match.names.push_back(*hit.cve);
  JsonDocument document;
  const auto evidence = document.parse(hit.evidence);
  CHECK(evidence.ok());
  add_texts(*evidence, "aliases", match.names);
  match.fixed_version = text_of(*evidence, "fixed_version");
  match.summary = text_of(*evidence, "summary");
  return match;
}

/// A finding as it is to be stored.
struct Wanted {
  ImageFinding row;
  std::vector<const Match*> matches;
  std::set<std::string> names;  // of the flaw
};

bool shares_name(const std::set<std::string>& names, const std::vector<std::string>& others) {
  return std::any_of(others.begin(), others.end(),
                     [&](const std::string& name) { return names.contains(name); });
}

std::string encode_matches(const std::vector<const Match*>& matches) {
  JsonWriter json;
  json.begin_array();
  for (const Match* match : matches) {
    json.begin_object()
        .member("feed", match->hit.feed)
        .member("advisory", match->hit.advisory_id)
        .member("package", match->package.name)
        .member("version", match->package.version)
        .member("severity", model::severity_name(match->hit.severity))
        .key("said")
        .raw(match->hit.evidence)
        .end_object();
  }
  json.end_array();
  return json.take();
}

std::string encode_details(const ImageVulnerability& one) {
  JsonWriter json;
  json.begin_object()
      .member("title", one.title)
      .member("url", one.url)
      .member("source", one.source)
      .key("places")
      .begin_array();
  for (const ImageVulnerability::Place& place : one.places) {
    json.begin_object()
        .member("target", place.target)
        .member("path", place.path)
        .member("version", place.version)
        .member("fixed_version", place.fixed_version)
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

/// What a scanner says, as a row.
ImageFinding row_of(const ImageVulnerability& one) {
  ImageFinding row;
  row.type = one.type;
  row.package = one.package;
  row.advisory_id = one.id;
  row.cve = one.cve();
  row.version = one.places.front().version;
  for (const auto& place : one.places) {
    if (row.fixed_version.empty()) row.fixed_version = place.fixed_version;
  }
  row.severity = one.severity;
  row.fix_status = one.status;
  row.details = encode_details(one);
  row.reported = true;
  return row;
}

/// What our feeds alone say, as a row.
ImageFinding row_of(const std::vector<const Match*>& matches) {
  const Match& first = *matches.front();
  ImageVulnerability one;
  one.type = model::ecosystem_name(first.package.ecosystem);
  one.package = first.package.name;
  one.id = first.hit.cve.value_or(first.hit.advisory_id);
  one.title = first.summary;
  one.source = first.hit.feed;
  one.status = FixStatus::affected;
  for (const Match* match : matches) {
    one.severity = std::max(one.severity, match->hit.severity);
    if (!match->fixed_version.empty()) one.status = FixStatus::fixed;
    ImageVulnerability::Place place{"", "", match->package.version, match->fixed_version};
    if (std::find(one.places.begin(), one.places.end(), place) == one.places.end()) {
      one.places.push_back(std::move(place));
    }
  }
  ImageFinding row = row_of(one);
  row.reported = false;
  return row;
}

/// Open, or accepted.
bool holds(const ImageFinding& row) {
  return row.status != model::FindingStatus::resolved;
}

/// Brings together what is said of one image.
class ImageMatcher {
 public:
  ImageMatcher(store::Tx& tx, NumberIds& ids, const store::ImageRow& image, Instant now)
      : tx_(tx), ids_(ids), image_(image), now_(now) {
    former_ = store::list_findings_of_image(tx, image.org, image.id);
  }

  void hear(const ScannerWord* word) {
    std::set<std::tuple<std::string, std::string, std::string>> named;
    if (word != nullptr) {
      for (const ImageVulnerability& one : *word->vulnerabilities) {
        named.insert({one.type, one.package, one.id});
        want(row_of(one));
      }
    }
    for (const ImageFinding& row : former_) {
      if (!row.reported || named.contains({row.type, row.package, row.advisory_id})) continue;
      const bool stands =
          word == nullptr || (word->grave_only && row.severity < model::Severity::high);
      if (stands) want(row);
    }
  }

  void assess(const Knowledge& knowledge, KnownPackages& packages) {
    if (!image_.package_set) return;
    for (const PackageId id : store::get_package_set(tx_, image_.org, *image_.package_set)) {
      const Verdict verdict = packages.verdict(tx_, knowledge, image_.org, id);
      if (verdict.hits.empty()) continue;
      const auto row = store::find_package(tx_, image_.org, id);
      CHECK(row.has_value());
      for (const Verdict::Hit& hit : verdict.hits) {
        matches_.push_back(std::make_unique<Match>(match_of(row->package, hit)));
      }
    }
    // By what they say and not by ids, which depend on who came first.
    std::sort(matches_.begin(), matches_.end(), [](const auto& a, const auto& b) {
      return std::tie(a->package, a->hit.feed, a->hit.advisory_id) <
             std::tie(b->package, b->hit.feed, b->hit.advisory_id);
    });
    for (const auto& match : matches_) attach(*match);
  }

  MatchCount store() {
    complete();
    identify();
    MatchCount count;
    std::vector<ImageFinding> rows;
    rows.reserve(wanted_.size());
    for (Wanted& one : wanted_) rows.push_back(std::move(one.row));
    settle_image_findings(tx_, ids_, image_.org, image_.identity, former_, rows, now_);
    for (const ImageFinding& row : rows) write(row, count);
    for (const ImageFinding& row : former_) {
      if (kept_.contains(row.id.value) || !(holds(row) || row.reported)) continue;
      store::resolve_image_finding(tx_, image_.org, row.id,
                                   row.reported ? "not_reported" : "not_affected", now_);
      if (holds(row)) ++count.resolved;
    }
    return count;
  }

 private:
  void want(ImageFinding row) {
    const PackageName name = package_name(row.type, row.package);
    Wanted one;
    one.names = {row.advisory_id};
    row.matches = "[]";
    one.row = std::move(row);
    by_package_[name].push_back(wanted_.size());
    wanted_.push_back(std::move(one));
  }

  /// To all that the scanner says of the flaw, else to what our feeds say of it already.
  void attach(const Match& match) {
    const PackageName name =
        package_name(model::ecosystem_name(match.package.ecosystem), match.package.name);
    bool known = false;
    for (const std::size_t index : by_package_[name]) {
      Wanted& one = wanted_[index];
      if (one.row.reported && shares_name({one.row.advisory_id}, match.names)) {
        one.matches.push_back(&match);
        known = true;
      }
    }
    if (known) return;
    const std::string flaw = match.hit.cve.value_or(match.hit.advisory_id);
    for (const std::size_t index : by_package_[name]) {
      Wanted& one = wanted_[index];
      if (one.row.reported || one.row.advisory_id != flaw) continue;
      one.matches.push_back(&match);
      return;
    }
    want(row_of(std::vector<const Match*>{&match}));
    wanted_.back().matches.push_back(&match);
  }

  /// Makes each row what follows from who says so.
  void complete() {
    for (Wanted& one : wanted_) {
      ImageFinding& row = one.row;
      if (!row.reported) row = row_of(one.matches);
      row.org = image_.org;
      row.image = image_.id;
      row.matches = encode_matches(one.matches);
      row.cve.reset();
      if (model::is_cve_id(row.advisory_id)) row.cve = row.advisory_id;
      for (const Match* match : one.matches) {
        if (!row.cve) row.cve = match->hit.cve;
        one.names.insert(match->names.begin(), match->names.end());
      }
      const bool holds = row.fix_status != FixStatus::not_affected || !one.matches.empty();
      row.status = holds ? model::FindingStatus::open : model::FindingStatus::resolved;
      row.opened_at = now_;
      row.resolved_at = holds ? std::nullopt : std::optional(now_);
      row.resolution = holds ? "" : "not_affected";
    }
  }

  /// Gives each row the id that the flaw has already: under its own name, else under another's.
  void identify() {
    std::map<std::tuple<std::string, std::string, std::string>, const ImageFinding*> named;
    for (const ImageFinding& row : former_) {
      named[{row.type, row.package, row.advisory_id}] = &row;
    }
    std::vector<Wanted*> nameless;
    for (Wanted& one : wanted_) {
      const auto found = named.find({one.row.type, one.row.package, one.row.advisory_id});
      if (found == named.end()) {
        nameless.push_back(&one);
      } else {
        keep(one.row, *found->second);
      }
    }
    if (nameless.empty()) return;
    std::map<PackageName, std::vector<const ImageFinding*>> left;
    for (const ImageFinding& row : former_) {
      if (!kept_.contains(row.id.value)) left[package_name(row.type, row.package)].push_back(&row);
    }
    for (Wanted* one : nameless) {
      const auto others = left.find(package_name(one->row.type, one->row.package));
      const ImageFinding* row = others == left.end() ? nullptr : find_renamed(*one, others->second);
      if (row != nullptr) {
        keep(one->row, *row);
        store::rename_image_finding(tx_, one->row);
      } else {
        one->row.id = ids_.next<FindingId>(now_);
      }
    }
  }

  void keep(ImageFinding& row, const ImageFinding& former) {
    row.id = former.id;
    kept_.emplace(former.id.value, &former);
  }

  const ImageFinding* find_renamed(const Wanted& one,
                                   const std::vector<const ImageFinding*>& rows) const {
    for (const ImageFinding* row : rows) {
      if (!kept_.contains(row->id.value) && shares_name(one.names, names_of(*row))) return row;
    }
    return nullptr;
  }

  static std::vector<std::string> names_of(const ImageFinding& row) {
    std::vector<std::string> names = {row.advisory_id};
    if (row.cve) names.push_back(*row.cve);
    JsonDocument document;
    const auto matches = document.parse(row.matches);
    if (!matches.ok()) return names;
    matches->for_each([&](const Json& match) {
      names.push_back(text_of(match, "advisory"));
      if (const auto said = match.find("said")) add_texts(*said, "aliases", names);
    });
    return names;
  }

  void write(const ImageFinding& row, MatchCount& count) {
    const auto former = kept_.find(row.id.value);
    const bool known = former != kept_.end();
    const bool held = known && holds(*former->second);
    if (holds(row) && !held) ++count.opened;
    if (held && !holds(row)) ++count.resolved;
    if (!known || differs(row, *former->second)) store::set_image_finding(tx_, row);
  }

  static bool differs(const ImageFinding& row, const ImageFinding& former) {
    const auto said = [](const ImageFinding& one) {
      return std::tie(one.type, one.package, one.advisory_id, one.cve, one.version,
                      one.fixed_version, one.severity, one.fix_status, one.status, one.acceptance,
                      one.resolution, one.details, one.reported, one.matches);
    };
    return said(row) != said(former);
  }

  store::Tx& tx_;
  NumberIds& ids_;
  const store::ImageRow& image_;
  Instant now_;
  std::vector<ImageFinding> former_;
  std::vector<std::unique_ptr<Match>> matches_;
  std::vector<Wanted> wanted_;
  std::map<PackageName, std::vector<std::size_t>> by_package_;
  std::unordered_map<std::int64_t, const ImageFinding*> kept_;  // of the former, by id
};

}  // namespace

crypto::Sha256 content_of(const std::vector<ImageVulnerability>& vulnerabilities) {
  JsonWriter json;
  json.begin_array();
  for (const ImageVulnerability& one : vulnerabilities) {
    json.begin_array()
        .value(one.type)
        .value(one.package)
        .value(one.id)
        .value(static_cast<int>(one.severity))
        .value(model::fix_status_name(one.status))
        .raw(encode_details(one))
        .end_array();
  }
  json.end_array();
  return crypto::sha256(json.text());
}

MatchCount match_image(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                       KnownPackages& packages, const store::ImageRow& image,
                       const ScannerWord* word, Instant now) {
  ImageMatcher matcher(tx, ids, image, now);
  matcher.hear(word);
  matcher.assess(knowledge, packages);
  return matcher.store();
}

MatchCount rematch_images(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                          KnownPackages& packages, const PackageMarks& changed, Instant now) {
  MatchCount sum;
  if (changed.empty()) return sum;
  const std::vector<ImageId> images = store.read(
      [&](store::Reader& reader) { return find_images(reader, find_sets_with(reader, changed)); });
  for (std::size_t first = 0; first < images.size(); first += images_per_batch) {
    if (catalogue.stops_matching()) return sum;
    store.write([&](store::Tx& tx) {
      const auto knowledge = catalogue.current();
      const std::size_t last = std::min(images.size(), first + images_per_batch);
      for (std::size_t at = first; at < last; ++at) {
        const auto image = store::find_image(tx, images[at]);
        if (image) add(sum, match_image(tx, ids, *knowledge, packages, *image, nullptr, now));
      }
    });
  }
  return sum;
}

MatchCount rematch_all_images(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                              KnownPackages& packages, Instant now) {
  MatchCount sum;
  for (ImageId after;;) {
    if (catalogue.stops_matching()) return sum;
    const std::size_t batch = store.write([&](store::Tx& tx) {
      const auto knowledge = catalogue.current();
      const auto page = store::list_images_with_packages(tx, after, images_per_batch);
      for (const store::ImageRow& image : page) {
        add(sum, match_image(tx, ids, *knowledge, packages, image, nullptr, now));
        after = image.id;
      }
      return page.size();
    });
    if (batch < images_per_batch) return sum;
  }
}

std::vector<Package> identified_packages(const std::vector<Package>& listed,
                                         std::int64_t& unidentified) {
  std::vector<Package> identified;
  for (const Package& package : listed) {
    const auto kind = vuln::identity_kind(package);
    if (kind != vuln::Identity::Kind::distribution && kind != vuln::Identity::Kind::ecosystem) {
      ++unidentified;
      continue;
    }
    identified.push_back(package);
    identified.back().cpe.clear();
    identified.back().vendor.clear();
  }
  return identified;
}

}  // namespace muster::fleet
