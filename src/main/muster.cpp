// SPDX-License-Identifier: Apache-2.0
// The command line for operators: the process around ctl.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "main/ctl/program.h"
#include "net/client.h"

namespace muster {
namespace {

class NetTransport final : public ctl::Transport {
 public:
  explicit NetTransport(net::Client client) : client_(std::move(client)) {}
  Result<net::ClientResponse> send(const net::ClientRequest& request) override {
    return client_.send(request);
  }

 private:
  net::Client client_;
};

Result<std::unique_ptr<ctl::Transport>> connect(const ctl::Address& address) {
  net::ClientOptions options;
  options.request_timeout = address.patience;
  options.user_agent = std::string("muster/") + MUSTER_VERSION;
  options.ca_file = address.ca_file;
  return std::unique_ptr<ctl::Transport>(
      std::make_unique<NetTransport>(TRY(net::Client::create(address.origin, std::move(options)))));
}

/// What the environment says, read here and nowhere else.
struct Environment {
  std::string url;
  std::string token;
  std::string org;
  bool no_colour = false;
};

Environment read_environment() {
  const auto text = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  return {text("MUSTER_URL"), text("MUSTER_TOKEN"), text("MUSTER_ORG"),
          // https://no-color.org: any text but the empty one.
          !text("NO_COLOR").empty() || text("TERM") == "dumb"};
}

ctl::Look look_of(int descriptor, bool no_colour) {
  if (::isatty(descriptor) == 0) return {};
  ctl::Look look{!no_colour, std::nullopt};
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) look.width = size.ws_col;
  return look;
}

int run_process(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const Environment environment = read_environment();
  const ctl::World world{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .look = look_of(STDOUT_FILENO, environment.no_colour),
      .error_look = look_of(STDERR_FILENO, environment.no_colour),
      .url = environment.url,
      .token = environment.token,
      .org = environment.org,
      .version = MUSTER_VERSION,
      .connect = connect,
  };
  const int code = ctl::run(world, std::vector<std::string>(argv + 1, argv + argc));
  std::cout.flush();
  if (std::cout) return code;
  std::cerr << "muster: cannot write to standard output\n";
  return ctl::exit_refused;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  try {
    return muster::run_process(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "muster: " << muster::escape_for_terminal(failure.what()) << "\n";
    return muster::ctl::exit_refused;
  }
}
