// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster {
namespace {

TEST(JsonWriter, WritesOneSpaceAfterColonsAndCommas) {
  JsonWriter json;
  json.begin_object()
      .member("success", true)
      .key("data")
      .begin_object()
      .member("a", 1)
      .key("list")
      .begin_array()
      .value("x")
      .value(2)
      .begin_array()
      .end_array()
      .end_array()
      .end_object()
      .key("none")
      .null()
      .end_object();
  EXPECT_EQ(json.text(),
            R"({"success": true, "data": {"a": 1, "list": ["x", 2, []]}, "none": null})");
}

TEST(JsonWriter, EscapesWhatJsonMustEscapeAndNothingElse) {
  JsonWriter json;
  json.value(std::string_view("\"\\/\n\r\t\b\x01\x1f\x7f\0 äé\xF0\x9F\x98\x80", 20));
  EXPECT_EQ(json.text(),
            "\"\\\"\\\\/\\n\\r\\t\\u0008\\u0001\\u001f\x7f\\u0000 äé\xF0\x9F\x98\x80\"");
  JsonWriter key;
  key.begin_object().member("a\"b", 1).end_object();
  EXPECT_EQ(key.text(), R"({"a\"b": 1})");
}

TEST(JsonWriter, ReadsBackAsWrittenWhereverAnOctetStands) {
  // Texts are looked through eight octets at a time: each octet at each place of three such steps.
  JsonDocument document;
  for (int octet = 0; octet < 0x80; ++octet) {
    for (std::size_t at = 0; at < 24; ++at) {
      std::string text(24, 'x');
      text[at] = static_cast<char>(octet);
      text[(at + 9) % text.size()] = '"';
      JsonWriter json;
      json.value(text);
      EXPECT_EQ(document.parse(json.take()).value().string(), text) << octet << " at " << at;
    }
  }
}

TEST(JsonWriter, WritesEveryKindOfValue) {
  JsonWriter json;
  json.begin_array()
      .value(std::numeric_limits<std::int64_t>::min())
      .value(std::uint8_t{200})
      .value(1.5)
      .value(std::numeric_limits<double>::infinity())
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(Instant{0})
      .value(OrgId{7})
      .value(AgentId{})
      .value(std::optional<std::int64_t>())
      .value(std::optional<std::string>("x"))
      .raw("{}")
      .end_array();
  EXPECT_EQ(json.text(),
            R"([-9223372036854775808, 200, 1.5, null, null, "1970-01-01T00:00:00Z", 7,)"
            R"( "00000000-0000-0000-0000-000000000000", null, "x", {}])");
}

TEST(JsonWriter, WritesArraysOfWhatItWrites) {
  JsonWriter json;
  json.begin_object()
      .member("texts", std::vector<std::string>{"a", "\"b\""})
      .member("views", std::vector<std::string_view>{"c"})
      .member("none", std::vector<std::string>())
      .member("numbers", std::vector<int>{1, -2})
      .end_object();
  EXPECT_EQ(json.take(),
            R"({"texts": ["a", "\"b\""], "views": ["c"], "none": [], "numbers": [1, -2]})");
  EXPECT_EQ(JsonWriter().value(std::vector<std::vector<int>>{{1}, {}}).take(), "[[1], []]");
}

TEST(JsonDocument, RefusesTextThatPointsNowhere) {
  JsonDocument document;
  EXPECT_FALSE(document.parse(std::string_view()).ok());
}

// Found by text_fuzz: shortest digits made an integer of it, too large for every reader.
TEST(JsonWriter, WritesLargeNumbersSoThatTheyReadAsNumbers) {
  for (const double number : {8.813301081660661e21, -9.3e18, 0x1p53, 1e300}) {
    JsonWriter json;
    const std::string text = json.begin_array().value(number).end_array().take();
    JsonDocument document;
    const Result<Json> read = document.parse(text);
    ASSERT_TRUE(read.ok()) << text;
    read->for_each([&](const Json& element) { EXPECT_EQ(element.number(), number) << text; });
  }
}

TEST(JsonWriter, WritesNegativeZeroAsZero) {
  JsonWriter json;
  EXPECT_EQ(json.begin_array().value(-0.0).end_array().take(), "[0]");
}

TEST(JsonWriter, ReusesABufferFromTheStart) {
  JsonWriter json(std::string("leftover"));
  json.value(1);
  EXPECT_EQ(json.take(), "1");
}

TEST(Json, SerialiseReadsBackAsTheSame) {
  JsonDocument first;
  JsonDocument second;
  for (const std::string_view text :
       {R"({"a": [1, -2, 2.5, "x\ny", true, false, null, {}], "b": {"c": []}})", "[]",
        "\"\\u00e4\"", "9223372036854775807", "-0.125", "null", R"({"": ""})"}) {
    const std::string once = first.parse(text).value().serialise();
    EXPECT_EQ(second.parse(once).value().serialise(), once);
  }
  EXPECT_EQ(first.parse(R"( { "a":[1,2] ,"b":"\u0041" } )").value().serialise(),
            R"({"a": [1, 2], "b": "A"})");
}

TEST(Json, WhatIsNoArrayOrObjectHasNothingToGoThrough) {
  JsonDocument document;
  for (const std::string_view text : {R"("addons")", "7", "null", "true", "{}", "[]"}) {
    const Json root = document.parse(text).value();
    root.for_each([&](const Json&) { ADD_FAILURE() << text; });
    root.for_each_member([&](std::string_view, const Json&) { ADD_FAILURE() << text; });
    EXPECT_EQ(root.size(), 0U) << text;
  }
  const Json object = document.parse(R"({"a": 1})").value();
  object.for_each([&](const Json&) { ADD_FAILURE(); });
  const Json array = document.parse("[1]").value();
  array.for_each_member([&](std::string_view, const Json&) { ADD_FAILURE(); });
}

TEST(Json, ValuesHaveOneTypeOnly) {
  JsonDocument document;
  const Json json = document.parse(R"({"i": 3, "d": 3.5, "s": "3", "b": true, "n": null})").value();
  EXPECT_EQ(json.find("i")->integer(), 3);
  EXPECT_EQ(json.find("i")->number(), 3.0);
  EXPECT_EQ(json.find("d")->integer(), std::nullopt);
  EXPECT_EQ(json.find("s")->integer(), std::nullopt);
  EXPECT_EQ(json.find("s")->string(), "3");
  EXPECT_EQ(json.find("b")->boolean(), true);
  EXPECT_EQ(json.find("b")->integer(), std::nullopt);
  EXPECT_TRUE(json.find("n")->is_null());
  EXPECT_FALSE(json.find("x").has_value());
  EXPECT_FALSE(json.find("s")->find("x").has_value());
  EXPECT_EQ(json.size(), 5U);
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonDocument, RefusesWhatIsNotJson) {
  JsonDocument document;
  for (const std::string_view text :
       {"", " ", "{", "{}}", "{} {}", "[1,]", "{\"a\"}", "{'a': 1}", "nul", "01", "1e999",
        "\"\xFF\"", "\"\xED\xA0\x80\"", "\"\\ud800\"", "\"\n\"", "\xEF\xBB\xBF"}) {
    const auto parsed = document.parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, Errc::invalid_json);
  }
}

TEST(JsonDocument, BoundsTheDepthAlsoAfterItGrew) {
  JsonDocument document;
  EXPECT_TRUE(document.parse(nested(limits::json_depth - 1)).ok());
  EXPECT_FALSE(document.parse(nested(limits::json_depth + 1)).ok());
  EXPECT_FALSE(document.parse(nested(100'000)).ok());
  EXPECT_FALSE(document.parse(nested(limits::json_depth + 1)).ok());
  EXPECT_TRUE(document.parse(nested(limits::json_depth - 1)).ok());
}

TEST(JsonDocument, CanBeReusedAfterAFailureAndForLargerTexts) {
  JsonDocument document;
  EXPECT_FALSE(document.parse("{").ok());
  for (std::size_t size = 1; size < 200'000; size *= 7) {
    const std::string text = "\"" + std::string(size, 'x') + "\"";
    EXPECT_EQ(document.parse(text).value().string()->size(), size);
    EXPECT_EQ(document.parse("[1]").value().serialise(), "[1]");
  }
}

// --- Fields ----------------------------------------------------------------------------------

/// The path that reading `text` fails with.
template <typename Read>
std::string failing_path(std::string_view text, Read&& read, std::string prefix = {}) {
  JsonDocument document;
  Fields fields(document.parse(text).value(), std::move(prefix));
  read(fields);
  const Result<void> outcome = fields.finish();
  return outcome.ok() ? "ok" : outcome.error().field;
}

TEST(Fields, EachFailureNamesItsPath) {
  const auto text = [](Fields& f) { f.text("a", 3); };
  EXPECT_EQ(failing_path(R"({"a": "abc"})", text), "ok");
  for (const std::string_view bad : {"{}", R"({"a": null})", R"({"a": 1})", R"({"a": ""})",
                                     R"({"a": "abcd"})", R"({"a": "a\n"})", R"({"a": "\u0000"})"}) {
    EXPECT_EQ(failing_path(bad, text), "a") << bad;
    EXPECT_EQ(failing_path(bad, text, "list[3]"), "list[3].a") << bad;
  }
  EXPECT_EQ(failing_path(R"({"a": "b\tc"})", [](Fields& f) { f.optional_text("a", 9); }), "a");
  EXPECT_EQ(failing_path(R"({"a": "b\tc\r\n"})", [](Fields& f) { f.optional_multiline("a", 9); }),
            "ok");
  EXPECT_EQ(failing_path(R"({"a": "\u0007"})", [](Fields& f) { f.optional_multiline("a", 9); }),
            "a");
  const auto integer = [](Fields& f) { f.integer("a", 1, 5); };
  EXPECT_EQ(failing_path(R"({"a": 5})", integer), "ok");
  for (const std::string_view bad : {"{}", R"({"a": 0})", R"({"a": 6})", R"({"a": 1.5})",
                                     R"({"a": "1"})", R"({"a": 18446744073709551615})"}) {
    EXPECT_EQ(failing_path(bad, integer), "a") << bad;
  }
  EXPECT_EQ(failing_path(R"({"a": "1"})", [](Fields& f) { f.optional_number("a"); }), "a");
  EXPECT_EQ(failing_path(R"({"a": 1})", [](Fields& f) { f.optional_boolean("a"); }), "a");
  EXPECT_EQ(failing_path(R"({"a": []})", [](Fields& f) { f.optional_object("a"); }), "a");
  EXPECT_EQ(failing_path("{}", [](Fields& f) { f.array("a", 1); }), "a");
  EXPECT_EQ(failing_path(R"({"a": {}})", [](Fields& f) { f.array("a", 1); }), "a");
  EXPECT_EQ(failing_path(R"({"a": [1, 2]})", [](Fields& f) { f.array("a", 1); }), "a");
  EXPECT_EQ(failing_path(R"({"a": ["x", 2]})", [](Fields& f) { f.optional_texts("a", 5, 5); }),
            "a[1]");
  EXPECT_EQ(failing_path(R"({"a": ["x", "\n"]})", [](Fields& f) { f.optional_texts("a", 5, 5); }),
            "a[1]");
}

TEST(Fields, MissingAndWrongHaveCodesOfTheirOwn) {
  JsonDocument document;
  Fields missing(document.parse("{}").value());
  missing.text("a", 3);
  EXPECT_EQ(missing.finish().error().code, Errc::missing_field);
  Fields wrong(document.parse(R"({"a": 1})").value());
  wrong.text("a", 3);
  EXPECT_EQ(wrong.finish().error().code, Errc::invalid_field);
  Fields list(document.parse("[]").value());
  EXPECT_EQ(list.finish().error().code, Errc::invalid_json);
  Fields element(document.parse("1").value(), "software[2]");
  EXPECT_EQ(element.finish().error().field, "software[2]");
}

TEST(Fields, TheFirstFailureSticksAndSilencesLaterReads) {
  JsonDocument document;
  Fields fields(document.parse(R"({"good": "yes"})").value());
  fields.text("first", 3);
  EXPECT_TRUE(fields.failed());
  fields.integer("second", 0, 1);
  fields.fail("third", "is wrong");
  EXPECT_EQ(fields.text("good", 3), "");
  EXPECT_FALSE(fields.has("good"));
  EXPECT_EQ(fields.finish().error().field, "first");
}

TEST(Fields, AbsentAndNullGiveNothing) {
  JsonDocument document;
  Fields fields(document.parse(R"({"n": null, "e": ""})").value());
  for (const std::string_view name : {"n", "x"}) {
    EXPECT_FALSE(fields.optional_text(name, 3));
    EXPECT_FALSE(fields.optional_integer(name, 0, 1));
    EXPECT_FALSE(fields.optional_number(name));
    EXPECT_FALSE(fields.optional_boolean(name));
    EXPECT_FALSE(fields.optional_object(name));
    EXPECT_FALSE(fields.optional_array(name, 1));
    EXPECT_TRUE(fields.optional_texts(name, 1, 1).empty());
    EXPECT_FALSE(fields.has(name));
  }
  EXPECT_EQ(fields.optional_text("e", 3), "");
  EXPECT_TRUE(fields.finish().ok());
}

}  // namespace
}  // namespace muster
