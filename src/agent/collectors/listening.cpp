// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/listening.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "agent/files.h"
#include "agent/owned_fd.h"
#include "base/text.h"

namespace muster::agent {

namespace {

namespace fs = std::filesystem;

/// The first `bytes_max` of a file, up to the end of a line; files of /proc do not say their size.
std::optional<std::string> read_start(const fs::path& path, std::size_t bytes_max) {
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string content;
  std::array<char, 16384> block;
  while (content.size() < bytes_max) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(got));
  }
  content.resize(content.rfind('\n') + 1);
  return content;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end != 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

template <typename T>
std::optional<T> parse_number(std::string_view text, int base) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "0100007F" or 32 digits: words of 32 bits in the order of this machine's octets.
std::string address_of(std::string_view digits) {
  std::array<std::uint32_t, 4> words{};
  const std::size_t count = digits.size() / 8;
  if (digits.size() % 8 != 0 || (count != 1 && count != 4)) return {};
  for (std::size_t i = 0; i < count; ++i) {
    const auto word = parse_number<std::uint32_t>(digits.substr(i * 8, 8), 16);
    if (!word) return {};
    words.at(i) = *word;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = count == 1 ? AF_INET : AF_INET6;
  if (::inet_ntop(family, words.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

/// A line of these files, as far as it matters here.
struct Line {
  ListeningSocket socket;
  bool unconnected = false;
  std::string_view state;
};

std::optional<Line> parse_line(std::string_view text) {
  constexpr std::size_t inode_column = 9;
  const auto words = words_of(text);
  if (words.size() <= inode_column) return std::nullopt;
  const std::string_view local = words[1];
  const std::size_t colon = local.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Line line;
  line.socket.address = address_of(local.substr(0, colon));
  const auto port = parse_number<int>(local.substr(colon + 1), 16);
  const auto inode = parse_number<std::uint64_t>(words[inode_column], 10);
  if (line.socket.address.empty() || !port || *port <= 0 || *port > 65535 || !inode) {
    return std::nullopt;
  }
  line.socket.port = *port;
  line.socket.inode = *inode;
  line.unconnected = words[2].find_first_not_of("0:") == std::string_view::npos;
  line.state = words[3];
  return line;
}

/// The first port that clients get, of /proc/sys/net/ipv4/ip_local_port_range.
int first_client_port(const fs::path& root) {
  constexpr int usual = 32768;
  const auto text = read_small_file(root / "proc/sys/net/ipv4/ip_local_port_range", 100);
  const std::string_view range = text ? std::string_view(*text) : std::string_view();
  const auto first = parse_number<int>(range.substr(0, range.find_first_of(" \t")), 10);
  return first.value_or(usual);
}

std::unique_ptr<DIR, int (*)(DIR*)> open_folder(const fs::path& path) {
  return {::opendir(path.c_str()), &::closedir};
}

/// Which of the sockets a process has open, by the links of its descriptors.
void mark_sockets(const fs::path& process, int pid, std::map<std::uint64_t, int>& owners,
                  std::size_t& looked) {
  constexpr std::string_view prefix = "socket:[";
  const auto folder = open_folder(process / "fd");
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (++looked > bounds::proc_descriptors) return;
    std::array<char, 64> target;
    const ssize_t size =
        ::readlinkat(::dirfd(folder.get()), entry->d_name, target.data(), target.size());
    std::string_view text(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (!text.starts_with(prefix) || !text.ends_with(']')) continue;
    text = text.substr(prefix.size(), text.size() - prefix.size() - 1);
    const auto inode = parse_number<std::uint64_t>(text, 10);
    const auto owner = inode ? owners.find(*inode) : owners.end();
    // Of several that share it, the one that was there first.
    if (owner != owners.end() && (owner->second == 0 || pid < owner->second)) owner->second = pid;
  }
}

/// For each inode the process that has it open; 0 if none may be looked at.
void find_owners(const fs::path& root, std::map<std::uint64_t, int>& owners,
                 const std::atomic<bool>& stop) {
  const auto folder = open_folder(root / "proc");
  std::size_t looked = 0;
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const auto pid = parse_number<int>(entry->d_name, 10);
    if (!pid) continue;
    if (stop || looked > bounds::proc_descriptors) return;
    mark_sockets(root / "proc" / entry->d_name, *pid, owners, looked);
  }
}

/// What a process calls itself; it may call itself anything.
std::string name_of(const fs::path& root, int pid) {
  if (pid == 0) return {};
  const auto text = read_small_file(root / "proc" / std::to_string(pid) / "comm", 100);
  std::string_view name = text ? std::string_view(*text) : std::string_view();
  if (name.ends_with('\n')) name.remove_suffix(1);
  return is_plain_text(name) ? std::string(cut_utf8(name, model::process_name_bytes))
                             : std::string();
}

}  // namespace

std::vector<ListeningSocket> parse_tcp_listeners(std::string_view text) {
  constexpr std::string_view listen = "0A";
  std::vector<ListeningSocket> sockets;
  take_line(text);  // the head
  while (!text.empty()) {
    auto line = parse_line(take_line(text));
    if (!line) continue;
    if (line->state != listen) break;
    sockets.push_back(std::move(line->socket));
  }
  return sockets;
}

std::vector<ListeningSocket> parse_udp_listeners(std::string_view text, int first_of_clients) {
  constexpr std::string_view unconnected = "07";
  std::vector<ListeningSocket> sockets;
  take_line(text);
  while (!text.empty()) {
    auto line = parse_line(take_line(text));
    const bool listens = line && line->state == unconnected && line->unconnected &&
                         line->socket.port < first_of_clients;
    if (listens) sockets.push_back(std::move(line->socket));
  }
  return sockets;
}

std::optional<std::vector<model::ListeningPort>> list_listening_ports(
    const fs::path& root, const std::atomic<bool>& stop) {
  const fs::path net = root / "proc/net";
  const int first_of_clients = first_client_port(root);
  std::vector<std::pair<std::string_view, ListeningSocket>> sockets;
  bool any = false;
  for (const char* name : {"tcp", "tcp6", "udp", "udp6"}) {
    // A kernel without IPv6 has two of them.
    const auto text = read_start(net / name, bounds::proc_net_bytes);
    if (!text) continue;
    any = true;
    const bool tcp = name[0] == 't';
    for (ListeningSocket& socket :
         tcp ? parse_tcp_listeners(*text) : parse_udp_listeners(*text, first_of_clients)) {
      sockets.emplace_back(tcp ? "tcp" : "udp", std::move(socket));
    }
  }
  if (!any) return std::nullopt;
  std::map<std::uint64_t, int> owners;
  for (const auto& [protocol, socket] : sockets) owners.emplace(socket.inode, 0);
  if (!owners.empty()) find_owners(root, owners, stop);
  if (stop) return std::nullopt;
  std::vector<model::ListeningPort> ports;
  ports.reserve(sockets.size());
  for (auto& [protocol, socket] : sockets) {
    ports.push_back({std::string(protocol), std::move(socket.address), socket.port,
                     name_of(root, owners.at(socket.inode))});
  }
  return ports;
}

}  // namespace muster::agent
