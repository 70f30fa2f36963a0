// SPDX-License-Identifier: Apache-2.0
#include "main/agent_setup.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "agent/files.h"
#include "agent/identity.h"
#include "agent/owned_fd.h"
#include "base/argv.h"
#include "base/limits.h"

extern char** environ;

namespace muster {

namespace fs = std::filesystem;

namespace {

constexpr const char* unit_name = "muster-agent.service";

bool is_running_system(const fs::path& root) {
  return root == "/" && fs::exists("/run/systemd/system");
}

/// Runs a program and waits; whether it went well. Its words go to our standard error.
bool run_program(std::vector<std::string> words) {
  const std::vector<char*> arguments = argv_of(words);
  pid_t child = 0;
  if (::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    return false;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool systemctl(std::vector<std::string> words) {
  words.insert(words.begin(), "systemctl");
  return run_program(std::move(words));
}

/// Waits until what is there of a file or folder is on the disk.
void sync(const fs::path& path) {
  const agent::OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot sync " + path.string());
  }
}

/// `beside` becomes `to` as one step: after a power cut there is the old file or the new one,
/// whole. An empty program would be the end of every build, since it starts them (ADR 16).
void replace(const fs::path& beside, const fs::path& to) {
  sync(beside);
  fs::rename(beside, to);
  sync(to.parent_path());
}

/// A file under its name as one step, so that an interrupted installation leaves the old one.
void put(const fs::path& from, const fs::path& to, fs::perms mode) {
  fs::create_directories(to.parent_path());
  const fs::path beside = to.string() + ".new";
  fs::copy_file(from, beside, fs::copy_options::overwrite_existing);
  fs::permissions(beside, mode);
  replace(beside, to);
}

void put_text(std::string_view text, const fs::path& to) {
  fs::create_directories(to.parent_path());
  const fs::path beside = to.string() + ".new";
  {
    std::ofstream file(beside);
    file << text;
    file.flush();
    if (!file) throw std::system_error(errno, std::generic_category(), beside.string());
  }
  replace(beside, to);
}

constexpr const char* package_name = "muster-agent";

/// Whether dpkg brought the program: then dpkg takes it away, and knows that it is gone.
bool is_of_package(const fs::path& root) {
  const auto files = agent::read_small_file(
      root / "var/lib/dpkg/info" / (std::string(package_name) + ".list"), limits::MiB);
  return files && ("\n" + *files + "\n").find("\n/usr/bin/muster-agent\n") != std::string::npos;
}

/// Its scripts stop the agent, and for a purge take its state.
Result<void> remove_package(const fs::path& root, bool purge) {
  const std::string verb = purge ? "--purge" : "--remove";
  if (run_program({"dpkg", "--root=" + root.string(), verb, package_name})) return {};
  return Error{Errc::unavailable,
               "dpkg did not remove the package that brought the agent: run apt " +
                   std::string(purge ? "purge " : "remove ") + package_name};
}

Result<void> need_root(const fs::path& root) {
  if (root == "/" && ::geteuid() != 0) return invalid_field("install", "must be run as root");
  return {};
}

}  // namespace

AgentPlaces::AgentPlaces(const fs::path& root)
    : program(root / "usr/bin/muster-agent"),
      unit(root / "etc/systemd/system" / unit_name),
      users(root / "etc/sysusers.d/muster-agent.conf"),
      config(root / "etc/muster-agent/agent.toml"),
      state(root / "var/lib/muster-agent") {}

Result<void> install_agent(const fs::path& program, const fs::path& root) {
  TRY(need_root(root));
  // Whatever root's shell has: nobody else may write what is run as root.
  constexpr mode_t others_may_not_write = 022;
  ::umask(others_may_not_write);
  const AgentPlaces places(root);
  constexpr fs::perms program_mode = fs::perms(0755);
  std::error_code none;
  if (!fs::equivalent(program, places.program, none)) put(program, places.program, program_mode);
  put_text(agent_unit, places.unit);
  put_text(agent_users, places.users);
  // Where it cannot be made, commands run as nobody, and the agent says so.
  if (root == "/") run_program({"systemd-sysusers", places.users.string()});
  if (!fs::exists(places.config)) put_text(agent_config, places.config);
  const agent::DiskFiles state(places.state);  // makes it, for its owner alone
  if (!is_running_system(root)) return {};
  const bool started = systemctl({"daemon-reload"}) && systemctl({"enable", unit_name}) &&
                       systemctl({"restart", unit_name});
  if (!started) return Error{Errc::unavailable, "systemd did not take the unit"};
  return {};
}

Result<void> uninstall_agent(const fs::path& root, bool purge) {
  TRY(need_root(root));
  if (is_of_package(root)) return remove_package(root, purge);
  const AgentPlaces places(root);
  // Not there, or not running: then there is nothing to stop.
  if (is_running_system(root) && fs::exists(places.unit)) {
    systemctl({"disable", "--now", unit_name});
  }
  fs::remove(places.unit);
  fs::remove(places.users);  // the user stays: files may be its own
  if (is_running_system(root)) systemctl({"daemon-reload"});
  if (purge) {
    fs::remove_all(places.state);
    fs::remove_all(places.config.parent_path());
  }
  fs::remove(places.program);
  return {};
}

void leave_host(agent::DiskFiles& state, const fs::path& program, bool purge) {
  state.remove(agent::Identity::file);
  if (purge) {
    for (const auto& entry : fs::directory_iterator(state.path_of(""))) {
      fs::remove_all(entry.path());
    }
  }
  std::error_code none;
  const AgentPlaces places("/");
  if (::geteuid() != 0 || !fs::equivalent(program, places.program, none)) return;
  std::vector<std::string> command = {"systemd-run", "--no-block", "--collect",
                                      places.program.string(), "uninstall"};
  if (purge) command.emplace_back("--purge");
  if (is_running_system("/") && run_program(command)) return;
  // What cannot be removed here is only a program without an identity.
  (void)uninstall_agent("/", purge);
}

}  // namespace muster
