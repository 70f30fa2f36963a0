// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

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
    // One write per line, so that lines of several threads do not mix. A full pipe loses the line.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  };
}

}  // namespace muster
