// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_index.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "vuln/content_hash.h"
#include "vuln/product_version.h"

namespace muster::vuln {

namespace {

using model::Advisory;
using model::Cpe;
using model::CpeAttribute;

struct NumbersHash {
  template <std::size_t N>
  std::size_t operator()(const std::array<std::uint32_t, N>& numbers) const noexcept {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const std::uint32_t number : numbers) hash = (hash ^ number) * 0x100000001B3U;
    return static_cast<std::size_t>(hash ^ (hash >> 29));
  }
};

/// Numbers tuples of numbers as StringPool does texts.
template <typename T>
class TuplePool {
 public:
  explicit TuplePool(std::vector<T>& all) : all_(all) {}
  std::uint32_t add(const T& tuple) {
    const auto [at, fresh] = known_.emplace(tuple, static_cast<std::uint32_t>(all_.size()));
    if (fresh) all_.push_back(tuple);
    return at->second;
  }

 private:
  std::vector<T>& all_;
  std::unordered_map<T, std::uint32_t, NumbersHash> known_;
};

std::uint64_t content_of(const Advisory& advisory) {
  ContentHash hash;
  hash.add(advisory.feed).add(advisory.id).add(advisory.urgency).add(advisory.summary);
  hash.add(static_cast<std::uint64_t>(advisory.severity)).add(advisory.disputed ? 1 : 0);
  hash.add(advisory.score_tenths ? *advisory.score_tenths + 1U : 0U);
  hash.add(advisory.aliases.size());
  for (const std::string& alias : advisory.aliases) hash.add(alias);
  const auto add_flags = [&](bool all, bool negate, std::size_t parts) {
    hash.add(parts << 2U | (all ? 2U : 0U) | (negate ? 1U : 0U));
  };
  for (const model::CpeConfiguration& configuration : advisory.configurations) {
    add_flags(configuration.all, configuration.negate, configuration.nodes.size());
    for (const model::CpeNode& node : configuration.nodes) {
      add_flags(node.all, node.negate, node.criteria.size());
      for (const model::CpeCriterion& each : node.criteria) {
        const model::VersionRange& range = each.range;
        hash.add(each.cpe).add(range.introduced).add(range.fixed).add(range.last_affected);
        hash.add(range.after).add(each.vulnerable ? 1 : 0);
      }
    }
  }
  return hash.value();
}

/// Whether a criterion's target_sw is no other thing than a host's own system.
bool is_program_target(std::string_view target) {
  static constexpr std::string_view systems[] = {
      "*",        "-",   "windows", "windows_nt", "win32",        "macos", "mac_os",
      "mac_os_x", "mac", "macosx",  "os_x",       "linux_kernel", "linux", "unix"};
  return std::find(std::begin(systems), std::end(systems), target) != std::end(systems);
}

}  // namespace

struct CpeIndex::Builder::State {
  CpeIndex index;
  TuplePool<Name> names{index.names_};
  TuplePool<Range> ranges{index.ranges_};
  /// The numbers of names by their text: feeds repeat one name in many criteria.
  StringPool texts;
  std::vector<std::optional<std::uint32_t>> names_by_text;

  State() { ranges.add(Range{}); }

  std::optional<std::uint32_t> name_of(std::string_view text);

  bool add_configuration(const model::CpeConfiguration& configuration);
  std::optional<Criterion> make_criterion(const model::CpeCriterion& criterion);
  bool precedes(const Row& a, const Row& b) const;
  bool same(const Row& a, const Row& b) const;
  std::vector<std::string> content_of(const Row& row) const;
  static constexpr std::uint32_t no_group = 0xFFFFFFFFU;
  template <typename F>
  void for_each_vulnerable(F&& each) const;
  std::vector<std::uint32_t> make_groups();
  void add_postings();
  /// A version that criteria of a group name, and its place on the group's ladder.
  struct Version {
    std::uint32_t text;
    std::uint32_t place;
  };
  void add_ladder(Group& group);
  void add_rungs(Group& group, std::vector<Version>& versions);
  void place_postings(Group& group, const std::vector<Version>& versions);
  version::Scheme scheme_of(const Group& group) const;
  std::optional<std::uint32_t> version_text(const Criterion& criterion);
  std::optional<Span> span_of(const Criterion& criterion, const std::vector<Version>& versions);
  bool is_of_no_version(const Criterion& criterion) const;
  bool asks_for_no_more(const Criterion& criterion) const;
  void mark_enough();
  std::optional<Vocabulary::Program> program_of(const Group& group) const;
  Vocabulary make_vocabulary() const;
};

std::optional<std::uint32_t> CpeIndex::Builder::State::name_of(std::string_view text) {
  const std::uint32_t number = texts.add(text);
  if (number < names_by_text.size()) return names_by_text[number];
  names_by_text.resize(number + 1);
  const auto cpe = model::unbind_cpe(text);
  if (!cpe.ok()) return std::nullopt;
  Name name{};
  for (std::size_t i = 0; i < name.size(); ++i) name[i] = index.pool_.add(cpe->values[i]);
  return names_by_text[number] = names.add(name);
}

std::optional<CpeIndex::Criterion> CpeIndex::Builder::State::make_criterion(
    const model::CpeCriterion& criterion) {
  const auto name = name_of(criterion.cpe);
  if (!name) return std::nullopt;
  const auto add = [&](const std::string& end) { return end.empty() ? 0 : index.pool_.add(end); };
  const model::VersionRange& range = criterion.range;
  const Range ends{add(range.introduced), add(range.fixed), add(range.last_affected),
                   add(range.after)};
  return Criterion{*name, ends == Range{} ? 0 : ranges.add(ends), criterion.vulnerable, false,
                   false};
}

bool CpeIndex::Builder::State::add_configuration(const model::CpeConfiguration& configuration) {
  const auto undo = [&, nodes = index.nodes_.size(), criteria = index.criteria_.size()] {
    index.nodes_.resize(nodes);
    index.criteria_.resize(criteria);
    return false;
  };
  Configuration row{static_cast<std::uint32_t>(index.nodes_.size()),
                    static_cast<std::uint32_t>(configuration.nodes.size()), configuration.all,
                    configuration.negate};
  for (const model::CpeNode& node : configuration.nodes) {
    index.nodes_.push_back({static_cast<std::uint32_t>(index.criteria_.size()),
                            static_cast<std::uint32_t>(node.criteria.size()), node.all,
                            node.negate});
    for (const model::CpeCriterion& each : node.criteria) {
      const auto criterion = make_criterion(each);
      if (!criterion) return undo();
      index.criteria_.push_back(*criterion);
    }
  }
  index.configurations_.push_back(row);
  return true;
}

/// All that two rows of one feed and id can differ in, as text: the numbers depend on the order in
/// which advisories came.
std::vector<std::string> CpeIndex::Builder::State::content_of(const Row& row) const {
  std::vector<std::string> content{
      std::string(index.text(row.urgency)), std::string(index.text(row.summary)),
      std::to_string(static_cast<int>(row.severity)) + (row.disputed ? "d" : "") +
          (row.score_tenths ? std::to_string(*row.score_tenths) : "")};
  for (std::string& alias : index.aliases(row)) content.push_back(std::move(alias));
  const auto flags = [](bool all, bool negate, std::uint32_t count) {
    return std::string(all ? "&" : "|") + (negate ? "!" : "") + std::to_string(count);
  };
  for (std::uint32_t i = 0; i < row.configuration_count; ++i) {
    const Configuration& configuration = index.configurations_[row.first_configuration + i];
    content.push_back(flags(configuration.all, configuration.negate, configuration.node_count));
    for (const Node& node : index.nodes(configuration)) {
      content.push_back(flags(node.all, node.negate, node.criterion_count));
      for (const Criterion& criterion : index.criteria(node)) {
        content.push_back(index.name(criterion) + (criterion.vulnerable ? "" : " platform"));
        for (const auto& end : index.range(criterion)) content.emplace_back(end);
      }
    }
  }
  return content;
}

bool CpeIndex::Builder::State::precedes(const Row& a, const Row& b) const {
  const auto ids = [&](const Row& row) {
    return std::pair(index.text(row.id), index.text(row.feed));
  };
  if (ids(a) != ids(b)) return ids(a) < ids(b);
  return content_of(a) < content_of(b);
}

bool CpeIndex::Builder::State::same(const Row& a, const Row& b) const {
  return a.id == b.id && a.feed == b.feed && content_of(a) == content_of(b);
}

/// Calls `each(posting, name)` for the criteria that make findings, by row.
template <typename F>
void CpeIndex::Builder::State::for_each_vulnerable(F&& each) const {
  for (std::uint32_t row = 0; row < index.rows_.size(); ++row) {
    for (std::uint32_t i = 0; i < index.rows_[row].configuration_count; ++i) {
      const std::uint32_t at = index.rows_[row].first_configuration + i;
      for (const Node& node : index.nodes(index.configurations_[at])) {
        for (std::uint32_t k = 0; k < node.criterion_count; ++k) {
          const Criterion& criterion = index.criteria_[node.first_criterion + k];
          if (criterion.vulnerable)
            each(Posting{row, at, node.first_criterion + k}, criterion.name);
        }
      }
    }
  }
}

/// Makes a group for each product of the names, in the order of their keys, and says which group
/// each name belongs to: no_group for names with wildcards.
std::vector<std::uint32_t> CpeIndex::Builder::State::make_groups() {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keys;
  keys.reserve(index.names_.size());
  for (std::uint32_t name = 0; name < index.names_.size(); ++name) {
    if (const auto product = index.product_of(index.names_[name]))
      keys.emplace_back(*product, name);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> groups(index.names_.size(), no_group);
  for (const auto& [product, name] : keys) {
    if (index.groups_.empty() || index.groups_.back().product != product) {
      index.groups_.push_back({product, 0, 0, 0, 0, 0, 0, {}});
    }
    groups[name] = static_cast<std::uint32_t>(index.groups_.size() - 1);
  }
  return groups;
}

void CpeIndex::Builder::State::add_postings() {
  std::vector<std::uint32_t> group_of = make_groups();
  for_each_vulnerable([&](const Posting& posting, std::uint32_t name) {
    if (group_of[name] == no_group) {
      index.wildcards_.push_back(posting);
    } else {
      ++index.groups_[group_of[name]].last;
    }
  });
  std::uint32_t count = 0;
  for (Group& group : index.groups_) {
    group.first = count;
    count += group.last;
    group.last = group.first;
  }
  index.postings_.resize(count);
  // Within a product the postings stay by row, that is by id.
  for_each_vulnerable([&](const Posting& posting, std::uint32_t name) {
    if (group_of[name] == no_group) return;
    index.postings_[index.groups_[group_of[name]].last++] = posting;
  });
  std::erase_if(index.groups_, [](const Group& group) { return group.first == group.last; });
  for (Group& group : index.groups_) add_ladder(group);
  index.rungs_.push_back({0, static_cast<std::uint32_t>(index.points_.size())});
  mark_enough();
}

/// The scheme of a product whose package declares none of its own.
version::Scheme CpeIndex::Builder::State::scheme_of(const Group& group) const {
  Cpe product;
  product[CpeAttribute::product] =
      index.value(index.criteria_[index.postings_[group.first].criterion], CpeAttribute::product);
  return product_scheme(product, model::Ecosystem::unknown).value();
}

/// The one version that a criterion without a range is about.
std::optional<std::uint32_t> CpeIndex::Builder::State::version_text(const Criterion& criterion) {
  if (index.has_range(criterion)) return std::nullopt;
  const std::string_view value = index.value(criterion, CpeAttribute::version);
  if (!model::is_literal_cpe_value(value)) return std::nullopt;
  if (value.find('\\') != std::string_view::npos) {
    return index.pool_.add(model::unescape_cpe_value(value));
  }
  return index.names_[criterion.name][static_cast<std::size_t>(CpeAttribute::version)];
}

void CpeIndex::Builder::State::add_ladder(Group& group) {
  group.scheme = scheme_of(group);
  std::vector<Version> versions;
  for (std::uint32_t at = group.first; at < group.last; ++at) {
    const Criterion& criterion = index.criteria_[index.postings_[at].criterion];
    if (const auto text = version_text(criterion)) versions.push_back({*text, 0});
    for (const std::uint32_t end : index.ranges_[criterion.range]) {
      if (end != 0) versions.push_back({end, 0});
    }
  }
  const auto by_text = [](const Version& a, const Version& b) { return a.text < b.text; };
  std::sort(versions.begin(), versions.end(), by_text);
  versions.erase(std::unique(versions.begin(), versions.end(),
                             [](const auto& a, const auto& b) { return a.text == b.text; }),
                 versions.end());
  std::erase_if(versions, [&](const Version& each) {
    return !version::validate(group.scheme, index.text(each.text)).ok();
  });
  add_rungs(group, versions);
  std::sort(versions.begin(), versions.end(), by_text);
  place_postings(group, versions);
}

/// Gives each version its place.
void CpeIndex::Builder::State::add_rungs(Group& group, std::vector<Version>& versions) {
  const auto order = [&](const Version& a, const Version& b) {
    return version::compare_valid(group.scheme, index.text(a.text), index.text(b.text));
  };
  std::sort(versions.begin(), versions.end(),
            [&](const Version& a, const Version& b) { return order(a, b) < 0; });
  group.first_rung = static_cast<std::uint32_t>(index.rungs_.size());
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (i == 0 || order(versions[i - 1], versions[i]) != 0) {
      index.rungs_.push_back({versions[i].text, 0});
      ++group.rung_count;
    }
    versions[i].place = group.rung_count * 2 - 1;
  }
}

/// Puts each criterion of a group on the rung that it is about, or among those about more.
void CpeIndex::Builder::State::place_postings(Group& group, const std::vector<Version>& versions) {
  struct Point {
    std::uint32_t place;
    std::uint32_t posting;
  };
  std::vector<Point> points;
  group.first_stretch = static_cast<std::uint32_t>(index.stretches_.size());
  for (std::uint32_t at = group.first; at < group.last; ++at) {
    Criterion& criterion = index.criteria_[index.postings_[at].criterion];
    if (is_of_no_version(criterion)) {
      index.stretches_.push_back({no_version, at});
      continue;
    }
    const std::optional<Span> span = span_of(criterion, versions);
    criterion.plain = span && asks_for_no_more(criterion);
    if (span && span->low == span->high && span->low % 2 == 1) {
      points.push_back({span->low, at});
    } else {
      index.stretches_.push_back({span.value_or(anywhere), at});
    }
  }
  group.stretch_count = static_cast<std::uint32_t>(index.stretches_.size()) - group.first_stretch;
  std::stable_sort(index.stretches_.begin() + group.first_stretch, index.stretches_.end(),
                   [](const auto& a, const auto& b) { return a.span.high > b.span.high; });
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.place < b.place; });
  auto point = points.begin();
  for (std::uint32_t rung = 0; rung < group.rung_count; ++rung) {
    index.rungs_[group.first_rung + rung].first_point =
        static_cast<std::uint32_t>(index.points_.size());
    for (; point != points.end() && point->place == rung * 2 + 1; ++point) {
      index.points_.push_back(point->posting);
    }
  }
}

/// Without a range, and its version is NA: only of what a CPE name says to have none.
bool CpeIndex::Builder::State::is_of_no_version(const Criterion& criterion) const {
  return !index.has_range(criterion) && index.value(criterion, CpeAttribute::version) == "-";
}

/// Where on the ladder a criterion holds; nothing if that cannot be said.
std::optional<CpeIndex::Span> CpeIndex::Builder::State::span_of(
    const Criterion& criterion, const std::vector<Version>& versions) {
  /// 0 for what is no version.
  const auto place = [&](std::uint32_t text) -> std::uint32_t {
    const auto found = std::lower_bound(
        versions.begin(), versions.end(), text,
        [](const Version& each, std::uint32_t wanted) { return each.text < wanted; });
    return found == versions.end() || found->text != text ? 0 : found->place;
  };
  if (const auto text = version_text(criterion)) {
    const std::uint32_t at = place(*text);
    return at == 0 ? std::nullopt : std::optional(Span{at, at});
  }
  if (!index.has_range(criterion)) {
    const bool any = index.value(criterion, CpeAttribute::version) == "*";
    return any ? std::optional(anywhere) : std::nullopt;
  }
  const auto [introduced, fixed, last_affected, after] = index.ranges_[criterion.range];
  Span span = anywhere;
  for (const std::uint32_t end : {introduced, fixed, last_affected, after}) {
    if (end != 0 && place(end) == 0) return std::nullopt;
  }
  if (introduced != 0) span.low = place(introduced);
  if (after != 0) span.low = std::max(span.low, place(after) + 1);
  if (last_affected != 0) span.high = place(last_affected);
  if (fixed != 0) span.high = std::min(span.high, place(fixed) - 1);
  return span;
}

/// Whether part, vendor, product and version are all that a criterion asks for.
bool CpeIndex::Builder::State::asks_for_no_more(const Criterion& criterion) const {
  static constexpr CpeAttribute others[] = {CpeAttribute::update,    CpeAttribute::edition,
                                            CpeAttribute::language,  CpeAttribute::sw_edition,
                                            CpeAttribute::target_sw, CpeAttribute::target_hw,
                                            CpeAttribute::other};
  return std::all_of(std::begin(others), std::end(others), [&](CpeAttribute each) {
    const std::string_view value = index.value(criterion, each);
    return value == "*" || value == "-";
  });
}

/// Marks the criteria of which one is enough for its configuration.
void CpeIndex::Builder::State::mark_enough() {
  for (const Configuration& configuration : index.configurations_) {
    if (configuration.all || configuration.negate) continue;
    for (const Node& node : index.nodes(configuration)) {
      if (node.all || node.negate) continue;
      for (std::uint32_t i = 0; i < node.criterion_count; ++i) {
        index.criteria_[node.first_criterion + i].enough = true;
      }
    }
  }
}

/// The application that a group of postings is about; nothing for systems and hardware, and for
/// what runs inside something else (a site's plugin, a telephone's app).
std::optional<Vocabulary::Program> CpeIndex::Builder::State::program_of(const Group& group) const {
  Vocabulary::Program program{};
  bool is_program = false;
  std::uint32_t last_row = 0;
  for (std::uint32_t at = group.first; at < group.last; ++at) {
    const Posting& posting = index.postings_[at];
    const Criterion& criterion = index.criteria_[posting.criterion];
    if (index.value(criterion, CpeAttribute::part) != "a") return std::nullopt;
    is_program |= is_program_target(index.value(criterion, CpeAttribute::target_sw));
    const Name& name = index.names_[criterion.name];
    program.vendor = name[static_cast<std::size_t>(CpeAttribute::vendor)];
    program.product = name[static_cast<std::size_t>(CpeAttribute::product)];
    if (at == group.first || posting.row != last_row) ++program.advisories;
    last_row = posting.row;
  }
  return is_program ? std::optional(program) : std::nullopt;
}

Vocabulary CpeIndex::Builder::State::make_vocabulary() const {
  std::vector<Vocabulary::Program> programs;
  for (const Group& group : index.groups_) {
    if (const auto program = program_of(group)) programs.push_back(*program);
  }
  return {std::move(programs), index.pool_};
}

CpeIndex::Builder::Builder() : state_(std::make_unique<State>()) {}
CpeIndex::Builder::~Builder() = default;
CpeIndex::Builder::Builder(Builder&&) noexcept = default;
CpeIndex::Builder& CpeIndex::Builder::operator=(Builder&&) noexcept = default;

void CpeIndex::Builder::add(const Advisory& advisory) {
  CpeIndex& index = state_->index;
  StringPool& pool = index.pool_;
  Row row{};
  row.feed = pool.add(advisory.feed);
  row.id = pool.add(advisory.id);
  row.urgency = pool.add(advisory.urgency);
  row.summary = pool.add(advisory.summary);
  row.severity = advisory.severity;
  row.disputed = advisory.disputed;
  row.score_tenths = advisory.score_tenths;
  row.content = content_of(advisory);
  row.first_alias = static_cast<std::uint32_t>(index.aliases_.size());
  constexpr std::size_t aliases_max = 65535;
  row.alias_count = static_cast<std::uint16_t>(std::min(advisory.aliases.size(), aliases_max));
  for (std::size_t i = 0; i < row.alias_count; ++i) {
    index.aliases_.push_back(pool.add(advisory.aliases[i]));
  }
  row.first_configuration = static_cast<std::uint32_t>(index.configurations_.size());
  for (const model::CpeConfiguration& configuration : advisory.configurations) {
    row.configuration_count += state_->add_configuration(configuration) ? 1U : 0U;
  }
  index.rows_.push_back(row);
}

CpeIndex CpeIndex::Builder::finish() {
  CpeIndex& index = state_->index;
  std::sort(index.rows_.begin(), index.rows_.end(),
            [&](const Row& a, const Row& b) { return state_->precedes(a, b); });
  const auto repeats = std::unique(index.rows_.begin(), index.rows_.end(),
                                   [&](const Row& a, const Row& b) { return state_->same(a, b); });
  index.rows_.erase(repeats, index.rows_.end());
  state_->add_postings();
  index.make_slots();
  index.vocabulary_ = state_->make_vocabulary();
  index.pool_.seal();
  for_each_array(index, [](auto& array) { array.shrink_to_fit(); });
  CpeIndex done = std::move(index);
  state_ = std::make_unique<State>();
  return done;
}

}  // namespace muster::vuln
