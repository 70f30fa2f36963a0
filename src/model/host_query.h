// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// The fleet query: which hosts a list, a saved view or a task means (docs/reference/query.md).
namespace muster::model {

enum class HostField : std::uint8_t {
#define HOST_FIELD(name, word, kind, what) name,
#include "model/host_fields.def"
#undef HOST_FIELD
};
inline constexpr std::size_t host_field_count = 0
#define HOST_FIELD(name, word, kind, what) +1
#include "model/host_fields.def"
#undef HOST_FIELD
    ;
/// "agent.version"
std::string_view host_field_name(HostField field);

/// How a field's value is written, and what it is compared as.
enum class HostFieldKind : std::uint8_t {
  text,
  number,
  presence,
  agent_state,
  version,
  age,
  package,
  flaw,
  severity,
  flag,
  group,
};
HostFieldKind host_field_kind(HostField field);

/// What an `agent` term asks for: a host's newest agent that has not ended, or that it has none.
enum class AgentState : std::uint8_t { none, active, disabled };

/// A text with wildcards: literal pieces, with any text between them. One piece is the text itself.
struct TextPattern {
  std::vector<std::string> pieces = {std::string()};

  bool is_literal() const { return pieces.size() == 1; }
  /// Of the whole text, octet by octet.
  bool matches(std::string_view text) const;
  friend bool operator==(const TextPattern&, const TextPattern&) = default;
};

enum class Comparison : std::uint8_t { equal, below, at_most, above, at_least };
/// `order` is that of a value on the left and the term's on the right.
bool holds(Comparison comparison, std::weak_ordering order);

/// One condition. Which members say something depends on the kind of its field.
struct HostTerm {
  HostField field = HostField::hostname;
  Comparison comparison = Comparison::equal;  // of package: of its version
  TextPattern text;  // text: folded; package and group: a name, as it is spelt; flaw
  std::optional<TextPattern> version;  // of version and, where one was given, of package
  std::int64_t number = 0;             // number, severity, flag, presence and agent_state
  Duration age{};
  friend bool operator==(const HostTerm&, const HostTerm&) = default;
};

/// A condition on hosts: a term, or what joins others. `all` of nothing holds for every host.
struct HostQuery {
  enum class Kind : std::uint8_t { term, all, any, none };

  Kind kind = Kind::all;
  HostTerm term = {};                 // of Kind::term
  std::vector<HostQuery> parts = {};  // of all and any, two or more; one of none: that it is not
  friend bool operator==(const HostQuery&, const HostQuery&) = default;
};

HostQuery host_query(HostTerm term);
/// `parts`, at least one, joined; what is joined in the same way already becomes part of it.
HostQuery join_queries(HostQuery::Kind kind, std::vector<HostQuery> parts);
/// Both hold.
HostQuery both(HostQuery a, HostQuery b);

/// Fails with invalid_field of `query`, with the character at which something else was expected
/// ("at character 12: ..."), and beyond limits::query_bytes, query_terms, query_lookups and
/// query_depth.
Result<HostQuery> parse_host_query(std::string_view text);
/// The one way to write a query: parsed, it is the same query.
std::string format_host_query(const HostQuery& query);

/// Calls `each` with every term.
template <typename F>
void for_each_term(const HostQuery& query, F&& each) {
  if (query.kind == HostQuery::Kind::term) each(query.term);
  for (const HostQuery& part : query.parts) for_each_term(part, each);
}

}  // namespace muster::model

namespace muster::limits {

/// A query with a hundred hostnames fits.
inline constexpr std::size_t query_bytes = 4000;
inline constexpr std::size_t query_terms = 200;
/// Terms that ask the store about software and findings: each may read a row for each host.
inline constexpr std::size_t query_lookups = 16;
/// Parentheses in parentheses.
inline constexpr std::size_t query_depth = 16;

}  // namespace muster::limits
