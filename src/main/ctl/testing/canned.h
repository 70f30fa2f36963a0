// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "main/ctl/program.h"

/// For tests of ctl: a server of canned answers, and the program in memory.
namespace muster::ctl::test {

/// Answers by method and target; anything else is unreachable, and says what was asked.
class CannedServer {
 public:
  struct Answer {
    int status = 200;
    std::string body = {};
    std::string retry_after = {};
  };

  void on(const std::string& request, Answer answer) { answers_[request] = std::move(answer); }

  Result<net::ClientResponse> send(const net::ClientRequest& request) {
    const std::string line = std::string(http::method_name(request.method)) + " " + request.target;
    requests.push_back(request);
    const auto found = answers_.find(line);
    if (found == answers_.end()) return Error{Errc::unavailable, "nothing answers " + line};
    net::ClientResponse response{found->second.status, {}, found->second.body};
    if (!found->second.retry_after.empty()) {
      response.headers.emplace_back("Retry-After", found->second.retry_after);
    }
    return response;
  }

  std::vector<net::ClientRequest> requests;

 private:
  std::map<std::string, Answer> answers_;
};

class CannedTransport final : public Transport {
 public:
  explicit CannedTransport(CannedServer& server) : server_(server) {}
  Result<net::ClientResponse> send(const net::ClientRequest& request) override {
    return server_.send(request);
  }

 private:
  CannedServer& server_;
};

/// What one command line did.
struct Transcript {
  int code = -1;
  std::string out;
  std::string err;
};

/// The program against a canned server.
struct Desk {
  CannedServer server;
  Look look;
  std::string token = "op_test";
  std::string url = {};
  std::string token_file = "/nonexistent/admin.token";
  std::vector<Address> addresses;  // that it connected to

  Transcript run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const World world{
        .in = in,
        .out = out,
        .err = err,
        .look = look,
        .error_look = {},
        .url = url,
        .token = token,
        .token_file = token_file,
        .version = "9.9.9",
        .connect = [this](const Address& address) -> Result<std::unique_ptr<Transport>> {
          addresses.push_back(address);
          if (address.origin.starts_with("ftp:")) return invalid_field("origin", "is no URL");
          return std::unique_ptr<Transport>(std::make_unique<CannedTransport>(server));
        },
    };
    const int code = ctl::run(world, arguments);
    return {code, out.str(), err.str()};
  }
};

}  // namespace muster::ctl::test
