// SPDX-License-Identifier: Apache-2.0
#include <istream>

#include "base/text.h"
#include "main/ctl/grammar.h"
#include "version/scheme.h"

namespace muster::ctl {

namespace {

std::vector<std::string> schemes() {
  return {
#define SCHEME(name) #name,
#include "version/schemes.def"
#undef SCHEME
  };
}

/// -1, 0 or 1. Fails with invalid_field for an unknown scheme and for text that is no version.
Result<int> compare(std::string_view scheme_text, std::string_view a, std::string_view b) {
  const auto scheme = version::parse_scheme(scheme_text);
  if (!scheme) return invalid_field("scheme", "\"" + std::string(scheme_text) + "\" is not known");
  const std::weak_ordering order = TRY(version::compare(*scheme, a, b));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

/// The fields of a line: between tabs, or between spaces when there is no tab.
std::vector<std::string_view> fields_of(std::string_view line) {
  const bool tabs = line.find('\t') != std::string_view::npos;
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const auto end = line.find(tabs ? '\t' : ' ');
    const std::string_view field = line.substr(0, end);
    if (tabs || !field.empty()) fields.push_back(field);
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return fields;
}

/// One answer for each line of standard input, in order: null (`?` in text) for a line that cannot
/// be compared, so that the answers keep the places of their questions.
Result<void> compare_lines(const Shell& shell) {
  std::string array;
  std::string line;
  std::size_t lines = 0;
  std::size_t refused = 0;
  while (std::getline(shell.in(), line)) {
    ++lines;
    if (line.ends_with('\r')) line.pop_back();
    const auto fields = fields_of(line);
    const Result<int> order =
        fields.size() == 3
            ? compare(fields[0], fields[1], fields[2])
            : Result<int>(Error{Errc::invalid_field, "is not SCHEME, A and B between tabs"});
    if (!order.ok()) {
      ++refused;
      shell.remark("line " + std::to_string(lines) + ": " + order.error().message);
    }
    if (shell.json()) {
      array += array.empty() ? "" : ", ";
      array += order.ok() ? std::to_string(*order) : "null";
    } else {
      shell.print(order.ok() ? std::to_string(*order) + "\n" : "?\n");
    }
  }
  if (shell.json()) shell.print_json("[" + array + "]");
  if (refused == 0) return {};
  return Error{Errc::invalid_field, std::to_string(refused) + " of " + std::to_string(lines) +
                                        " lines cannot be compared"};
}

Result<void> compare_versions(const Shell& shell, const FlagValues& values) {
  if (!values.has("scheme") && !values.has("a")) return compare_lines(shell);
  if (!values.has("scheme")) return Error{Errc::missing_field, "--scheme: is required", "scheme"};
  if (!values.has("b")) return Error{Errc::missing_field, "two versions are required", "b"};
  const int order = TRY(compare(values.text("scheme"), values.text("a"), values.text("b")));
  shell.print(std::to_string(order) + "\n");
  return {};
}

}  // namespace

void add_versions(Grammar& grammar) {
  grammar.noun("versions", "How versions are ordered")
      .local({"compare",
              "Print -1, 0 or 1: A is older than B, the same, newer. Without arguments, for each "
              "line of standard input: SCHEME, A and B, separated by tabs",
              "muster versions compare --scheme deb 1.0~rc1-1 1.0-1"},
             {{.name = "--scheme",
               .member = "scheme",
               .what = "The rule of order",
               .choices = schemes(),
               .shown = "SCHEME"},
              {"A", "a", "A version"},
              {"B", "b", "Another version"}},
             compare_versions);
}

}  // namespace muster::ctl
