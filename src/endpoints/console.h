// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "endpoints/app.h"
#include "http/request.h"
#include "http/response.h"

/// The console: a page that runs in a browser and calls the operators' API like any other client.
/// Its files are public; what it shows is not.
namespace muster::endpoints {

/// Whether a request for a path that no route has is the console's business.
bool is_of_console(const http::Request& request);

/// The file of that path, or the page itself, which finds its own way from the path. Compressed if
/// the client takes gzip. Memory only. Fails with misdirected, and with not_found for a file that
/// is not there and for everything when the server was built without the console.
Result<http::Response> console_response(const App& app, const http::Request& request);

}  // namespace muster::endpoints
