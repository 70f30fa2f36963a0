// SPDX-License-Identifier: Apache-2.0
#include "model/cpe_applicability.h"

#include "base/limits.h"

namespace muster::model {

namespace {

void write_flags(JsonWriter& json, bool all, bool negate) {
  if (all) json.member("all", true);
  if (negate) json.member("negate", true);
}

std::string element_name(std::string_view array, std::size_t at) {
  return std::string(array) + "[" + std::to_string(at) + "]";
}

/// Appends what `read` makes of each element of an array member, and passes failures upwards.
template <typename T, typename Read>
void read_elements(Fields& fields, std::string_view name, std::vector<T>& out, const Read& read) {
  const auto array = fields.optional_array(name, limits::cpe_criteria);
  if (!array) return;
  out.reserve(array->size());
  array->for_each([&](const Json& element) {
    const std::string at = element_name(name, out.size());
    Fields members(element, fields.path(at));
    out.push_back(read(members));
    if (!members.finish().ok()) fields.fail(at, "is malformed");
  });
}

CpeCriterion read_criterion(Fields& fields) {
  CpeCriterion criterion;
  criterion.cpe = fields.text("cpe", limits::cpe_bytes);
  criterion.vulnerable = fields.optional_boolean("vulnerable").value_or(true);
  criterion.range = read_range(fields);
  return criterion;
}

CpeNode read_node(Fields& fields) {
  CpeNode node;
  node.all = fields.optional_boolean("all").value_or(false);
  node.negate = fields.optional_boolean("negate").value_or(false);
  read_elements(fields, "criteria", node.criteria, read_criterion);
  return node;
}

CpeConfiguration read_configuration(Fields& fields) {
  CpeConfiguration configuration;
  configuration.all = fields.optional_boolean("all").value_or(false);
  configuration.negate = fields.optional_boolean("negate").value_or(false);
  read_elements(fields, "nodes", configuration.nodes, read_node);
  return configuration;
}

}  // namespace

std::size_t criteria_count(const CpeApplicability& configurations) {
  std::size_t count = 0;
  for (const CpeConfiguration& configuration : configurations) {
    for (const CpeNode& node : configuration.nodes) count += node.criteria.size();
  }
  return count;
}

void write_range(JsonWriter& json, const VersionRange& range) {
  if (!range.introduced.empty()) json.member("introduced", range.introduced);
  if (!range.after.empty()) json.member("after", range.after);
  if (!range.fixed.empty()) json.member("fixed", range.fixed);
  if (!range.last_affected.empty()) json.member("last_affected", range.last_affected);
}

VersionRange read_range(Fields& fields) {
  const auto end = [&](std::string_view name) {
    return std::string(fields.optional_text(name, limits::range_end_bytes).value_or(""));
  };
  return {end("introduced"), end("fixed"), end("last_affected"), end("after")};
}

void write_cpe_applicability(JsonWriter& json, const CpeApplicability& configurations) {
  json.begin_array();
  for (const CpeConfiguration& configuration : configurations) {
    json.begin_object();
    write_flags(json, configuration.all, configuration.negate);
    json.key("nodes").begin_array();
    for (const CpeNode& node : configuration.nodes) {
      json.begin_object();
      write_flags(json, node.all, node.negate);
      json.key("criteria").begin_array();
      for (const CpeCriterion& criterion : node.criteria) {
        json.begin_object().member("cpe", criterion.cpe);
        if (!criterion.vulnerable) json.member("vulnerable", false);
        write_range(json, criterion.range);
        json.end_object();
      }
      json.end_array().end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

CpeApplicability read_cpe_applicability(Fields& fields, std::string_view name) {
  CpeApplicability configurations;
  read_elements(fields, name, configurations, read_configuration);
  if (criteria_count(configurations) > limits::cpe_criteria) {
    fields.fail(name, "has too many criteria");
  }
  return configurations;
}

}  // namespace muster::model
