// SPDX-License-Identifier: Apache-2.0
#include "model/host_groups.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/host_query_words.h"

namespace muster::model {

namespace {

class Expansion {
 public:
  explicit Expansion(const FindGroup& find) : find_(find) {}

  Result<HostQuery> expand(const HostQuery& query) {
    if (query.kind == HostQuery::Kind::term) return expand_term(query);
    std::vector<HostQuery> parts;
    for (const HostQuery& part : query.parts) parts.push_back(TRY(expand(part)));
    if (query.kind == HostQuery::Kind::none) {
      return HostQuery{HostQuery::Kind::none, {}, std::move(parts)};
    }
    return join_queries(query.kind, std::move(parts));
  }

 private:
  Result<HostQuery> expand_term(const HostQuery& query) {
    // The names count as well: groups of nothing but names must not multiply.
    if (++terms_ > limits::query_terms) {
      return invalid_field("query", "has more than " + std::to_string(limits::query_terms) +
                                        " terms with those of its groups");
    }
    const HostTerm& term = query.term;
    if (term.field == HostField::group) return expand_group(term.text.pieces.front());
    if (query_words::is_lookup(host_field_kind(term.field)) && ++lookups_ > limits::query_lookups) {
      return invalid_field("query", "has more than " + std::to_string(limits::query_lookups) +
                                        " terms about packages and findings with those of its"
                                        " groups");
    }
    return query;
  }

  Result<HostQuery> expand_group(const std::string& name) {
    if (std::find(within_.begin(), within_.end(), name) != within_.end()) {
      return invalid_field("query", "the group \"" + name + "\" is part of itself");
    }
    if (within_.size() >= limits::group_depth) {
      return invalid_field("query", "has groups within more than " +
                                        std::to_string(limits::group_depth) + " others");
    }
    const std::optional<std::string> text = find_(name);
    if (!text) return invalid_field("query", "there is no group \"" + name + "\"");
    const HostQuery inner = TRY(parse_host_query(*text));
    within_.push_back(name);
    HostQuery expanded = TRY(expand(inner));
    within_.pop_back();
    return expanded;
  }

  const FindGroup& find_;
  std::vector<std::string> within_;
  std::size_t terms_ = 0;
  std::size_t lookups_ = 0;
};

}  // namespace

bool names_groups(const HostQuery& query) {
  bool found = false;
  for_each_term(query, [&](const HostTerm& term) { found |= term.field == HostField::group; });
  return found;
}

bool names_group(const HostQuery& query, std::string_view name) {
  bool found = false;
  for_each_term(query, [&](const HostTerm& term) {
    found |= term.field == HostField::group && term.text.pieces.front() == name;
  });
  return found;
}

Result<HostQuery> expand_groups(const HostQuery& query, const FindGroup& find) {
  if (!names_groups(query)) return query;
  return Expansion(find).expand(query);
}

}  // namespace muster::model
