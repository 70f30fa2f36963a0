// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/program.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

constexpr const char* server_default = "http://127.0.0.1:8480";

/// Flags that may stand anywhere.
struct Common {
  std::string server;
  std::string token_file;
  std::string ca_file;
  bool json = false;
  bool wide = false;
};

void declare(CLI::App& root, Common& common, const std::string& version) {
  root.require_subcommand(1);
  // Makes these flags known behind every verb as well.
  root.fallthrough();
  root.footer(
      "Environment:\n"
      "  MUSTER_URL      address of the server, for --server\n"
      "  MUSTER_TOKEN    operator token, for --token-file\n"
      "  MUSTER_CA_FILE  for --ca-file\n"
      "  MUSTER_ORG      organisation of all commands, by id or name, for --org\n"
      "  NO_COLOR        no colours, unless it is empty\n\n"
      "Exit codes (docs/reference/exit-codes.md):\n"
      "  0  done\n"
      "  1  the server refused, cannot be reached, or what was examined is not fine\n"
      "  2  the command line is wrong");
  root.set_version_flag("--version", "muster " + version);
  root.add_option("--server", common.server,
                  std::string("Address of the server (MUSTER_URL, else ") + server_default + ")")
      ->option_text("URL");
  root.add_option("--token-file", common.token_file,
                  "File with the operator token (else MUSTER_TOKEN, else ./var/admin.token)")
      ->option_text("FILE");
  root.add_option("--ca-file", common.ca_file, "PEM that proves the server (else the system's)")
      ->option_text("FILE")
      ->envname("MUSTER_CA_FILE")
      ->check(CLI::ExistingFile);
  root.add_flag("--json", common.json, "Print JSON and nothing else");
  root.add_flag("--wide", common.wide, "Print whole tables, whatever the terminal's width");
}

Result<std::string> read_token_file(const std::string& path) {
  const std::string text = TRY(read_file(path, limits::KiB));
  return std::string(trim(text));
}

Result<std::string> find_token(const World& world, const Common& common) {
  std::string token;
  if (!common.token_file.empty()) {
    token = TRY(read_token_file(common.token_file));
  } else if (!world.token.empty()) {
    token = trim(world.token);
  } else if (std::ifstream(world.token_file)) {
    token = TRY(read_token_file(world.token_file));
  } else {
    return invalid_field("token", "there is none: set MUSTER_TOKEN or give --token-file FILE");
  }
  if (token.empty() || token.size() > limits::key_bytes || !is_plain_text(token)) {
    return invalid_field("token", "this is no operator token");
  }
  return token;
}

Address address_of(const World& world, const Common& common, const Verb& verb) {
  std::string origin = common.server.empty() ? world.url : common.server;
  if (origin.empty()) origin = server_default;
  while (origin.ends_with('/')) origin.pop_back();
  return {origin, common.ca_file, verb.patience};
}

int fail(const Shell& shell, const Error& error, int code) {
  shell.complain(errc_name(error.code), error);
  return code;
}

/// A refusal that names a member of a request, in the words of the command line.
Error in_flags(Error error, const FlagValues& values) {
  const std::string member = error.field + ": ";
  const std::string_view flag = values.name_of(error.field);
  if (!flag.empty() && error.message.starts_with(member)) {
    error.message = std::string(flag) + ": " + error.message.substr(member.size());
  }
  return error;
}

int run_verb(const World& world, const Shell& shell, const Common& common, const Verb& verb) {
  if (verb.needs_no_server()) {
    const Result<void> done = verb.local(shell, *verb.values);
    if (done.ok()) return exit_ok;
    // An answer, and no mistake in what was given: `audit verify` found a break.
    const bool disproved = done.error().code == Errc::set_hash_mismatch;
    if (!disproved) return fail(shell, done.error(), exit_usage);
    shell.complain("audit_chain_broken", done.error());
    return exit_refused;
  }
  const Result<std::string> token = find_token(world, common);
  if (!token.ok()) return fail(shell, token.error(), exit_usage);
  const Address address = address_of(world, common, verb);
  const auto transport = world.connect(address);
  if (!transport.ok()) return fail(shell, transport.error(), exit_usage);
  Session session(**transport, *token, address);
  session.ask_about(world.org);
  const Result<void> done = verb.remote(shell, session, *verb.values);
  return done.ok() ? exit_ok : fail(shell, in_flags(done.error(), *verb.values), exit_refused);
}

/// CLI11 misses a subcommand before it looks at what stands in its place.
std::string words_of(const CLI::App& root, const CLI::ParseError& failure) {
  const std::vector<std::string> unknown = root.remaining(true);
  const bool required = dynamic_cast<const CLI::RequiredError*>(&failure) != nullptr;
  return required && !unknown.empty() ? unknown.front() + ": is not known here" : failure.what();
}

/// CLI11's help with its long lines broken: descriptions of flags stay in their column.
std::string wrapped_help(const std::string& help, std::size_t width) {
  constexpr std::size_t column = 30;  // CLI11's, where descriptions begin
  std::istringstream lines(help);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool described = line.starts_with("  ") && line.size() > column;
    if (display_width(line) <= width) {
      out.append(line).append("\n");
    } else if (described && line[column - 1] == ' ' && line[column] != ' ') {
      const std::string text = wrapped(std::string_view(line).substr(column), column, width);
      out.append(line.substr(0, column)).append(text.substr(column));
    } else {
      // An example is copied: it stays whole.
      const bool prose = !line.starts_with(' ');
      out.append(prose ? wrapped(line, 0, width) : line + "\n");
    }
  }
  return out;
}

int refuse_usage(const World& world, const CLI::App& root, const CLI::ParseError& failure,
                 bool json) {
  const bool wanted = failure.get_exit_code() == 0;  // --help, --version
  if (wanted) {
    constexpr std::size_t paper = 80;
    std::ostringstream help;
    const int code = root.exit(failure, help, world.err);
    world.out << wrapped_help(help.str(), std::max(paper, world.look.width.value_or(paper)));
    return code;
  }
  const Shell shell(world, json);
  shell.complain("usage", Error{Errc::invalid_field, words_of(root, failure)});
  shell.remark("Run with --help for more information.");
  return exit_usage;
}

}  // namespace

int run(const World& world, const std::vector<std::string>& arguments) {
  CLI::App root("The command line for operators of Muster.", "muster");
  Common common;
  declare(root, common, world.version);
  const Grammar grammar(root);
  try {
    // CLI11 takes them from the back.
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& failure) {
    const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return refuse_usage(world, root, failure, json);
  }
  const Shell shell(world, common.json, common.wide);
  try {
    return run_verb(world, shell, common, grammar.chosen());
  } catch (const std::exception& failure) {
    // The disk or the database of a verb that works without a server.
    shell.progress("");
    return fail(shell, Error{Errc::unavailable, failure.what()}, exit_refused);
  }
}

}  // namespace muster::ctl
