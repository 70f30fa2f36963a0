// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/software.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "agent/bounds.h"
#include "agent/collectors/databases.h"
#include "agent/collectors/dpkg.h"
#include "agent/collectors/go_binary.h"
#include "agent/collectors/manifests.h"
#include "agent/collectors/rpm_database.h"
#include "agent/collectors/rpm_legacy.h"

namespace muster::agent {

namespace {

constexpr Links links_of_system = Links::within;
constexpr Links links_of_user = Links::none;

/// pacman's database is a file a package; they all are of the distribution.
void pacman_package(std::string_view text, std::string_view, Found& found) {
  parse_pacman(text, "", found);
}

struct Place {
  std::string_view source;
  Links links;
  std::string_view pattern;
  void (*parse)(std::string_view text, std::string_view path, Found& found);
};

constexpr Place places[] = {
#define PLACE(source, whose, pattern, parse) {#source, links_of_##whose, pattern, &parse},
#include "agent/collectors/places.def"
#undef PLACE
};

struct GoPlace {
  Links links;
  std::string_view pattern;
};
constexpr GoPlace go_places[] = {
    {links_of_system, "usr/local/bin/*"},    {links_of_system, "usr/local/sbin/*"},
    {links_of_system, "usr/local/go/bin/*"}, {links_of_user, "opt/*/*"},
    {links_of_user, "opt/*/bin/*"},          {links_of_user, "srv/*/bin/*"},
    {links_of_user, "home/*/go/bin/*"},      {links_of_user, "home/*/bin/*"},
    {links_of_user, "home/*/.local/bin/*"},  {links_of_user, "root/go/bin/*"},
};

/// An open file, whatever its size.
ReadAt reader_of(int fd) {
  return [fd](std::uint64_t offset, std::size_t size) -> std::optional<std::string> {
    std::string content(size, '\0');
    const ssize_t got = ::pread(fd, content.data(), size, static_cast<off_t>(offset));
    if (got < 0) return std::nullopt;
    content.resize(static_cast<std::size_t>(got));
    return content;
  };
}

bool is_unchanged(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

/// The forms of rpm's database before SQLite, each by its name.
struct LegacyRpm {
  const char* path;
  bool (*read)(const RpmFile& file, std::string_view distro, Found& found);
};
constexpr LegacyRpm legacy_rpms[] = {
    {"var/lib/rpm/Packages", &read_berkeley_rpms},
    {"var/lib/rpm/Packages.db", &read_ndb_rpms},
    {"usr/lib/sysimage/rpm/Packages", &read_berkeley_rpms},
    {"usr/lib/sysimage/rpm/Packages.db", &read_ndb_rpms},
};

/// One look: what is read, and what came of it.
struct Reading {
  Tree& tree;
  const std::vector<std::string>& skipped;
  const std::string& distro;
  Found& found;
  /// Why a source of packages that is there cannot be read; empty: all can.
  std::string failure;

  void fail(const std::string& path, const std::string& why) { failure = "/" + path + " " + why; }

  bool wants(std::string_view source) const {
    return std::find(skipped.begin(), skipped.end(), source) == skipped.end();
  }

  /// A database that is one file of text.
  template <typename F>
  void read_database(std::string_view source, const std::string& path, F&& parse) {
    if (!wants(source) || !tree.exists(path)) return;
    const auto text = tree.read(path, bounds::dpkg_status_bytes, Links::within);
    text ? parse(*text) : fail(path, "cannot be read");
  }

  void read_dpkg(const std::string& path, DpkgFile file) {
    read_database("dpkg", path, [&](const std::string& text) {
      DpkgStatus dpkg = parse_dpkg_status(text, distro, file);
      for (model::Package& package : dpkg.packages) found.add(std::move(package));
      found.malformed += dpkg.malformed;
      found.beyond_limit += dpkg.beyond_limit;
    });
  }

  void read_apk() {
    // Where /lib is a link, the file that lower layers have there is not the one in force.
    for (const char* path : {"usr/lib/apk/db/installed", "lib/apk/db/installed"}) {
      if (!tree.exists(path)) continue;
      return read_database("apk", path,
                           [&](const std::string& text) { parse_apk(text, distro, found); });
    }
  }

  void read_rpm() {
    if (!wants("rpm")) return;
    for (const char* path : {"usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"}) {
      if (!tree.exists(path)) continue;
      // The check follows links as the kernel does for us alone; the path itself must be no link.
      const auto place = tree.place_of(path);
      if (!place) return fail(path, "is behind a symbolic link, or is no file: it is not read");
      if (!read_rpm_database(*place, distro, !tree.layered(), tree.stop(), found)) {
        fail(path, "cannot be read");
      }
      return;
    }
    for (const LegacyRpm& form : legacy_rpms) {
      if (!tree.exists(form.path)) continue;
      const OwnedFd fd = tree.open(form.path, Links::within);
      struct stat before {};
      const bool there = fd && ::fstat(fd.get(), &before) == 0;
      if (there && before.st_size == 0) continue;
      return read_legacy_rpm(form, fd.get(), before);
    }
  }

  /// These are written in place: what changes meanwhile is not what anybody wrote.
  void read_legacy_rpm(const LegacyRpm& form, int fd, const struct stat& before) {
    const ReadAt read = reader_of(fd);
    const RpmFile file{read, static_cast<std::uint64_t>(before.st_size), tree.stop()};
    struct stat after {};
    if (!form.read(file, distro, found)) {
      fail(form.path,
           "is no rpm database that this agent can read; with [inventory] skip = [\"rpm\"] the "
           "rest is reported without it");
    } else if (::fstat(fd, &after) != 0 || !is_unchanged(before, after)) {
      fail(form.path, "was written while it was read");
    }
  }

  void read_places() {
    for (const Place& place : places) {
      if (!wants(place.source)) continue;
      const std::size_t before = found.packages.size();
      tree.match(place.pattern, place.links, [&](const std::string& path) {
        if (const auto text = tree.read(path, bounds::software_manifest_bytes, place.links)) {
          place.parse(*text, path, found);
        }
      });
      for (std::size_t i = before; i < found.packages.size(); ++i) {
        if (model::is_of_distribution(found.packages[i].ecosystem)) {
          found.packages[i].distro = distro;
        }
      }
    }
  }

  void read_go_programs() {
    if (!wants("go")) return;
    for (const GoPlace& place : go_places) {
      tree.match(place.pattern, place.links, [&](const std::string& path) {
        const OwnedFd fd = tree.open(path, place.links);
        if (!fd) return;
        read_go_binary(reader_of(fd.get()), found);
      });
    }
  }
};

}  // namespace

Result<void> read_software(Tree& tree, const std::vector<std::string>& skipped,
                           const std::string& distro, Found& found) {
  Reading reading{tree, skipped, distro, found, {}};
  reading.read_dpkg("var/lib/dpkg/status", DpkgFile::status);
  // Images without dpkg itself have a file for each package.
  tree.match("var/lib/dpkg/status.d/*", Links::within, [&](const std::string& path) {
    if (!path.ends_with(".md5sums")) reading.read_dpkg(path, DpkgFile::status_d);
  });
  reading.read_apk();
  reading.read_rpm();
  reading.read_places();
  reading.read_go_programs();
  if (tree.stopped()) reading.failure = "the look was cut short";
  if (reading.failure.empty()) return {};
  return Error{Errc::unavailable, std::move(reading.failure)};
}

}  // namespace muster::agent
