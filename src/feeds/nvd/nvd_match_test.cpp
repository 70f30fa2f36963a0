// SPDX-License-Identifier: Apache-2.0
// Real records and the matcher together: the inverted index must find what going through every
// record finds. The reference below knows no index, no postings and no memo.
#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"
#include "feeds/decompress.h"
#include "feeds/nvd/nvd.h"
#include "version/test_support.h"
#include "vuln/match.h"

namespace muster::feeds {
namespace {

using model::Advisory;
using model::Cpe;
using model::CpeAttribute;
using model::CpeRelation;
using model::Package;
using version::test::read_file;
using vuln::Product;
using vuln::Surroundings;
using vuln::SystemFamily;

std::vector<Advisory> read_year(const std::filesystem::path& path) {
  std::vector<Advisory> rows;
  const std::string text = decompress(read_file(path), limits::feed_text_bytes).value();
  parse_nvd(text, [&](Advisory&& row) { rows.push_back(std::move(row)); }).value();
  return rows;
}

enum Truth { no, unknown, yes };

/// A record with its names read once.
struct Criterion {
  Cpe name;
  bool vulnerable;
  model::VersionRange range;
};
struct Node {
  bool all, negate;
  std::vector<Criterion> criteria;
};
struct Configuration {
  bool all, negate;
  std::vector<Node> nodes;
};
struct Record {
  std::string id;
  std::vector<Configuration> configurations;
};

Record record_of(const Advisory& advisory) {
  Record record{advisory.id, {}};
  for (const auto& configuration : advisory.configurations) {
    Configuration into{configuration.all, configuration.negate, {}};
    for (const auto& node : configuration.nodes) {
      Node part{node.all, node.negate, {}};
      for (const auto& each : node.criteria) {
        part.criteria.push_back({model::unbind_cpe(each.cpe).value(), each.vulnerable, each.range});
      }
      into.nodes.push_back(std::move(part));
    }
    record.configurations.push_back(std::move(into));
  }
  return record;
}

bool superset(const std::string& wanted, const std::string& has) {
  const CpeRelation relation = model::relate_cpe_values(wanted, has);
  return relation == CpeRelation::equal || relation == CpeRelation::superset;
}

/// A host of the test: its software under every name, and its system.
struct Host {
  std::vector<Package> packages;
  std::vector<std::vector<Product>> products;
  Surroundings surroundings;
};

/// The order of the installed version and a text of a criterion; nothing if it cannot be said.
std::optional<int> order(const Product& product, const std::string& text, bool as_bound) {
  const bool to_base =
      as_bound && product.version.patch && !vuln::split_product_version(product.name, text).patch;
  const auto result = version::compare(
      *product.scheme, to_base ? product.version.base : product.version.whole, text);
  if (!result.ok()) return std::nullopt;
  return *result < 0 ? -1 : *result > 0 ? 1 : 0;
}

Truth version_holds(const Criterion& criterion, const Product& product) {
  const model::VersionRange& range = criterion.range;
  const std::string& version = criterion.name[CpeAttribute::version];
  const bool ranged = range != model::VersionRange{};
  if (!ranged && !criterion.vulnerable && (version == "*" || version == "-")) return yes;
  if (!ranged && version == "-") return no;
  if (product.version.whole.empty()) return unknown;
  if (!ranged && version == "*") return yes;
  if (ranged) {
    bool inside = true;
    for (const auto& [bound, least, most] :
         {std::tuple{range.introduced, 0, 1}, std::tuple{range.after, 1, 1},
          std::tuple{range.fixed, -1, -1}, std::tuple{range.last_affected, -1, 0}}) {
      if (bound.empty()) continue;
      const auto place = order(product, bound, true);
      if (!place) return no;
      inside = inside && *place >= least && *place <= most;
    }
    return inside ? yes : no;
  }
  if (!model::is_literal_cpe_value(version)) {
    return superset(version, model::escape_cpe_value(product.version.whole)) ||
                   superset(version, model::escape_cpe_value(product.version.base))
               ? yes
               : no;
  }
  const std::string text = model::unescape_cpe_value(version);
  const auto whole = order(product, text, false);
  if (!whole) return no;
  Product base = product;
  base.version.whole = product.version.base;
  return *whole == 0 || order(base, text, false) == 0 ? yes : no;
}

bool update_holds(const Criterion& criterion, const Product& product) {
  const std::string& update = criterion.name[CpeAttribute::update];
  if (product.version.whole.empty() || update == "*") return true;
  const std::string& version = criterion.name[CpeAttribute::version];
  if (update == "-") {
    return product.version.update.empty() ||
           (criterion.range == model::VersionRange{} && model::is_literal_cpe_value(version) &&
            order(product, model::unescape_cpe_value(version), false) == 0);
  }
  return vuln::normalise_cpe_update(model::unescape_cpe_value(update)) == product.version.update;
}

/// The inventories below are of programs that say neither kind nor edition.
Truth qualifiers_hold(const Criterion& criterion, const Product& product, SystemFamily family) {
  Truth sum = yes;
  for (std::size_t i = 5; i < model::cpe_attributes; ++i) {
    const std::string& wanted = criterion.name.values[i];
    const std::string& has = product.name.values[i];
    if (wanted == "*" || (wanted == "-" && has == "*")) continue;
    if (has != "*" && !superset(wanted, has)) return no;
    if (has != "*" || i != static_cast<std::size_t>(CpeAttribute::target_sw)) continue;
    static const std::map<std::string, SystemFamily> systems = {
        {"windows", SystemFamily::windows},    {"windows_nt", SystemFamily::windows},
        {"win32", SystemFamily::windows},      {"win64", SystemFamily::windows},
        {"windows_10", SystemFamily::windows}, {"windows_7", SystemFamily::windows},
        {"macos", SystemFamily::macos},        {"mac_os", SystemFamily::macos},
        {"mac_os_x", SystemFamily::macos},     {"macosx", SystemFamily::macos},
        {"mac", SystemFamily::macos},          {"os_x", SystemFamily::macos},
        {"linux", SystemFamily::linux_kernel}, {"linux_kernel", SystemFamily::linux_kernel},
        {"unix", SystemFamily::linux_kernel}};
    static const std::set<std::string> mobile = {"android", "iphone_os",  "ios",
                                                 "ipados",  "ipad_os",    "tvos",
                                                 "watchos", "blackberry", "windows_phone"};
    if (const auto system = systems.find(wanted); system != systems.end()) {
      if (family == SystemFamily::unknown) {
        sum = unknown;
      } else if (family != system->second) {
        return no;
      }
    } else if (mobile.contains(wanted)) {
      return no;
    }
  }
  return sum;
}

Truth holds(const Criterion& criterion, const Product& product, SystemFamily family) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (!superset(criterion.name.values[i], product.name.values[i])) return no;
  }
  const Truth sum =
      std::min(qualifiers_hold(criterion, product, family), version_holds(criterion, product));
  return update_holds(criterion, product) ? sum : no;
}

Truth holds(const Criterion& criterion, const std::vector<Product>& subject, const Host& host) {
  const SystemFamily family = host.surroundings.family();
  const std::string& part = criterion.name[CpeAttribute::part];
  Truth best = no;
  for (const Product& product : subject) best = std::max(best, holds(criterion, product, family));
  if (best == yes) return yes;
  if (part == "h") return subject.front().name[CpeAttribute::part] == "o" ? yes : unknown;
  for (const auto& products : host.products) {
    for (const Product& each : products) best = std::max(best, holds(criterion, each, family));
  }
  if (part != "o") return best;
  if (host.surroundings.family() == SystemFamily::unknown) return std::max(best, unknown);
  for (const Product& each : host.surroundings.systems()) {
    best = std::max(best, holds(criterion, each, family));
  }
  return best;
}

Truth combine(const std::vector<Truth>& parts, bool all, bool negate) {
  Truth sum = no;
  if (!parts.empty()) {
    sum = all ? *std::min_element(parts.begin(), parts.end())
              : *std::max_element(parts.begin(), parts.end());
  }
  return negate ? static_cast<Truth>(2 - sum) : sum;
}

Truth holds(const Configuration& configuration, const std::vector<Product>& subject,
            const Host& host) {
  std::vector<Truth> nodes;
  for (const Node& node : configuration.nodes) {
    std::vector<Truth> criteria;
    for (const Criterion& each : node.criteria) criteria.push_back(holds(each, subject, host));
    nodes.push_back(combine(criteria, node.all, node.negate));
  }
  return combine(nodes, configuration.all, configuration.negate);
}

bool names_subject(const Configuration& configuration, const std::vector<Product>& subject,
                   const Host& host) {
  for (const Node& node : configuration.nodes) {
    for (const Criterion& criterion : node.criteria) {
      if (!criterion.vulnerable) continue;
      for (const Product& product : subject) {
        if (product.version.whole.empty()) continue;
        if (holds(criterion, product, host.surroundings.family()) != no) return true;
      }
    }
  }
  return false;
}

std::set<std::string> reference(const std::vector<Record>& records,
                                const std::vector<Product>& subject, const Host& host) {
  std::set<std::string> ids;
  for (const Record& record : records) {
    for (const Configuration& configuration : record.configurations) {
      if (!names_subject(configuration, subject, host)) continue;
      if (holds(configuration, subject, host) != no) ids.insert(record.id);
    }
  }
  return ids;
}

/// A package that some criterion may be about, at, below or above what the criterion says.
Package package_near(const Criterion& criterion, std::mt19937& random) {
  Cpe name = criterion.name;
  std::string version = "1.0";
  std::vector<std::string> near;
  for (const std::string& end : {criterion.range.introduced, criterion.range.after,
                                 criterion.range.fixed, criterion.range.last_affected}) {
    if (!end.empty()) near.push_back(end);
  }
  if (model::is_literal_cpe_value(name[CpeAttribute::version])) {
    near.push_back(model::unescape_cpe_value(name[CpeAttribute::version]));
  }
  if (!near.empty()) version = near[random() % near.size()];
  switch (random() % 5) {
    case 0:
      version += ".1";
      break;
    case 1:
      version += "p1";
      break;
    case 2:
      version += "-rc1";
      break;
    default:
      break;
  }
  // Half of the inventories know the update.
  const bool with_update = random() % 2 == 0;
  for (std::size_t i = 3; i < model::cpe_attributes; ++i) {
    const bool update = i == static_cast<std::size_t>(CpeAttribute::update);
    if (!update || !with_update || random() % 5 < 3) name.values[i] = "*";
  }
  name[CpeAttribute::version] = model::escape_cpe_value(version);
  Package package;
  package.name = "a program";
  package.version = version;
  package.cpe = model::bind_to_formatted_string(name);
  return package;
}

Host make_host(const vuln::Index& index, const std::vector<Record>& records, std::mt19937& random) {
  Host host;
  while (host.packages.size() < 6) {
    const Record& record = records[random() % records.size()];
    const Configuration& configuration =
        record.configurations[random() % record.configurations.size()];
    // One of every node, so that conjunctions have a chance.
    for (const Node& node : configuration.nodes) {
      if (node.criteria.empty()) continue;
      host.packages.push_back(package_near(node.criteria[random() % node.criteria.size()], random));
    }
  }
  static constexpr std::pair<const char*, const char*> systems[] = {
      {"", ""},
      {"Microsoft Windows 10 Pro", "10.0.17763.1"},
      {"Microsoft Windows Server 2016", "10.0.14393.0"},
      {"macOS", "10.13.4"},
      {"Debian GNU/Linux 9 (stretch)", "9"},
      {"Ubuntu 16.04.3 LTS", "16.04"}};
  const auto& [name, version] = systems[random() % std::size(systems)];
  host.surroundings = Surroundings(name, version, host.packages, index.cpe());
  for (const Package& package : host.packages) {
    host.products.push_back(vuln::products_of(package, index.cpe()));
  }
  return host;
}

TEST(NvdMatch, FindsByTheIndexWhatEveryRecordSays) {
  const auto path = shared_data("nvd/nvdcve-2.0-2018.json.zst");
  if (!path) GTEST_SKIP() << "no nvd/nvdcve-2.0-2018.json.zst: set MUSTER_DATA";
  // Every sixteenth record: the reference takes a minute for all.
  std::vector<Advisory> advisories;
  std::size_t number = 0;
  for (Advisory& row : read_year(*path)) {
    if (number++ % 16 == 0) advisories.push_back(std::move(row));
  }
  const auto index = vuln::Index::build(advisories);
  std::vector<Record> records;
  for (const Advisory& advisory : advisories) records.push_back(record_of(advisory));
  std::mt19937 random(2018);
  std::size_t found = 0;
  std::size_t conditional = 0;
  std::size_t denied = 0;
  for (std::size_t i = 0; i < 200 / record_step; ++i) {
    const Host host = make_host(*index, records, random);
    for (std::size_t at = 0; at < host.packages.size(); ++at) {
      if (host.products[at].empty()) continue;
      const vuln::Verdict alone = vuln::match(*index, host.packages[at]);
      const vuln::Verdict verdict =
          vuln::settle(*index, host.packages[at], alone, host.surroundings);
      std::set<std::string> ids;
      for (const vuln::Match& match : verdict.matches) ids.insert(match.id);
      const std::set<std::string> expected = reference(records, host.products[at], host);
      ASSERT_EQ(ids, expected) << host.packages[at].cpe << " " << host.packages[at].version;
      found += ids.size();
      conditional += alone.conditional.size();
      denied += alone.matches.size() + alone.conditional.size() - verdict.matches.size();
    }
  }
  std::cout << "  " << found << " findings, " << conditional << " of them had a condition, "
            << denied << " conditions were denied\n";
  EXPECT_GT(found, 1000U / record_step);
  EXPECT_GT(conditional, 100U / record_step);
  EXPECT_GT(denied, 10U / record_step);
}

}  // namespace
}  // namespace muster::feeds
