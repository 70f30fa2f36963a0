// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/driver.h"

namespace muster::store::postgres {

/// Numbers of the types we speak (PostgreSQL, pg_type.dat).
enum TypeId : unsigned {
  type_bool = 16,
  type_bytea = 17,
  type_name = 19,
  type_int8 = 20,
  type_int2 = 21,
  type_int4 = 23,
  type_text = 25,
  type_float8 = 701,
  type_varchar = 1043,
  type_bytea_array = 1001,
  type_text_array = 1009,
  type_int8_array = 1016,
  type_float8_array = 1022,
};

/// The values of one statement in the binary form of the protocol, as libpq takes them.
class Arguments {
 public:
  /// Copies the values.
  void set(std::span<const Param> params);
  void clear();

  int count() const { return static_cast<int>(types_.size()); }
  const unsigned* types() const { return types_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  /// Valid until the next set().
  const char* const* values();

 private:
  void append(const Param& param);
  void append_array(const Column& column);

  static constexpr std::size_t missing = ~std::size_t{0};
  std::string bytes_;
  std::vector<std::size_t> starts_;
  std::vector<unsigned> types_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::vector<const char*> values_;
};

}  // namespace muster::store::postgres
