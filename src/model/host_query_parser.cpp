// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "model/advisory.h"
#include "model/host_query_words.h"
#include "version/scheme.h"

namespace muster::model {

using query_words::age_units;
using query_words::agent_states;
using query_words::AgeUnit;
using query_words::flags;
using query_words::is_lookup;
using query_words::is_space;
using query_words::presences;
using query_words::Symbol;
using query_words::symbols;

namespace {

bool is_field_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

std::string known_fields() {
  std::string words;
  for (std::size_t i = 0; i < host_field_count; ++i) {
    words.append(words.empty() ? "" : ", ").append(host_field_name(static_cast<HostField>(i)));
  }
  return words;
}

std::optional<HostField> find_field(std::string_view word) {
  for (std::size_t i = 0; i < host_field_count; ++i) {
    if (host_field_name(static_cast<HostField>(i)) == word) return static_cast<HostField>(i);
  }
  return std::nullopt;
}

HostQuery negate(HostQuery query) {
  if (query.kind == HostQuery::Kind::none) {
    HostQuery inner = std::move(query.parts.front());
    return inner;
  }
  HostQuery negated{HostQuery::Kind::none, {}, {}};
  negated.parts.push_back(std::move(query));
  return negated;
}

/// Reads a query from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<HostQuery> parse() {
    skip_spaces();
    if (at_end()) return HostQuery{};
    HostQuery query = TRY(parse_any());
    if (!at_end()) return expected("a term, OR or the end of the query");
    return query;
  }

 private:
  /// A value before its field says what it is.
  struct Value {
    TextPattern text;
    std::size_t begin = 0;
  };

  bool at_end() const { return place_ == text_.size(); }
  char next() const { return at_end() ? '\0' : text_[place_]; }
  void skip_spaces() {
    while (!at_end() && is_space(next())) ++place_;
  }

  /// At `place` in octets; people count characters, from 1.
  Error expected_at(std::size_t place, const std::string& what) const {
    const auto before = text_.substr(0, place);
    const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    });
    return invalid_field("query",
                         "at character " + std::to_string(characters + 1) + ": expected " + what);
  }
  Error expected(const std::string& what) const { return expected_at(place_, what); }

  /// Takes a keyword, in any case, if it stands here alone.
  bool take_word(std::string_view word) {
    if (!equal_folded(text_.substr(place_, word.size()), word)) return false;
    const std::size_t after = place_ + word.size();
    if (after < text_.size() && !is_space(text_[after]) && text_[after] != '(' &&
        text_[after] != ')') {
      return false;
    }
    place_ = after;
    skip_spaces();
    return true;
  }

  Result<HostQuery> parse_any() {
    std::vector<HostQuery> parts;
    do {
      parts.push_back(TRY(parse_all()));
    } while (take_word("OR"));
    return join_queries(HostQuery::Kind::any, std::move(parts));
  }

  bool ends_all() {
    if (at_end() || next() == ')') return true;
    const std::size_t place = place_;
    const bool found = take_word("OR");
    place_ = place;
    return found;
  }

  Result<HostQuery> parse_all() {
    std::vector<HostQuery> parts;
    do {
      parts.push_back(TRY(parse_one()));
    } while (take_word("AND") || !ends_all());
    return join_queries(HostQuery::Kind::all, std::move(parts));
  }

  Result<HostQuery> parse_one() {
    bool negated = false;
    while (true) {
      if (next() == '-') {
        ++place_;
        if (at_end() || is_space(next())) return expected("a term right after -");
      } else if (!take_word("NOT")) {
        break;
      }
      negated = !negated;
    }
    if (ends_all() || take_word("AND")) return expected("a term");
    HostQuery one = TRY(next() == '(' ? parse_group() : parse_term());
    skip_spaces();
    return negated ? negate(std::move(one)) : std::move(one);
  }

  Result<HostQuery> parse_group() {
    if (++depth_ > limits::query_depth) {
      return expected("at most " + std::to_string(limits::query_depth) +
                      " parentheses within each other");
    }
    ++place_;
    skip_spaces();
    HostQuery inner = TRY(parse_any());
    if (next() != ')') return expected("a term, OR or )");
    ++place_;
    --depth_;
    return inner;
  }

  Result<HostQuery> parse_term() {
    const std::size_t begin = place_;
    if (++terms_ > limits::query_terms) {
      return expected("at most " + std::to_string(limits::query_terms) + " terms");
    }
    std::size_t after = place_;
    while (after < text_.size() && is_field_letter(text_[after])) ++after;
    place_ = after;
    const Symbol* symbol = after == begin ? nullptr : take_symbol();
    if (symbol == nullptr) {
      place_ = begin;
      return parse_bare_word();
    }
    const std::string word = fold_case(text_.substr(begin, after - begin));
    const std::optional<HostField> field = find_field(word);
    if (!field) return expected_at(begin, "a field: " + known_fields());
    const HostFieldKind kind = host_field_kind(*field);
    if (is_lookup(kind) && ++lookups_ > limits::query_lookups) {
      return expected_at(begin, "at most " + std::to_string(limits::query_lookups) +
                                    " terms about packages and findings");
    }
    HostTerm term;
    term.field = *field;
    term.comparison = symbol->comparison;
    bool negated = symbol->negated;
    TRY(parse_value_of(kind, term, negated, after));
    HostQuery query = host_query(std::move(term));
    return negated ? negate(std::move(query)) : std::move(query);
  }

  const Symbol* take_symbol() {
    for (const Symbol& symbol : symbols) {
      if (text_.substr(place_, symbol.text.size()) != symbol.text) continue;
      place_ += symbol.text.size();
      return &symbol;
    }
    return nullptr;
  }

  /// Part of a hostname; with wildcards all of it.
  Result<HostQuery> parse_bare_word() {
    HostTerm term;
    term.text = TRY(parse_value({})).text;
    fold(term.text);
    if (term.text.is_literal()) {
      const std::string part = term.text.pieces.front();
      if (!part.empty()) term.text.pieces = {"", part, ""};
    }
    return host_query(std::move(term));
  }

  /// Bare and quoted pieces without a space between them; a * outside quotes is a wildcard. Bare
  /// pieces end at spaces, parentheses and what is in `ends`.
  Result<Value> parse_value(std::string_view ends) {
    Value value;
    value.begin = place_;
    std::vector<std::string>& pieces = value.text.pieces;
    while (!at_end()) {
      const char c = next();
      if (is_space(c) || c == ')' || ends.find(c) != std::string_view::npos) break;
      if (c == '(') return expected("quotes around a value with parentheses");
      if (c == '"') {
        TRY(parse_quoted(pieces.back()));
        continue;
      }
      ++place_;
      if (c != '*') {
        pieces.back().push_back(c);
      } else if (pieces.size() == 1 || !pieces.back().empty()) {
        pieces.emplace_back();  // wildcards beside each other are one
      }
    }
    if (place_ == value.begin) return expected("a value");
    return value;
  }

  Result<void> parse_quoted(std::string& out) {
    const std::size_t begin = place_++;
    while (next() != '"' || at_end()) {
      if (next() == '\\') ++place_;
      if (at_end()) return expected_at(begin, "a quote that ends");
      out.push_back(next());
      ++place_;
    }
    ++place_;
    return {};
  }

  static void fold(TextPattern& pattern) {
    for (std::string& piece : pattern.pieces) piece = fold_case(piece);
  }

  Result<void> parse_value_of(HostFieldKind kind, HostTerm& term, bool& negated,
                              std::size_t symbol_place) {
    const bool compares = term.comparison != Comparison::equal;
    const auto only_equal = [&](const char* what) -> Result<void> {
      if (compares) return expected_at(symbol_place, std::string(": before ") + what);
      return {};
    };
    switch (kind) {
      case HostFieldKind::text:
        TRY(only_equal("a text"));
        term.text = TRY(parse_value({})).text;
        fold(term.text);
        return {};
      case HostFieldKind::flaw:
        TRY(only_equal("a CVE"));
        return parse_flaw(term);
      case HostFieldKind::package:
        if (compares || text_[symbol_place] != ':') {
          return expected_at(symbol_place, ": and a name, as in package:openssl<3.0.11");
        }
        return parse_package(term, negated);
      case HostFieldKind::version:
        return parse_version(term, version::Scheme::semver);
      case HostFieldKind::number:
        term.number = TRY(parse_number());
        return {};
      case HostFieldKind::age:
        if (!compares) return expected_at(symbol_place, "< or > and a time such as 10m");
        return parse_age(term);
      case HostFieldKind::severity:
        return parse_severity_of(term);
      case HostFieldKind::presence:
        TRY(only_equal("online, offline or unknown"));
        return parse_choice(term, presences);
      case HostFieldKind::agent_state:
        TRY(only_equal("active, disabled or none"));
        return parse_choice(term, agent_states);
      case HostFieldKind::flag:
        TRY(only_equal("true or false"));
        return parse_choice(term, flags);
      case HostFieldKind::group:
        TRY(only_equal("the name of a group"));
        return parse_group_name(term);
    }
    CHECK(false);
    return {};
  }

  /// A value without wildcards, folded.
  Result<std::pair<std::string, std::size_t>> parse_plain(const std::string& what) {
    const std::size_t begin = place_;
    Result<Value> value = parse_value({});
    if (!value.ok() && place_ == begin) return expected(what);
    if (!value.ok()) return std::move(value).error();
    if (!value->text.is_literal()) return expected_at(value->begin, what);
    return std::pair(fold_case(value->text.pieces.front()), value->begin);
  }

  Result<void> parse_choice(HostTerm& term, std::span<const std::string_view> choices) {
    std::string words;
    for (const std::string_view& choice : choices) {
      words.append(words.empty() ? "" : &choice == &choices.back() ? " or " : ", ").append(choice);
    }
    const auto [text, begin] = TRY(parse_plain(words));
    const auto found = std::find(choices.begin(), choices.end(), text);
    if (found == choices.end()) return expected_at(begin, words);
    term.number = found - choices.begin();
    return {};
  }

  Result<void> parse_severity_of(HostTerm& term) {
    const std::string words = "unknown, negligible, low, medium, high or critical";
    const auto [text, begin] = TRY(parse_plain(words));
    const auto severity = parse_severity(text);
    if (!severity) return expected_at(begin, words);
    term.number = static_cast<std::int64_t>(*severity);
    return {};
  }

  Result<std::int64_t> parse_number() {
    const auto [text, begin] = TRY(parse_plain("a number"));
    const auto number = parse_int(text);
    if (!number || *number < 0) return expected_at(begin, "a number");
    return *number;
  }

  Result<void> parse_age(HostTerm& term) {
    const std::string what = "a time such as 30s, 10m, 2h, 7d or 4w";
    const auto [text, begin] = TRY(parse_plain(what));
    const char letter = text.empty() ? '\0' : text.back();
    const auto* unit = std::find_if(age_units.begin(), age_units.end(),
                                    [&](const AgeUnit& each) { return each.letter == letter; });
    const auto number = unit == age_units.end()
                            ? std::nullopt
                            : parse_int(std::string_view(text).substr(0, text.size() - 1));
    if (!number || *number < 0 || *number > limits::silent_seconds_max ||
        *number * unit->length > std::chrono::seconds(limits::silent_seconds_max)) {
      return expected_at(begin, what + ", ten years at most");
    }
    term.age = *number * unit->length;
    return {};
  }

  Result<void> parse_flaw(HostTerm& term) {
    auto [text, begin] = TRY(parse_plain("a CVE"));
    if (!text.starts_with("cve-")) return expected_at(begin, "a CVE, as in CVE-2024-3094");
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    term.text.pieces = {std::move(text)};
    return {};
  }

  /// As the view is called: names that differ in case are two.
  Result<void> parse_group_name(HostTerm& term) {
    Value name = TRY(parse_value({}));
    if (!name.text.is_literal() || name.text.pieces.front().empty()) {
      return expected_at(name.begin, "the name of a group");
    }
    term.text = std::move(name.text);
    return {};
  }

  Result<void> parse_package(HostTerm& term, bool& negated) {
    Value name = TRY(parse_value("<>=!"));
    term.text = std::move(name.text);
    term.comparison = Comparison::equal;
    if (at_end() || is_space(next()) || next() == ')') return {};
    const Symbol* symbol = take_symbol();
    if (symbol == nullptr) return expected("=, !=, <, <=, > or >= and a version");
    term.comparison = symbol->comparison;
    if (symbol->negated) negated = !negated;
    return parse_version(term, std::nullopt);
  }

  /// Under the scheme that it must be of; a package's says its ecosystem.
  Result<void> parse_version(HostTerm& term, std::optional<version::Scheme> scheme) {
    const std::size_t begin = place_;
    Result<Value> value = parse_value({});
    if (!value.ok() && place_ == begin) return expected("a version");
    if (!value.ok()) return std::move(value).error();
    const TextPattern& text = value->text;
    if (!text.is_literal() && term.comparison != Comparison::equal) {
      return expected_at(begin, "a version without wildcards");
    }
    if (text.is_literal() && (text.pieces.front().empty() ||
                              (scheme && !version::validate(*scheme, text.pieces.front()).ok()))) {
      return expected_at(begin, "a version");
    }
    term.version = std::move(value->text);
    return {};
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t depth_ = 0;
  std::size_t terms_ = 0;
  std::size_t lookups_ = 0;
};

}  // namespace

Result<HostQuery> parse_host_query(std::string_view text) {
  if (text.size() > limits::query_bytes) {
    return invalid_field("query",
                         "must have at most " + std::to_string(limits::query_bytes) + " bytes");
  }
  if (!is_plain_text(text, "\t\r\n")) {
    return invalid_field("query", "must be text without control characters");
  }
  return Parser(text).parse();
}

}  // namespace muster::model
