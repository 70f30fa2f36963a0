// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/arguments.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace muster::store::postgres {

namespace {

template <typename Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

unsigned type_of(Param::Kind kind) {
  CHECK(kind != Param::Kind::none && kind != Param::Kind::column);
  switch (kind) {
    case Param::Kind::integer:
      return type_int8;
    case Param::Kind::real:
      return type_float8;
    case Param::Kind::blob:
      return type_bytea;
    default:
      return type_text;
  }
}

unsigned array_type_of(unsigned element) {
  switch (element) {
    case type_int8:
      return type_int8_array;
    case type_float8:
      return type_float8_array;
    case type_bytea:
      return type_bytea_array;
    default:
      return type_text_array;
  }
}

void append_value(std::string& out, const Param& param) {
  std::string kept;
  switch (param.kind) {
    case Param::Kind::integer:
      append_big_endian(out, static_cast<std::uint64_t>(param.integer));
      break;
    case Param::Kind::real:
      append_big_endian(out, std::bit_cast<std::uint64_t>(param.real));
      break;
    case Param::Kind::text:
      out.append(well_formed(param.view, kept));
      break;
    default:
      out.append(param.view);
  }
}

}  // namespace

void Arguments::clear() {
  bytes_.clear();
  starts_.clear();
  types_.clear();
  lengths_.clear();
  formats_.clear();
}

void Arguments::set(std::span<const Param> params) {
  clear();
  for (const Param& param : params) {
    const std::size_t start = bytes_.size();
    if (param.kind == Param::Kind::column) {
      append_array(*param.column);
    } else {
      types_.push_back(type_of(param.kind));
      if (!param.null) append_value(bytes_, param);
    }
    starts_.push_back(param.null ? missing : start);
    lengths_.push_back(static_cast<int>(bytes_.size() - start));
    formats_.push_back(1);
  }
}

/// The binary form of a one-dimensional array (PostgreSQL, array_recv).
void Arguments::append_array(const Column& column) {
  CHECK(!column.values().empty());  // an empty batch writes nothing, and has no type
  const unsigned element = type_of(column.values().front().kind);
  types_.push_back(array_type_of(element));
  constexpr std::uint32_t dimensions = 1;
  constexpr std::uint32_t may_hold_nulls = 1;
  constexpr std::uint32_t first_index = 1;
  for (const std::uint32_t word :
       {dimensions, may_hold_nulls, std::uint32_t{element},
        static_cast<std::uint32_t>(column.values().size()), first_index}) {
    append_big_endian(bytes_, word);
  }
  for (const Param& value : column.values()) {
    const std::size_t length_at = bytes_.size();
    append_big_endian(bytes_, ~std::uint32_t{0});  // what a null has
    if (value.null) continue;
    append_value(bytes_, value);
    std::string length;
    append_big_endian(length, static_cast<std::uint32_t>(bytes_.size() - length_at - 4));
    bytes_.replace(length_at, length.size(), length);
  }
}

const char* const* Arguments::values() {
  values_.clear();
  for (const std::size_t start : starts_) {
    values_.push_back(start == missing ? nullptr : bytes_.data() + start);
  }
  return values_.data();
}

}  // namespace muster::store::postgres
