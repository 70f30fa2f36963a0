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
  struct Rung {
    std::uint32_t text;
    std::uint32_t place;
  };
  void add_ladder(Group& group);
  version::Scheme scheme_of(const Group& group) const;
  std::optional<std::uint32_t> version_text(const Criterion& criterion);
  Span span_of(const Criterion& criterion, const std::vector<Rung>& rungs);
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
  return Criterion{*name, ends == Range{} ? 0 : ranges.add(ends), criterion.vulnerable};
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
      index.groups_.push_back({product, 0, 0, 0, 0});
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
  index.spans_.resize(index.postings_.size(), anywhere);
  for (Group& group : index.groups_) add_ladder(group);
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
  const version::Scheme scheme = scheme_of(group);
  std::vector<Rung> rungs;
  for (std::uint32_t at = group.first; at < group.last; ++at) {
    const Criterion& criterion = index.criteria_[index.postings_[at].criterion];
    if (const auto text = version_text(criterion)) rungs.push_back({*text, 0});
    for (const std::uint32_t end : index.ranges_[criterion.range]) {
      if (end != 0) rungs.push_back({end, 0});
    }
  }
  const auto by_text = [](const Rung& a, const Rung& b) { return a.text < b.text; };
  std::sort(rungs.begin(), rungs.end(), by_text);
  rungs.erase(std::unique(rungs.begin(), rungs.end(),
                          [](const Rung& a, const Rung& b) { return a.text == b.text; }),
              rungs.end());
  std::erase_if(rungs, [&](const Rung& rung) {
    return !version::validate(scheme, index.text(rung.text)).ok();
  });
  const auto order = [&](const Rung& a, const Rung& b) {
    return version::compare_valid(scheme, index.text(a.text), index.text(b.text));
  };
  std::sort(rungs.begin(), rungs.end(),
            [&](const Rung& a, const Rung& b) { return order(a, b) < 0; });
  group.first_rung = static_cast<std::uint32_t>(index.rungs_.size());
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    if (i == 0 || order(rungs[i - 1], rungs[i]) != 0) index.rungs_.push_back(rungs[i].text);
    group.rung_count = static_cast<std::uint32_t>(index.rungs_.size()) - group.first_rung;
    rungs[i].place = group.rung_count * 2 - 1;
  }
  std::sort(rungs.begin(), rungs.end(), by_text);
  for (std::uint32_t at = group.first; at < group.last; ++at) {
    index.spans_[at] = span_of(index.criteria_[index.postings_[at].criterion], rungs);
  }
}

CpeIndex::Span CpeIndex::Builder::State::span_of(const Criterion& criterion,
                                                 const std::vector<Rung>& rungs) {
  /// 0 for what is no version.
  const auto place = [&](std::uint32_t text) -> std::uint32_t {
    const auto found =
        std::lower_bound(rungs.begin(), rungs.end(), text,
                         [](const Rung& rung, std::uint32_t wanted) { return rung.text < wanted; });
    return found == rungs.end() || found->text != text ? 0 : found->place;
  };
  if (const auto text = version_text(criterion)) {
    const std::uint32_t at = place(*text);
    return at == 0 ? anywhere : Span{at, at};
  }
  const auto [introduced, fixed, last_affected, after] = index.ranges_[criterion.range];
  Span span = anywhere;
  for (const std::uint32_t end : {introduced, fixed, last_affected, after}) {
    if (end != 0 && place(end) == 0) return span;
  }
  if (introduced != 0) span.low = place(introduced);
  if (after != 0) span.low = std::max(span.low, place(after) + 1);
  if (last_affected != 0) span.high = place(last_affected);
  if (fixed != 0) span.high = std::min(span.high, place(fixed) - 1);
  return span;
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
  index.vocabulary_ = state_->make_vocabulary();
  index.pool_.shrink();
  index.criteria_.shrink_to_fit();
  index.nodes_.shrink_to_fit();
  index.configurations_.shrink_to_fit();
  index.rows_.shrink_to_fit();
  index.names_.shrink_to_fit();
  index.ranges_.shrink_to_fit();
  index.rungs_.shrink_to_fit();
  index.groups_.shrink_to_fit();
  CpeIndex done = std::move(index);
  state_ = std::make_unique<State>();
  return done;
}

}  // namespace muster::vuln
