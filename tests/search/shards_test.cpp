// Lone searches large enough to be divided among threads.
#include <gtest/gtest.h>

#include <medretrieval/searcher.hpp>

#include "search/random_options.hpp"
#include "support/small_gallery.hpp"

namespace medretrieval {
namespace {

using testing::Collection;
using testing::expect_same;
using testing::make_collection;
using testing::make_model;

constexpr std::size_t kItems = 40000;  // 640 KB of codes, 1.3 MB of features, more than 16,384 rows of lists

void expect_same_in_shards(const Searcher& searcher, SearchOptions options) {
  const Matrix queries = make_collection(5, 8, false, 2).features;
  options.threads = 1;
  options.shards = 1;
  std::vector<SearchResult> expected;
  for (std::size_t q = 0; q < queries.rows(); ++q)
    expected.push_back(searcher.search(queries.row(q), options));
  for (const int threads : {1, 2, 8}) {
    for (const std::size_t shards : {0U, 1U, 3U, 7U, 20U}) {
      options.threads = threads;
      options.shards = shards;
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        expect_same(searcher.search(queries.row(q), options), expected[q],
                    std::to_string(threads) + " threads, " + std::to_string(shards) + " shards");
      }
    }
  }
}

TEST(Shards, LoneScansAnswerAlike) {
  const Collection collection = make_collection(kItems, 8, false, 1);
  Gallery gallery(make_model(collection, {"lsh", {{"bits", 128}}}));
  testing::add_in_segments(gallery, collection, 2);
  const Searcher searcher(gallery.commit());
  SearchOptions options;
  options.pool_factor = 30;
  expect_same_in_shards(searcher, options);
  options.exact = true;
  expect_same_in_shards(searcher, options);
}

TEST(Shards, LoneListSearchesAnswerAlike) {
  const Collection collection = make_collection(kItems, 8, false, 1);
  Gallery gallery(make_model(collection, {"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}, true, 30));
  testing::add_in_segments(gallery, collection, 2);
  const Searcher searcher(gallery.commit());
  SearchOptions options;
  options.pool_factor = 30;
  options.probes = 20;
  expect_same_in_shards(searcher, options);
}

}  // namespace
}  // namespace medretrieval
