// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"references", "REFERENCES", &formats::words},
    {"hosts", "HOSTS", &formats::number},
    {"findings.critical", "CRITICAL", &formats::number},
    {"findings.high", "HIGH", &formats::number},
    {"findings.medium", "MEDIUM", &formats::number},
    {"findings.low", "LOW", &formats::number},
    {"kev", "KEV", &formats::number},
    {"os", "OS"},
    {"scanned_at", "SCANNED", &formats::time},
};

const Columns shown = {
    {"id", "id"},
    {"org_id", "org"},
    {"digest", "digest"},
    {"references", "references", &formats::words},
    {"repo_digests", "registries' digests", &formats::words},
    {"kind", "kind"},
    {"os", "OS"},
    {"arch", "arch"},
    {"hosts", "running on hosts"},
    {"findings", "open findings", &formats::members},
    {"kev", "known exploited"},
    {"packages", "packages", &formats::members},
    {"first_seen", "first seen", &formats::time},
    {"scanned_at", "scanned", &formats::time},
};

const Columns running = {
    {"hostname", "HOST"},
    {"reference", "REFERENCE"},
    {"first_seen", "SINCE", &formats::time},
    {"last_seen", "LAST SEEN", &formats::time},
    {"retired_at", "RETIRED", &formats::time},
};

const Columns findings = {
    {"id", "ID", &formats::id},
    {"advisory", "ADVISORY", &formats::id},
    {"severity", "SEVERITY", &formats::severity},
    {"package", "PACKAGE"},
    {"version", "INSTALLED"},
    {"fixed_version", "FIXED"},
    {"kev", "KEV", &formats::exploited},
    {"status", "STATUS"},
    {"epss", "EPSS", &formats::share},
    {"fix_status", "FIX"},
    {"found_by", "FOUND BY", &formats::words},
    {"title", "TITLE"},
};

void print_image(const Shell& shell, const Json& image) {
  shell.print_facts(facts_of(shown, image));
  const auto hosts = image.find("running_on");
  if (!hosts || !hosts->is_array()) return;
  shell.print("\n");
  ListPrinter printer(shell, running, {"name on a host", "names on hosts"});
  hosts->for_each([&](const Json& host) { printer.add(host); });
  printer.finish(false);
}

}  // namespace

void add_images(Grammar& grammar) {
  grammar.noun("images", "Container images and what is vulnerable in them")
      .list({"list", "List images, the newest first", "muster images list --cve CVE-2021-44228"},
            "/api/v1/images",
            {{.name = "--host",
              .member = "host",
              .what = "Only of that host, by id or hostname",
              .shown = "HOST"},
             {.name = "--cve",
              .member = "cve",
              .what = "Only images in which this CVE is open",
              .check = check_cve,
              .shown = "CVE"},
             {"--all", "retired", "Also images that no host has any more", Flag::Kind::on},
             org_flag("Only of that organisation")},
            listed, {"image", "images"})
      .call({"show", "Show one image and the hosts that have it", "muster images show 1234567890"},
            http::Method::get, "/api/v1/images/{id}", {id_flag("Id of the image")}, print_image)
      .list({"findings", "List what is vulnerable in an image, the most pressing first",
             "muster images findings 1234567890"},
            "/api/v1/images/{id}/findings",
            {id_flag("Id of the image"),
             {"--resolved", "resolved", "Also what is resolved", Flag::Kind::on}},
            findings, {"finding", "findings"});
}

}  // namespace muster::ctl
