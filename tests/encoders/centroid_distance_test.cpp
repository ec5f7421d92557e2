#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/encoder.hpp>
#include <numeric>
#include <set>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval {
namespace {

/// The k nearest rows by code, nearest first.
std::vector<Candidate> nearest_by_code(const Encoder& encoder, MatrixView rows, MatrixView query,
                                       std::size_t k) {
  const Codes codes = encoder.encode(rows);
  std::vector<ItemId> ids(rows.rows());
  std::iota(ids.begin(), ids.end(), ItemId{0});
  const auto scorer = encoder.scorer(query);
  CandidatePool pool({.count = k});
  scorer->begin(0)->scan({codes, {}, ids, 0, 0, static_cast<std::uint32_t>(ids.size()), nullptr}, pool);
  return pool.take();
}

/// Sixteen centroids on a line, at 5, 105, 205 and so on: there are no other rows to learn from. A step is 1 then.
std::shared_ptr<const Encoder> centroids_on_a_line() {
  Matrix centres(64, 2);
  for (std::size_t r = 0; r < 64; ++r) centres(r, 0) = static_cast<float>(r / 4 * 100 + 5);
  return train_encoder({"centroid_distance", {{"bits_per_entry", 4}}}, {centres});
}

/// Four points beside each of them, at -2, -1, 1 and 2.
Matrix points_on_a_line() {
  Matrix points(64, 2);
  for (std::size_t r = 0; r < 64; ++r) {
    constexpr float kPlaces[] = {3, 4, 6, 7};
    points(r, 0) = static_cast<float>(r / 4 * 100) + kPlaces[r % 4];
  }
  return points;
}

TEST(CentroidDistance, IsTheWayByTheCentroid) {
  const Matrix points = points_on_a_line();
  const auto encoder = centroids_on_a_line();
  EXPECT_EQ(encoder->layout().subspaces(), 5U) << "a centroid and a distance of 16 bits";
  Matrix query(1, 2);
  query(0, 0) = 3;  // the first point itself, 2 beside the centre at 5
  const auto found = nearest_by_code(*encoder, points, query, 6);
  // The query lies on point 0, which is not the nearest. By the centroid: 2 + 1 for the points at 4 and 6, 2 + 2 for those at 3 and 7; in the next cluster (105) 102 + 1.
  const std::vector<std::pair<ItemId, float>> expected = {{1, 3}, {2, 3}, {0, 4}, {3, 4}, {5, 103}, {6, 103}};
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].id, expected[i].first) << i;
    EXPECT_EQ(found[i].distance, expected[i].second) << i;
  }
}

TEST(CentroidDistance, TheOrderWithinAClusterIgnoresTheQuery) {
  const Matrix points = testing::clustered(800, 8, 16, 0.4, 1);
  const auto encoder = train_encoder({"centroid_distance", {{"bits_per_entry", 4}}}, {points});
  const Matrix centres = encoder->reconstruct(encoder->encode(points));
  std::vector<ItemId> own;  // the cluster of row 0
  for (std::size_t r = 0; r < points.rows(); ++r) {
    if (std::equal(centres.row(r).begin(), centres.row(r).end(), centres.row(0).begin())) own.push_back(r);
  }
  ASSERT_GT(own.size(), 20U);
  const auto order = [&](ItemId query) {
    std::vector<ItemId> ids;
    for (const auto& each :
         nearest_by_code(*encoder, points, points.view().rows_from(query, 1), points.rows())) {
      if (std::find(own.begin(), own.end(), each.id) != own.end()) ids.push_back(each.id);
    }
    return ids;
  };
  EXPECT_EQ(order(own[3]), order(own[11]));
  EXPECT_EQ(order(own[3]), order(0));
}

/// Within a cluster of n the ten nearest by the scheme are the same for every query, so the recall is about 10 / n;
/// asymmetric distance orders the cluster for the query.
TEST(CentroidDistance, FindsFarFewerNeighboursThanAsymmetricDistance) {
  constexpr std::size_t kClusters = 16;
  const Matrix points = testing::clustered(1600, 16, kClusters, 0.3, 2);
  const auto recall = [&](const EncoderOptions& options) {
    const auto encoder = train_encoder(options, {points});
    std::size_t shared = 0;
    for (std::size_t q = 0; q < 64; ++q) {
      const auto query = points.view().rows_from(q * 25, 1);
      std::vector<std::pair<double, ItemId>> exact;
      for (std::size_t r = 0; r < points.rows(); ++r) {
        double square = 0;
        for (std::size_t d = 0; d < points.cols(); ++d) {
          square += std::pow(static_cast<double>(points(r, d)) - static_cast<double>(query.row(0)[d]), 2);
        }
        exact.emplace_back(square, r);
      }
      std::sort(exact.begin(), exact.end());
      std::set<ItemId> truth;
      for (std::size_t i = 0; i < 10; ++i) truth.insert(exact[i].second);
      for (const auto& each : nearest_by_code(*encoder, points, query, 10)) shared += truth.count(each.id);
    }
    return static_cast<double>(shared) / 640;
  };
  const double baseline = recall({"centroid_distance", {{"bits_per_entry", 4}}});
  const double asymmetric = recall({"pq", {{"subspaces", 8}, {"bits_per_entry", 8}}});
  RecordProperty("baseline", std::to_string(baseline));
  EXPECT_LT(baseline, 0.3) << "10 of 100, more where the query lies at the centre";
  EXPECT_GT(asymmetric, 0.6);
  EXPECT_GT(asymmetric, 2.5 * baseline);
}

TEST(CentroidDistance, LongDistancesAreCut) {
  const auto encoder = centroids_on_a_line();
  Matrix far(3, 2);
  far(0, 0) = 5;
  far(0, 1) = 65000;
  far(1, 1) = 1e5F;
  far(2, 1) = 70000;
  Matrix query(1, 2);
  query(0, 0) = 5;
  const auto found = nearest_by_code(*encoder, far, query, 3);
  EXPECT_EQ(found[0].distance, 65000.0F);
  EXPECT_EQ(found[1].distance, 65535.0F) << "as many steps as 16 bits count";
  EXPECT_EQ(found[2].distance, 65535.0F);
}

TEST(CentroidDistance, EqualRowsAndWrongWidths) {
  const Matrix equal(300, 4);
  const auto encoder = train_encoder({"centroid_distance", {}}, {equal});
  EXPECT_EQ(encoder->layout().subspaces(), 3U);
  EXPECT_EQ(nearest_by_code(*encoder, equal, equal.view().rows_from(0, 1), 1).front().distance, 0.0F);
  EXPECT_ERROR(train_encoder({"centroid_distance", {{"bits_per_entry", 5}}}, {equal}), invalid_argument,
               "'bits_per_entry' must be 4 or 8");
  EXPECT_ERROR(train_encoder({"centroid_distance", {{"subspaces", 2}}}, {equal}), invalid_argument,
               "subspaces");
}

}  // namespace
}  // namespace medretrieval
