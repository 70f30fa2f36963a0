// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/os.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if.h>  // IFF_UP, IFF_LOOPBACK
#include <netinet/in.h>
#include <sys/utsname.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "agent/bounds.h"
#include "agent/collectors/tree.h"
#include "agent/files.h"
#include "base/text.h"
#include "crypto/keyed_hash.h"

namespace muster::agent {

namespace {

/// A value of os-release: shell quoting, without expansion.
std::string unquote(std::string_view value) {
  value = trim(value);
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.back() == value.front();
  const bool escapes = !value.empty() && value.front() != '\'';
  if (quoted) value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (escapes && value[i] == '\\' && i + 1 < value.size()) ++i;
    out.push_back(value[i]);
  }
  return is_plain_text(out) ? std::string(cut_utf8(out, limits::os_bytes)) : std::string();
}

std::string word_of(const std::optional<std::string>& content) {
  const std::string_view word = trim(content ? std::string_view(*content) : std::string_view());
  return is_plain_text(word) ? std::string(cut_utf8(word, limits::hostname_bytes)) : std::string();
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    const auto host = ntohl(v4->sin_addr.s_addr);
    constexpr std::uint32_t link_local = 0xA9FE;  // 169.254.0.0/16
    if ((host >> 16) == link_local) return {};
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return {};
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

/// The first address that others may reach this host at; IPv4 goes first, since people know it.
std::string first_global_address() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::string found;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    const bool live = (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (!live || at->ifa_addr == nullptr) continue;
    std::string text = address_text(at->ifa_addr);
    if (text.empty()) continue;
    if (at->ifa_addr->sa_family == AF_INET) return text;
    if (found.empty()) found = std::move(text);
  }
  return found;
}

}  // namespace

std::string OsRelease::distro() const {
  if (id.empty()) return {};
  const std::string& release = version.empty() ? codename : version;
  return release.empty() ? fold_case(id) : fold_case(id + ":" + release);
}

OsRelease parse_os_release(std::string_view text) {
  OsRelease os;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t equals = line.find('=');
    if (line.empty() || line.front() == '#' || equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (key == "ID") os.id = unquote(value);
    if (key == "NAME") os.name = unquote(value);
    if (key == "VERSION_ID") os.version = unquote(value);
    if (key == "VERSION_CODENAME") os.codename = unquote(value);
  }
  if (os.version.empty()) os.version = os.codename;
  return os;
}

std::string arch_of_machine(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

std::string hash_machine_id(std::string_view raw) {
  if (raw.empty() || raw == "uninitialized") return {};
  const auto* octets = reinterpret_cast<const std::uint8_t*>(raw.data());
  const crypto::SecretKey key = crypto::content_hash(std::span(octets, raw.size()));
  const auto hash = crypto::KeyedHash(key).derive("muster-agent machine id, version 1", "");
  return to_hex(std::span(hash.bytes).first(16));
}

OsRelease read_os_release(Tree& tree) {
  std::array<const char*, 2> paths = {"etc/os-release", "usr/lib/os-release"};
  // The first is a link to the second, if there is one: a layer above may have replaced that alone.
  if (tree.layered()) std::swap(paths[0], paths[1]);
  for (const char* path : paths) {
    const auto text = tree.read(path, bounds::proc_file_bytes, Links::within);
    if (text) return parse_os_release(*text);
  }
  return {};
}

HostFacts read_host_facts() {
  const auto file = [](const char* path) { return read_small_file(path, bounds::proc_file_bytes); };
  HostFacts facts;
  utsname names{};
  if (uname(&names) == 0) {
    facts.hostname = names.nodename;
    facts.kernel = names.release;
    facts.arch = arch_of_machine(names.machine);
  }
  auto release = file("/etc/os-release");
  if (!release) release = file("/usr/lib/os-release");
  facts.os = parse_os_release(release.value_or(""));
  facts.boot_id = word_of(file("/proc/sys/kernel/random/boot_id"));
  facts.machine_id = hash_machine_id(word_of(file("/etc/machine-id")));
  facts.ip_address = first_global_address();
  return facts;
}

HostFacts read_facts_of_files(Tree& tree) {
  const auto file = [&](const char* path) {
    return tree.read(path, bounds::proc_file_bytes, Links::within);
  };
  HostFacts facts;
  facts.hostname = word_of(file("etc/hostname"));
  facts.os = read_os_release(tree);
  facts.machine_id = hash_machine_id(word_of(file("etc/machine-id")));
  return facts;
}

}  // namespace muster::agent
