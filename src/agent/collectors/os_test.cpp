// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/os.h"

#include <gtest/gtest.h>

#include "agent/files.h"

namespace muster::agent {
namespace {

TEST(OsRelease, DebianReleaseNamesItsDistro) {
  const OsRelease os = parse_os_release(
      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
      "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n");
  EXPECT_EQ(os.name, "Debian GNU/Linux");
  EXPECT_EQ(os.version, "12");
  EXPECT_EQ(os.distro(), "debian:12");
}

TEST(OsRelease, TestingWithoutANumberIsNamedByItsCodeName) {
  const OsRelease os =
      parse_os_release("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=trixie\nID=debian\n");
  EXPECT_EQ(os.distro(), "debian:trixie");
  EXPECT_EQ(os.version, "trixie");
}

TEST(OsRelease, QuotesCommentsAndNonsenseAreRead) {
  const OsRelease os = parse_os_release(
      "# comment\nnonsense\nID='ubuntu'\nVERSION_ID=22.04\nNAME=\"A \\\"quoted\\\" name\"");
  EXPECT_EQ(os.distro(), "ubuntu:22.04");
  EXPECT_EQ(os.name, "A \"quoted\" name");
  EXPECT_EQ(parse_os_release("").distro(), "");
  EXPECT_EQ(parse_os_release("ID=arch\n").distro(), "arch");
}

TEST(HostFacts, MachinesAreNamedAsTheServerExpects) {
  EXPECT_EQ(arch_of_machine("x86_64"), "amd64");
  EXPECT_EQ(arch_of_machine("aarch64"), "arm64");
  EXPECT_EQ(arch_of_machine("riscv64"), "riscv64");
}

TEST(HostFacts, TheRawMachineIdDoesNotLeaveTheHost) {
  const std::string raw = "0123456789abcdef0123456789abcdef";
  const std::string hashed = hash_machine_id(raw);
  EXPECT_EQ(hashed.size(), 32U);
  EXPECT_NE(hashed, raw);
  EXPECT_EQ(hashed, hash_machine_id(raw));
  EXPECT_NE(hashed, hash_machine_id("0123456789abcdef0123456789abcdee"));
  EXPECT_EQ(hash_machine_id(""), "");
  // Two machines that are of the same image, and never wrote their own, are not one.
  EXPECT_EQ(hash_machine_id("uninitialized"), "");
}

TEST(HostFacts, ThisHostHasThem) {
  const HostFacts facts = read_host_facts();
  EXPECT_FALSE(facts.hostname.empty());
  EXPECT_FALSE(facts.kernel.empty());
  EXPECT_EQ(facts.boot_id.size(), 36U);
}

}  // namespace
}  // namespace muster::agent
