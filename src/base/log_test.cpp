// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster {
namespace {

/// Standard error is a pipe for as long as this lives.
class PipedStandardError {
 public:
  PipedStandardError() : former_(::dup(STDERR_FILENO)) {
    CHECK(::pipe(ends_.data()) == 0 && ::dup2(ends_[1], STDERR_FILENO) == STDERR_FILENO);
  }
  ~PipedStandardError() {
    ::dup2(former_, STDERR_FILENO);
    for (const int descriptor : {former_, ends_[0], ends_[1]}) ::close(descriptor);
  }
  PipedStandardError(const PipedStandardError&) = delete;
  PipedStandardError& operator=(const PipedStandardError&) = delete;

  /// Until it has no room for another octet.
  void fill() {
    const std::string octets(4096, 'x');
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    while (::write(ends_[1], octets.data(), octets.size()) > 0) {
    }
    ::fcntl(ends_[1], F_SETFL, 0);
  }

  /// What is in it, up to some.
  std::string read() {
    std::string text(1 << 20, '\0');
    const auto size = ::read(ends_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  const int former_;
  std::array<int, 2> ends_{};
};

TEST(Log, WritesOneLineOfJsonAnEvent) {
  const FakeClock clock;
  std::vector<std::string> lines;
  Log log(clock, [&](std::string_view line) { lines.emplace_back(line); });
  log.write(LogLevel::warning, "odd", [](JsonWriter& f) { f.member("name", "a\nb"); });
  log.write(LogLevel::info, "plain");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0],
            "{\"at\": \"2026-03-21T14:30:00Z\", \"level\": \"warning\", \"event\": \"odd\", "
            "\"name\": \"a\\nb\"}\n");
  EXPECT_EQ(lines[1],
            "{\"at\": \"2026-03-21T14:30:00Z\", \"level\": \"info\", \"event\": \"plain\"}\n");
}

TEST(Log, GoesToStandardError) {
  PipedStandardError pipe;
  Log::standard_error()("a line\n");
  EXPECT_EQ(pipe.read(), "a line\n");
}

TEST(Log, LosesALineForWhichNobodyMakesRoom) {
  PipedStandardError pipe;
  pipe.fill();
  auto written = std::async(std::launch::async, [] { Log::standard_error()("a line\n"); });
  const bool returned = written.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  EXPECT_EQ(pipe.read().find("a line"), std::string::npos);
  EXPECT_TRUE(returned) << "it waited for the reader";
  written.get();
  Log::standard_error()("later\n");
  EXPECT_EQ(pipe.read(), "later\n") << "there is room again";
}

}  // namespace
}  // namespace muster
