#include "index/centroid_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/random_features.hpp"

namespace medretrieval::index {
namespace {

CentroidCodes codes_of(const Matrix& centroids) {
  return {CentroidCodes::train(centroids, 1), centroids, 1};
}

std::size_t nearest(const Matrix& centroids, std::span<const float> query) {
  const auto distance = [&](std::size_t row) {
    double sum = 0;
    for (std::size_t d = 0; d < query.size(); ++d) {
      sum += (double{query[d]} - double{centroids(row, d)}) * (double{query[d]} - double{centroids(row, d)});
    }
    return sum;
  };
  std::size_t best = 0;
  for (std::size_t row = 1; row < centroids.rows(); ++row) {
    if (distance(row) < distance(best)) best = row;
  }
  return best;
}

TEST(CentroidCodes, TheNearestCentroidIsMostlyAmongThose) {
  const Matrix centroids = testing::gaussian(1000, 24, 1);
  const Matrix queries = testing::gaussian(200, 24, 2);
  const auto near = codes_of(centroids).near(queries, 32);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    EXPECT_GE(near[q].size(), 32U);
    EXPECT_TRUE(std::is_sorted(near[q].begin(), near[q].end()));
    EXPECT_LT(near[q].back(), 1000U);
    EXPECT_EQ(std::adjacent_find(near[q].begin(), near[q].end()), near[q].end());
    found += std::binary_search(near[q].begin(), near[q].end(), nearest(centroids, queries.row(q))) ? 1 : 0;
  }
  EXPECT_GE(found, 196U);
}

TEST(CentroidCodes, TinyFeaturesAreToldApart) {
  Matrix centroids = testing::gaussian(600, 6, 1);
  for (std::size_t i = 0; i < 600 * 6; ++i) centroids.data()[i] *= 1e-19F;
  const auto near = codes_of(centroids).near(centroids.view().rows_from(7, 1), 32).front();
  EXPECT_LT(near.size(), 200U);
  EXPECT_TRUE(std::binary_search(near.begin(), near.end(), 7U));
}

TEST(CentroidCodes, AQueryAloneGivesWhatItGivesInABatch) {
  const Matrix centroids = testing::clustered(700, 13, 8, 0.5, 1);
  const Matrix queries = testing::clustered(20, 13, 8, 0.5, 2);
  const auto codes = codes_of(centroids);
  const auto near = codes.near(queries, 40);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    EXPECT_EQ(codes.near(queries.view().rows_from(q, 1), 40).front(), near[q]);
  }
}

TEST(CentroidCodes, EqualCentroidsComeTogether) {
  Matrix centroids(600, 4);
  for (std::size_t r = 0; r < 600; ++r) centroids(r, 0) = r < 500 ? 0.0F : static_cast<float>(r);
  const Matrix query(1, 4);
  const auto near = codes_of(centroids).near(query, 33).front();
  ASSERT_EQ(near.size(), 500U);
  EXPECT_EQ(near.back(), 499U);
}

TEST(CentroidCodes, SaysWhenTheSumsDoNotTell) {
  Matrix centroids(600, 2);  // all but two are far from the query in one step of the only table
  for (std::size_t r = 0; r < 600; ++r) centroids(r, 0) = r < 2 ? 0.0F : 1000.0F;
  const Matrix query(1, 2);
  EXPECT_TRUE(codes_of(centroids).near(query, 32).front().empty());
}

TEST(CentroidCodes, OnlyFourBitProductCodesFit) {
  const Matrix features = testing::gaussian(600, 12, 1);
  const auto trained = [&](const EncoderOptions& options) {
    return train_encoder(options, {.features = features, .threads = 1});
  };
  EXPECT_TRUE(CentroidCodes::fits(*CentroidCodes::train(features, 1), 12));
  EXPECT_FALSE(CentroidCodes::fits(*CentroidCodes::train(features, 1), 13));
  EXPECT_FALSE(CentroidCodes::fits(*trained({"pq", {{"subspaces", 2}, {"bits_per_entry", 8}}}), 12));
  EXPECT_FALSE(CentroidCodes::fits(*trained({"opq", {{"subspaces", 2}, {"bits_per_entry", 4}}}), 12));
  EXPECT_FALSE(CentroidCodes::fits(*trained({"lsh", {{"bits", 16}}}), 12));
}

}  // namespace
}  // namespace medretrieval::index
