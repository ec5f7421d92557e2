#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <medretrieval/coarse_quantizer.hpp>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval {
namespace {

using testing::clustered;

TEST(CoarseQuantizer, EveryRowBelongsToItsNearestCentroid) {
  const Matrix features = clustered(600, 12, 8, 0.5, 1);
  const auto quantizer = CoarseQuantizer::train(features, {.lists = 20, .iterations = 5});
  ASSERT_EQ(quantizer.lists(), 20U);
  ASSERT_EQ(quantizer.dimension(), 12U);
  const auto lists = quantizer.assign(features);
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const auto distance = [&](std::size_t list) {
      double sum = 0;
      for (std::size_t d = 0; d < 12; ++d) {
        const double difference =
            static_cast<double>(features(r, d)) - double{quantizer.centroids().row(list)[d]};
        sum += difference * difference;
      }
      return sum;
    };
    for (std::size_t list = 0; list < 20; ++list) EXPECT_LE(distance(lists[r]), distance(list) * (1 + 1e-5));
  }
}

TEST(CoarseQuantizer, NearestListsAreTheSameAloneAndInABatch) {
  for (const std::size_t lists : {70U, 900U}) {
    const CoarseQuantizer quantizer(clustered(lists, 12, 8, 0.5, 1));
    const Matrix queries = clustered(130, 12, 8, 0.5, 2);
    for (const std::size_t count : {1U, 7U, 60U, 10000U}) {
      const auto nearest = quantizer.nearest(queries, count);
      ASSERT_EQ(nearest.size(), queries.rows());
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        EXPECT_EQ(nearest[q].size(), std::min(count, lists));
        EXPECT_EQ(quantizer.nearest(queries.view().rows_from(q, 1), count).front(), nearest[q]);
      }
    }
  }
}

TEST(CoarseQuantizer, TrainingIsRepeatableAndSamplesRows) {
  const Matrix features = clustered(2000, 6, 8, 0.5, 1);
  const ListOptions options = {.lists = 10, .iterations = 4, .rows_per_list = 30};
  const auto bytes = [&](const ListOptions& wanted, int threads) {
    ByteWriter writer;
    CoarseQuantizer::train(features, wanted, threads).write(writer);
    return writer.take();
  };
  EXPECT_EQ(bytes(options, 1), bytes(options, 3));
  ListOptions other = options;
  other.seed = 2;
  EXPECT_NE(bytes(options, 1), bytes(other, 1));
  other = options;
  other.rows_per_list = 40;
  EXPECT_NE(bytes(options, 1), bytes(other, 1));
}

TEST(CoarseQuantizer, BytesKeepIt) {
  const Matrix features = clustered(200, 6, 8, 0.5, 1);
  const auto quantizer = CoarseQuantizer::train(features, {.lists = 10, .iterations = 4});
  ByteWriter writer;
  quantizer.write(writer);
  const auto bytes = writer.take();
  ByteReader reader(bytes, "lists");
  const auto read = CoarseQuantizer::read(reader);
  ByteWriter again;
  read.write(again);
  EXPECT_EQ(again.take(), bytes);
  EXPECT_EQ(read.assign(features), quantizer.assign(features));
}

TEST(CoarseQuantizer, ResidualsAreRowsMinusCentroids) {
  const Matrix features = clustered(50, 6, 8, 0.5, 1);
  const auto quantizer = CoarseQuantizer::train(features, {.lists = 5, .iterations = 4});
  const auto lists = quantizer.assign(features);
  const Matrix residuals = quantizer.residuals(features, lists);
  for (std::size_t r = 0; r < 50; ++r) {
    for (std::size_t d = 0; d < 6; ++d) {
      EXPECT_EQ(residuals(r, d), features(r, d) - quantizer.centroids().row(lists[r])[d]);
    }
  }
}

TEST(CoarseQuantizer, RefusesWhatDoesNotFit) {
  const Matrix features = clustered(50, 6, 8, 0.5, 1);
  const auto train = [&](const ListOptions& options) { (void)CoarseQuantizer::train(features, options); };
  EXPECT_ERROR(train({.lists = 51}), invalid_argument, "51 lists need");
  EXPECT_ERROR(train({.lists = 0}), invalid_argument, "got 0");
  EXPECT_ERROR(train({.lists = (std::size_t{1} << 20) + 1}), invalid_argument, "1048576");
  EXPECT_ERROR((train({.lists = 5, .iterations = 0})), invalid_argument, "iteration");
  EXPECT_ERROR((train({.lists = 5, .rows_per_list = 0})), invalid_argument, "row a list");
  EXPECT_ERROR(CoarseQuantizer(Matrix(0, 3)), invalid_argument, "centroids");
  Matrix broken(2, 3);
  broken(1, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_ERROR(CoarseQuantizer{broken}, invalid_argument, "centroids");
  const auto quantizer = CoarseQuantizer::train(features, {.lists = 5});
  EXPECT_ERROR((void)quantizer.assign(Matrix(2, 5)), invalid_argument, "features");
}

}  // namespace
}  // namespace medretrieval
