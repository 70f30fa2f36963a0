// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/runner.h"
#include "crypto/sha256.h"

/// What the core acts on, made up: a disk that can fail between any two writes, a clock that only
/// waiting moves, a host and its commands.
namespace muster::agent::testing {

/// The process was killed here.
struct Crash {};

class FakeFiles final : public Files {
 public:
  std::optional<std::string> read(const std::string& name) const override {
    const auto found = content.find(name);
    if (found == content.end()) return std::nullopt;
    if (damaged.contains(name)) throw std::system_error(EIO, std::generic_category(), name);
    return found->second;
  }
  void write(const std::string& name, std::string_view text) override {
    mutate([&] {
      content[name] = std::string(text);
      damaged.erase(name);
    });
  }
  void remove(const std::string& name) override {
    mutate([&] { content.erase(name); });
  }
  std::optional<FileFacts> inspect(const std::string& name) const override {
    const auto found = content.find(name);
    if (found == content.end()) return std::nullopt;
    return FileFacts{static_cast<std::int64_t>(found->second.size()),
                     crypto::sha256(found->second)};
  }
  bool append(const std::string& name, std::int64_t offset, std::string_view bytes) override {
    if (full || read_only) return false;
    const auto write = [&](std::string_view tail) {
      std::string& file = content[name];
      file.resize(static_cast<std::size_t>(offset));
      file += tail;
    };
    // Of an append the power cut may leave a part, or octets that nobody wrote.
    const std::string torn = std::string(bytes.substr(0, bytes.size() / 2)) +
                             std::string(bytes.size() - bytes.size() / 2, '\0');
    mutate([&] { write(bytes); }, [&] { write(torn); });
    return true;
  }
  void publish(const std::string& from, const std::string& to) override {
    mutate([&] {
      content[to] = content.at(from);
      content.erase(from);
    });
  }
  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> names;
    for (const auto& [name, text] : content) {
      if (name.starts_with(folder + "/")) names.push_back(name);
    }
    return names;
  }

  /// Crashes in the `mutation`th change from now, before or after it reached the disk.
  void crash_at(int mutation, bool after) {
    left_ = mutation;
    after_ = after;
  }
  void crash_never() { left_.reset(); }

  std::map<std::string, std::string> content;
  std::set<std::string> damaged;  // the disk does not give them back
  bool full = false;              // for what is large
  bool read_only = false;         // for everything
  int mutations = 0;              // so far

 private:
  template <typename F>
  void mutate(F&& change) {
    mutate(change, [] {});
  }
  template <typename F, typename G>
  void mutate(F&& change, G&& tear) {
    if (read_only) throw std::system_error(EROFS, std::generic_category(), "cannot create");
    ++mutations;
    const bool crash = left_ && (*left_)-- == 0;
    if (crash && !after_) {
      tear();
      throw Crash{};
    }
    change();
    if (crash) throw Crash{};
  }
  std::optional<int> left_;
  bool after_ = false;
};

class FakeRest final : public Rest {
 public:
  Moment now() override { return {Instant{1'700'000'000'000} + clock_error + steady, steady}; }
  void wait(std::optional<Duration> until) override {
    if (on_wait) on_wait();
    if (command_ended && command_ended()) return;
    if (until && *until > steady) steady = *until;
    if (++waits > 100'000) throw std::runtime_error("the agent turns in vain");
  }
  bool stop_requested() override { return stop || steady >= stop_at; }
  void set_watchdog(std::optional<Duration> after) override { watchdog = after; }

  Duration steady = std::chrono::hours(1);
  Duration clock_error{0};  // of the agent's clock; the server's has none
  Duration stop_at = std::chrono::hours(1'000'000);
  bool stop = false;
  std::optional<Duration> watchdog;
  int waits = 0;
  std::function<void()> on_wait;
  std::function<bool()> command_ended;
};

class FakeExecutor final : public Executor {
 public:
  void start(const Command& command) override {
    CHECK(!running_);
    running_ = command;
    ++runs[command.task];
    lines.push_back(command.line);
    variables = command.variables;
  }
  std::optional<Ended> take_ended() override {
    if (!ended()) return std::nullopt;
    const TaskId task = std::exchange(running_, std::nullopt)->task;
    Outcome outcome = next;
    if (std::exchange(killed_, false)) {
      outcome.exit_code = -1;
      outcome.error = "killed: the agent is stopping";
    }
    return Ended{task, std::move(outcome)};
  }
  void kill() override { killed_ = true; }
  bool ended() const { return running_ && (!hold || killed_); }

  bool hold = false;  // commands run until killed
  Outcome next;
  std::map<TaskId, int> runs;
  std::vector<std::string> lines;
  Variables variables;  // of the last

 private:
  std::optional<Command> running_;
  bool killed_ = false;
};

class FakeHost final : public Host {
 public:
  Vitals measure() override { return {100, 5, 200, 400, 1000, 1, 7}; }
  Result<Survey> survey(const std::vector<std::string>& without,
                        const std::atomic<bool>&) override {
    skipped = without;
    if (short_of) throw std::system_error(EMFILE, std::generic_category(), short_of);
    if (!readable) return Error{Errc::unavailable, "/var/lib/dpkg/status cannot be read"};
    Survey survey;
    survey.facts = facts;
    survey.software = software;
    survey.runtime = runtime;
    survey.malformed = malformed;
    return survey;
  }

  std::optional<ImageSight> look_at_images(const ImageOrder& order,
                                           const std::atomic<bool>&) override {
    image_orders.push_back(order);
    if (short_of) throw std::system_error(EMFILE, std::generic_category(), short_of);
    if (!images_readable) return std::nullopt;
    ImageSight sight;
    sight.local.images = images;
    sight.local.left_out = images_left_out;
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::string& digest = images[i].digest;
      if (std::binary_search(order.known.begin(), order.known.end(), digest)) continue;
      if (sight.reports.size() == image_reports_max) {
        sight.more = true;
        break;
      }
      sight.tried.push_back(digest);
      sight.reports.push_back({i, "{\"of\": \"" + digest + "\"}"});
    }
    return sight;
  }

  static LocalImage image(std::string digest, std::vector<std::string> references) {
    return {std::move(digest), std::move(references), {}};
  }

  static model::Package package(std::string name, std::string version, std::string arch = "amd64") {
    model::Package package;
    package.name = name;
    package.version = version;
    package.ecosystem = model::Ecosystem::deb;
    package.distro = "debian:12";
    package.source_name = std::move(name);
    package.source_version = std::move(version);
    package.arch = std::move(arch);
    return package;
  }

  HostFacts facts;
  std::vector<model::Package> software = {package("bash", "5.2"), package("openssl", "3.0.11")};
  std::optional<model::Runtime> runtime;
  std::size_t malformed = 0;
  bool readable = true;
  const char* short_of = nullptr;    // of what: then looks throw
  std::vector<std::string> skipped;  // in the last survey
  std::vector<LocalImage> images;
  std::size_t image_reports_max = 10;  // in one look
  bool images_readable = true;
  std::size_t images_left_out = 0;
  std::vector<ImageOrder> image_orders;  // of all looks
};

/// Looks that end at once, but not before the next turn.
class FakeSurveys final : public Surveys {
 public:
  explicit FakeSurveys(Host& host) : host_(host) {}
  void begin(const Look& look) override {
    CHECK(!begun_);
    begun_ = look;
  }
  std::optional<Sight> take() override {
    if (!begun_ || hold) return std::nullopt;
    return look_at(host_, *std::exchange(begun_, std::nullopt), stop_);
  }

  bool hold = false;  // looks take for ever

 private:
  Host& host_;
  std::atomic<bool> stop_{false};
  std::optional<Look> begun_;
};

/// Calls that are answered at once, but not before the next turn.
class FakeCalls final : public Calls {
 public:
  explicit FakeCalls(Transport& server) : server_(server) {}
  void begin(Call call) override {
    CHECK(!answer_);
    answer_ = server_.send(call);
    call_ = std::move(call);
  }
  std::optional<Result<Answer>> take() override {
    if (!answer_ || (holds && holds(call_))) return std::nullopt;
    return std::exchange(answer_, std::nullopt);
  }
  Result<Answer> send(const Call& call) override { return server_.send(call); }

  std::function<bool(const Call&)> holds;  // whose answers are still on their way

 private:
  Transport& server_;
  Call call_;
  std::optional<Result<Answer>> answer_;
};

}  // namespace muster::agent::testing
