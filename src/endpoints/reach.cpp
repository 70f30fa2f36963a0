// SPDX-License-Identifier: Apache-2.0
#include "endpoints/reach.h"

#include <optional>

#include "base/text.h"
#include "endpoints/guards.h"
#include "fleet/whereabouts.h"

namespace muster::endpoints {

namespace {

struct Row {
  std::string_view handler;
  Reach reach;
};
constexpr Row rows[] = {
#define REACH(handler, where) {#handler, Reach::where},
#include "endpoints/reach.def"
#undef REACH
};

/// What the path names, by its kind, and what is said of one that never was.
struct Subject {
  std::optional<OrgId> org;
  Error unknown;
};

template <typename Id>
std::optional<OrgId> numbered(App& app, std::string_view text) {
  const auto number = parse_int(text);
  return number ? fleet::org_of(app.store, Id{*number}) : std::nullopt;
}

template <typename Id>
std::optional<OrgId> by_uuid(App& app, std::string_view text) {
  const Result<Uuid> id = parse_uuid(text);
  return id.ok() ? fleet::org_of(app.store, Id{*id}) : std::nullopt;
}

Error no_such(std::string_view what) {
  return {Errc::not_found, "There is no such " + std::string(what) + "."};
}

Subject subject_of(App& app, Reach reach, std::string_view id) {
  switch (reach) {
    case Reach::agent:
      return {by_uuid<AgentId>(app, id), no_such("agent")};
    case Reach::task:
      return {by_uuid<TaskId>(app, id), {Errc::unknown_task, "Task not found"}};
    case Reach::token:
      return {numbered<TokenId>(app, id), no_such("token")};
    case Reach::key:
      return {numbered<KeyId>(app, id), no_such("key")};
    case Reach::finding:
      return {numbered<FindingId>(app, id), no_such("finding")};
    case Reach::image:
      return {numbered<ImageId>(app, id), no_such("image")};
    case Reach::alert:
      return {numbered<AlertId>(app, id), no_such("alert")};
    case Reach::webhook:
      return {numbered<WebhookId>(app, id), no_such("webhook")};
    case Reach::server:
    case Reach::own:
    case Reach::shared:
    case Reach::asked:
      break;
  }
  check_failed("reach of a thing in the path", __FILE__, __LINE__);
}

}  // namespace

Reach reach_of(std::string_view handler) {
  for (const Row& row : rows) {
    if (row.handler == handler) return row.reach;
  }
  return Reach::server;
}

Error only_on_server(http::Role least) {
  return {Errc::insufficient_role,
          "This needs the role " + std::string(http::role_name(least)) + " on the whole server."};
}

Result<void> check_reach(App& app, Reach reach, const http::Request& request) {
  if (reach == Reach::server) return only_on_server(request.caller.least);
  if (reach == Reach::own || reach == Reach::shared || reach == Reach::asked) return {};
  const Subject subject = subject_of(app, reach, request.params[0]);
  if (!subject.org) return subject.unknown;
  return check_role_in(request, *subject.org, subject.unknown);
}

Result<void> check_role_in(const http::Request& request, OrgId org, const Error& unknown) {
  const http::Role role = request.caller.authority.in(org);
  if (role >= request.caller.least) return {};
  if (role == http::Role::none) return unknown;
  return insufficient_role(request.caller.least, role);
}

Result<fleet::HostRef> host_of(App& app, const http::Request& request,
                               std::string_view id_or_hostname) {
  if (!request.caller.is_limited()) return fleet::resolve_host_ref(app.store, id_or_hostname);
  // Where a name is that of several hosts, those of strangers must not hide one's own.
  const auto known = request.caller.authority.orgs_with(http::Role::read_only);
  const fleet::HostRef host = TRY(fleet::resolve_host_ref(app.store, id_or_hostname, &known));
  TRY(check_role_in(request, host.org, no_such("host")));
  return host;
}

}  // namespace muster::endpoints
