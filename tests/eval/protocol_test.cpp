#include <gtest/gtest.h>

#include <fstream>
#include <medretrieval/eval/protocol.hpp>
#include <medretrieval/eval/report.hpp>
#include <nlohmann/json.hpp>

#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval::eval {
namespace {

using medretrieval::testing::Collection;
using medretrieval::testing::make_collection;
using medretrieval::testing::make_model;

class Protocol : public ::testing::Test {
 protected:
  std::vector<EvaluationRow> run(const EncoderOptions& encoder, bool several = false,
                                 const EvaluationOptions& options = {}) {
    const Collection database = make_collection(300, 16, several, 2);
    const Collection queries = make_collection(60, 16, several, 3);
    Gallery gallery(make_model(make_collection(200, 16, several, 1), encoder));
    gallery.add(database.features, database.items);
    return evaluate(gallery.commit(), {queries.features, queries.items}, options);
  }
};

TEST_F(Protocol, GivesOneRowAloneAndOneThroughTheCascade) {
  const auto rows = run({"itq", {{"bits", 16}}});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0].cascade);
  EXPECT_TRUE(rows[1].cascade);
  EXPECT_EQ(rows[0].method, "itq");
  EXPECT_EQ(rows[0].bits, 16U);
  EXPECT_TRUE(rows[0].mean_average_precision.has_value());
  EXPECT_FALSE(rows[1].mean_average_precision.has_value());
  EXPECT_NEAR(rows[0].chance, 0.2, 1e-9) << "five classes of equal size";
  for (const auto& row : rows) {
    EXPECT_GT(row.precision, 0.3);
    EXPECT_LE(row.precision_interval.low, row.precision);
    EXPECT_GE(row.precision_interval.high, row.precision);
    EXPECT_GT(row.microseconds, 0);
    EXPECT_EQ(row.queries, 60U);
  }
  EXPECT_EQ(rows[0].precision_curve.size(), 21U);
}

TEST_F(Protocol, ExactSearchRecallsEverything) {
  Gallery gallery(Model({.dimension = 16, .labels = LabelVocabulary(medretrieval::testing::class_names())}));
  const Collection database = make_collection(200, 16, true, 2);
  const Collection queries = make_collection(40, 16, true, 3);
  gallery.add(database.features, database.items);
  const auto rows = evaluate(gallery.commit(), {queries.features, queries.items});
  EXPECT_EQ(rows[0].method, "exact");
  EXPECT_DOUBLE_EQ(rows[0].recall, 1);
  EXPECT_DOUBLE_EQ(rows[1].recall, 1) << "without a gate the cascade is the same search";
  EXPECT_DOUBLE_EQ(rows[0].precision, rows[1].precision);
}

TEST_F(Protocol, QueriesWithNothingRelevantAreLeftOutAndCounted) {
  const auto rows = run({"lsh", {{"bits", 32}}}, true);
  EXPECT_EQ(rows[0].queries, 54U) << "every tenth query has no label";
  EXPECT_EQ(rows[0].queries_without_relevant, 6U);
}

TEST_F(Protocol, TheQuerysOwnPatientCountsForNothing) {
  // Database and queries are the same images: with their own patient allowed, everybody would find
  // themselves.
  const Collection all = make_collection(150, 16, false, 2);
  Gallery gallery(make_model(all, {"lsh", {{"bits", 64}}}));
  gallery.add(all.features, all.items);
  const Snapshot snapshot = gallery.commit();
  const auto rows = evaluate(snapshot, {all.features, all.items});
  EXPECT_NEAR(rows[0].chance, (30.0 - 1) / 147, 1e-9)
      << "29 of the 147 images of other patients share the class";
  const auto direct = Searcher(snapshot).search(all.features.row(0), {}, {.patient = all.items[0].patient});
  for (const auto& hit : direct.hits) EXPECT_GT(hit.id, 2U);
}

TEST_F(Protocol, AQueryIsNotItsOwnAnswer) {
  // The same images again, but nobody knows the patients: the key says which item the query is.
  Collection all = make_collection(60, 16, false, 2);
  for (std::size_t row = 0; row < all.items.size(); ++row) {
    all.items[row].patient.clear();
    all.items[row].key = "image " + std::to_string(row);
  }
  Gallery gallery(make_model(all, {"lsh", {{"bits", 64}}}));
  gallery.add(all.features, all.items);
  const Snapshot snapshot = gallery.commit();
  const auto rows = evaluate(snapshot, {all.features, all.items});
  EXPECT_NEAR(rows[0].chance, 11.0 / 59, 1e-9) << "11 other images of the class among 59";
  const auto stranger = [&] {
    auto items = all.items;
    for (auto& item : items) item.key.clear();
    return evaluate(snapshot, {all.features, items});
  }();
  EXPECT_NEAR(stranger[0].chance, 12.0 / 60, 1e-9) << "without a key it cannot be told";
}

TEST_F(Protocol, RerankNoneOfAnExactGalleryIsTheExactOrder) {
  const Collection few = make_collection(40, 16, false, 2);
  Gallery gallery(Model({.dimension = 16, .labels = LabelVocabulary(medretrieval::testing::class_names())}));
  gallery.add(few.features, few.items);
  const auto rows = evaluate(gallery.commit(), {few.features, few.items}, {.k = 3, .rerank = Rerank::none});
  EXPECT_DOUBLE_EQ(rows[1].recall, 1);
}

TEST_F(Protocol, RandomCodesScoreAboutChance) {
  const Collection database = make_collection(500, 16, false, 2);
  Collection noise = make_collection(200, 16, false, 3);
  noise.features =
      medretrieval::testing::gaussian(200, 16, 99);  // features that say nothing about the labels
  Gallery gallery(make_model(database, {"lsh", {{"bits", 16}}}));
  gallery.add(medretrieval::testing::gaussian(500, 16, 98), database.items);
  const auto rows = evaluate(gallery.commit(), {noise.features, noise.items});
  EXPECT_NEAR(*rows[0].mean_average_precision, 0.2, 0.03);
  EXPECT_NEAR(rows[0].precision, 0.2, 0.04);
}

TEST_F(Protocol, RefusesBadInput) {
  const Collection few = make_collection(20, 16, false, 2);
  Gallery gallery(make_model(few, {"lsh", {{"bits", 8}}}));
  gallery.add(few.features.view().rows_from(0, 5), std::span(few.items).first(5));
  const Snapshot snapshot = gallery.commit();
  EXPECT_ERROR(evaluate(snapshot, {few.features, few.items}), invalid_argument,
               "1 to the 5 items of the gallery, got 10");
  EXPECT_ERROR(evaluate(snapshot, {few.features, std::span(few.items).first(3)}, {.k = 2}), invalid_argument,
               "each of the 20 queries, got 3");
  std::vector<Item> unlabelled(20);
  EXPECT_ERROR(evaluate(snapshot, {few.features, unlabelled}, {.k = 2}), invalid_argument,
               "none of the 20 queries");
  EXPECT_ERROR(
      evaluate(snapshot, {few.features, few.items}, {.k = 2, .progress = [](const auto&) { return false; }}),
      cancelled, "cancelled after");
}

TEST_F(Protocol, TablesAndReportShowEveryRow) {
  auto rows = run({"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}});
  rows[0].method = "<pq>";
  const auto json = nlohmann::json::parse(json_table(rows));
  ASSERT_EQ(json["rows"].size(), 2U);
  for (const char* key : {"method", "bits", "cascade", "p_at_10", "map", "map_definition", "chance", "recall",
                          "us_per_query"}) {
    EXPECT_TRUE(json["rows"][0].contains(key)) << key;
  }
  EXPECT_TRUE(json["rows"][1]["map"].is_null());
  EXPECT_NE(text_table(rows).find("product(4 x 4 bits)"), std::string::npos);

  const medretrieval::testing::TemporaryFolder folder;
  Report report = {"A <title>", {"Synthetic vectors."}, rows, {}, {}};
  report.sheets.push_back({"Query 1", {{0x89, 'P', 'N'}, "alpha", false}, {{{1, 2}, "beta\n0.5", true}}});
  write_report(folder / "report.html", report);
  std::ifstream stream(folder / "report.html");
  const std::string html{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_NE(html.find("A &lt;title&gt;"), std::string::npos);
  EXPECT_NE(html.find("&lt;pq&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<pq>"), std::string::npos);
  EXPECT_NE(html.find("base64,iVBO\""), std::string::npos);
  EXPECT_NE(html.find("base64,AQI=\""), std::string::npos);
  EXPECT_NE(html.find("<polyline"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "one file, nothing fetched";
}

}  // namespace
}  // namespace medretrieval::eval
