// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/completion.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <fstream>

#include <CLI/CLI.hpp>

#include "base/test_directory.h"
#include "main/ctl/grammar.h"
#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  if (from == std::string::npos) return {};
  const auto start = from + begin.size();
  return " " + text.substr(start, text.find(end, start) - start) + " ";
}

/// What is offered at a place: the words of its line in the script for bash.
std::string offered(const std::string& script, const std::string& path) {
  return between(script, "    '" + path + "') words='", "' ;;");
}

void expect_whole(const std::string& script, const CLI::App& app, const std::string& path) {
  const std::string words = offered(script, path);
  ASSERT_FALSE(words.empty()) << path;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      EXPECT_NE(words.find(" --" + name + " "), std::string::npos) << path << " --" << name;
    }
  }
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    EXPECT_NE(words.find(" " + inner->get_name() + " "), std::string::npos) << inner->get_name();
    expect_whole(script, *inner, path + "/" + inner->get_name());
  }
}

TEST(Completion, HasEveryVerbAndFlagOfTheTree) {
  CLI::App root("", "muster");
  const Grammar grammar(root);
  expect_whole(completion_script(root, ShellKind::bash), root, "");
  const std::string zsh = completion_script(root, ShellKind::zsh);
  for (const CLI::App* noun : root.get_subcommands([](const CLI::App*) { return true; })) {
    EXPECT_NE(zsh.find("'" + noun->get_name() + ":"), std::string::npos) << noun->get_name();
    for (const CLI::App* verb : noun->get_subcommands([](const CLI::App*) { return true; })) {
      EXPECT_NE(zsh.find("'/" + noun->get_name() + "/" + verb->get_name() + "')"),
                std::string::npos);
    }
  }
}

TEST(Completion, OffersTheValuesThatAFlagChoosesFrom) {
  test::Desk desk;
  const test::Transcript bash = desk.run({"completion", "bash"});
  EXPECT_EQ(bash.code, 0) << bash.err;
  EXPECT_NE(bash.out.find("'/findings/list --min-severity') COMPREPLY=($(compgen -W 'unknown "
                          "negligible low medium high critical'"),
            std::string::npos);
  EXPECT_NE(bash.out.find("'/tokens/create --ttl') return"), std::string::npos) << "any text";
  EXPECT_NE(offered(bash.out, "/tokens/create").find(" --token-file "), std::string::npos)
      << "flags that may stand anywhere";
  EXPECT_NE(offered(bash.out, "/completion").find(" bash zsh "), std::string::npos);
  const test::Transcript zsh = desk.run({"completion", "zsh"});
  EXPECT_TRUE(zsh.out.starts_with("#compdef muster\n"));
  EXPECT_NE(zsh.out.find("'/findings/list --min-severity') compadd -- unknown "),
            std::string::npos);
}

TEST(Completion, IsAScriptThatBashTakesAndAnswersWith) {
  test::Desk desk;
  const TestDirectory directory;
  const std::string script = directory.path() + "/muster";
  std::ofstream(script) << desk.run({"completion", "bash"}).out;
  ASSERT_EQ(std::system(("bash -n " + script).c_str()), 0);
  // What it says is there for the words of a line, the last of which is being written.
  const auto completes = [&](const std::string& line, const std::string& expected) {
    const std::string program = directory.path() + "/try";
    std::ofstream(program) << "source " << script << "\nCOMP_WORDS=(" << line
                           << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_muster\n"
                           << "[ \"${COMPREPLY[*]}\" = \"" << expected << "\" ]\n";
    return std::system(("bash " + program).c_str()) == 0;
  };
  EXPECT_TRUE(completes("muster toke", "tokens"));
  EXPECT_TRUE(completes("muster tokens rev", "revoke"));
  EXPECT_TRUE(completes("muster --server tokens find", "findings")) << "a value is no noun";
  EXPECT_TRUE(completes("muster --json tokens create --max", "--max-uses"));
  EXPECT_TRUE(completes("muster findings list --min-severity cri", "critical"));
  EXPECT_TRUE(completes("muster findings list --host w", "")) << "left to the shell";
  EXPECT_TRUE(completes("muster completion z", "zsh"));
}

TEST(Completion, IsOfShellsThatAreKnown) {
  test::Desk desk;
  EXPECT_EQ(desk.run({"completion", "fish"}).code, 2);
  EXPECT_EQ(desk.run({"completion"}).code, 2);
}

}  // namespace
}  // namespace muster::ctl
