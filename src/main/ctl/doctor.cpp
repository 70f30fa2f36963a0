// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/json_read.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"name", "CHECK"}, {"state", "STATE", &formats::state}, {"found", "FOUND"}};

Result<void> examine(const Shell& shell, Session& session, const FlagValues&) {
  const std::string checks = TRY(session.call(http::Method::get, "/api/v1/doctor"));
  print_blocks(shell, checks, columns, "advice", {"check", "checks"});
  JsonDocument document;
  std::size_t troubles = 0;
  TRY(document.parse(checks)).for_each([&](const Json& check) {
    const auto state = check.find("state");
    if (!state || state->string() != "fine") ++troubles;
  });
  if (troubles == 0) return {};
  return Error{Errc::unavailable, std::to_string(troubles) + " of the checks are not fine"};
}

}  // namespace

void add_doctor(Grammar& grammar) {
  grammar.root().remote({"doctor",
                         "Examine the server: which of its limits is near, and what else agents "
                         "will feel soon. Exit code 1 when something is not fine",
                         "muster doctor"},
                        {}, examine);
}

}  // namespace muster::ctl
