// SPDX-License-Identifier: Apache-2.0
#include "model/host_query.h"

#include <algorithm>
#include <utility>

#include "model/advisory.h"
#include "model/host_query_words.h"

namespace muster::model {

using query_words::age_units;
using query_words::agent_states;
using query_words::AgeUnit;
using query_words::flags;
using query_words::is_space;
using query_words::presences;
using query_words::Symbol;
using query_words::symbols;

namespace {

struct FieldRow {
  std::string_view word;
  HostFieldKind kind;
};
constexpr FieldRow field_rows[] = {
#define HOST_FIELD(name, word, kind, what) {word, HostFieldKind::kind},
#include "model/host_fields.def"
#undef HOST_FIELD
};
static_assert(std::size(field_rows) == host_field_count);

void append_piece(std::string& out, std::string_view piece) {
  const auto needs_quotes = [](char c) {
    return is_space(c) || std::string_view("()\"*\\<>=!").find(c) != std::string_view::npos;
  };
  if (std::none_of(piece.begin(), piece.end(), needs_quotes)) {
    out.append(piece);
    return;
  }
  out.push_back('"');
  for (const char c : piece) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_pattern(std::string& out, const TextPattern& pattern) {
  if (pattern.is_literal() && pattern.pieces.front().empty()) {
    out.append("\"\"");
    return;
  }
  for (std::size_t i = 0; i < pattern.pieces.size(); ++i) {
    if (i > 0) out.push_back('*');
    append_piece(out, pattern.pieces[i]);
  }
}

std::string_view symbol_of(Comparison comparison, std::string_view equal) {
  if (comparison == Comparison::equal) return equal;
  for (const Symbol& symbol : symbols) {
    if (symbol.comparison == comparison) return symbol.text;
  }
  return equal;
}

void append_age(std::string& out, Duration age) {
  for (const AgeUnit& unit : age_units) {
    if (age.count() % unit.length.count() != 0) continue;
    if (age.count() == 0 && unit.letter != 's') continue;
    out.append(std::to_string(age / unit.length)).push_back(unit.letter);
    return;
  }
}

void append_value(std::string& out, const HostTerm& term, HostFieldKind kind) {
  switch (kind) {
    case HostFieldKind::text:
    case HostFieldKind::flaw:
    case HostFieldKind::group:
      append_pattern(out, term.text);
      return;
    case HostFieldKind::package:
      append_pattern(out, term.text);
      if (!term.version) return;
      out.append(symbol_of(term.comparison, "="));
      append_pattern(out, *term.version);
      return;
    case HostFieldKind::version:
      append_pattern(out, *term.version);
      return;
    case HostFieldKind::age:
      append_age(out, term.age);
      return;
    case HostFieldKind::number:
      out.append(std::to_string(term.number));
      return;
    case HostFieldKind::presence:
      out.append(presences.at(static_cast<std::size_t>(term.number)));
      return;
    case HostFieldKind::agent_state:
      out.append(agent_states.at(static_cast<std::size_t>(term.number)));
      return;
    case HostFieldKind::severity:
      out.append(severity_name(static_cast<Severity>(term.number)));
      return;
    case HostFieldKind::flag:
      out.append(flags.at(static_cast<std::size_t>(term.number)));
      return;
  }
}

void append_query(std::string& out, const HostQuery& query);

void append_within(std::string& out, const HostQuery& query, bool parentheses) {
  if (parentheses) out.push_back('(');
  append_query(out, query);
  if (parentheses) out.push_back(')');
}

void append_query(std::string& out, const HostQuery& query) {
  using Kind = HostQuery::Kind;
  switch (query.kind) {
    case Kind::term: {
      const HostFieldKind kind = host_field_kind(query.term.field);
      out.append(host_field_name(query.term.field));
      out.append(kind == HostFieldKind::package ? ":" : symbol_of(query.term.comparison, ":"));
      append_value(out, query.term, kind);
      return;
    }
    case Kind::none:
      out.push_back('-');
      append_within(out, query.parts.front(), query.parts.front().kind != Kind::term);
      return;
    case Kind::all:
    case Kind::any:
      for (std::size_t i = 0; i < query.parts.size(); ++i) {
        if (i > 0) out.append(query.kind == Kind::all ? " " : " OR ");
        const Kind inner = query.parts[i].kind;
        append_within(out, query.parts[i], query.kind == Kind::all && inner == Kind::any);
      }
      return;
  }
}

}  // namespace

HostQuery join_queries(HostQuery::Kind kind, std::vector<HostQuery> parts) {
  if (parts.size() == 1) {
    HostQuery only = std::move(parts.front());
    return only;
  }
  HostQuery joined{kind, {}, {}};
  for (HostQuery& part : parts) {
    if (part.kind != kind) {
      joined.parts.push_back(std::move(part));
      continue;
    }
    for (HostQuery& inner : part.parts) joined.parts.push_back(std::move(inner));
  }
  return joined;
}

std::string_view host_field_name(HostField field) {
  CHECK(static_cast<std::size_t>(field) < host_field_count);
  return field_rows[static_cast<std::size_t>(field)].word;
}

HostFieldKind host_field_kind(HostField field) {
  CHECK(static_cast<std::size_t>(field) < host_field_count);
  return field_rows[static_cast<std::size_t>(field)].kind;
}

bool TextPattern::matches(std::string_view text) const {
  const std::string& first = pieces.front();
  if (is_literal()) return text == first;
  const std::string& last = pieces.back();
  if (text.size() < first.size() + last.size() || !text.starts_with(first) ||
      !text.ends_with(last)) {
    return false;
  }
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
    const auto found = text.find(pieces[i]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pieces[i].size());
  }
  return true;
}

bool holds(Comparison comparison, std::weak_ordering order) {
  switch (comparison) {
    case Comparison::equal:
      return order == 0;
    case Comparison::below:
      return order < 0;
    case Comparison::at_most:
      return order <= 0;
    case Comparison::above:
      return order > 0;
    case Comparison::at_least:
      return order >= 0;
  }
  return false;
}

HostQuery host_query(HostTerm term) {
  return {HostQuery::Kind::term, std::move(term), {}};
}

HostQuery both(HostQuery a, HostQuery b) {
  const auto holds_always = [](const HostQuery& query) {
    return query.kind == HostQuery::Kind::all && query.parts.empty();
  };
  if (holds_always(a)) return b;
  if (holds_always(b)) return a;
  std::vector<HostQuery> parts;
  parts.push_back(std::move(a));
  parts.push_back(std::move(b));
  return join_queries(HostQuery::Kind::all, std::move(parts));
}

std::string format_host_query(const HostQuery& query) {
  std::string out;
  append_query(out, query);
  return out;
}

}  // namespace muster::model
