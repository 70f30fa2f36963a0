// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/listening.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/owned_fd.h"
#include "base/test_directory.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;
using model::ListeningPort;

constexpr const char* head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

std::string line(const std::string& local, const std::string& remote, const std::string& state,
                 int inode) {
  return "   0: " + local + " " + remote + " " + state +
         " 00000000:00000000 00:00000000 00000000     0        0 " + std::to_string(inode) +
         " 1 0000000000000000 100 0 0 10 0\n";
}

std::vector<std::string> brief(const std::vector<ListeningSocket>& sockets) {
  std::vector<std::string> list;
  for (const ListeningSocket& socket : sockets) {
    list.push_back(socket.address + " " + std::to_string(socket.port) + " " +
                   std::to_string(socket.inode));
  }
  return list;
}

TEST(TcpListeners, AreThoseInStateListen) {
  const std::string text = head + line("0100007F:0019", "00000000:0000", "0A", 11) +
                           line("00000000:0016", "00000000:0000", "0A", 12) +
                           line("0100007F:A0B1", "0100007F:0019", "01", 13);
  EXPECT_EQ(brief(parse_tcp_listeners(text)),
            (std::vector<std::string>{"127.0.0.1 25 11", "0.0.0.0 22 12"}));
}

TEST(TcpListeners, AddressesOfVersionSixAreReadWordByWord) {
  const std::string zeros = "00000000000000000000000000000000";
  const std::string text = head + line(zeros + ":01BB", zeros + ":0000", "0A", 1) +
                           line("00000000000000000000000001000000:0277", zeros + ":0000", "0A", 2) +
                           line("000080FE00000000FF005450AB4D5EFE:0035", zeros + ":0000", "0A", 3);
  EXPECT_EQ(brief(parse_tcp_listeners(text)),
            (std::vector<std::string>{":: 443 1", "::1 631 2", "fe80::5054:ff:fe5e:4dab 53 3"}));
}

TEST(UdpListeners, AreBoundToAPortThatNoClientGets) {
  const std::string text = head + line("00000000:0044", "00000000:0000", "07", 1) +
                           line("00000000:8000", "00000000:0000", "07", 2) +
                           line("0100007F:0035", "0200007F:9999", "01", 3);
  EXPECT_EQ(brief(parse_udp_listeners(text, 0x8000)), std::vector<std::string>{"0.0.0.0 68 1"});
}

TEST(Listeners, LinesThatAreNoneAreSkipped) {
  for (const char* bad : {"", "\n", "0: x", "   0: 0100007F 00000000:0000 0A 0 0 0 0 0 1\n",
                          "   0: 0100007F:99999 00000000:0000 0A 0:0 0:0 0 0 0 5 1\n",
                          "   0: 01007F:0016 00000000:0000 0A 0:0 0:0 0 0 0 5 1\n",
                          "   0: 0100007F:0016 00000000:0000 0A 0:0 0:0 0 0 0 x 1\n",
                          "   0: 0100007F:0000 00000000:0000 0A 0:0 0:0 0 0 0 5 1\n"}) {
    EXPECT_TRUE(parse_tcp_listeners(std::string(head) + bad).empty()) << bad;
  }
}

class ListeningTest : public testing::Test {
 protected:
  fs::path put(const std::string& path, const std::string& content) {
    const fs::path file = fs::path(root_.path()) / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return file;
  }
  /// A process of that name with that socket among its descriptors.
  void put_process(int pid, const std::string& name, int inode) {
    const std::string folder = "proc/" + std::to_string(pid);
    put(folder + "/comm", name + "\n");
    const fs::path descriptors = fs::path(root_.path()) / folder / "fd";
    fs::create_directories(descriptors);
    fs::create_symlink("/dev/null", descriptors / "0");
    fs::create_symlink("socket:[" + std::to_string(inode) + "]", descriptors / "3");
  }

  TestDirectory root_;
  std::atomic<bool> stop_{false};
};

TEST_F(ListeningTest, EachPortHasTheProcessThatListensFirst) {
  put("proc/net/tcp", head + line("00000000:0050", "00000000:0000", "0A", 11) +
                          line("00000000:0016", "00000000:0000", "0A", 12));
  put("proc/net/udp", head + line("00000000:0044", "00000000:0000", "07", 13) +
                          line("00000000:04D2", "00000000:0000", "07", 14));
  put("proc/sys/net/ipv4/ip_local_port_range", "1024\t60999\n");
  put_process(30, "nginx-worker", 11);
  put_process(7, "nginx", 11);
  put_process(8, "bad\x01name", 12);
  const auto ports = list_listening_ports(root_.path(), stop_);
  ASSERT_TRUE(ports.has_value());
  EXPECT_EQ(*ports, (std::vector<ListeningPort>{{"tcp", "0.0.0.0", 80, "nginx"},
                                                {"tcp", "0.0.0.0", 22, ""},
                                                {"udp", "0.0.0.0", 68, ""}}));
}

TEST_F(ListeningTest, WithoutSuchFilesNothingIsSaid) {
  EXPECT_FALSE(list_listening_ports(root_.path(), stop_).has_value());
  put("proc/net/tcp", head);
  EXPECT_TRUE(list_listening_ports(root_.path(), stop_).value().empty());
  stop_ = true;
  put("proc/net/tcp", head + line("00000000:0050", "00000000:0000", "0A", 11));
  EXPECT_FALSE(list_listening_ports(root_.path(), stop_).has_value());
}

TEST_F(ListeningTest, APortOfThisVeryProcessIsFound) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(socket.get(), generic, size), 0);
  ASSERT_EQ(listen(socket.get(), 1), 0);
  ASSERT_EQ(getsockname(socket.get(), generic, &size), 0);
  const auto ports = list_listening_ports("/", stop_);
  ASSERT_TRUE(ports.has_value());
  const ListeningPort own{"tcp", "127.0.0.1", ntohs(address.sin_port), "agent_test"};
  EXPECT_NE(std::find(ports->begin(), ports->end(), own), ports->end());
}

}  // namespace
}  // namespace muster::agent
