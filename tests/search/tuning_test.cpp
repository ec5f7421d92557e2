#include <gtest/gtest.h>

#include <medretrieval/tuning.hpp>

#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"

namespace medretrieval {
namespace {

using testing::make_collection;
using testing::make_model;

Searcher searcher_of(const EncoderOptions& encoder, std::size_t lists) {
  const auto collection = make_collection(1500, 12, false, 1);
  Gallery gallery(make_model(collection, encoder, false, lists));
  gallery.add(collection.features, collection.items);
  return Searcher(gallery.commit());
}

double recall_of(const Searcher& searcher, MatrixView queries, const TunedSearch& tuned) {
  SearchOptions exact;
  exact.k = tuned.k;
  exact.exact = true;
  SearchOptions options;
  options.k = tuned.k;
  options.probes = tuned.probes;
  options.pool_factor = tuned.pool_factor;
  const auto expected = searcher.search(queries, exact);
  const auto got = searcher.search(queries, options);
  double found = 0;
  for (std::size_t q = 0; q < got.size(); ++q) {
    for (const auto& hit : got[q].hits) {
      found += std::any_of(expected[q].hits.begin(), expected[q].hits.end(),
                           [&](const Hit& h) { return h.id == hit.id; });
    }
  }
  return found / static_cast<double>(tuned.k * queries.rows());
}

TEST(Tuning, TheChoiceReachesTheRecall) {
  const Searcher searcher = searcher_of({"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}, 30);
  const Matrix queries = make_collection(60, 12, false, 9).features;
  for (const double wanted : {0.5, 0.9, 0.99}) {
    const auto result = tune_search(searcher, queries, {.recall = wanted, .k = 5, .rounds = 1});
    ASSERT_TRUE(result.chosen.has_value()) << wanted;
    EXPECT_GE(result.chosen->recall, wanted);
    EXPECT_EQ(result.chosen->k, 5U);
    EXPECT_GE(result.chosen->probes, 1U);
    EXPECT_DOUBLE_EQ(result.chosen->recall, recall_of(searcher, queries, *result.chosen));
    const auto chosen = std::find_if(result.tried.begin(), result.tried.end(), [&](const TriedSetting& each) {
      return each.probes == result.chosen->probes && each.pool_factor == result.chosen->pool_factor;
    });
    ASSERT_NE(chosen, result.tried.end());
    for (const auto& each : result.tried) {
      if (each.microseconds <= 0) continue;
      EXPECT_GE(each.microseconds, chosen->microseconds);
    }
  }
}

/// Where a pool holds more than a list, the first few probes make no difference.
TEST(Tuning, APoolLargerThanListsDoesNotEndTheSearch) {
  const Searcher searcher = searcher_of({"pq", {{"subspaces", 2}, {"bits_per_entry", 4}}}, 60);
  const Matrix queries = make_collection(60, 12, false, 9).features;
  const auto result = tune_search(searcher, queries, {.recall = 0.98, .pool_factors = {40}, .rounds = 1});
  ASSERT_TRUE(result.chosen.has_value());
  EXPECT_GE(recall_of(searcher, queries, *result.chosen), 0.98);
}

TEST(Tuning, WithoutListsOnlyThePoolIsChosen) {
  const Searcher searcher = searcher_of({"itq", {{"bits", 12}}}, 0);
  const Matrix queries = make_collection(30, 12, false, 9).features;
  const auto result = tune_search(searcher, queries, {.recall = 0.9, .rounds = 1});
  ASSERT_TRUE(result.chosen.has_value());
  EXPECT_EQ(result.chosen->probes, 0U);
  EXPECT_GE(recall_of(searcher, queries, *result.chosen), 0.9);
}

TEST(Tuning, SaysWhenNothingReachesTheRecall) {
  const Searcher searcher = searcher_of({"lsh", {{"bits", 4}}}, 0);
  const Matrix queries = make_collection(30, 12, false, 9).features;
  const auto result = tune_search(searcher, queries, {.recall = 0.99, .pool_factors = {1, 2}, .rounds = 1});
  EXPECT_FALSE(result.chosen.has_value());
  EXPECT_EQ(result.tried.size(), 2U);
}

TEST(Tuning, LeavesOutWhatTheContextsSay) {
  const auto collection = make_collection(300, 12, false, 1);
  Gallery gallery(make_model(collection, {"itq", {{"bits", 12}}}, false));
  gallery.add(collection.features, collection.items);
  const Searcher searcher(gallery.commit());
  std::vector<QueryContext> contexts(20);
  for (std::size_t q = 0; q < 20; ++q) contexts[q] = {.patient = collection.items[q].patient, .self = q};
  const auto result = tune_search(searcher, collection.features.view().rows_from(0, 20),
                                  {.recall = 1, .k = 1, .pool_factors = {300}, .rounds = 1}, contexts);
  ASSERT_TRUE(
      result.chosen.has_value());  // were the query its own neighbour in one search only, no recall of 1
}

TEST(Tuning, RefusesWhatDoesNotFit) {
  const Searcher searcher = searcher_of({"lsh", {{"bits", 4}}}, 0);
  const Matrix queries = make_collection(3, 12, false, 9).features;
  const auto tune = [&](const TuningOptions& options) { (void)tune_search(searcher, queries, options); };
  EXPECT_ERROR(tune({.recall = 0}), invalid_argument, "recall");
  EXPECT_ERROR(tune({.recall = 1.01}), invalid_argument, "recall");
  EXPECT_ERROR(tune({.k = 0}), invalid_argument, "k of at least 1");
  EXPECT_ERROR(tune({.k = 1501}), invalid_argument, "1500 items");
  EXPECT_ERROR(tune({.pool_factors = {}}), invalid_argument, "pool factors");
  EXPECT_ERROR((tune({.pool_factors = {3, 2}})), invalid_argument, "ascending");
  EXPECT_ERROR((tune({.pool_factors = {3, 3}})), invalid_argument, "ascending");
  EXPECT_ERROR(tune({.rounds = 0}), invalid_argument, "round");
  EXPECT_ERROR((void)tune_search(searcher, Matrix(0, 12)), invalid_argument, "query");
}

TEST(Tuning, TheGalleryKeepsTheChoice) {
  const auto collection = make_collection(30, 12, false, 1);
  Gallery gallery(make_model(collection, {"itq", {{"bits", 12}}}, false));
  gallery.add(collection.features);
  const Snapshot before = gallery.commit();
  EXPECT_FALSE(before.tuned_search().has_value());
  const TunedSearch tuned = {0.97, 10, 0, 8};
  const Snapshot after = gallery.set_tuned_search(tuned);
  EXPECT_EQ(after.tuned_search(), tuned);
  EXPECT_EQ(after.generation(), before.generation() + 1);
  EXPECT_EQ(after.size(), 30U);
  EXPECT_FALSE(before.tuned_search().has_value());
  EXPECT_FALSE(gallery.set_tuned_search(std::nullopt).tuned_search().has_value());
}

}  // namespace
}  // namespace medretrieval
