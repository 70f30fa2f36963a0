// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "main/ctl/columns.h"
#include "main/ctl/session.h"
#include "main/ctl/table.h"

namespace muster::ctl {

/// Everything outside the program: the process's own in muster.cpp, canned in tests.
struct World {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Look look;                                   // of `out`
  Look error_look;                             // of `err`
  std::string url;                             // MUSTER_URL, empty when not set
  std::string token;                           // MUSTER_TOKEN, likewise
  std::string org = {};                        // MUSTER_ORG, likewise
  std::string token_file = "var/admin.token";  // read when nothing else names a token
  std::string version;
  std::function<Result<std::unique_ptr<Transport>>(const Address&)> connect;
};

/// What a list is of, for counts: {"host", "hosts"}.
struct Counted {
  std::string_view one;
  std::string_view many;
};

/// What verbs print, in the form that was asked for. Nothing but JSON goes to standard output when
/// that was; server text is escaped wherever it goes to a terminal.
class Shell {
 public:
  /// `wide`: nothing is cut to the terminal.
  Shell(const World& world, bool json, bool wide = false)
      : world_(world), look_(world.look), json_(json) {
    if (wide) look_.width.reset();
  }

  bool json() const { return json_; }
  const Look& look() const { return look_; }
  std::istream& in() const { return world_.in; }

  /// One JSON value and a line end.
  void print_json(std::string_view value) const;
  /// A part of a JSON value, as it is.
  void print_json_part(std::string_view part) const;
  /// Text of our own, as it is.
  void print(std::string_view text) const;
  /// A line that is no result: standard error, and nothing at all with JSON.
  void remark(std::string_view line) const;
  /// A line that no reader of the result may miss: standard error, and with JSON an object there,
  /// {"warning": …}.
  void warn(std::string_view line) const;
  /// A line that the next one takes the place of; an empty one clears it. Only on a terminal.
  void progress(std::string_view line) const;
  void print_facts(const std::vector<Fact>& facts) const;
  /// A failure, on standard error.
  void complain(std::string_view code, const Error& error) const;

 private:
  const World& world_;
  Look look_;
  bool json_;
};

/// Prints a list while its items come: an array, item by item, or a table and a count. An array
/// that is not finished stays open, so that nobody takes it for all of the list.
class ListPrinter {
 public:
  ListPrinter(const Shell& shell, const Columns& columns, Counted counted);
  void add(const Json& item);
  /// A row of which the cells are known; not for JSON.
  void add_row(std::vector<Cell> cells);
  /// Prints. `more`: there are items that were not added.
  void finish(bool more);

 private:
  const Shell& shell_;
  const Columns& columns_;
  Counted counted_;
  Table table_;
  std::size_t count_ = 0;
};

/// Prints the elements of a JSON array of our own.
void print_array(const Shell& shell, const std::string& array, const Columns& columns,
                 Counted counted);

/// As print_array, for rows with a text that may be long, the member `text`: on a terminal that is
/// wrapped below the row's other cells, which are `columns`.
void print_blocks(const Shell& shell, const std::string& array, const Columns& columns,
                  std::string_view text, Counted counted);

/// Lines of text from the server, escaped one by one so that line ends and tabs stay.
std::string escaped_lines(std::string_view text);

}  // namespace muster::ctl
