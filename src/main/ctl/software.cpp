// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"name", "NAME"},
    {"version", "VERSION"},
    {"vendor", "VENDOR"},
    {"hosts", "HOSTS", &formats::number},
    {"identity", "IDENTITY"},
    {"method", "BY"},
    {"confidence", "CONFIDENCE"},
    {"products", "PRODUCTS", &formats::words},
    {"reason", "VERDICT"},
    {"findings", "FINDINGS", &formats::number},
};

const Columns mapped = {
    {"name", "name"},
    {"vendor", "vendor"},
    {"products", "products", &formats::words},
    {"skipped", "skipped", &formats::yes_no},
    {"hosts_matched", "hosts looked at", &formats::number},
    {"findings_opened", "findings opened", &formats::number},
    {"findings_resolved", "findings resolved", &formats::number},
};

}  // namespace

void add_software(Grammar& grammar) {
  grammar.noun("software", "Distinct software, and what product each is taken for")
      .list(
          {"list", "List the software of all hosts, each name and version once",
           "muster software list --unmapped"},
          "/api/v1/software",
          {{.name = "--name",
            .member = "name",
            .what = "Only software of exactly this name",
            .shown = "NAME"},
           {.name = "--text",
            .member = "text",
            .what = "Only software with that text in its name, in any case of letters",
            .shown = "TEXT"},
           {"--unmapped", "unmapped", "Only software that no product is known for", Flag::Kind::on},
           org_flag("Only of that organisation")},
          listed, {"package", "packages"})
      .call({"map", "Say which products software of a name is, for findings to follow at once",
             "muster software map 'Acme Burner' --vendor 'Acme Inc.' --cpe acme:burner"},
            http::Method::put, "/api/v1/software/identity",
            {{.name = "NAME",
              .member = "name",
              .what = "Name of the software, as it is reported",
              .required = true},
             {.name = "--vendor",
              .member = "vendor",
              .what = "Its vendor, as it is reported; without, software that has none",
              .shown = "VENDOR"},
             {.name = "--cpe",
              .member = "products",
              .what = "The products of CPE that it is, the main one first",
              .kind = Flag::Kind::texts,
              .shown = "VENDOR:PRODUCT..."},
             {"--skip", "skip", "It is no product: do not assess it", Flag::Kind::on},
             {"--clear", "clear", "Forget what was said of it", Flag::Kind::on},
             org_flag("Its organisation")},
            facts_view(mapped));
}

}  // namespace muster::ctl
