// SPDX-License-Identifier: Apache-2.0
#include "main/agent_build.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "agent/bounds.h"
#include "agent/launch.h"
#include "agent/version.h"
#include "base/argv.h"

namespace muster {

namespace {

constexpr const char* launched_by = "--launched-by";

void execute(const std::string& program, std::vector<std::string> words) {
  // A signal mask and an ignored signal outlive execve(2), too.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGALRM, SIG_DFL);
  ::execv(program.c_str(), argv_of(words).data());
}

/// The arguments without `--launched-by PROGRAM`.
std::vector<std::string> own_words(char** arguments) {
  std::vector<std::string> words;
  for (char** at = arguments; *at != nullptr; ++at) {
    if (std::strcmp(*at, launched_by) == 0 && at[1] != nullptr) {
      ++at;
    } else {
      words.emplace_back(*at);
    }
  }
  return words;
}

/// False when the disk does not take it.
bool save_record(agent::DiskFiles& files, const agent::UpdateRecord& record) {
  try {
    files.write(agent::UpdateRecord::file, agent::encode_update(record));
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

bool is_what_it_says(const agent::DiskFiles& files, const agent::Build& build) {
  const auto facts = files.inspect(build.file());
  return facts && facts->sha256 == build.sha256;
}

}  // namespace

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

void start_chosen_build(agent::DiskFiles& files, char** arguments, std::optional<Duration> trial) {
  const auto text = agent::read_unless_damaged(files, agent::UpdateRecord::file);
  if (!text) return;
  auto decoded = agent::decode_update(*text);
  if (!decoded.ok()) return;
  agent::UpdateRecord record = std::move(decoded).value();
  for (;;) {
    agent::Launch launch = agent::choose_build(record, agent::agent_version, trial.has_value());
    // A trial that is not counted might never end: until the disk works, what is proved runs.
    if (launch.changed && !save_record(files, record) && launch.on_trial) {
      launch = agent::choose_build(record, agent::agent_version, false);
    }
    if (!launch.build) return;
    if (is_what_it_says(files, *launch.build)) {
      if (launch.on_trial) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
            *trial + agent::bounds::watchdog_margin);
        ::alarm(static_cast<unsigned>(seconds.count()));
      }
      std::vector<std::string> words = own_words(arguments);
      words.insert(words.end(), {launched_by, own_program()});
      execute(files.path_of(launch.build->file()).string(), std::move(words));
      ::alarm(0);
    }
    agent::give_up_build(record, *launch.build);
    save_record(files, record);
  }
}

void start_again(const std::string& program, char** arguments) {
  ::alarm(0);  // the one for the end of this process would end the next
  execute(program, own_words(arguments));
  throw std::system_error(errno, std::generic_category(), "cannot start " + program);
}

}  // namespace muster
