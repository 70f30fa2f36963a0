// SPDX-License-Identifier: Apache-2.0
// What the swarm does beside its hosts: it gives them work, and watches the server.
#include <algorithm>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "swarm/swarm.h"

namespace muster::swarm {

namespace {

constexpr int metrics_every_seconds = 5;
constexpr const char* command = "uname -a";

/// The value of a metric without labels in the text format of Prometheus.
std::optional<std::uint64_t> metric(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (!line.starts_with(' ')) continue;
    const auto value = parse_int(trim(line));
    if (value && *value >= 0) return static_cast<std::uint64_t>(*value);
  }
  return std::nullopt;
}

}  // namespace

void Swarm::rebuild_some() {
  if (own_agents_.empty()) return;
  rebuilds_owed_ += static_cast<double>(scenario_.work_rebuilds_per_hour) / 3600;
  for (; rebuilds_owed_ >= 1; rebuilds_owed_ -= 1) {
    const std::uint32_t host = own_agents_[work_.below(own_agents_.size())];
    if (!lines_[host].waiting && lines_[host].known) hosts_[host]->rebuild();
  }
}

/// Agents for the next tasks; empty when there are none yet.
std::string Swarm::task_order() {
  const auto wanted =
      static_cast<std::size_t>(std::min(tasks_owed_, static_cast<double>(limits::task_targets)));
  std::size_t found = 0;
  JsonWriter json;
  json.begin_object().member("type", "execute_command").member("command", command);
  json.key("agent_ids").begin_array();
  // Of a fleet that has not enrolled yet only some draws are agents.
  for (std::size_t draws = 0; found < wanted && draws < 2 * wanted; ++draws) {
    const std::uint32_t host = own_agents_[work_.below(own_agents_.size())];
    const auto id = hosts_[host]->agent();
    if (!id) continue;
    json.value(*id);
    ++found;
  }
  json.end_array().end_object();
  tasks_owed_ -= static_cast<double>(found);
  return found == 0 ? std::string() : json.take();
}

void Swarm::give_tasks() {
  if (orders_.waiting || closing_ || own_agents_.empty() || tasks_owed_ < 1) return;
  net::ClientRequest request;
  request.method = http::Method::post;
  request.target = "/api/v1/tasks";
  request.headers = {{"Authorization", "Bearer " + access_.operator_token}};
  request.body = task_order();
  if (request.body.empty()) return;
  orders_.waiting = true;
  orders_.sent = now_;
  ++in_progress_;
  wire_.send(orders_line(), request, Duration(0));
}

void Swarm::took_tasks(const net::ClientFleet::Event& event) {
  if (event.end == net::ClientFleet::End::idle) return;
  orders_.waiting = false;
  --in_progress_;
  const bool good = event.end == net::ClientFleet::End::answered && event.response.status >= 200 &&
                    event.response.status < 300;
  Tally& tally = tally_of(orders_.due);
  tally.add(Kind::task_order, good ? End::good : End::failed, {orders_.due, orders_.sent, now_});
  if (good) return give_tasks();
  tally.explain(Kind::task_order, event.why + event.response.body.substr(0, 200));
}

void Swarm::ask_metrics() {
  if (metrics_awaited_) return;
  seconds_to_metrics_ = metrics_every_seconds;
  metrics_awaited_ = true;
  ++in_progress_;
  net::ClientRequest request;
  request.target = "/metrics";
  request.headers = {{"Authorization", "Bearer " + access_.operator_token}};
  wire_.send(metrics_line(), request, Duration(0));
}

void Swarm::took_metrics(const net::ClientFleet::Event& event) {
  if (event.end == net::ClientFleet::End::idle) return;
  metrics_awaited_ = false;
  --in_progress_;
  if (event.end != net::ClientFleet::End::answered || event.response.status != 200) return;
  const auto offline = metric(event.response.body, "muster_agents_offline");
  if (offline && measuring_since_) {
    out_.most_offline = std::max(out_.most_offline.value_or(0), *offline);
  }
  out_.last_online = metric(event.response.body, "muster_agents_online");
}

void Swarm::watch_server() {
  if (!server_use_ || !measuring_since_) return;
  const auto use = server_use_();
  if (!use) return;
  if (!server_before_) server_before_ = use;
  out_.server_resident_bytes =
      std::max(out_.server_resident_bytes.value_or(0), use->resident_bytes);
  // What calls in progress cost at the end belongs to no second that was measured.
  if (closing_ && out_.server_cpu_seconds && now_ > *ends_at_ + std::chrono::seconds(1)) return;
  out_.server_cpu_seconds = use->cpu_seconds - server_before_->cpu_seconds;
  out_.server_written_bytes = use->written_bytes - server_before_->written_bytes;
}

}  // namespace muster::swarm
