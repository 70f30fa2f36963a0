// SPDX-License-Identifier: Apache-2.0
#include "sim/site_host.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/json_write.h"
#include "model/set_hash.h"

namespace muster::sim {

namespace {

void write_item(JsonWriter& json, const model::Package& package) {
  json.begin_object()
      .member("name", package.name)
      .member("version", package.version)
      .member("ecosystem", "deb")
      .member("source_name", package.source_name)
      .member("source_version", package.source_version)
      .member("arch", package.arch)
      .end_object();
}

bool holds(const std::vector<model::Package>& packages, const model::Package& package) {
  return std::find(packages.begin(), packages.end(), package) != packages.end();
}

/// A removal names a package by name and version alone.
bool is_named_by(const model::Package& removed, const model::Package& package) {
  return removed.name == package.name && removed.version == package.version;
}

/// As docs/reference/reports.md has it: the server adds the distribution that `os` names.
std::string hash_of(const std::vector<model::Package>& packages) {
  model::SetHash hash;
  for (const model::Package& package : packages) {
    std::string text;
    model::append_canonical(text,
                            {package.name, package.version, "", model::Ecosystem::deb, "debian:12",
                             package.source_name, package.source_version, package.arch, ""});
    hash.add(text);
  }
  return hash.text();
}

}  // namespace

SiteHost::SiteHost(Surroundings& world, std::string name, std::uint64_t seed, bool names_hashes)
    : world_(world),
      name_(std::move(name)),
      rng_(fork(seed, name_)),
      software_(rng_),
      names_hashes_(names_hashes) {}

void SiteHost::start() {
  live();
  report();
  beat();
}

void SiteHost::live() {
  world_.steps.after(between(rng_, std::chrono::minutes(2), std::chrono::minutes(30)), [this] {
    if (world_.calm()) return;
    software_.mutate(rng_);
    live();
  });
}

std::string SiteHost::body(bool full) const {
  JsonWriter json;
  json.begin_object()
      .member("hostname", name_)
      .key("os")
      .begin_object()
      .member("name", "Debian GNU/Linux")
      .member("version", "12")
      .end_object();
  if (names_hashes_) json.member("set_hash", hash_of(sent_));
  if (full) {
    json.key("software").begin_array();
    for (const model::Package& package : sent_) write_item(json, package);
    return std::move(json.end_array().end_object()).take();
  }
  std::vector<model::Package> removed;
  for (const model::Package& former : acknowledged_) {
    if (!holds(sent_, former)) removed.push_back(former);
  }
  if (names_hashes_) json.member("base_set_hash", hash_of(acknowledged_));
  json.member("delta", true).key("software_added").begin_array();
  for (const model::Package& package : sent_) {
    const bool taken_away = std::any_of(removed.begin(), removed.end(), [&](const auto& gone) {
      return is_named_by(gone, package);
    });
    if (taken_away || !holds(acknowledged_, package)) write_item(json, package);
  }
  json.end_array().key("software_removed").begin_array();
  for (const model::Package& package : removed) {
    json.begin_object()
        .member("name", package.name)
        .member("version", package.version)
        .end_object();
  }
  return std::move(json.end_array().end_object()).take();
}

void SiteHost::report() {
  const auto again = [this](Duration wait) {
    world_.steps.after(between(rng_, wait, wait * 2), [this] { report(); });
  };
  if (!full_wanted_ && software_.packages() == acknowledged_ && !chance(rng_, 100)) {
    return again(std::chrono::minutes(5));
  }
  const bool full = full_wanted_ || chance(rng_, 100);
  sent_ = software_.packages();
  agent::Call call{http::Method::post,
                   chance(rng_, 500) ? "/api/agent/report" : "/api/agent/inventory",
                   {{"X-Agent-Key", world_.inventory_key}},
                   body(full)};
  reporting_ = true;
  world_.wire.send(name_, std::move(call), [this, again](Result<agent::Answer> answer) {
    reporting_ = false;
    if (answer.ok() && answer->success()) {
      acknowledged_ = sent_;
      full_wanted_ = false;
      return again(std::chrono::minutes(5));
    }
    // Lost, it may have been taken, and a copy may still come: only a full report is sure.
    full_wanted_ = true;
    again(std::chrono::minutes(4));
  });
}

void SiteHost::beat() {
  JsonWriter json;
  json.begin_object().member("hostname", name_).member("agent_version", "1.5.0");
  if (names_hashes_ && !full_wanted_ && !reporting_) {
    json.member("set_hash", hash_of(acknowledged_));
  }
  json.end_object();
  world_.wire.send(name_,
                   {http::Method::post,
                    "/api/agent/heartbeat",
                    {{"X-Agent-Key", world_.inventory_key}},
                    json.take()},
                   [this](Result<agent::Answer> answer) {
                     if (!names_hashes_ || !answer.ok() || !answer->success()) return;
                     JsonDocument document;
                     const auto body = document.parse(answer->body);
                     if (!body.ok()) return;
                     const auto config = body->find("config");
                     const auto forced = config ? config->find("force_full_scan") : std::nullopt;
                     if (forced && forced->boolean() == true) full_wanted_ = true;
                   });
  world_.steps.after(std::chrono::minutes(5), [this] { beat(); });
}

}  // namespace muster::sim
