#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/searcher.hpp>
#include <thread>

#include "search/random_options.hpp"
#include "search/search_oracle.hpp"
#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"

namespace medretrieval {
namespace {

using testing::Collection;
using testing::expect_same;
using testing::make_collection;
using testing::make_model;
using testing::plain;
using testing::random_options;

struct TestedModel {
  EncoderOptions encoder;
  std::size_t lists = 0;
  FeatureType stored_features = FeatureType::float32;
};

const std::vector<TestedModel>& models() {
  static const std::vector<TestedModel> all = {
      {{"lsh", {{"bits", 12}}}},
      {{"itq", {{"bits", 14}, {"iterations", 5}}}},
      {{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}, {"iterations", 5}}}},
      {{"pq", {{"subspaces", 3}, {"bits_per_entry", 8}, {"iterations", 3}}}},
      {{"joint", {{"slices", std::string("6:2,10:3")}, {"bits", 6}}}},
      {{"itq", {{"bits", 14}, {"iterations", 5}}}, 9},
      {{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}, {"iterations", 5}}}, 9},
      {{"opq", {{"subspaces", 3}, {"bits_per_entry", 8}, {"iterations", 3}}}, 30, FeatureType::float16},
      {{"pq", {{"subspaces", 5}, {"bits_per_entry", 4}, {"iterations", 3}}}, 315},
      {{"lsh", {{"bits", 40}}}, 0, FeatureType::float16},
      {{"itq", {{"bits", 14}, {"iterations", 5}}}, 0, FeatureType::uint8},
      {{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}, {"iterations", 5}}}, 9, FeatureType::uint8}};
  return all;
}

class EverySearch : public ::testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(EverySearch, EqualsTheOracle) {
  const auto& [number, several] = GetParam();
  const auto& [encoder, lists, stored_features] = models()[number];
  const Collection collection = make_collection(320, 16, several, 1);
  const Model model = make_model(collection, encoder, true, lists, stored_features);
  Gallery gallery(model);
  testing::add_in_segments(gallery, collection, 3);
  std::vector<ItemId> removed;
  for (ItemId id = 5; id < 320; id += 17) removed.push_back(id);
  gallery.remove(removed);
  const Searcher searcher(gallery.commit());
  const auto oracle = plain(searcher.snapshot());
  const Collection asking = make_collection(40, 16, several, 2);
  detail::Random random(100 + number);
  for (int round = 0; round < 60; ++round) {
    SearchOptions options = random_options(random, searcher.snapshot().size(), lists);
    options.threads = 1 + static_cast<int>(random.below(3));
    options.shards = random.below(4);
    std::vector<QueryContext> contexts(5);
    Matrix queries(5, 16);
    for (std::size_t q = 0; q < 5; ++q) {
      const std::size_t row = random.below(40);
      const auto from = q < 3 ? asking.features.row(row) : collection.features.row(row);
      std::copy(from.begin(), from.end(), queries.row(q).begin());
      if (q % 2 == 0) contexts[q].patient = collection.items[row].patient;
      if (q == 3) contexts[q].self = row;
      if (q == 4) contexts[q].posterior = {0.1F, 0.2F, 0.4F, 0.2F, 0.1F};
    }
    const auto results = searcher.search(queries, options, contexts);
    for (std::size_t q = 0; q < 5; ++q) {
      const std::string what = "round " + std::to_string(round) + ", query " + std::to_string(q);
      expect_same(results[q], oracle.search(queries.row(q), options, contexts[q]), what);
      expect_same(searcher.search(queries.row(q), options, contexts[q]), results[q], what + " alone");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Search, EverySearch,
                         ::testing::Combine(::testing::Range<std::size_t>(0, 10), ::testing::Bool()),
                         [](const auto& tested) {
                           return models()[std::get<0>(tested.param)].encoder.type +
                                  std::to_string(std::get<0>(tested.param)) +
                                  (std::get<1>(tested.param) ? "Several" : "One");
                         });

class SearcherTest : public ::testing::Test {
 protected:
  SearcherTest() { testing::add_in_segments(gallery_, collection_, 2); }

  Collection collection_ = make_collection(300, 16, false, 1);
  Model model_ = make_model(collection_, {"itq", {{"bits", 16}, {"iterations", 5}}});
  Gallery gallery_{model_};
};

TEST_F(SearcherTest, TwoStagesWithAllCandidatesEqualExactSearch) {
  const Searcher searcher(gallery_.snapshot());
  const Matrix queries = make_collection(20, 16, false, 9).features.clone();
  for (const auto rerank : {Rerank::l2, Rerank::inner_product, Rerank::cosine}) {
    SearchOptions all;
    all.pool_factor = 30;  // 10 * 30 = every item
    all.rerank = rerank;
    SearchOptions exact = all;
    exact.exact = true;
    const auto two_stages = searcher.search(queries, all);
    const auto one_stage = searcher.search(queries, exact);
    for (std::size_t q = 0; q < 20; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(two_stages[q].hits[i].id, one_stage[q].hits[i].id);
        EXPECT_EQ(two_stages[q].hits[i].distance, one_stage[q].hits[i].distance);
      }
    }
  }
}

// Invariant: precision at k under a top-1 gate equals the classifier's accuracy when relevance is the gated
// class and every class holds at least k; re-ranking leaves it unchanged.
TEST_F(SearcherTest, GatedPrecisionIsTheClassifiersAccuracy) {
  const Collection asking = make_collection(200, 16, false, 5);
  const Searcher searcher(gallery_.snapshot());
  const Matrix posteriors = model_.gate()->posteriors(asking.features);
  double right = 0;
  for (std::size_t q = 0; q < 200; ++q) {
    right += model_.gate()->select(posteriors.row(q), {GateMode::top1})[0] == q % 5;
  }
  EXPECT_GT(right, 60) << "better than chance";
  EXPECT_LT(right, 200) << "a perfect classifier would prove little";
  for (const auto rerank : {Rerank::none, Rerank::l2, Rerank::inner_product, Rerank::cosine}) {
    SearchOptions options;
    options.gate.mode = GateMode::top1;
    options.rerank = rerank;
    double relevant = 0;
    for (std::size_t q = 0; q < 200; ++q) {
      const auto result = searcher.search(asking.features.row(q), options);
      for (const auto& hit : result.hits) {
        relevant += gallery_.snapshot().item(hit.id).labels.front() == testing::class_names()[q % 5];
      }
    }
    EXPECT_EQ(relevant / 10, right);
  }
}

// Invariant: 2 P@2k - 1 <= P@k after re-ranking a pool of 2k <= 2 P@2k, for every query.
TEST_F(SearcherTest, RerankedPrecisionIsBoundedByThePools) {
  const Searcher searcher(gallery_.snapshot());
  const Collection asking = make_collection(100, 16, false, 6);
  const auto precision = [&](const SearchResult& result, std::size_t q) {
    double relevant = 0;
    for (const auto& hit : result.hits) {
      relevant += gallery_.snapshot().item(hit.id).labels.front() == testing::class_names()[q % 5];
    }
    return relevant / static_cast<double>(result.hits.size());
  };
  bool changed = false;
  for (std::size_t q = 0; q < 100; ++q) {
    SearchOptions pool;
    pool.k = 20;
    pool.pool_factor = 1;
    pool.rerank = Rerank::none;
    const double p_2k = precision(searcher.search(asking.features.row(q), pool), q);
    const double p_k = precision(searcher.search(asking.features.row(q)), q);  // k = 10 from a pool of 20, L2
    EXPECT_LE(2 * p_2k - 1, p_k + 1e-12);
    EXPECT_LE(p_k, 2 * p_2k + 1e-12);
    changed = changed || p_2k != p_k;
  }
  EXPECT_TRUE(changed);
}

// Invariant: excluding patients returns none of theirs; a filter that admits everything equals no filter.
TEST_F(SearcherTest, ExclusionsHoldAndAnAllAdmittingFilterIsNoFilter) {
  const Snapshot snapshot = gallery_.snapshot();
  const Searcher searcher(snapshot);
  Filter everything;
  everything.labels = testing::class_names();
  everything.modalities = {"CT", "MR"};
  everything.ids = snapshot.ids();
  everything.exclude_patients = {"nobody"};
  for (std::size_t q = 0; q < 60; ++q) {
    SearchOptions options;
    options.k = 50;
    const QueryContext context = {.patient = collection_.items[q].patient};
    const auto result = searcher.search(collection_.features.row(q), options, context);
    for (const auto& hit : result.hits) EXPECT_NE(snapshot.item(hit.id).patient, context.patient);
    EXPECT_EQ(result.eligible, 297U) << "three images a patient";
    SearchOptions filtered = options;
    filtered.filter = everything;
    expect_same(searcher.search(collection_.features.row(q), filtered, context), result,
                "all-admitting filter");
    options.exclude_own_patient = false;
    EXPECT_EQ(searcher.search(collection_.features.row(q), options, context).hits.front().id, q)
        << "finds itself";
    filtered.filter.exclude_patients = {context.patient};
    filtered.exclude_own_patient = false;
    expect_same(searcher.search(collection_.features.row(q), filtered, context), result,
                "excluded by the filter");
  }
}

TEST_F(SearcherTest, AnEmptyPatientNameExcludesNobody) {
  for (const std::size_t segments : {1U, 4U}) {
    Gallery gallery(model_);
    auto items = collection_.items;
    for (std::size_t row = 0; row < items.size() / 2; ++row) items[row].patient.clear();
    const std::size_t part = items.size() / segments;
    for (std::size_t s = 0; s < segments; ++s) {
      gallery.add(collection_.features.view().rows_from(s * part, part),
                  std::span(items).subspan(s * part, part));
      gallery.commit();
    }
    SearchOptions options;
    options.filter.exclude_patients = {""};
    const auto found = Searcher(gallery.snapshot()).search(collection_.features.row(0), options);
    EXPECT_EQ(found.eligible, segments * part) << segments << " segments";
  }
}

TEST_F(SearcherTest, ShortfallIsStatedAndTheGateWidensOnlyWhenAsked) {
  const Searcher searcher(gallery_.snapshot());
  SearchOptions options;
  options.k = 100;  // every class holds 60
  options.gate.mode = GateMode::top1;
  auto result = searcher.search(collection_.features.row(0), options);
  EXPECT_EQ(result.hits.size(), 60U);
  EXPECT_EQ(result.shortfall, 40U);
  EXPECT_EQ(result.eligible, 60U);
  EXPECT_EQ(result.classes_searched.size(), 1U);
  EXPECT_FALSE(result.gate_widened);
  options.widen_gate = true;
  result = searcher.search(collection_.features.row(0), options);
  EXPECT_EQ(result.hits.size(), 100U);
  EXPECT_EQ(result.shortfall, 0U);
  EXPECT_EQ(result.classes_searched.size(), 2U);
  EXPECT_TRUE(result.gate_widened);
  options.filter.modalities = {"US"};
  result = searcher.search(collection_.features.row(0), options);
  EXPECT_EQ(result.shortfall, 100U) << "nothing is eligible, however wide the gate";
  EXPECT_EQ(result.classes_searched.size(), 5U);
}

TEST_F(SearcherTest, GroupingGrowsThePoolUntilEnoughGroupsStand) {
  // A patient with many near-identical images would fill a small pool alone.
  Gallery gallery(model_);
  Matrix crowd(200, 16);
  std::vector<Item> items(200);
  for (std::size_t r = 0; r < 200; ++r) {
    for (std::size_t d = 0; d < 16; ++d)
      crowd(r, d) = static_cast<float>(r < 150 ? 0 : r) * 0.01F + static_cast<float>(d);
    items[r].patient = r < 150 ? "crowd" : "patient " + std::to_string(r);
  }
  gallery.add(crowd, items);
  const Searcher searcher(gallery.commit());
  SearchOptions options;
  options.k = 5;
  options.group_by = GroupBy::patient;
  const auto result = searcher.search(crowd.row(0), options);
  ASSERT_EQ(result.hits.size(), 5U);
  EXPECT_EQ(result.shortfall, 0U);
  EXPECT_GE(result.pool_size, 154U);
  EXPECT_EQ(result.hits[0].id, 0U) << "the best image of the crowd";
  options.k = 60;
  EXPECT_EQ(searcher.search(crowd.row(0), options).shortfall, 9U) << "there are 51 patients";
}

TEST_F(SearcherTest, RangeSearchFindsExactlyWhatLiesWithin) {
  const Searcher searcher(gallery_.snapshot());
  const auto oracle = plain(gallery_.snapshot());
  for (const auto distance : {Rerank::none, Rerank::l2, Rerank::inner_product, Rerank::cosine}) {
    for (std::size_t q = 0; q < 10; ++q) {
      const auto query = collection_.features.row(q);
      const auto codes = oracle.code_distances(query);
      std::vector<std::pair<float, ItemId>> all;
      for (std::size_t row = 0; row < oracle.ids.size(); ++row) {
        all.emplace_back(distance == Rerank::none ? codes[row] : oracle.exact_distance(query, row, distance),
                         oracle.ids[row]);
      }
      std::sort(all.begin(), all.end());
      for (const std::size_t place : {0U, 7U, 100U, 299U}) {
        RangeOptions options;
        options.radius = all[place].first;
        options.distance = distance;
        options.threads = 2;
        const auto found = searcher.range_search(MatrixView(query), options).front();
        const auto within = std::count_if(all.begin(), all.end(),
                                          [&](const auto& each) { return each.first <= options.radius; });
        ASSERT_EQ(found.hits.size(), static_cast<std::size_t>(within));
        for (std::size_t i = 0; i < found.hits.size(); ++i) {
          EXPECT_EQ(found.hits[i].id, all[i].second);
          EXPECT_EQ(found.hits[i].distance, all[i].first);
        }
      }
    }
  }
}

TEST_F(SearcherTest, ManyThreadsMayAskAtOnceWhileTheGalleryChanges) {
  const Searcher searcher(gallery_.snapshot());
  SearchOptions options;
  options.threads = 1;
  options.gate.mode = GateMode::adaptive;
  const auto expected = searcher.search(collection_.features.view().rows_from(0, 30), options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const auto got = searcher.search(collection_.features.view().rows_from(0, 30), options);
      for (std::size_t q = 0; q < 30; ++q) expect_same(got[q], expected[q], "thread");
    });
  }
  gallery_.remove(std::vector<ItemId>{1, 2, 3});
  gallery_.commit();
  gallery_.compact();
  for (auto& thread : threads) thread.join();
}

TEST_F(SearcherTest, ReportsProgressAndCanBeCancelled) {
  const Searcher searcher(gallery_.snapshot());
  std::size_t last = 0;
  SearchOptions options;
  options.progress = [&](const ProgressReport& report) {
    EXPECT_EQ(report.stage, "search");
    EXPECT_EQ(report.total, 30U);
    EXPECT_GT(report.done, last);
    last = report.done;
    return true;
  };
  searcher.search(collection_.features.view().rows_from(0, 30), options);
  EXPECT_EQ(last, 30U);
  options.progress = [](const ProgressReport& report) { return report.done < 5; };
  EXPECT_ERROR(searcher.search(collection_.features.view().rows_from(0, 30), options), cancelled, "search");
}

TEST_F(SearcherTest, RefusesBadInput) {
  const Searcher searcher(gallery_.snapshot());
  const auto query = collection_.features.row(0);
  const auto with = [](auto change) {
    SearchOptions options;
    change(options);
    return options;
  };
  EXPECT_ERROR(searcher.search(query.first(15)), invalid_argument, "queries: expected 16 dimensions, got 15");
  EXPECT_ERROR(searcher.search(std::span<const float>()), invalid_argument, "got 0");
  std::vector<float> bad(query.begin(), query.end());
  bad[2] = std::nanf("");
  EXPECT_ERROR(searcher.search(bad), invalid_argument, "row 0, column 2");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.k = 0; })), invalid_argument,
               "k of at least 1, got 0");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.k = 301; })), invalid_argument,
               "k of at most the 300 items of the gallery, got 301");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.pool_factor = 0; })), invalid_argument,
               "pool_factor");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) {
                                 o.exact = true;
                                 o.rerank = Rerank::none;
                               })),
               invalid_argument, "exact search needs");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.gate.level = 1.5; })), invalid_argument,
               "got 1.5");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.shards = 5000; })), invalid_argument,
               "4096 shards");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.filter.labels = {"zeta"}; })), not_found,
               "'zeta'");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) {
                                 o.filter.texts = {{"colour", {"red"}}};
                               })),
               not_found, "no text column 'colour'; the gallery has: view");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) {
                                 o.filter.numbers = {{"view", 0, 1}};
                               })),
               not_found, "no number column 'view'; the gallery has: age");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) {
                                 o.filter.numbers = {{"age", 5, 1}};
                               })),
               invalid_argument, "5 to 1");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) {
                                 o.filter.from = Date{2020, 1, 2};
                                 o.filter.to = Date{2020, 1, 1};
                               })),
               invalid_argument, "range of dates");
  EXPECT_ERROR(searcher.search(query, {}, {.posterior = {0.5F}}), invalid_argument, "expected 5 posteriors");
  EXPECT_ERROR(searcher.search(query, with([](auto& o) { o.gate.mode = GateMode::top1; }),
                               {.posterior = {2, 0, 0, 0, 0}}),
               invalid_argument, "posteriors of 0 to 1, got 2");
  EXPECT_ERROR(searcher.search(collection_.features.view().rows_from(0, 2), {}, std::vector<QueryContext>(1)),
               invalid_argument, "each of the 2 queries, got 1");
  EXPECT_ERROR(searcher.range_search(MatrixView(query), {.radius = std::nanf("")}), invalid_argument,
               "finite radius");
  const Searcher empty(Gallery(model_).snapshot());
  EXPECT_ERROR(empty.search(query), invalid_argument, "at most the 0 items");
  EXPECT_TRUE(empty.range_search(MatrixView(query), {.radius = 1}).front().hits.empty());
  EXPECT_TRUE(searcher.search(MatrixView(query.data(), 0, 16)).empty()) << "no queries, no answers";
}

TEST_F(SearcherTest, RefusesWhatTheModelCannotDo) {
  Gallery plain_gallery(Model({.dimension = 16}));
  plain_gallery.add(collection_.features);
  const Searcher searcher(plain_gallery.commit());
  const auto query = collection_.features.row(0);
  EXPECT_ERROR(searcher.search(query), invalid_argument, "only exact search");
  SearchOptions options;
  options.exact = true;
  EXPECT_EQ(searcher.search(query, options).hits.front().id, 0U);
  options.gate.mode = GateMode::top1;
  EXPECT_ERROR(searcher.search(query, options), invalid_argument, "the model has none");
}

}  // namespace
}  // namespace medretrieval
