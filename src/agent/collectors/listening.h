// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/runtime.h"

namespace muster::agent {

/// A socket that listens.
struct ListeningSocket {
  std::string address;  // "127.0.0.1", "::"
  int port = 0;
  std::uint64_t inode = 0;
};

/// Reads /proc/net/tcp or tcp6 (proc(5)): those in state LISTEN, which stand before all others.
std::vector<ListeningSocket> parse_tcp_listeners(std::string_view proc_net);
/// Reads /proc/net/udp or udp6: those that are bound and connected to nobody, below
/// `first_of_clients`, from where on the kernel gives ports to clients, which come and go.
std::vector<ListeningSocket> parse_udp_listeners(std::string_view proc_net, int first_of_clients);

/// The ports of this network namespace that something listens on, with the names of processes as
/// far as their descriptors may be looked at; files below `root`. Nothing when /proc/net cannot be
/// read, or soon after `stop` became true.
std::optional<std::vector<model::ListeningPort>> list_listening_ports(
    const std::filesystem::path& root, const std::atomic<bool>& stop);

}  // namespace muster::agent
