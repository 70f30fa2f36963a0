// SPDX-License-Identifier: Apache-2.0
// What a connection and an unproved caller may cost. Not under sanitizers, whose allocator differs.
#include "base/testing.h"
#include "net/testing_tls.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> largest_allocation{0};

void* counted(std::size_t bytes) {
  std::size_t seen = largest_allocation.load(std::memory_order_relaxed);
  while (seen < bytes && !largest_allocation.compare_exchange_weak(seen, bytes)) {
  }
  void* made = std::malloc(bytes == 0 ? 1 : bytes);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void operator delete(void* at) noexcept {
  std::free(at);
}
void operator delete[](void* at) noexcept {
  std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}
void operator delete[](void* at, std::size_t) noexcept {
  std::free(at);
}

namespace muster::net {
namespace {

using testing::get;
using testing::Peer;
using testing::post;

class Memory : public testing::ServerTest {};

TEST_F(Memory, OfAnIdleConnectionIsAtMostThreeKibibytes) {
  constexpr std::size_t count = 2000;
  start({.io_threads = 1});
  std::vector<Peer> peers;
  peers.reserve(count);
  // Warm: pools and buffers that the first requests leave behind belong to no connection.
  Peer warm = connect();
  ASSERT_EQ(warm.request(post("/echo", "warm")).status, 200);
  const auto before = mallinfo2();
  for (std::size_t i = 0; i < count; ++i) {
    peers.push_back(connect());
    ASSERT_EQ(peers.back().request(post("/echo", "x")).status, 200);
  }
  const auto after = mallinfo2();
  const std::size_t each = (after.uordblks - before.uordblks) / count;
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
  EXPECT_LE(each, 3 * limits::KiB);
  EXPECT_GT(each, 200U);  // else nothing was measured
}

TEST_F(Memory, OfAnIdleTlsConnectionIsAtMostSeventeenKibibytes) {
  constexpr std::size_t count = 500;
  const testing::ServedFiles served("memory.example");
  const FakeClock tickets_clock;
  const auto tls = ServerTls::load(served.files(), tickets_clock).value();
  start({.io_threads = 1, .tls = tls.get()});
  std::vector<testing::TlsPeer> peers;
  peers.reserve(count + 1);
  const auto add = [&] {
    peers.push_back(testing::TlsPeer::connected(server->port()));
    ASSERT_EQ(peers.back().request(post("/echo", "x")).status, 200);
    peers.back().forget_tls();
  };
  add();
  const auto before = mallinfo2();
  while (peers.size() <= count) add();
  const auto after = mallinfo2();
  const std::size_t each = (after.uordblks - before.uordblks) / count;
  RecordProperty("bytes_per_idle_tls_connection", static_cast<int>(each));
  EXPECT_LE(each, 17 * limits::KiB);
  EXPECT_GT(each, 2 * limits::KiB);  // else nothing was measured
  server->drain();
}

TEST_F(Memory, OfALongBodyIsAtMostWhatIsKept) {
  start({.io_threads = 1});
  const std::string many = "[" + std::string(30 * limits::MiB, '1') + "]";
  std::string texts = "[";
  while (texts.size() < 30 * limits::MiB) texts.append(R"("0123456789", )");
  const std::string requests[] = {post("/long", many), post("/long", texts + "1]")};
  for (const std::string& request : requests) {
    Peer peer = connect();
    largest_allocation = 0;
    peer.send(request);
    ASSERT_EQ(peer.answer().status, 200);
    EXPECT_LE(largest_allocation.load(), limits::result_body_bytes + 64);
    EXPECT_GT(largest_allocation.load(), limits::result_body_bytes / 2);
  }
}

TEST_F(Memory, OfAPageThatIsNotReadIsAtMostAnIdleConnections) {
  constexpr std::size_t count = 500;
  start({.io_threads = 1});
  std::vector<Peer> peers;
  peers.reserve(count + 1);
  const auto ask = [&] {
    peers.emplace_back(server->port(), 4096);
    peers.back().send(get("/kept"));
    // The head is there, so the rest waits for this peer.
    ASSERT_TRUE(peers.back().read_more());
  };
  ask();
  const auto before = mallinfo2();
  while (peers.size() <= count) ask();
  const auto after = mallinfo2();
  const std::size_t held = 64 * limits::KiB;  // at most, by each peer itself: what it has read
  const std::size_t each =
      (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / count;
  RecordProperty("bytes_per_unread_page", static_cast<int>(each));
  EXPECT_LE(each, held + 6 * limits::KiB);
}

TEST_F(Memory, BeforeAdmissionNoAllocationExceedsAHead) {
  start({.io_threads = 1, .drain_timeout = Duration(20)});
  // The peer's own strings are larger than the bound, so they are made before counting.
  const std::string big_head = get("/refused", "X-Fill: " + std::string(16'000, 'f') + "\r\n");
  const std::string announced =
      "POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 500000000\r\n\r\n" +
      std::string(60'000, 'b');
  const std::string chunked =
      "POST /refused HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
      "\r\nffffff\r\n" +
      std::string(60'000, 'b');
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(connect());
    ASSERT_EQ(peers.back().request(get("/refused")).status, 401);
  }
  largest_allocation = 0;
  peers[0].send(std::string_view(big_head).substr(0, 9000));
  peers[0].send(std::string_view(big_head).substr(9000));
  peers[1].send(announced);
  peers[2].send(chunked);
  peers[3].send(std::string_view(big_head).substr(0, 12'000));
  ASSERT_TRUE(application.wait_for_admitted(7));
  server->drain();  // so that what follows an admission is counted too
  EXPECT_LE(largest_allocation.load(), limits::head_bytes + 64);
}

}  // namespace
}  // namespace muster::net

#endif
