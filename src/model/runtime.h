// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::model {

/// A busy host has some hundred of either; a page shows them all.
inline constexpr std::size_t listening_ports_max = 1000;
inline constexpr std::size_t running_services_max = 1000;
/// "[fe80::1%eth0]" and the longest name that Linux has for a process (15) and systemd for a unit.
inline constexpr std::size_t listening_address_bytes = 64;
inline constexpr std::size_t process_name_bytes = 64;
inline constexpr std::size_t service_name_bytes = 256;
inline constexpr std::size_t service_state_bytes = 64;

/// A port that something on a host listens on.
struct ListeningPort {
  std::string protocol;  // "tcp", "udp"
  std::string address;   // "0.0.0.0", "::1"
  int port = 0;
  std::string process;  // its name for itself; empty if it cannot be told
  friend auto operator<=>(const ListeningPort&, const ListeningPort&) = default;
};

/// A service of a host's service manager that is up or has failed.
struct ServiceState {
  std::string name;   // "ssh.service"
  std::string state;  // "running", "exited", "failed"
  friend auto operator<=>(const ServiceState&, const ServiceState&) = default;
};

/// What runs on a host, beside what is installed there. None: it was not looked at.
struct Runtime {
  std::optional<std::vector<ListeningPort>> listening;
  std::optional<std::vector<ServiceState>> services;

  /// Sorts both lists, drops repeats and what is beyond the limits.
  void settle();
  friend auto operator<=>(const Runtime&, const Runtime&) = default;
};

/// The lists as JSON arrays, "null" for none.
std::string listening_json(const Runtime& runtime);
std::string services_json(const Runtime& runtime);

}  // namespace muster::model
