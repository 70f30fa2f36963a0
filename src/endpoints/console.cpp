// SPDX-License-Identifier: Apache-2.0
#include "endpoints/console.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "endpoints/guards.h"

namespace muster::endpoints {

namespace {

constexpr std::string_view index_path = "/index.html";
constexpr std::string_view assets_path = "/assets/";

/// Nothing but its own files, and no page around it: text that got into the page past the escaping
/// has nothing to run and nowhere to send to (W3C CSP Level 3).
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ConsoleFile* find_file(const App& app, std::string_view path) {
  const auto found = std::find_if(app.face.console.begin(), app.face.console.end(),
                                  [&](const ConsoleFile& file) { return file.path == path; });
  return found == app.face.console.end() ? nullptr : &*found;
}

/// RFC 9110 12.5.3, without weights: `gzip;q=0` is taken for a refusal.
bool takes_gzip(const http::Request& request) {
  std::string list = request.headers.list("Accept-Encoding");
  std::erase(list, ' ');
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string_view coding = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(coding.size() + 1, rest.size()));
    const std::string_view name = coding.substr(0, coding.find(';'));
    if (equal_folded(name, "gzip")) return !coding.ends_with(";q=0");
  }
  return false;
}

void add_headers(http::Response& response, const ConsoleFile& file) {
  response.content_type = file.content_type;
  const auto add = [&](std::string_view name, std::string_view value) {
    response.headers.emplace_back(name, value);
  };
  add("ETag", "\"" + std::string(file.etag) + "\"");
  add("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  add("Vary", "Accept-Encoding");
  add("Content-Security-Policy", content_policy);
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

}  // namespace

bool is_of_console(const http::Request& request) {
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  return reads && request.path != "/api" && !request.path.starts_with("/api/");
}

Result<http::Response> console_response(const App& app, const http::Request& request) {
  TRY(check_host(app, request));
  if (app.face.console.empty()) {
    return Error{Errc::not_found,
                 "This musterd was built without the console (MUSTER_CONSOLE=OFF, or without node "
                 "and npm); the API is under /api/v1/."};
  }
  const ConsoleFile* file = find_file(app, request.path);
  if (file == nullptr) {
    // A file of another version of the page: the page itself in its place would only break later.
    if (request.path.starts_with(assets_path)) return Error{Errc::not_found, "Not found"};
    file = find_file(app, index_path);
    CHECK(file != nullptr);
  }
  http::Response response;
  add_headers(response, *file);
  if (request.headers.list("If-None-Match").find('"' + std::string(file->etag) + '"') !=
      std::string::npos) {
    response.status = 304;
    return response;
  }
  if (takes_gzip(request)) {
    response.kept_body = file->gzip;
    response.headers.emplace_back("Content-Encoding", "gzip");
    return response;
  }
  response.kept_body = file->plain;
  return response;
}

}  // namespace muster::endpoints
