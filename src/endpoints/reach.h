// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "endpoints/app.h"
#include "fleet/hosts.h"
#include "http/request.h"

/// Which organisations a request may be about (docs/adr/0025). An operator who has the route's role
/// on the whole server asks about all of them. Everybody else is limited: what is of an
/// organisation where they have no role is answered like what never was.
namespace muster::endpoints {

/// How a route says which organisation it is about: reach.def.
enum class Reach : std::uint8_t {
  server,   // it is about the whole server
  own,      // it is about the operator itself
  shared,   // what it shows is the same for all
  agent,    // the thing in its path is of one
  task,     //
  token,    //
  key,      //
  finding,  //
  image,    //
  alert,    //
  webhook,  //
  asked,    // its endpoint asks
};
/// Of the route with that handler; `server` for one that reach.def does not name.
Reach reach_of(std::string_view handler);

/// That a limited caller asks about the whole server.
Error only_on_server(http::Role least);

/// For limited callers, before the endpoint runs: whether the thing in the path is of an
/// organisation in which the caller has the route's role. Reads the store. Fails with
/// insufficient_role, and where the caller has no role at all as for a thing that never was.
Result<void> check_reach(App& app, Reach reach, const http::Request& request);

/// Whether the caller has the route's role in `org`. Fails with insufficient_role where it has a
/// lower one, and with `unknown` where it has none.
Result<void> check_role_in(const http::Request& request, OrgId org, const Error& unknown);

/// A host by id or hostname, among those that the caller may know of; the one seen last, when
/// several of its organisations have a host of that name. Fails with not_found and
/// insufficient_role.
Result<fleet::HostRef> host_of(App& app, const http::Request& request,
                               std::string_view id_or_hostname);

}  // namespace muster::endpoints
