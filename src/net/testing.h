// SPDX-License-Identifier: Apache-2.0
#pragma once

// For this module's tests only: a raw TCP peer, a application of many behaviours, a fixed clock.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "http/application.h"
#include "net/descriptor.h"
#include "net/server.h"

/// The writer's transaction, which net never looks into; store is not linked here.
class muster::store::Tx {};

namespace muster::net::testing {

/// Far beyond what any step takes, far below the test's own timeout.
inline constexpr int patience_ms = 20'000;

class FixedClock final : public Clock {
 public:
  Instant now() const override { return {1'774'103'401'000}; }  // 2026-03-21T14:30:01Z
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;

  std::string field(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
      const auto end = rest.find("\r\n");
      const std::string_view line = rest.substr(0, end);
      const auto colon = line.find(':');
      if (colon != std::string_view::npos && equal_folded(line.substr(0, colon), name)) {
        return std::string(trim(line.substr(colon + 1)));
      }
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 2);
    }
    return {};
  }
};

/// A client that sends exactly the bytes it is told to. Throws when the server takes too long.
class Peer {
 public:
  explicit Peer(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("connect failed");
    }
  }

  virtual ~Peer() = default;
  Peer(Peer&&) = default;
  Peer& operator=(Peer&&) = default;

  virtual Peer& send(std::string_view bytes) {
    send_raw(bytes);
    return *this;
  }
  void send_raw(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) break;  // closed: what was answered says why
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// The next final or interim answer, by its Content-Length.
  Answer answer(bool has_body = true) {
    Answer out;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!read_more()) throw std::runtime_error("closed before an answer: " + buffer_);
    }
    out.head = buffer_.substr(0, buffer_.find("\r\n\r\n"));
    buffer_.erase(0, out.head.size() + 4);
    out.status = std::stoi(out.head.substr(9, 3));
    const std::string length = out.field("Content-Length");
    const std::size_t size = length.empty() || !has_body ? 0 : std::stoul(length);
    while (buffer_.size() < size) {
      if (!read_more()) throw std::runtime_error("closed within a body");
    }
    out.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }

  Answer request(std::string_view bytes) { return send(bytes).answer(); }

  /// The next `size` bytes, of a body whose length nobody told.
  std::string next(std::size_t size) {
    while (buffer_.size() < size) {
      if (!read_more()) throw std::runtime_error("closed within a body: " + buffer_);
    }
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }

  /// True once the server has closed; false if it sends anything more.
  bool closed() { return buffer_.empty() && !read_more(); }
  /// Nothing to read within `wait_ms`.
  bool silent(int wait_ms) {
    pollfd entry{socket_.get(), POLLIN, 0};
    return buffer_.empty() && ::poll(&entry, 1, wait_ms) == 0;
  }
  /// Ends the connection with a reset, as a host does that lost power and came back.
  void vanish() {
    const linger hard{1, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    socket_.reset();
  }
  int socket() const { return socket_.get(); }
  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  virtual bool read_more() {
    pollfd entry{socket_.get(), POLLIN, 0};
    if (::poll(&entry, 1, patience_ms) != 1) throw std::runtime_error("the server is silent");
    std::string chunk(64 * 1024, '\0');
    const auto got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (got <= 0) return false;
    buffer_.append(chunk, 0, static_cast<std::size_t>(got));
    return true;
  }

 protected:
  Descriptor socket_;
  std::string buffer_;
};

/// One way, crossed once, by any number of threads.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// 0, 1, … 250 over and over, in pieces that end at no round number; `whole` of it can be read.
class Counting final : public http::BodySource {
 public:
  explicit Counting(std::uint64_t whole) : whole_(whole) {}
  static char at(std::uint64_t offset) { return static_cast<char>(offset % 251); }
  std::string read(std::uint64_t offset) override {
    std::string piece;
    for (std::uint64_t i = offset; i < whole_ && piece.size() < 99'991; ++i) {
      piece.push_back(at(i));
    }
    return piece;
  }

 private:
  std::uint64_t whole_;
};

/// Says what a test gives it.
class FakeLive final : public http::LiveSource {
 public:
  std::optional<std::string> take() override {
    const std::lock_guard lock(mutex_);
    if (over_ && said_.empty()) return std::nullopt;
    return std::exchange(said_, {});
  }
  void wake_by(UniqueFunction<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    ++(wake_ ? begun_ : ended_);
    changed_.notify_all();
  }

  void say(std::string_view text) {
    const std::lock_guard lock(mutex_);
    said_ += text;
    if (wake_) wake_();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    if (wake_) wake_();
  }
  /// Until as many listen, or no longer do.
  bool wait_for_begun(int count) {
    return wait_until([&] { return begun_ >= count; });
  }
  bool wait_for_ended(int count) {
    return wait_until([&] { return ended_ >= count; });
  }

 private:
  template <typename F>
  bool wait_until(F&& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms), holds);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string said_;
  bool over_ = false;
  int begun_ = 0;
  int ended_ = 0;
  UniqueFunction<void()> wake_;
};

/// The path says what happens: /echo, /worker and /write answer with what they saw, each where its
/// name says; /refused is not admitted; /small takes 1,000 bytes;
/// /long shortens what is over that of a result and says how much it saw, and the end of it;
/// /large and /kept are large_bytes long, the latter not of the answer's own;
/// /stream is stream_bytes long and /torn breaks off half-way; /live says what `live` does;
/// /slow waits for slow_gate on a worker, and /import where what takes long runs. The header
/// X-Lane says "reports" or "operators", and X-Caller the number of the key that was proved.
class FakeApplication final : public http::Application {
 public:
  static constexpr std::size_t body_max = 1024 * 1024;
  static constexpr std::size_t small_body_max = 1000;
  static constexpr std::size_t long_body_max = 40 * limits::MiB;

  std::variant<http::Admission, http::Response> admit(http::Request& request) override {
    note([&](Seen& seen) { ++seen.admitted; });
    if (request.path.starts_with("/refused")) return http::json_response(401, "\"who?\"");
    http::Admission out{0, request.path == "/small" ? small_body_max : body_max, http::RunOn::here};
    if (request.path == "/long") {
      out.body_max = limits::result_body_bytes;
      out.shortened_max = long_body_max;
      out.run_on = http::RunOn::write;
    }
    if (request.path == "/worker" || request.path == "/slow") out.run_on = http::RunOn::read;
    if (request.path == "/import") out.run_on = http::RunOn::slow;
    const std::string_view lane = request.headers.find("X-Lane");
    if (lane == "reports") out.lane = http::Lane::reports;
    if (lane == "operators") out.lane = http::Lane::operators;
    if (const auto key = parse_int(request.headers.find("X-Caller"))) {
      request.caller.kind = http::Caller::Kind::inventory_key;
      request.caller.key = *key;
    }
    if (request.path == "/write") out.run_on = http::RunOn::write;
    return out;
  }

  http::Reply handle(const http::Admission&, const http::Request& request) override {
    note([&](Seen& seen) {
      ++seen.handled;
      seen.peer = std::string(request.peer_address) + (request.through_proxy ? "*" : "");
      seen.strained = request.strained;
      seen.agent_header = request.headers.find("X-Agent");
      if (!seen.agent_header.empty()) seen.order += seen.agent_header + " ";
    });
    if (request.path == "/none") return http::Response{204};
    if (request.path == "/large") return http::json_response(200, std::string(large_bytes, 'x'));
    if (request.path == "/kept") {
      http::Response kept;
      static const std::string octets(large_bytes, 'k');
      kept.kept_body = octets;
      return kept;
    }
    if (request.path == "/stream" || request.path == "/torn") {
      http::Response streamed{200, {}, "application/octet-stream"};
      const std::uint64_t whole = request.path == "/torn" ? stream_bytes / 2 : stream_bytes;
      streamed.stream = {std::make_shared<Counting>(whole), 0, stream_bytes};
      return streamed;
    }
    if (request.path == "/live") {
      http::Response said{200, {}, "text/event-stream"};
      said.live = live;
      return said;
    }
    if (request.path == "/hostile") {
      return http::Response{200, "{}", "text/plain", {{"X-Name", "a\r\nSet-Cookie: b"}}};
    }
    if (request.path == "/long") {
      const auto tail =
          request.body.substr(request.body.size() - std::min<std::size_t>(request.body.size(), 20));
      return http::json_response(200, (request.body_shortened ? "cut to " : "whole ") +
                                          std::to_string(request.body.size()) + ": " +
                                          std::string(tail));
    }
    if (request.path == "/slow" || request.path == "/import") slow_gate.wait();
    std::string seen = echo(request);
    if (request.path != "/write") return http::json_response(200, std::move(seen));
    return http::Write([text = std::move(seen)](store::Tx&) -> Result<http::Response> {
      return http::json_response(200, "written " + text);
    });
  }

  bool commit(const http::Admission&, http::Write& write, Respond& respond) override {
    bool taken = false;
    note([&](Seen& seen) {
      taken = seen.commits.size() < commits_max;
      if (taken) seen.commits.push_back({std::move(write), std::move(respond)});
    });
    if (commit_at_once) commit_all();
    return taken;
  }

  http::Response refuse(const http::Request&, const Error& error) override {
    http::Response out = http::json_response(http::status_of(error.code), error.message);
    if (error.retry_after_seconds) {
      out.headers.emplace_back("Retry-After", std::to_string(*error.retry_after_seconds));
    }
    return out;
  }

  /// Answers what waits for its commit, on the caller's thread.
  void commit_all() {
    std::vector<Commit> taken;
    note([&](Seen& seen) { taken.swap(seen.commits); });
    for (Commit& commit : taken) {
      store::Tx tx;
      commit.respond(std::move(commit.write(tx)).value());
    }
  }
  bool wait_for_commits(std::size_t count) {
    return wait_until([&](const Seen& seen) { return seen.commits.size() >= count; });
  }
  bool wait_for_admitted(int count) {
    return wait_until([&](const Seen& seen) { return seen.admitted >= count; });
  }
  bool wait_for_handled(int count) {
    return wait_until([&](const Seen& seen) { return seen.handled >= count; });
  }
  int admitted() {
    return read<int>([](const Seen& seen) { return seen.admitted; });
  }
  int handled() {
    return read<int>([](const Seen& seen) { return seen.handled; });
  }
  /// The last request's, with a `*` behind it when it came through a proxy.
  std::string peer() {
    return read<std::string>([](const Seen& seen) { return seen.peer; });
  }
  /// Whether the last request was told that the server is.
  bool strained() {
    return read<bool>([](const Seen& seen) { return seen.strained; });
  }
  /// Of all requests that had that header, in the order in which they were handled.
  std::string order() {
    return read<std::string>([](const Seen& seen) { return seen.order; });
  }
  std::string agent_header() {
    return read<std::string>([](const Seen& seen) { return seen.agent_header; });
  }

  static constexpr std::uint64_t stream_bytes = 8 * 1024 * 1024 + 1;
  static constexpr std::size_t large_bytes = 20 * 1024 * 1024;
  bool commit_at_once = false;
  std::size_t commits_max = 1'000'000;  // that wait; to be set before the server starts
  Gate slow_gate;
  const std::shared_ptr<FakeLive> live = std::make_shared<FakeLive>();

 private:
  struct Commit {
    http::Write write;
    Respond respond;
  };
  struct Seen {
    int admitted = 0;
    int handled = 0;
    std::string peer;
    bool strained = false;
    std::string agent_header;
    std::string order;
    std::vector<Commit> commits;
  };
  static std::string echo(const http::Request& request) {
    return std::string(http::method_name(request.method)) + " " + std::string(request.path) + "?" +
           std::string(request.query) + " " + std::string(request.body);
  }
  template <typename F>
  void note(F&& f) {
    const std::lock_guard lock(mutex_);
    f(seen_);
    changed_.notify_all();
  }
  template <typename T, typename F>
  T read(F&& f) {
    const std::lock_guard lock(mutex_);
    return f(seen_);
  }
  template <typename F>
  bool wait_until(F&& f) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms),
                             [&] { return f(seen_); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
};

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

/// A server on a free port over a FakeApplication.
class ServerTest : public ::testing::Test {
 protected:
  Server& start(ServerOptions options = {}) {
    if (options.io_threads == 0) options.io_threads = 2;
    server = std::make_unique<Server>(application, clock, log, std::move(options));
    server->start();
    return *server;
  }
  ~ServerTest() override { application.slow_gate.open(); }
  Peer connect() { return Peer(server->port()); }
  /// On one IO thread: whoever has been answered waits for its next request when this returns.
  void settle() { EXPECT_EQ(connect().request(get("/echo")).status, 200); }

  FixedClock clock;
  Log log{clock, [](std::string_view) {}};
  FakeApplication application;
  std::unique_ptr<Server> server;
};

/// A PROXY protocol version 2 header (HAProxy, proxy-protocol.txt 2.2).
inline std::string proxy_header(unsigned command, unsigned family, const std::string& rest) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  for (const std::size_t byte :
       {std::size_t{command}, std::size_t{family}, rest.size() >> 8, rest.size() & 0xff}) {
    out.push_back(static_cast<char>(byte));
  }
  return out + rest;
}

}  // namespace muster::net::testing
