// SPDX-License-Identifier: Apache-2.0
// Scripts that complete command lines, made of the tree that parses them.
#include "main/ctl/completion.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

struct Choice {
  std::string word;
  std::string what;
};

/// One place on a command line: behind "muster", behind a noun, behind a verb.
struct Place {
  std::string path;             // "", "/tokens", "/tokens/create"
  std::vector<Choice> words;    // nouns or verbs, or what a positional argument may be
  std::vector<Choice> options;  // of this place and those around it
  std::vector<Choice>
      valued{};  // options that take a value, and the values as one text, or nothing
};

/// "a b" of the "{a,b}" in the name of an option's type: what CLI::IsMember says of itself.
std::string choices_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  const auto begins = type.find('{');
  const auto ends = type.find('}', begins);
  if (begins == std::string::npos || ends == std::string::npos) return {};
  type = type.substr(begins + 1, ends - begins - 1);
  std::replace(type.begin(), type.end(), ',', ' ');
  return type;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

void add_options(Place& place, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string what = option->get_description();
    const bool takes_value = option->get_items_expected_max() > 0;
    for (const std::string& name : option->get_lnames()) {
      const bool known = std::any_of(place.options.begin(), place.options.end(),
                                     [&](const Choice& each) { return each.word == "--" + name; });
      if (known) continue;  // --help, which every place has
      place.options.push_back({"--" + name, what});
      if (takes_value) place.valued.push_back({"--" + name, choices_of(*option)});
    }
    if (!option->get_positional()) continue;
    for (std::string& choice : split_words(choices_of(*option))) {
      place.words.push_back({std::move(choice), what});
    }
  }
}

void add_places(std::vector<Place>& places, const CLI::App& app, const std::string& path,
                const CLI::App& root) {
  Place place{path, {}, {}};
  add_options(place, app);
  if (&app != &root) add_options(place, root);
  const auto inner = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : inner) {
    place.words.push_back({each->get_name(), each->get_description()});
  }
  places.push_back(std::move(place));
  for (const CLI::App* each : inner) add_places(places, *each, path + "/" + each->get_name(), root);
}

/// In single quotes, as both shells take it.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string joined(const std::vector<Choice>& choices) {
  std::string text;
  for (const Choice& each : choices) text.append(text.empty() ? "" : " ").append(each.word);
  return text;
}

/// A case over `at` and the word behind it that goes on into a noun or verb, and passes by the
/// values of options that may stand before one.
std::string walk(const std::vector<Place>& places) {
  std::string steps;
  for (const Place& place : places) {
    if (!place.path.empty()) steps.append(steps.empty() ? "" : "|").append(in_quotes(place.path));
  }
  std::string passed;
  for (const Choice& each : places.front().valued) {
    passed.append(passed.empty() ? "" : "|").append(each.word);
  }
  if (!passed.empty()) passed = "    case \"$word\" in " + passed + ") ((++i)); continue ;; esac\n";
  return passed + "    case \"$at/$word\" in\n      " + steps + ") at=\"$at/$word\" ;;\n    esac\n";
}

std::string bash_script(const std::vector<Place>& places) {
  std::string script =
      "# Completion of muster for bash, made by `muster completion bash`.\n"
      "_muster() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local at='' word i words=''\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n" +
      walk(places) + "  done\n  case \"$at $before\" in\n";
  // Values that are not listed are left to the shell, which proposes files.
  for (const Place& place : places) {
    for (const Choice& option : place.valued) {
      script += "    " + in_quotes(place.path + " " + option.word) + ") ";
      script += option.what.empty() ? std::string("return ;;\n")
                                    : "COMPREPLY=($(compgen -W " + in_quotes(option.what) +
                                          " -- \"$cur\")); return ;;\n";
    }
  }
  script += "  esac\n  case \"$at\" in\n";
  for (const Place& place : places) {
    script += "    " + in_quotes(place.path) +
              ") words=" + in_quotes(joined(place.words) + " " + joined(place.options)) + " ;;\n";
  }
  return script +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o default -F _muster muster\n";
}

/// 'word:what' for _describe, which ends the word at the first colon.
std::string described(const std::vector<Choice>& choices) {
  std::string text;
  for (const Choice& each : choices) {
    text.append(text.empty() ? "" : " ").append(in_quotes(each.word + ":" + each.what));
  }
  return text;
}

std::string zsh_script(const std::vector<Place>& places) {
  std::string script =
      "#compdef muster\n"
      "# Completion of muster for zsh, made by `muster completion zsh`.\n"
      "_muster() {\n"
      "  local at='' word before=\"${words[CURRENT-1]}\"\n"
      "  local -i i\n"
      "  local -a inner flags\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=\"${words[i]}\"\n" +
      walk(places) + "  done\n  case \"$at $before\" in\n";
  for (const Place& place : places) {
    for (const Choice& option : place.valued) {
      script += "    " + in_quotes(place.path + " " + option.word) + ") ";
      script += option.what.empty() ? std::string("_files; return ;;\n")
                                    : "compadd -- " + option.what + "; return ;;\n";
    }
  }
  script += "  esac\n  case \"$at\" in\n";
  for (const Place& place : places) {
    script += "    " + in_quotes(place.path) + ")\n      inner=(" + described(place.words) +
              ")\n      flags=(" + described(place.options) + ") ;;\n";
  }
  return script +
         "  esac\n"
         "  if [[ \"${words[CURRENT]}\" == -* ]]; then\n"
         "    _describe -o option flags\n"
         "  elif (( ${#inner} )); then\n"
         "    _describe command inner\n"
         "  else\n"
         "    _files\n"
         "  fi\n"
         "}\n"
         "if [[ \"${funcstack[1]}\" == _muster ]]; then _muster \"$@\"; else compdef _muster "
         "muster; fi\n";
}

}  // namespace

std::string completion_script(const CLI::App& root, ShellKind shell) {
  std::vector<Place> places;
  add_places(places, root, "", root);
  return shell == ShellKind::bash ? bash_script(places) : zsh_script(places);
}

void add_completion(Grammar& grammar) {
  grammar.root().local(
      {"completion", "Print a script with which a shell completes command lines of muster",
       "muster completion bash > ~/.local/share/bash-completion/completions/muster"},
      {{.name = "SHELL",
        .member = "shell",
        .what = "Which shell",
        .required = true,
        .choices = {"bash", "zsh"},
        .shown = "bash|zsh"}},
      [&root = grammar.tree()](const Shell& shell, const FlagValues& values) -> Result<void> {
        const bool bash = values.text("shell") == "bash";
        shell.print(completion_script(root, bash ? ShellKind::bash : ShellKind::zsh));
        return {};
      });
}

}  // namespace muster::ctl
