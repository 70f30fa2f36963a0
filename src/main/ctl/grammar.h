// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/request.h"
#include "main/ctl/flags.h"
#include "main/ctl/shell.h"

namespace muster::ctl {

/// How a verb is called and what its help says.
struct Words {
  std::string name;
  std::string what;
  std::string example;  // one command line
};

/// A verb that needs no server. Its failures are mistakes in what it was given: exit code 2.
using LocalAction = std::function<Result<void>(const Shell&, const FlagValues&)>;
/// A verb over the API. Its failures are the server's: exit code 1.
using RemoteAction = std::function<Result<void>(const Shell&, Session&, const FlagValues&)>;
/// Prints the server's object for people.
using View = std::function<void(const Shell&, const Json&)>;

/// With both actions, the local one is meant when --data was given.
struct Verb {
  CLI::App* app = nullptr;
  std::unique_ptr<FlagValues> values;
  LocalAction local;
  RemoteAction remote;
  Duration patience{};

  bool needs_no_server() const { return local && (!remote || values->has("data")); }
};

/// What a list has to say besides its items, from a page of it and what was asked; empty when
/// nothing.
using PageWarning = std::function<std::string(const Json& page, const FlagValues& asked)>;

/// A noun and the verbs that it takes.
class Noun {
 public:
  Noun(CLI::App& app, std::deque<Verb>& verbs) : app_(app), verbs_(verbs) {}

  /// All items of the list at `path`, filtered by `flags`; adds --limit.
  Noun& list(const Words& words, std::string path, std::vector<Flag> flags, const Columns& columns,
             Counted counted, PageWarning warning = {});
  /// One request: `flags` that `path` does not name are its query, or with POST and PUT its body.
  Noun& call(const Words& words, http::Method method, std::string path, std::vector<Flag> flags,
             View view);
  Noun& remote(const Words& words, std::vector<Flag> flags, RemoteAction action);
  /// As remote, for requests that the server works on for long.
  Noun& slow(const Words& words, std::vector<Flag> flags, RemoteAction action);
  /// As slow, but with --data DIR done by `local` on that directory, without a server.
  Noun& slow_or_local(const Words& words, std::vector<Flag> flags, RemoteAction action,
                      LocalAction local);
  Noun& local(const Words& words, std::vector<Flag> flags, LocalAction action);

 private:
  Verb& add(const Words& words, std::vector<Flag> flags);

  CLI::App& app_;
  std::deque<Verb>& verbs_;
};

/// The whole language of the command line: nouns.def.
class Grammar {
 public:
  /// Declares every noun to `root`, which outlives this object.
  explicit Grammar(CLI::App& root);

  Noun noun(const std::string& name, const std::string& what);
  /// For verbs that stand alone.
  Noun root();
  /// All that was declared, and what stands around it.
  const CLI::App& tree() const { return root_; }
  /// The verb that was parsed.
  const Verb& chosen() const;

 private:
  CLI::App& root_;
  std::deque<Verb> verbs_;
};

/// Views: the facts of the object, or its row of a list.
View facts_view(const Columns& columns, std::string remark = {});
View row_view(const Columns& columns);

/// Sends one request and prints its answer.
Result<void> call_and_print(const Shell& shell, Session& session, http::Method method,
                            const std::string& target, const std::string& body, const View& view);

/// Prints all items of the list at `path`, which takes the flags that it does not name as its
/// query.
Result<void> print_list(const Shell& shell, Session& session, const std::string& path,
                        const FlagValues& values, const Columns& columns, Counted counted,
                        const PageWarning& warning = {});

/// How many items a list prints: --limit, else a page of them, which a person can read; programs
/// get all (nothing).
std::optional<std::size_t> list_limit(const Shell& shell, const FlagValues& values);

/// Flags that many verbs have.
Flag id_flag(const std::string& what);
Flag org_flag(const std::string& what);
Flag limit_flag();  // of lists
Flag since_flag(const std::string& what);
Flag until_flag(const std::string& what);

/// The types that an event may have, as lists show them.
std::vector<std::string> event_types();

#define NOUN(name) void add_##name(Grammar& grammar);
#include "main/ctl/nouns.def"
#undef NOUN

}  // namespace muster::ctl
