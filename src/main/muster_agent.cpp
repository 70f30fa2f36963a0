// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <CLI/CLI.hpp>

#include "agent/bounds.h"
#include "agent/bystanders.h"
#include "agent/core.h"
#include "agent/enrolment.h"
#include "agent/executor/shell.h"
#include "agent/executor/system_calls.h"
#include "agent/executor/task_group.h"
#include "agent/files.h"
#include "agent/messages.h"
#include "agent/runner.h"
#include "agent/sealed_files.h"
#include "agent/settings.h"
#include "agent/surveys.h"
#include "agent/version.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/random.h"
#include "main/agent_build.h"
#include "main/agent_setup.h"
#include "main/agent_user.h"
#include "main/agent_world.h"

namespace muster {
namespace {

constexpr const char* default_state_dir = "/var/lib/muster-agent";
constexpr const char* default_config = "/etc/muster-agent/agent.toml";
constexpr const char* groups_file = "executor.json";

struct Options {
  std::string state_dir = default_state_dir;
  std::string config;
  std::string server;
  std::string token_file;
  std::string token_env;
  std::string ca_file;
  std::string launched_by;
  bool again = false;
  std::string root = "/";
  bool purge = false;
  bool once = false;
  bool json = false;
};

std::string printable(std::string_view text) {
  return escape_for_terminal(text);
}

Result<agent::Settings> read_settings(const Options& options) {
  const std::string path = options.config.empty() ? default_config : options.config;
  const bool optional = options.config.empty() && !std::filesystem::exists(path);
  if (optional) return agent::Settings{};
  auto settings = agent::parse_settings(TRY(read_file(path, limits::config_file_bytes)));
  if (!settings) return Error{settings.error().code, path + ": " + settings.error().message};
  return settings;
}

Result<std::string> read_token(const Options& options) {
  std::string token;
  if (!options.token_env.empty()) {
    const char* value = std::getenv(options.token_env.c_str());
    token = value != nullptr ? value : "";
  } else if (options.token_file == "-") {
    std::getline(std::cin, token);
  } else {
    token = TRY(read_file(options.token_file, limits::KiB));
  }
  token = trim(token);
  if (token.empty() || token.size() > limits::key_bytes || !is_plain_text(token)) {
    return invalid_field("token", "there is no enrolment token");
  }
  return token;
}

/// One enrolment; a server that is busy is asked again a few times.
Result<agent::Identity> call_server(const Options& options, const std::string& token) {
  ClientTransport transport = TRY(ClientTransport::create(options.server, options.ca_file));
  const agent::HostFacts facts = agent::read_host_facts();
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    const agent::Answer answer = TRY(transport.send(agent::make_enrolment(token, facts)));
    auto identity = agent::read_enrolment(answer, options.server);
    if (identity.ok() || !identity.error().retry_after_seconds || attempt == attempts) {
      return identity;
    }
    const Duration wait =
        agent::enrolment_wait(facts, *identity.error().retry_after_seconds, SystemClock().now());
    std::cerr << "muster-agent: " << printable(identity.error().message) << ", trying again in "
              << wait.count() / 1000 << " s\n";
    std::this_thread::sleep_for(wait);
  }
}

Result<void> take_lock(agent::DiskFiles& files, const Options& options) {
  // `status` holds the lock for a moment too.
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (files.lock()) return {};
    std::this_thread::sleep_for(Duration(50));
  }
  return Error{Errc::unavailable, options.state_dir + " is in use by another muster-agent"};
}

Result<void> enroll(const Options& options) {
  agent::DiskFiles disk(options.state_dir);
  TRY(take_lock(disk, options));
  crypto::SystemRng rng;
  agent::SealedFiles files(disk, agent::machine_key("/"), rng);
  if (files.read(agent::Identity::file) && !options.again) {
    return Error{Errc::name_taken,
                 "this host is enrolled already; --again gives it a new identity"};
  }
  const std::string token = TRY(read_token(options));
  // Before the call: what fails after it costs a use of the token.
  std::string proof;
  if (!options.ca_file.empty()) proof = TRY(read_file(options.ca_file, limits::pem_file_bytes));
  agent::Identity identity = TRY(call_server(options, token));
  if (options.ca_file.empty()) {
    files.remove(agent::Identity::copied_ca_file);
  } else {
    // A copy: the file may be in a /tmp that the unit does not see, or be gone tomorrow.
    files.write(agent::Identity::copied_ca_file, proof);
    identity.ca_file = std::filesystem::absolute(disk.path_of(agent::Identity::copied_ca_file));
  }
  // What the server acknowledged to the old identity is unknown to the new one, and what that
  // server set here is not in force any more.
  files.remove(agent::PushedConfig::file);
  files.remove(agent::software_file);
  files.remove(agent::Progress::file);
  files.remove(agent::ImageRecord::file);
  files.write(agent::Identity::file, agent::encode_identity(identity));
  std::cout << "enrolled as " << identity.agent.text() << " at " << printable(options.server)
            << "\n";
  return {};
}

agent::Fence make_fence(const agent::Settings& settings) {
  agent::Fence fence;
  fence.output_bytes = static_cast<std::size_t>(settings.executor_output_bytes);
  fence.processes_max = static_cast<std::uint64_t>(settings.executor_processes_max);
  fence.file_bytes_max = static_cast<std::uint64_t>(settings.executor_file_bytes_max);
  return fence;
}

/// What fences in a command as a whole here; tells `status`, which is another process, if the disk
/// takes it.
agent::TaskGroups make_groups(const agent::Settings& settings, agent::Files& files) {
  const auto limit = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  auto groups = agent::TaskGroups::take_over(
      "/sys/fs/cgroup", agent::read_small_file("/proc/self/cgroup", limits::MiB).value_or(""),
      ::getpid(),
      {limit(settings.executor_memory_bytes_max), limit(settings.executor_processes_max),
       limit(settings.executor_cpu_percent_max)});
  JsonWriter json;
  json.begin_object()
      .member("control_groups", groups.in_force())
      .member("why_none", groups.why_none())
      .end_object();
  try {
    files.write(groups_file, json.take() + "\n");
  } catch (const std::system_error&) {
    // A full disk is the host's trouble, and no reason to be silent.
  }
  return groups;
}

/// As the agent found it when it last started.
std::string groups_of(const agent::Files& files) {
  JsonDocument document;
  const auto said = document.parse(files.read(groups_file).value_or(""));
  if (!said.ok()) return "not known before the first run";
  if (const auto flag = said->find("control_groups"); flag && flag->boolean() == true) {
    return "control group (memory, processes, processor)";
  }
  const auto why = said->find("why_none");
  return "resource limits of each process alone: " +
         std::string(why ? why->string().value_or("") : "");
}

/// Goes on as the build that is to run, if that is another. Settings that this program cannot read
/// are no reason not to: a newer build may know them. But none is tried under them, since it would
/// be blamed for them.
void launch(agent::DiskFiles& disk, const Options& options, const Result<agent::Settings>& settings,
            char** arguments) {
  std::optional<Duration> trial;
  if (settings.ok() && !options.once) {
    trial = std::chrono::seconds(settings->update_trial_seconds);
  }
  start_chosen_build(disk, arguments, trial);
}

/// Whether another build is to run now.
Result<bool> run(const Options& options, char** arguments) {
  agent::DiskFiles disk(options.state_dir);
  TRY(take_lock(disk, options));
  // Read once: what decided that no build is tried is also what this program then runs with.
  auto read = read_settings(options);
  if (options.launched_by.empty()) launch(disk, options, read, arguments);
  const agent::Settings settings = TRY(std::move(read));
  const SystemClock clock;
  Log log(clock, Log::standard_error());
  const auto user = user_of_commands(settings);
  SystemRest rest;
  crypto::SystemRng rng;
  agent::SealedFiles files(disk, agent::machine_key("/"), rng);
  agent::State state =
      TRY(agent::load_state(files, settings, agent::read_host_facts(), rest.now(), rng.next_u64()));
  state.once = options.once;
  ClientTransport transport =
      TRY(ClientTransport::create(state.identity.server_url, state.identity.ca_file));
  const std::filesystem::path state_dir = std::filesystem::absolute(options.state_dir);
  const agent::TaskGroups groups = make_groups(settings, disk);
  agent::Bystanders bystanders;
  agent::LinuxHost host("/", bystanders, state_dir / "trivy");
  agent::SurveyThread surveys(host);
  agent::ShellExecutor executor(make_fence(settings), user_name(user), {bystanders, groups},
                                state_dir);
  agent::CallThread calls(transport, [&transport] { return transport.another(); });
  const Ending ending(rest);  // goes first, then the call, the look and the command
  rest.watch(executor.ended_fd(), surveys.ended_fd(), calls.ended_fd());
  log.write(LogLevel::info, "agent_started", [&](JsonWriter& json) {
    json.member("version", agent::agent_version)
        .member("agent", state.identity.agent)
        .member("server", state.identity.server_url)
        .member("unprivileged", user.has_value())
        .member("control_groups", groups.in_force());
    if (!groups.in_force()) json.member("control_groups_why_none", groups.why_none());
  });
  log_user_of_commands(log, user);
  for (const std::string& missing : agent::missing_system_calls()) {
    log.write(LogLevel::error, "kernel_lacks",
              [&](JsonWriter& json) { json.member("system_call", missing); });
  }
  agent::Runner runner({files, calls, host, surveys, executor, rest, log}, std::move(state));
  TRY(runner.run());
  if (runner.removal() != agent::Removal::none) {
    log.write(LogLevel::warning, "agent_uninstalled");
    leave_host(disk, options.launched_by.empty() ? own_program() : options.launched_by,
               runner.removal() == agent::Removal::all);
    return false;
  }
  log.write(LogLevel::info, runner.restart_wanted() ? "agent_restarts" : "agent_stopped");
  return runner.restart_wanted();
}

/// What runs, or would: updates leave the installed program as it is.
std::string build_of(const agent::State& state) {
  const agent::UpdateRecord& update = state.update;
  const std::string current =
      update.current ? update.current->version + " (from an update)" : std::string("as installed");
  return update.trial ? update.trial->build.version + " (on trial), before: " + current : current;
}

std::string update_of(const agent::State& state) {
  if (state.update.failures.empty()) return "none failed";
  const auto& failure = state.update.failures.back();
  return failure.build.version + " failed: " + printable(failure.why);
}

void print_status(const agent::State& state, const agent::Files& files, bool running) {
  const auto time = [](Instant at) {
    return at.unix_ms == 0 ? std::string("never") : format_rfc3339(at);
  };
  std::string allowed;
  for (const std::string& type : state.settings.policy_allow) allowed += " " + type;
  std::cout << "server           " << printable(state.identity.server_url) << "\n"
            << "agent            " << state.identity.agent.text() << "\n"
            << "organisation     " << printable(state.identity.org) << "\n"
            << "version          " << agent::agent_version << "\n"
            << "running          " << (running ? "yes" : "no") << "\n"
            << "accepts          " << (allowed.empty() ? " nothing" : allowed).substr(1) << "\n"
            << "commands run as  " << printable(user_text(state.settings)) << "\n"
            << "task limits      " << printable(groups_of(files)) << "\n"
            << "tasks executed   " << state.progress.tasks_executed << "\n"
            << "tasks refused    " << state.progress.tasks_refused << "\n"
            << "outcomes lost    " << state.progress.outcomes_lost << "\n"
            << "build            " << build_of(state) << "\n"
            << "last update      " << update_of(state) << "\n"
            << "not delivered    " << state.journal.undelivered() << "\n"
            << "last report      " << time(state.progress.last_report_at) << "\n"
            << "last full report " << time(state.progress.last_full_at) << "\n"
            << "signed tasks     "
            << (state.settings.policy_require_signed_tasks ? "required" : "not required") << "\n"
            << "server's config  " << (state.config.hash.empty() ? "none" : state.config.hash)
            << "\n";
  for (const agent::Origin& origin : agent::origins(state.own, state.config.document)) {
    std::cout << "  " << origin.name << " = " << (origin.value.empty() ? "none" : origin.value)
              << "  (" << origin.from << ")\n";
  }
}

void print_status_json(const agent::State& state, const agent::Files& files, bool running) {
  const auto time = [](Instant at) { return at.unix_ms == 0 ? std::nullopt : std::optional(at); };
  JsonWriter json;
  json.begin_object()
      .member("server_url", state.identity.server_url)
      .member("agent_id", state.identity.agent)
      .member("org_id", state.identity.org)
      .member("agent_version", agent::agent_version)
      .member("running", running)
      .member("allow", state.settings.policy_allow)
      .member("executor_user", user_name(user_of_commands(state.settings)))
      .member("task_limits", groups_of(files))
      .member("require_signed_tasks", state.settings.policy_require_signed_tasks)
      .member("config_hash", state.config.hash)
      .key("config")
      .begin_object();
  for (const agent::Origin& origin : agent::origins(state.own, state.config.document)) {
    json.key(origin.name)
        .begin_object()
        .member("value", origin.value)
        .member("from", origin.from)
        .end_object();
  }
  json.end_object()
      .member("build", build_of(state))
      .member("update_failures", static_cast<std::int64_t>(state.update.failures.size()))
      .member("tasks_executed", state.progress.tasks_executed)
      .member("tasks_refused", state.progress.tasks_refused)
      .member("undelivered", state.journal.undelivered())
      .member("outcomes_lost", state.progress.outcomes_lost)
      .member("reports_acknowledged", state.progress.reports_acknowledged)
      .member("last_report_at", time(state.progress.last_report_at))
      .member("last_full_report_at", time(state.progress.last_full_at))
      .end_object();
  std::cout << json.take() << "\n";
}

Result<void> status(const Options& options) {
  agent::Settings settings = TRY(read_settings(options));
  if (!std::filesystem::exists(options.state_dir)) {
    return Error{Errc::not_found, "this host is not enrolled: run muster-agent enroll first"};
  }
  agent::DiskFiles disk(options.state_dir);
  const bool running = !disk.lock();
  crypto::SystemRng rng;
  const agent::SealedFiles files(disk, agent::machine_key("/"), rng);
  const agent::State state =
      TRY(agent::load_state(files, std::move(settings), agent::HostFacts{}, {}, 0));
  options.json ? print_status_json(state, disk, running) : print_status(state, disk, running);
  return {};
}

Result<void> inventory(const Options& options) {
  // In a folder nothing runs: what runs here is this host's.
  const bool whole = options.root == "/";
  const auto skipped =
      whole ? std::vector<std::string>{} : std::vector<std::string>{"ports", "services"};
  agent::Bystanders bystanders;
  agent::LinuxHost host(options.root, bystanders, {});
  const std::atomic<bool> stop{false};
  const Result<agent::Survey> survey = host.survey(skipped, stop);
  if (!survey.ok()) {
    return Error{Errc::unavailable,
                 "the software of this host cannot be read: " + survey.error().message};
  }
  if (options.json) {
    const agent::SoftwareSet software = agent::make_software_set(survey->software);
    agent::ReportedRuntime runtime;
    if (whole && survey->runtime)
      runtime = {agent::hash_of_runtime(*survey->runtime), &*survey->runtime};
    std::cout << full_report_body(survey->facts, {{}, agent::agent_version}, software, runtime)
              << "\n";
    return {};
  }
  for (const model::Package& package : survey->software) {
    std::cout << printable(package.name) << "\t" << printable(package.version) << "\t"
              << printable(package.arch) << "\t" << printable(package.source_name) << "\t"
              << printable(package.source_version) << "\n";
  }
  std::cerr << survey->software.size() << " packages of " << printable(survey->facts.os.distro())
            << " on "
            << printable(survey->facts.hostname.empty() ? options.root : survey->facts.hostname)
            << "; " << survey->malformed << " unreadable\n";
  return {};
}

void add_verbs(CLI::App& app, Options& options) {
  app.set_version_flag("--version", "muster-agent " + std::string(agent::agent_version));
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* verb = app.add_subcommand(name, what);
    verb->add_option("--state-dir", options.state_dir, "where the agent keeps its state")
        ->capture_default_str();
    return verb;
  };
  CLI::App* enroll_verb = add("enroll", "give this host an identity at a server");
  enroll_verb->add_option("--server", options.server, "https://host[:port]")->required();
  auto* token = enroll_verb->add_option_group("token", "the enrolment token");
  token->add_option("--token-file", options.token_file, "file with the token; - is standard input");
  token->add_option("--token-env", options.token_env, "environment variable with the token");
  token->require_option(1);
  enroll_verb->add_option("--ca-file", options.ca_file, "PEM that proves the server")
      ->check(CLI::ExistingFile);
  enroll_verb->add_flag("--again", options.again, "enrol though this host is enrolled");

  const auto add_setup = [&](const char* name, const char* what) {
    CLI::App* verb = app.add_subcommand(name, what);
    verb->add_option("--root", options.root, "a folder that becomes a host's root, or is one")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    return verb;
  };
  add_setup("install", "bring this program, its unit and its directories to this host; start it");
  add_setup("uninstall", "stop the agent and take it from this host")
      ->add_flag("--purge", options.purge, "its configuration, identity and journal too");

  CLI::App* run_verb = add("run", "be the agent");
  run_verb->add_flag("--once", options.once, "do what is due, then exit");
  run_verb->add_option("--launched-by", options.launched_by)->group("");  // for itself alone
  run_verb->add_option("--config", options.config, "configuration file (TOML)");

  CLI::App* status_verb = add("status", "what this agent is and has done");
  status_verb->add_flag("--json", options.json, "as JSON");
  status_verb->add_option("--config", options.config, "configuration file (TOML)");

  CLI::App* inventory_verb = app.add_subcommand("inventory", "what would be reported of this host");
  inventory_verb->add_flag("--json", options.json, "as JSON");
  inventory_verb
      ->add_option("--root", options.root,
                   "a folder that holds a host's files, as of a mounted disk")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
}

Result<void> dispatch(const CLI::App& app, const Options& options, char** arguments) {
  if (app.got_subcommand("enroll")) return enroll(options);
  if (app.got_subcommand("run")) {
    const bool again = TRY(run(options, arguments));
    if (!again) return {};
    start_again(options.launched_by.empty() ? own_program() : options.launched_by, arguments);
  }
  if (app.got_subcommand("install")) return install_agent(own_program(), options.root);
  if (app.got_subcommand("uninstall")) return uninstall_agent(options.root, options.purge);
  if (app.got_subcommand("status")) return status(options);
  return inventory(options);
}

int run_command_line(int argc, char** argv) {
  // One arena: the thread of a survey would keep one of its own.
  ::mallopt(M_ARENA_MAX, 1);
  Options options;
  CLI::App app("Muster's agent: heartbeats, inventory and tasks of this host.", "muster-agent");
  add_verbs(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    constexpr int usage = 2;
    return app.exit(failure) == 0 ? 0 : usage;
  }
  try {
    const Result<void> outcome = dispatch(app, options, argv);
    if (outcome.ok()) return 0;
    std::cerr << "muster-agent: " << printable(outcome.error().message) << "\n";
  } catch (const std::exception& failure) {
    std::cerr << "muster-agent: " << printable(failure.what()) << "\n";
  }
  return 1;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  return muster::run_command_line(argc, argv);
}
