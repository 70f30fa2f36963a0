// SPDX-License-Identifier: Apache-2.0
#include "vuln/product_finder.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "vuln/identify.h"
#include "vuln/index.h"
#include "vuln/match.h"
#include "vuln/product_name.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::Package;

/// An index with one advisory, or `advisories` of them, about each "vendor:product[:target_sw]".
std::shared_ptr<const Index> index_of(const std::vector<std::string>& products,
                                      std::size_t advisories = 1) {
  Index::Builder builder;
  std::size_t number = 0;
  for (const std::string& each : products) {
    const auto colon = each.find(':', each.find(':') + 1);
    const std::string target = colon == std::string::npos ? "*" : each.substr(colon + 1);
    for (std::size_t i = 0; i < advisories; ++i) {
      Advisory row;
      row.feed = "nvd";
      row.id = "CVE-2099-" + std::to_string(1000 + ++number);
      row.configurations = {
          {false,
           false,
           {{false,
             false,
             {{"cpe:2.3:a:" + each.substr(0, colon) + ":1:*:*:*:*:" + target + ":*:*",
               true,
               {}}}}}}};
      builder.add(row);
    }
  }
  return builder.finish();
}

/// "vendor:product" of the names found, between spaces.
std::string found(const Index& index, std::string_view name, std::string_view vendor) {
  std::string text;
  for (const CpeName& each : find_product(index.cpe(), name, vendor)) {
    text.append(text.empty() ? "" : " ").append(each.vendor).append(":").append(each.product);
  }
  return text;
}

TEST(FitVendor, TakesTheVendorsOwnWords) {
  EXPECT_EQ(fit_vendor("acme", "Acme, Inc."), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("acme_project", "Acme"), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("blue_lake", "Blue Lake GmbH & Co. KG"), VendorFit::beginning);
  EXPECT_EQ(fit_vendor("apache", "The Apache Software Foundation"), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("paloaltonetworks", "Palo Alto Networks, Inc."), VendorFit::beginning);
  EXPECT_EQ(fit_vendor("foxitsoftware", "Foxit Corporation"), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("hp", "Hewlett Packard Enterprise Development LP"), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("amd", "Advanced Micro Devices, Inc."), VendorFit::exactly);
  EXPECT_EQ(fit_vendor("bsd", "Blue Sky Designs"), VendorFit::beginning) << "initials";
}

TEST(FitVendor, RefusesTheRest) {
  EXPECT_EQ(fit_vendor("acme", ""), VendorFit::no);
  EXPECT_EQ(fit_vendor("acme", "Acmeology"), VendorFit::no);
  EXPECT_EQ(fit_vendor("the", "The Apache Software Foundation"), VendorFit::no);
  EXPECT_EQ(fit_vendor("software", "Bluebird Software"), VendorFit::no);
  EXPECT_EQ(fit_vendor("bluebirds", "Bluebird Software"), VendorFit::no);
}

TEST(FindProduct, NamesAProductOfTheReportedVendor) {
  const auto index = index_of({"acme:burner", "acme:acme_reader", "other:burner"});
  EXPECT_EQ(found(*index, "Burner 7.1 (x64)", "Acme Inc."), "acme:burner");
  EXPECT_EQ(found(*index, "Acme Burner", "Acme Inc."), "acme:burner");
  EXPECT_EQ(found(*index, "ACME BURNER", ""), "acme:burner") << "the name begins with the vendor";
  EXPECT_EQ(found(*index, "Reader", "Acme"), "acme:acme_reader");
  EXPECT_EQ(found(*index, "Burner", "Someone"), "");
  EXPECT_EQ(found(*index, "Burner", ""), "") << "two vendors have one";
}

TEST(FindProduct, ReadsNamesWithoutTheirSpelling) {
  const auto index = index_of({"acme:disc-burner", R"(bee:hive\+\+)"});
  EXPECT_EQ(found(*index, "DiscBurner", "Acme"), "acme:disc-burner");
  EXPECT_EQ(found(*index, "Hive++", "Bee"), R"(bee:hive\+\+)");
  EXPECT_EQ(found(*index, "Hive", "Bee"), "");
  EXPECT_EQ(found(*index, "Disc Burner 光", "Acme"), "") << "other letters are letters too";
}

TEST(FindProduct, AsksForTheWholeName) {
  const auto index =
      index_of({"acme:burner", "acme:data_exchange_layer", "acme:disc_burner_agent"});
  EXPECT_EQ(found(*index, "Acme Burner Helper", "Acme"), "");
  EXPECT_EQ(found(*index, "Burner Plugin for Mail", "Acme"), "");
  EXPECT_EQ(found(*index, "Burner Professional Edition", "Acme"), "acme:burner");
  EXPECT_EQ(found(*index, "Acme Burner for Windows", "Acme"), "acme:burner");
  EXPECT_EQ(found(*index, "Acme Data Exchange Layer for MA", "Acme"), "acme:data_exchange_layer");
  EXPECT_EQ(found(*index, "Acme Data Exchange Layer 7 2203 CU2 - Delivery", "Acme"),
            "acme:data_exchange_layer");
  EXPECT_EQ(found(*index, "Acme Disc Burner", "Acme"), "acme:disc_burner_agent");
  EXPECT_EQ(found(*index, "Burner Professional Edition", ""), "")
      << "a shortened name needs a vendor";
}

TEST(FindProduct, IsCarefulWithoutAVendor) {
  const auto index = index_of(
      {"wombat:wombat", "root:root", "cern:root_framework", "tiny:tiny", "zed:wide_gorge",
       "mist_project:mist", "haze:mist_tools", "one:kettle", "two:kettle", "carafe_works:carafe"},
      3);
  EXPECT_EQ(found(*index, "Wombat.app", ""), "wombat:wombat");
  EXPECT_EQ(found(*index, "Wombat", "Jane Doe"), "wombat:wombat") << "the product has its own name";
  EXPECT_EQ(found(*index, "Wide Gorge", ""), "zed:wide_gorge") << "two words that nobody else has";
  EXPECT_EQ(found(*index_of({"zed:wide_gorge"}), "Wide Gorge", ""), "") << "nobody knows it";
  EXPECT_EQ(found(*index, "Carafe", ""), "") << "one word of a vendor with another name";
  EXPECT_EQ(found(*index, "Root", ""), "") << "another vendor's product has the word";
  EXPECT_EQ(found(*index, "Root", "Root"), "") << "a vendor that repeats the name is no evidence";
  EXPECT_EQ(found(*index, "Mist", ""), "");
  EXPECT_EQ(found(*index, "Tiny", ""), "") << "four letters are too few";
  EXPECT_EQ(found(*index, "Kettle", ""), "");
  EXPECT_EQ(found(*index, "", ""), "");
  EXPECT_EQ(found(*index, "( )", "( )"), "");
}

TEST(FindProduct, LeavesOutWhatRunsInSomethingElse) {
  const auto index = index_of({"acme:gallery:wordpress", "acme:diary:android",
                               "acme:burner:windows", "acme:parser:node.js"});
  EXPECT_EQ(found(*index, "Gallery", "Acme"), "");
  EXPECT_EQ(found(*index, "Diary", "Acme"), "");
  EXPECT_EQ(found(*index, "Parser", "Acme"), "");
  EXPECT_EQ(found(*index, "Burner", "Acme"), "acme:burner");
}

TEST(FindProduct, ListsTheVendorsOtherNamesForIt) {
  const auto index = index_of({"foxit:reader", "foxitsoftware:reader", "other:reader"});
  const std::string names = found(*index, "Foxit Reader", "Foxit Software Inc.");
  EXPECT_EQ(names, "foxit:reader foxitsoftware:reader");
}

TEST(FindProduct, DoesNotDependOnTheOrderOfAdvisories) {
  std::vector<std::string> products = {"foxit:reader",    "foxitsoftware:reader", "acme:burner",
                                       "acme:burner_pro", "wombat:wombat",        "two:kettle"};
  const auto index = index_of(products);
  std::reverse(products.begin(), products.end());
  const auto other = index_of(products);
  for (const char* name : {"Foxit Reader", "Burner", "Burner Pro", "Wombat", "Kettle"}) {
    for (const char* vendor : {"", "Acme", "Foxit Software"}) {
      EXPECT_EQ(found(*index, name, vendor), found(*other, name, vendor)) << name << vendor;
    }
  }
}

TEST(FindProduct, AsksForAMarginWhereOnlyTheNameSpeaks) {
  EXPECT_EQ(found(*index_of({"acme:acme_burner_x", "acme:burner_x"}), "Acme Burner X", ""), "");
}

TEST(FindProduct, SaysInTheEvidenceHowTheProductWasFound) {
  const auto index = index_of({"acme:burner"});
  Package package;
  package.name = "Burner";
  package.vendor = "Acme";
  package.version = "1";
  const Identity identity = identify(package, index->cpe());
  EXPECT_EQ(identity.kind, Identity::Kind::cpe);
  EXPECT_EQ(identity.cpe_source, Identity::Source::vocabulary);
  EXPECT_EQ(identity.cpe, "cpe:2.3:a:acme:burner:1:*:*:*:*:*:*:*");
  const Verdict verdict = match(*index, package);
  ASSERT_EQ(verdict.state, State::vulnerable);
  EXPECT_EQ(verdict.matches[0].evidence.caveats,
            std::vector<std::string>{"the product was found by the program's name and vendor"});
}

TEST(FindProduct, IsAskedForProgramsOnly) {
  const auto index = index_of({"acme:burner"});
  Package package;
  package.name = "burner";
  package.vendor = "Acme";
  package.version = "1";
  for (const auto ecosystem :
       {model::Ecosystem::npm, model::Ecosystem::deb, model::Ecosystem::pypi}) {
    package.ecosystem = ecosystem;
    EXPECT_EQ(identify(package, index->cpe()).cpe, "");
  }
}

TEST(ShorterProductNames, DropEditionsThenCut) {
  const auto forms = [](std::string_view name) {
    std::string text;
    for (const ShorterName& each : shorter_product_names(name)) {
      text += each.name + (each.cut ? " (cut)|" : "|");
    }
    return text;
  };
  EXPECT_EQ(forms("Acme Burner"), "");
  EXPECT_EQ(forms("Acme Burner Pro for Windows"), "acme burner pro|acme burner|");
  EXPECT_EQ(forms("Acme Burner 7 2203 CU2 - Agent"), "acme burner cu2 (cut)|acme burner (cut)|");
  EXPECT_EQ(forms("Skype for Business"), "skype for|");
  EXPECT_EQ(forms(""), "");
}

}  // namespace
}  // namespace muster::vuln
