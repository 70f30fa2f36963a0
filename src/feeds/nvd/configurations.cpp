// SPDX-License-Identifier: Apache-2.0
#include "feeds/nvd/configurations.h"

#include <optional>
#include <string>

#include "base/limits.h"
#include "base/text.h"
#include "model/cpe.h"

namespace muster::feeds {

namespace {

using model::CpeConfiguration;
using model::CpeCriterion;
using model::CpeNode;

bool flag(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->boolean().value_or(false);
}

/// AND, OR, or nothing for another word; OR where there is none.
std::optional<bool> is_conjunction(const Json& object) {
  const auto member = object.find("operator");
  if (!member || member->is_null()) return false;
  const std::string_view word = member->string().value_or("?");
  if (equal_folded(word, "and")) return true;
  if (equal_folded(word, "or")) return false;
  return std::nullopt;
}

/// Sets one end of a range; says what is wrong with it.
std::optional<std::string_view> read_bound(std::string& bound, const Json& match,
                                           std::string_view name) {
  const auto member = match.find(name);
  if (!member || member->is_null()) return std::nullopt;
  const auto text = member->string();
  if (!text) return "has a bound that is no text";
  if (*text == "-" || *text == "*") return std::nullopt;
  bound = model::unescape_cpe_value(trim(*text));
  if (bound.size() > limits::range_end_bytes || !is_plain_text(bound)) {
    return "has a bound that is no version";
  }
  return std::nullopt;
}

std::optional<std::string_view> read_criterion(CpeCriterion& criterion, const Json& match) {
  const auto name = match.find("criteria");
  const auto cpe = model::unbind_cpe(name ? name->string().value_or("") : std::string_view{});
  if (!cpe.ok()) return "has criteria that are no CPE name";
  criterion.cpe = model::bind_to_formatted_string(*cpe);
  const auto vulnerable = match.find("vulnerable");
  if (!vulnerable || !vulnerable->boolean()) return "does not say whether it is vulnerable";
  criterion.vulnerable = *vulnerable->boolean();
  model::VersionRange& range = criterion.range;
  for (const auto& [bound, member] : {std::pair{&range.introduced, "versionStartIncluding"},
                                      std::pair{&range.after, "versionStartExcluding"},
                                      std::pair{&range.fixed, "versionEndExcluding"},
                                      std::pair{&range.last_affected, "versionEndIncluding"}}) {
    if (const auto flaw = read_bound(*bound, match, member)) return flaw;
  }
  return std::nullopt;
}

class ConfigurationsReader {
 public:
  explicit ConfigurationsReader(const SkipRemark& skip) : skip_(skip) {}

  void read(model::CpeApplicability& out, const Json& element, std::size_t at) {
    path_ = "configurations[" + std::to_string(at) + "]";
    const auto all = is_conjunction(element);
    const auto nodes = element.find("nodes");
    if (!all || !nodes || !nodes->is_array()) return skip_(path_, "is no configuration");
    CpeConfiguration configuration{*all, flag(element, "negate"), {}};
    bool sound = true;
    std::size_t number = 0;
    nodes->for_each([&](const Json& node) {
      const std::string path = path_ + ".nodes[" + std::to_string(number++) + "]";
      sound &= read_node(configuration, node, path);
    });
    if (!sound) return skip_(path_, "is left out: without its flawed parts it would say more");
    if (!configuration.nodes.empty()) out.push_back(std::move(configuration));
  }

 private:
  /// False when what had to be left out changes the meaning beyond naming fewer products: in an
  /// alternative it does not, as a condition or under a negation it does.
  bool read_node(CpeConfiguration& configuration, const Json& element, const std::string& path) {
    const auto all = is_conjunction(element);
    const auto matches = element.find("cpeMatch");
    if (!all || !matches || !matches->is_array()) {
      skip_(path, "is no node");
      return false;
    }
    CpeNode node{*all, flag(element, "negate"), {}};
    bool sound = true;
    std::size_t number = 0;
    matches->for_each([&](const Json& match) {
      const std::string at = path + ".cpeMatch[" + std::to_string(number++) + "]";
      CpeCriterion criterion;
      std::optional<std::string_view> flaw = read_criterion(criterion, match);
      if (++criteria_ > limits::cpe_criteria) flaw = "is beyond the limit of criteria";
      if (!flaw) return node.criteria.push_back(std::move(criterion));
      skip_(at, *flaw);
      sound &= !node.all && !node.negate && !configuration.negate;
    });
    if (sound && !node.criteria.empty()) configuration.nodes.push_back(std::move(node));
    // An alternative that lost all its criteria can hold for nobody.
    else if (sound && number > 0)
      sound = !configuration.all;
    return sound;
  }

  const SkipRemark& skip_;
  std::string path_;
  std::size_t criteria_ = 0;
};

}  // namespace

model::CpeApplicability read_nvd_configurations(const Json& cve, const SkipRemark& skip) {
  model::CpeApplicability configurations;
  const auto elements = cve.find("configurations");
  if (!elements || !elements->is_array()) return configurations;
  ConfigurationsReader reader(skip);
  std::size_t at = 0;
  elements->for_each([&](const Json& element) { reader.read(configurations, element, at++); });
  return configurations;
}

}  // namespace muster::feeds
