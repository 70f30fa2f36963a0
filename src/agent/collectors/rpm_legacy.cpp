// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/rpm_legacy.h"

#include <optional>
#include <string>

#include "agent/bounds.h"
#include "agent/collectors/databases.h"

namespace muster::agent {

namespace {

/// Little-endian, of `octets` octets.
std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t octets) {
  std::uint32_t value = 0;
  for (std::size_t i = octets; i > 0; --i) {
    value = value << 8U | static_cast<unsigned char>(text[at + i - 1]);
  }
  return value;
}
std::uint32_t u16(std::string_view text, std::size_t at) {
  return number_at(text, at, 2);
}
std::uint32_t u32(std::string_view text, std::size_t at) {
  return number_at(text, at, 4);
}

/// All of `size` octets, or nothing.
std::optional<std::string> read_whole(const RpmFile& file, std::uint64_t offset, std::size_t size) {
  if (file.stop || offset > file.size || file.size - offset < size) return std::nullopt;
  auto content = file.read(offset, size);
  if (content && content->size() != size) content.reset();
  return content;
}

/// Counts what is read for headers. Each has its place in the file to itself, so together they are
/// no more than the file.
class Budget {
 public:
  explicit Budget(std::uint64_t size) : left_(size) {}
  bool take(std::uint64_t size) {
    if (size > left_) return false;
    left_ -= size;
    return true;
  }

 private:
  std::uint64_t left_;
};

// --- Berkeley DB ---------------------------------------------------------------------------------

constexpr std::size_t meta_bytes = 72;
constexpr std::size_t page_head_bytes = 26;
constexpr std::uint32_t hash_magic = 0x00061561;
enum PageType : unsigned char {
  page_hash_unsorted = 2,
  page_overflow = 7,
  page_hash_meta = 8,
  page_hash = 13,
};
enum ItemType : char { item_inline = 1, item_overflow = 3 };

struct BerkeleyReading {
  const RpmFile& file;
  std::string_view distro;
  Found& found;
  Budget budget;
  std::size_t page_size = 0;
  std::uint32_t last_page = 0;

  bool begin() {
    const auto meta = read_whole(file, 0, meta_bytes);
    if (!meta) return false;
    const std::uint32_t version = u32(*meta, 16);
    const bool plain = (*meta)[24] == 0 && ((*meta)[26] & 1) == 0;
    page_size = u32(*meta, 20);
    last_page = u32(*meta, 32);
    return u32(*meta, 12) == hash_magic && (version == 8 || version == 9) && plain &&
           (*meta)[25] == page_hash_meta && page_size >= 512 && page_size <= 65536 &&
           (page_size & (page_size - 1)) == 0 && last_page < file.size / page_size;
  }

  std::optional<std::string> page(std::uint32_t number) const {
    if (number == 0 || number > last_page) return std::nullopt;
    return read_whole(file, std::uint64_t{number} * page_size, page_size);
  }

  /// Item `index` of a page: it ends where the one before it begins, the first at the page's end.
  std::optional<std::string_view> item(std::string_view page, std::size_t index) const {
    const std::size_t begin = u16(page, page_head_bytes + 2 * index);
    const std::size_t end = index == 0 ? page.size() : u16(page, page_head_bytes + 2 * index - 2);
    const std::size_t entries = u16(page, 20);
    if (begin < page_head_bytes + 2 * entries || begin >= end || end > page.size()) {
      return std::nullopt;
    }
    return page.substr(begin, end - begin);
  }

  /// What stands on a chain of pages of its own.
  std::optional<std::string> overflow(std::uint32_t number, std::size_t size) {
    if (size > bounds::rpm_header_bytes) return std::nullopt;
    std::string content;
    while (content.size() < size) {
      if (!budget.take(page_size)) return std::nullopt;
      const auto part = page(number);
      if (!part || (*part)[25] != page_overflow) return std::nullopt;
      const std::size_t octets = u16(*part, 22);
      if (octets == 0 || octets > page_size - page_head_bytes || octets > size - content.size()) {
        return std::nullopt;
      }
      content.append(*part, page_head_bytes, octets);
      number = u32(*part, 16);
    }
    return content;
  }

  bool take_value(std::string_view value) {
    if (value[0] == item_inline) {
      parse_rpm_header(value.substr(1), distro, found);
      return true;
    }
    constexpr std::size_t overflow_bytes = 12;
    if (value[0] != item_overflow || value.size() < overflow_bytes) return false;
    const auto header = overflow(u32(value, 4), u32(value, 8));
    if (header) parse_rpm_header(*header, distro, found);
    return header.has_value();
  }

  bool take_page(std::string_view page) {
    if (page[25] != page_hash && page[25] != page_hash_unsorted) return true;
    const std::size_t entries = u16(page, 20);
    if (entries % 2 != 0 || page_head_bytes + 2 * entries > page.size()) return false;
    for (std::size_t i = 0; i < entries; i += 2) {
      const auto key = item(page, i);
      const auto value = item(page, i + 1);
      if (!key || !value || key->size() != 5 || (*key)[0] != item_inline) return false;
      // Number 0 is no header: it counts them.
      if (u32(*key, 1) != 0 && !take_value(*value)) return false;
    }
    return true;
  }
};

// --- ndb -----------------------------------------------------------------------------------------

constexpr std::size_t slot_page_bytes = 4096;
constexpr std::size_t slot_bytes = 16;
constexpr std::size_t ndb_head_bytes = 32;
constexpr std::size_t block_bytes = 16;
constexpr std::size_t blob_head_bytes = 16;
constexpr std::size_t blob_tail_bytes = 12;

struct NdbReading {
  const RpmFile& file;
  std::string_view distro;
  Found& found;
  Budget budget;

  /// A slot says where a header stands: "Slot", the header's number, its first block and how many.
  bool take_slot(std::string_view slot) {
    if (slot.substr(0, 4) != "Slot") return false;
    const std::uint64_t offset = std::uint64_t{u32(slot, 8)} * block_bytes;
    const std::uint64_t size = std::uint64_t{u32(slot, 12)} * block_bytes;
    if (offset == 0 || u32(slot, 4) == 0) return true;  // free
    const bool sound =
        size >= blob_head_bytes + blob_tail_bytes && size <= bounds::rpm_header_bytes;
    if (!sound || !budget.take(size)) return false;
    const auto blob = read_whole(file, offset, size);
    if (!blob || blob->substr(0, 4) != "BlbS" || u32(*blob, 4) != u32(slot, 4)) return false;
    const std::size_t header = u32(*blob, 12);
    if (header > size - blob_head_bytes - blob_tail_bytes) return false;
    // The tail ends the last block.
    const std::string_view tail = std::string_view(*blob).substr(size - blob_tail_bytes);
    if (u32(tail, 4) != header || tail.substr(8) != "BlbE") return false;
    parse_rpm_header(std::string_view(*blob).substr(blob_head_bytes, header), distro, found);
    return true;
  }
};

}  // namespace

bool read_berkeley_rpms(const RpmFile& file, std::string_view distro, Found& found) {
  BerkeleyReading reading{file, distro, found, Budget(file.size)};
  if (!reading.begin()) return false;
  for (std::uint32_t number = 1; number <= reading.last_page; ++number) {
    const auto page = reading.page(number);
    if (!page || !reading.take_page(*page)) return false;
  }
  return true;
}

bool read_ndb_rpms(const RpmFile& file, std::string_view distro, Found& found) {
  const auto head = read_whole(file, 0, ndb_head_bytes);
  if (!head || head->substr(0, 4) != "RpmP" || u32(*head, 4) != 0) return false;
  const std::uint32_t pages = u32(*head, 12);
  NdbReading reading{file, distro, found, Budget(file.size)};
  for (std::uint32_t number = 0; number < pages; ++number) {
    const auto page = read_whole(file, std::uint64_t{number} * slot_page_bytes, slot_page_bytes);
    if (!page) return false;
    for (std::size_t at = number == 0 ? ndb_head_bytes : 0; at < page->size(); at += slot_bytes) {
      if (!reading.take_slot(std::string_view(*page).substr(at, slot_bytes))) return false;
    }
  }
  return true;
}

}  // namespace muster::agent
