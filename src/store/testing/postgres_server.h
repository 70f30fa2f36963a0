// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_directory.h"
#include "store/postgres/postgres_connection.h"
#include "store/store.h"

namespace muster::store::testing {

/// A PostgreSQL of this process's own, in a directory that goes with it: a Unix socket and no port,
/// and no fsync, so what it proves about a crash of the machine is nothing. PostgreSQL refuses to
/// run as root; then it runs as `postgres` or `nobody`.
class PostgresServer {
 public:
  /// The one of this process, started at the first call. Throws when it cannot be.
  static PostgresServer& instance() {
    if (!installed()) throw std::runtime_error("PostgreSQL is not installed (postgresql-15)");
    static PostgresServer server;
    return server;
  }
  static bool installed() { return !programs().empty(); }

  ~PostgresServer() { stop(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::string url(const std::string& database) const {
    return "postgresql://muster@/" + database + "?host=" + directory_.path();
  }
  /// Makes a database with nothing in it, or with the current schema; returns its name.
  std::string create_database(bool with_schema) {
    if (with_schema && !std::exchange(has_template_, true)) {
      run("CREATE DATABASE with_schema");
      const Store store(std::make_unique<PostgresDatabase>(url("with_schema")));
    }
    const std::string name = "test" + std::to_string(++databases_);
    run("CREATE DATABASE " + name + (with_schema ? " TEMPLATE with_schema" : "") +
        " STRATEGY file_copy");
    return name;
  }
  void drop_database(const std::string& name) { run("DROP DATABASE " + name + " WITH (FORCE)"); }
  /// Ends the sessions of a database, as a restart of the server does.
  void end_sessions(const std::string& name) {
    run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + name +
        "'");
  }
  void run(const std::string& sql) { admin_->run(sql.c_str()); }

 private:
  PostgresServer() : directory_(memory_backed_path()), owner_(unprivileged()) {
    if (::geteuid() == 0 && ::chown(directory_.path().c_str(), owner_.user, owner_.group) != 0) {
      throw std::runtime_error("cannot give the directory of the test's PostgreSQL away");
    }
    // Not the order of octets, so that nothing of ours depends on the locale unnoticed.
    Program initdb = start({"initdb", "--pgdata=" + directory_.path() + "/data",
                            "--username=muster", "--auth=trust", "--no-sync", "--encoding=UTF8",
                            "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"});
    const std::string said = read_until(initdb, "nothing that it says");
    if (int status = 0; ::waitpid(initdb.pid, &status, 0) != initdb.pid || status != 0) {
      throw std::runtime_error("initdb: " + said);
    }
    Program server = start({"postgres", "-D", directory_.path() + "/data", "-k", directory_.path(),
                            "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                            "full_page_writes=off", "-c", "autovacuum=off"});
    server_ = server.pid;
    read_until(server, "ready to accept connections");
    admin_ = PostgresDatabase(url("postgres")).connect(Access::read_write);
  }

  struct Owner {
    uid_t user;
    gid_t group;
  };
  static Owner unprivileged() {
    for (const char* name : {"postgres", "nobody"}) {
      if (const passwd* entry = ::getpwnam(name)) return {entry->pw_uid, entry->pw_gid};
    }
    return {65534, 65534};
  }

  /// The folder with the newest version's programs, empty if none is installed.
  static std::string programs() {
    int newest = 0;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", absent)) {
      if (::access((entry.path() / "bin/initdb").c_str(), X_OK) != 0) continue;
      newest = std::max(newest, std::atoi(entry.path().filename().c_str()));
    }
    return newest == 0 ? "" : "/usr/lib/postgresql/" + std::to_string(newest) + "/bin";
  }

  struct Program {
    pid_t pid;
    int output;  // closed by read_until()
  };

  /// Runs one of PostgreSQL's programs; it ends when this process does, however that is.
  Program start(const std::vector<std::string>& arguments) {
    const std::string path = programs() + "/" + arguments.front();
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.data()));
    }
    argv.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child > 0) {
      ::close(ends[1]);
      return {child, ends[0]};
    }
    if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(owner_.group) != 0 ||
                             ::setuid(owner_.user) != 0)) {
      ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    if (::getppid() != parent || ::chdir("/") != 0) ::_exit(126);
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  /// Reads what a program says until it says `words` or ends; nobody reads what it says later.
  static std::string read_until(Program& program, std::string_view words) {
    std::string said;
    std::array<char, 4096> part{};
    for (ssize_t got = 1; got > 0 && said.find(words) == std::string::npos;) {
      got = ::read(program.output, part.data(), part.size());
      if (got > 0) said.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(program.output);
    return said;
  }
  void stop() {
    admin_.reset();
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    ::waitpid(server_, nullptr, 0);
  }

  TestDirectory directory_;
  Owner owner_;
  pid_t server_ = 0;
  std::unique_ptr<Connection> admin_;
  bool has_template_ = false;
  int databases_ = 0;
};

}  // namespace muster::store::testing
