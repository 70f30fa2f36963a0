// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace muster::agent {

class Tree;

/// os-release(5), as far as it matters here.
struct OsRelease {
  std::string id;        // "debian"
  std::string name;      // "Debian GNU/Linux"
  std::string version;   // "12"; the code name where a release has no number yet
  std::string codename;  // "bookworm"

  /// "debian:12", "debian:trixie"; empty if the file does not say.
  std::string distro() const;
};

/// Reads os-release text; lines that are none are skipped. Missing members stay empty.
OsRelease parse_os_release(std::string_view text);

/// What a host is: facts that change with a reboot at most.
struct HostFacts {
  std::string hostname;
  OsRelease os;
  std::string kernel;      // "6.1.0-25-amd64"
  std::string arch;        // "amd64", "arm64", else the kernel's own word
  std::string boot_id;     // changes with every boot
  std::string machine_id;  // hashed, see hash_machine_id(); empty if the host has none
  std::string ip_address;  // first global address; empty if none
};

/// The kernel's machine name as Debian and Go write it.
std::string arch_of_machine(std::string_view machine);

/// 32 hexadecimal digits that name this machine to Muster and to nobody else. machine-id(5) asks
/// that the raw id, which other programs use as a secret, never leaves the host: it is the key of a
/// hash over our own label. Empty for empty input, and for "uninitialized", which is in every image
/// before its first start.
std::string hash_machine_id(std::string_view raw);

/// The release that the files of `tree` are of.
OsRelease read_os_release(Tree& tree);

/// Reads the facts of this host.
HostFacts read_host_facts();

/// The facts that the files of another host tell, of its disk or a folder: no kernel and no
/// address.
HostFacts read_facts_of_files(Tree& tree);

}  // namespace muster::agent
