// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <poll.h>
#include <unistd.h>

#include <mutex>

namespace muster {

Log::Log(const Clock& clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {}

void Log::write(LogLevel level, std::string_view event,
                const std::function<void(JsonWriter&)>& fields) {
  static constexpr std::string_view names[] = {"info", "warning", "error"};
  JsonWriter line;
  line.begin_object()
      .member("at", clock_.now())
      .member("level", names[static_cast<std::size_t>(level)])
      .member("event", event);
  if (fields) fields(line);
  line.end_object();
  std::string text = line.take();
  text.push_back('\n');
  sink_(text);
}

Log::Sink Log::standard_error() {
  return [](std::string_view line) {
    static std::mutex one_at_a_time;  // each finds the room that it was told of
    const std::lock_guard lock(one_at_a_time);
    pollfd output{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&output, 1, 0) != 1 || (output.revents & POLLOUT) == 0) return;
    // One write per line, so that lines do not mix with those of other processes.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  };
}

}  // namespace muster
