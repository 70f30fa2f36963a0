// SPDX-License-Identifier: Apache-2.0
#include "vuln/index_file.h"

#include <concepts>
#include <fstream>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "vuln/content_hash.h"
#include "vuln/index_form.h"

namespace muster::vuln {

namespace {

namespace fs = std::filesystem;

/// The lengths of all arrays are numbers of this size.
using Count = std::uint64_t;

/// What the file begins with.
std::string heading(std::string_view key) {
  return "muster index " + std::string(index_form) + "\n" + std::string(key) + "\n";
}

class Writer {
 public:
  explicit Writer(std::ofstream& out) : out_(out) {}

  void operator()(const std::string& text) { put(text.data(), text.size(), sizeof(char)); }
  template <typename T>
  void operator()(const std::vector<T>& array) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(array.data(), array.size(), sizeof(T));
  }
  template <std::integral T>
  void operator()(const T& number) {
    raw(&number, sizeof number);
  }
  void finish() {
    const std::uint64_t sum = sum_.value();
    raw(&sum, sizeof sum);
  }

 private:
  void put(const void* from, std::size_t count, std::size_t size_of_each) {
    const Count stated = count;
    raw(&stated, sizeof stated);
    raw(from, count * size_of_each);
  }
  void raw(const void* from, std::size_t size) {
    const std::string_view bytes(static_cast<const char*>(from), size);
    sum_.add(bytes);
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  std::ofstream& out_;
  ContentHash sum_;
};

class Reader {
 public:
  Reader(std::ifstream& in, std::uintmax_t size) : in_(in), left_(size) {}

  bool has_heading(const std::string& expected) {
    std::string found(expected.size(), '\0');
    return raw(found.data(), found.size()) && found == expected;
  }
  void operator()(std::string& text) { take(text, sizeof(char)); }
  template <typename T>
  void operator()(std::vector<T>& array) {
    static_assert(std::is_trivially_copyable_v<T>);
    take(array, sizeof(T));
  }
  template <std::integral T>
  void operator()(T& number) {
    raw(&number, sizeof number);
  }
  /// Whether all was there, and is as it was written.
  bool finish() {
    const std::uint64_t expected = sum_.value();
    std::uint64_t found = 0;
    return raw(&found, sizeof found) && left_ == 0 && found == expected;
  }
  void begin_sum() { sum_ = {}; }

 private:
  template <typename Array>
  void take(Array& array, std::size_t size_of_each) {
    Count count = 0;
    if (!raw(&count, sizeof count) || count > left_ / size_of_each) {
      whole_ = false;
      return;
    }
    array.resize(count);
    raw(array.data(), count * size_of_each);
  }
  bool raw(void* to, std::size_t size) {
    if (!whole_ || size > left_) return whole_ = false;
    in_.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
    left_ -= size;
    whole_ = in_.good();
    sum_.add(std::string_view(static_cast<const char*>(to), size));
    return whole_;
  }

  std::ifstream& in_;
  std::uintmax_t left_;
  bool whole_ = true;
  ContentHash sum_;
};

}  // namespace

bool write_index(const Index& index, std::string_view key, const fs::path& file) {
  const fs::path fresh = file.string() + ".new";
  std::error_code failed;
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << heading(key);
    Writer writer(out);
    Index::for_each_array(index, writer);
    writer.finish();
    out.close();
    if (out.fail()) {
      fs::remove(fresh, failed);
      return false;
    }
  }
  fs::rename(fresh, file, failed);
  return !failed;
}

std::shared_ptr<const Index> read_index(std::string_view key, const fs::path& file) {
  std::error_code absent;
  const std::uintmax_t size = fs::file_size(file, absent);
  if (absent) return nullptr;
  std::ifstream in(file, std::ios::binary);
  Reader reader(in, size);
  if (!reader.has_heading(heading(key))) return nullptr;
  reader.begin_sum();
  const auto index = std::make_shared<Index>();
  Index::for_each_array(*index, reader);
  return reader.finish() ? index : nullptr;
}

}  // namespace muster::vuln
