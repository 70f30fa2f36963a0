// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/host.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;

class HostTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& content) {
    const fs::path file = fs::path(root_.path()) / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  std::set<std::string> survey(std::vector<std::string> skipped = {}) {
    LinuxHost host(root_.path(), bystanders_, {});
    const auto survey = host.survey(skipped, stop_);
    if (!survey.ok()) {
      why_ = survey.error().message;
      return {"(nothing)"};
    }
    std::set<std::string> found;
    for (const model::Package& p : survey->software) {
      found.insert(std::string(model::ecosystem_name(p.ecosystem)) + " " + p.name + " " +
                   p.version + (p.distro.empty() ? "" : " " + p.distro));
    }
    return found;
  }

  Bystanders bystanders_;
  TestDirectory root_;
  std::atomic<bool> stop_{false};
  std::string why_;  // the last survey failed
};

TEST_F(HostTest, EverySourceIsLookedAtInItsPlaces) {
  put("etc/os-release", "ID=arch\nNAME=Arch\n");
  put("var/lib/dpkg/status",
      "Package: bash\nStatus: install ok installed\nVersion: 5.2\nArchitecture: amd64\n");
  put("lib/apk/db/installed", "P:musl\nV:1.2.5-r9\nA:x86_64\n\n");
  put("var/lib/pacman/local/zlib-1.3/desc", "%NAME%\nzlib\n\n%VERSION%\n1.3-1\n");
  put("snap/core/current/meta/snap.yaml", "name: core\nversion: 16-2.61\n");
  put("usr/local/lib/python3.11/dist-packages/requests-2.31.0.dist-info/METADATA",
      "Name: requests\nVersion: 2.31.0\n\n");
  put("home/u/.local/share/pipx/venvs/x/lib/python3.11/site-packages/flask-3.dist-info/METADATA",
      "Name: Flask\nVersion: 3.0.0\n\n");
  put("usr/local/lib/node_modules/npm/package.json", R"({"name": "npm", "version": "10.2.3"})");
  put("usr/local/lib/node_modules/npm/node_modules/@npmcli/arborist/package.json",
      R"({"name": "@npmcli/arborist", "version": "7.2.1"})");
  put("var/lib/gems/3.1.0/specifications/rack-2.2.7.gemspec",
      "  s.name = \"rack\"\n  s.version = \"2.2.7\"\n");
  put("root/.cargo/.crates2.json", R"j({"installs": {"fd-find 9.0.0 (x)": {}}})j");
  put("home/u/.vscode/extensions/p/package.json",
      R"({"name": "n", "publisher": "p", "version": "1.0.0"})");
  // The distribution's own, which its packages already say.
  put("usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", "Name: six\nVersion: 1.16.0\n");
  const std::set<std::string> all = {"deb bash 5.2 arch",      "apk musl 1.2.5-r9 arch",
                                     "pacman zlib 1.3-1 arch", "generic core 16-2.61",
                                     "pypi requests 2.31.0",   "pypi flask 3.0.0",
                                     "npm npm 10.2.3",         "npm @npmcli/arborist 7.2.1",
                                     "gem rack 2.2.7",         "cargo fd-find 9.0.0",
                                     "other p.n 1.0.0"};
  EXPECT_EQ(survey(), all);
  EXPECT_EQ(survey({"dpkg", "apk", "pacman", "snap", "python", "npm", "gem", "editors"}),
            std::set<std::string>{"cargo fd-find 9.0.0"});
}

/// Where the tools of languages, editors and browsers keep what they install, each with one package
/// there, which is to be found.
TEST_F(HostTest, ToolsKeepWhatTheyInstallInPlacesOfTheirOwn) {
  const std::string python = "Name: p\nVersion: 1\n\n";
  const std::string npm = R"({"name": "p", "version": "1"})";
  const std::string gem = "  s.name = \"p\".freeze\n  s.version = \"1\"\n";
  const std::string extension = R"({"name": "p", "publisher": "q", "version": "1"})";
  const std::string firefox = R"({"addons": [{"id": "p", "type": "extension",
      "location": "app-profile", "version": "1"}]})";
  const std::string flatpak = "<id>p</id><releases><release version=\"1\"/></releases>";
  struct Place {
    const char* path;
    const std::string& content;
    const char* package;
  };
  const Place places[] = {
      {"usr/local/lib64/python3.9/site-packages/p-1.dist-info/METADATA", python, "pypi p 1"},
      {"opt/conda/envs/e/lib/python3.12/site-packages/p-1.dist-info/METADATA", python, "pypi p 1"},
      {"opt/pipx/venvs/p/lib/python3.12/site-packages/p-1.dist-info/METADATA", python, "pypi p 1"},
      {"root/.pyenv/versions/3.12.1/lib/python3.12/site-packages/p-1.dist-info/METADATA", python,
       "pypi p 1"},
      {"home/u/.pyenv/versions/3.6.15/lib/python3.6/site-packages/p-1.egg-info/PKG-INFO", python,
       "pypi p 1"},
      {"home/u/.local/share/uv/tools/p/lib/python3.13/site-packages/p-1.dist-info/METADATA", python,
       "pypi p 1"},
      {"home/u/miniconda3/lib/python3.12/site-packages/p-1.dist-info/METADATA", python, "pypi p 1"},
      {"opt/node-v20/lib/node_modules/p/package.json", npm, "npm p 1"},
      {"home/u/.local/lib/node_modules/p/package.json", npm, "npm p 1"},
      {"root/.local/share/fnm/node-versions/v20/installation/lib/node_modules/p/package.json", npm,
       "npm p 1"},
      {"usr/local/share/gems/specifications/p-1.gemspec", gem, "gem p 1"},
      {"usr/local/lib/ruby/gems/3.3.0/specifications/default/p-1.gemspec", gem, "gem p 1"},
      {"home/u/.rvm/gems/ruby-3.3.0/specifications/p-1.gemspec", gem, "gem p 1"},
      {"root/.vscode/extensions/q.p-1/package.json", extension, "other q.p 1"},
      {"home/u/.windsurf/extensions/q.p-1/package.json", extension, "other q.p 1"},
      {"home/u/.var/app/com.google.Chrome/config/google-chrome/Default/Extensions/i/1/"
       "manifest.json",
       npm, "other p 1"},
      {"home/u/.var/app/org.mozilla.firefox/.mozilla/firefox/x.default/extensions.json", firefox,
       "other p 1"},
      {"home/u/.local/share/flatpak/app/p/x86_64/stable/0a1b/files/share/metainfo/p.xml", flatpak,
       "generic p 1"},
  };
  for (const auto& [path, content, package] : places) {
    put(path, content);
    EXPECT_EQ(survey(), std::set<std::string>{package}) << path;
    fs::remove(fs::path(root_.path()) / path);
  }
}

TEST_F(HostTest, AnRpmDatabaseThatCannotBeReadIsNoHostWithoutPackages) {
  for (const char* path : {"var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db"}) {
    put(path, "no Berkeley DB, and none of ndb");
    EXPECT_EQ(survey(), std::set<std::string>{"(nothing)"});
    EXPECT_NE(why_.find(path), std::string::npos) << why_;
    EXPECT_EQ(survey({"rpm"}), std::set<std::string>{})
        << "the owner says that it is to be left out";
    put(path, "");
    EXPECT_EQ(survey(), std::set<std::string>{}) << "one without a package";
  }
  fs::create_directories(fs::path(root_.path()) / "data/rpm");
  std::ofstream(fs::path(root_.path()) / "data/rpm/rpmdb.sqlite") << "x";
  fs::remove_all(fs::path(root_.path()) / "var/lib/rpm");
  fs::create_directory_symlink("/data/rpm", fs::path(root_.path()) / "var/lib/rpm");
  EXPECT_EQ(survey(), std::set<std::string>{"(nothing)"});
  EXPECT_NE(why_.find("symbolic link"), std::string::npos) << why_;
}

TEST_F(HostTest, AFolderIsTheHostThatItsFilesAreOf) {
  put("etc/hostname", "elsewhere\n");
  put("usr/lib/os-release", "ID=debian\nVERSION_ID=11\n");
  // As the kernel would follow it, that is this host's own.
  fs::create_symlink("/usr/lib/os-release", fs::path(root_.path()) / "etc/os-release");
  LinuxHost host(root_.path(), bystanders_, {});
  const auto survey = host.survey({}, stop_);
  ASSERT_TRUE(survey.ok());
  EXPECT_EQ(survey->facts.hostname, "elsewhere");
  EXPECT_EQ(survey->facts.os.distro(), "debian:11");
  EXPECT_EQ(survey->facts.kernel, "");
  EXPECT_EQ(survey->facts.ip_address, "");
}

TEST_F(HostTest, AnImageWithoutDpkgHasAFileForEachPackage) {
  put("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  put("var/lib/dpkg/status.d/netbase", "Package: netbase\nVersion: 6.4\nArchitecture: all\n");
  put("var/lib/dpkg/status.d/netbase.md5sums", "0123  etc/services\n");
  EXPECT_EQ(survey(), std::set<std::string>{"deb netbase 6.4 debian:12"});
}

TEST_F(HostTest, ADatabaseThatCannotBeReadIsNoEmptyHost) {
  put("var/lib/dpkg/status", "");
  EXPECT_EQ(survey(), std::set<std::string>{});
  fs::remove(fs::path(root_.path()) / "var/lib/dpkg/status");
  fs::create_directories(fs::path(root_.path()) / "var/lib/dpkg/status");
  EXPECT_EQ(survey(), std::set<std::string>{"(nothing)"});
  EXPECT_EQ(why_, "/var/lib/dpkg/status cannot be read");
}

TEST_F(HostTest, AUserCannotShowUsWhatIsNotTheirs) {
  put("etc/secret/package.json", R"({"name": "secret", "version": "1.0.0"})");
  fs::create_directories(fs::path(root_.path()) / "opt/app");
  fs::create_directory_symlink("/etc", fs::path(root_.path()) / "opt/app/node_modules");
  EXPECT_EQ(survey(), std::set<std::string>{});
}

TEST_F(HostTest, AStoppedSurveySaysNothing) {
  put("lib/apk/db/installed", "P:musl\nV:1.2.5-r9\nA:x86_64\n\n");
  stop_ = true;
  EXPECT_EQ(survey(), std::set<std::string>{"(nothing)"});
}

}  // namespace
}  // namespace muster::agent
