// Prepared filters and inverted lists.
#include <gtest/gtest.h>

#include <medretrieval/searcher.hpp>

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

TEST(PreparedFilters, AnswerAsTheFilterTheyWereMadeOf) {
  const Collection collection = make_collection(320, 16, true, 1);
  Gallery gallery(make_model(collection, {"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}, true, 9));
  testing::add_in_segments(gallery, collection, 3);
  const std::vector<ItemId> removed = {3, 4, 100};
  gallery.remove(removed);
  const Searcher searcher(gallery.commit());
  detail::Random random(8);
  for (int round = 0; round < 40; ++round) {
    SearchOptions options = random_options(random, searcher.snapshot().size(), 9);
    const auto expected = searcher.search(collection.features.view().rows_from(20, 6), options);
    const PreparedFilter prepared = searcher.prepare(options.filter);
    std::size_t items = 0;
    const auto oracle = plain(searcher.snapshot());
    for (std::size_t row = 0; row < oracle.ids.size(); ++row)
      items += oracle.meets(options.filter, row) ? 1 : 0;
    EXPECT_EQ(prepared.items(), items);
    options.filter = {};
    options.prepared_filter = prepared;
    const auto got = searcher.search(collection.features.view().rows_from(20, 6), options);
    for (std::size_t q = 0; q < got.size(); ++q)
      expect_same(got[q], expected[q], "round " + std::to_string(round));
  }
}

/// Few rows of a large segment are known one by one.
TEST(PreparedFilters, FewRowsAnswerAsInAPlainGallery) {
  const Collection collection = make_collection(3000, 8, true, 1);
  Gallery gallery(make_model(collection, {"lsh", {{"bits", 16}}}));
  testing::add_in_segments(gallery, collection, 2);
  const std::vector<ItemId> removed = {20, 21};
  gallery.remove(removed);
  const Searcher searcher(gallery.commit());
  const auto oracle = plain(searcher.snapshot());
  const Matrix queries = make_collection(70, 8, false, 2).features;
  SearchOptions options;
  options.exact = true;
  options.k = 7;
  options.filter.ids.emplace();
  for (ItemId id = 0; id < 3000; id += 97) options.filter.ids->push_back(id);
  options.filter.ids->push_back(20);
  std::vector<SearchResult> expected;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    expected.push_back(oracle.search(queries.row(q), options, {}));
  }
  options.prepared_filter = searcher.prepare(options.filter);
  options.filter = {};
  options.threads = 2;
  for (const int round : {0, 1}) {  // the second finds the rows checked
    for (const std::size_t shards : {0U, 1U, 5U}) {
      options.shards = shards;
      const auto got = searcher.search(queries, options);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        expect_same(got[q], expected[q], "round " + std::to_string(round) + " query " + std::to_string(q));
        expect_same(searcher.search(queries.row(q), options), expected[q], "alone");
      }
    }
  }
}

TEST(PreparedFilters, BelongToOneSnapshotAndStandAlone) {
  const Collection collection = make_collection(40, 8, false, 1);
  Gallery gallery(make_model(collection, {"lsh", {{"bits", 16}}}));
  gallery.add(collection.features, collection.items);
  const Searcher searcher(gallery.commit());
  SearchOptions options;
  options.prepared_filter = searcher.prepare({.labels = {"beta"}});
  EXPECT_EQ(searcher.search(collection.features.row(0), options).eligible, 8U);
  RangeOptions range = {.radius = 1e9F, .prepared_filter = options.prepared_filter};
  EXPECT_EQ(searcher.range_search(collection.features.view().rows_from(0, 1), range).front().hits.size(), 8U);
  options.filter.modalities = {"CT"};
  EXPECT_ERROR((void)searcher.search(collection.features.row(0), options), invalid_argument, "both");
  options.filter = {};
  options.prepared_filter = PreparedFilter();
  EXPECT_ERROR((void)searcher.search(collection.features.row(0), options), incompatible, "snapshot");
  const std::vector<ItemId> gone = {1};
  gallery.remove(gone);
  const Searcher later(gallery.commit());
  options.prepared_filter = searcher.prepare({.labels = {"beta"}});
  EXPECT_ERROR((void)later.search(collection.features.row(0), options), incompatible, "snapshot");
}

TEST(ListSearchOptions, ProbesNeedListsAndCodes) {
  const Collection collection = make_collection(60, 8, false, 1);
  Gallery flat(make_model(collection, {"lsh", {{"bits", 16}}}));
  flat.add(collection.features);
  SearchOptions options;
  options.probes = 2;
  EXPECT_ERROR((void)Searcher(flat.commit()).search(collection.features.row(0), options), invalid_argument,
               "a model with inverted lists");
  Gallery listed(make_model(collection, {"lsh", {{"bits", 16}}}, true, 4));
  listed.add(collection.features);
  options.exact = true;
  EXPECT_ERROR((void)Searcher(listed.commit()).search(collection.features.row(0), options), invalid_argument,
               "exact search looks at every item");
}

/// A large group takes the way through lists shared by queries, a small one does not: the answers are the same.
TEST(ListSearchOptions, GroupsOfAnySizeAnswerAlike) {
  const Collection collection = make_collection(900, 12, false, 1);
  Gallery gallery(make_model(collection, {"pq", {{"subspaces", 6}, {"bits_per_entry", 4}}}, true, 25));
  testing::add_in_segments(gallery, collection, 2);
  const Searcher searcher(gallery.commit());
  const Matrix queries = make_collection(300, 12, false, 2).features;
  SearchOptions options;
  options.probes = 4;
  options.pool_factor = 3;
  const auto all = searcher.search(queries, options);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    expect_same(searcher.search(queries.row(q), options), all[q], "query " + std::to_string(q));
  }
}

/// Visiting every list and re-ranking everything is exact search.
TEST(ListSearchOptions, EverythingVisitedIsExact) {
  const Collection collection = make_collection(300, 12, false, 1);
  Gallery gallery(make_model(collection, {"pq", {{"subspaces", 6}, {"bits_per_entry", 4}}}, true, 25));
  gallery.add(collection.features, collection.items);
  const Searcher searcher(gallery.commit());
  const Matrix queries = make_collection(10, 12, false, 2).features;
  SearchOptions options;
  options.pool_factor = 30;
  SearchOptions exact;
  exact.exact = true;
  const auto got = searcher.search(queries, options);
  const auto expected = searcher.search(queries, exact);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(got[q].hits[i].id, expected[q].hits[i].id);
      EXPECT_EQ(got[q].hits[i].distance, expected[q].hits[i].distance);
    }
  }
}

}  // namespace
}  // namespace medretrieval
