// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/shell.h"

#include <sstream>

#include <gtest/gtest.h>

#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

const Columns columns = {{"id", "ID", &formats::id}};

struct Paper {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  World world{.in = in,
              .out = out,
              .err = err,
              .look = {},
              .error_look = {},
              .url = {},
              .token = {},
              .version = {},
              .connect = {}};
};

TEST(JsonLists, ArePrintedItemByItemSoThatNoListIsHeldInMemory) {
  Paper paper;
  const Shell shell(paper.world, true);
  ListPrinter printer(shell, columns, {"host", "hosts"});
  JsonDocument document;
  const Result<Json> items = document.parse(R"([{"id": 1}, {"id": "a\u009bb"}])");
  std::vector<std::string> printed;
  items->for_each([&](const Json& item) {
    printer.add(item);
    printed.push_back(paper.out.str());
  });
  EXPECT_EQ(printed,
            (std::vector<std::string>{"[{\"id\": 1}", "[{\"id\": 1}, {\"id\": \"a\\u009bb\"}"}));
  printer.finish(false);
  EXPECT_EQ(paper.out.str(), "[{\"id\": 1}, {\"id\": \"a\\u009bb\"}]\n");
}

TEST(Blocks, HaveHeadingsAndAreAlignedWhereThereIsRoom) {
  const Columns two = {{"id", "ID"}, {"state", "STATE"}};
  const std::string rows =
      R"([{"id": "disk", "state": "full", "why": "no room"}, {"id": "a", "state": "fine"}])";
  const auto printed = [&](std::size_t width) {
    Paper paper;
    paper.world.look.width = width;
    print_blocks(Shell(paper.world, false), rows, two, "why", {"check", "checks"});
    return paper.out.str();
  };
  EXPECT_EQ(printed(40), "ID    STATE\ndisk  full\n    no room\na     fine\n");
  EXPECT_EQ(printed(9), "ID  STATE\ndisk  full\n    no\n    room\na  fine\n")
      << "nothing is cut, whatever the width";
}

TEST(JsonLists, ThatEndBeforeTheirLastPageAreNoWholeArray) {
  test::Desk desk;
  desk.server.on("GET /api/v1/orgs?limit=1000",
                 {200, R"({"items": [{"id": 1}], "next_cursor": "1"})"});
  desk.server.on("GET /api/v1/orgs?limit=1000&cursor=1",
                 {503, R"({"error": "overloaded", "message": "Too busy."})"});
  const test::Transcript done = desk.run({"orgs", "list", "--json"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "[{\"id\": 1}") << "what is cut must not parse";
  EXPECT_NE(done.err.find("overloaded"), std::string::npos) << done.err;
}

TEST(JsonLists, HonourTheirLimit) {
  test::Desk desk;
  desk.server.on("GET /api/v1/orgs?limit=3",
                 {200, R"({"items": [{"id": 1}, {"id": 2}, {"id": 3}], "next_cursor": "3"})"});
  EXPECT_EQ(desk.run({"orgs", "list", "--limit", "2", "--json"}).out,
            "[{\"id\": 1}, {\"id\": 2}]\n");
}

TEST(Warnings, AreObjectsOnStandardErrorWithJsonAndLinesWithout) {
  Paper paper;
  Shell(paper.world, false).warn("one\x1b");
  Shell(paper.world, true).warn("two");
  EXPECT_EQ(paper.err.str(), "one\\x1b\n{\"warning\": \"two\"}\n");
  EXPECT_EQ(paper.out.str(), "");
}

}  // namespace
}  // namespace muster::ctl
