// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "net/answer.h"
#include "net/exchange.h"

namespace muster::net {
namespace {

const std::string heartbeat_head =
    "POST /api/agent/heartbeat HTTP/1.1\r\nHost: muster.example:8480\r\n"
    "User-Agent: agent/0.5.11\r\nContent-Type: application/json\r\nContent-Length: 412\r\n"
    "X-Agent-Key: ak_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
    "X-Agent-ID: 0195b4c2-1d6a-7c3e-9f00-1234567890ab\r\n"
    "X-Request-Timestamp: 2026-03-21T14:30:00Z\r\nAccept-Encoding: gzip\r\n\r\n";

void FindAndParseHead(benchmark::State& state) {
  Exchange exchange;
  for (auto _ : state) {
    std::size_t scanned = 0;
    exchange.head.assign(heartbeat_head, 0, find_head(heartbeat_head, scanned));
    exchange.parser.emplace();
    auto refused = exchange.parser->parse_head(exchange.head, exchange.request.emplace());
    benchmark::DoNotOptimize(refused);
  }
}
BENCHMARK(FindAndParseHead);

void AppendAnswerHead(benchmark::State& state) {
  const http::Response response = http::json_response(200, std::string(121, 'x'));
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_answer_head(out, response, {.date = "Sun, 06 Nov 1994 08:49:37 GMT"});
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(AppendAnswerHead);

}  // namespace
}  // namespace muster::net
