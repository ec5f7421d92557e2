// Real vectors: ANN_SIFT10K with its published neighbours.
#include <gtest/gtest.h>

#include <medretrieval/searcher.hpp>
#include <medretrieval/vector_files.hpp>
#include <numeric>

#include "kernels/kernel_table.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

class Siftsmall : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_DATA("vectors/siftsmall/siftsmall_groundtruth.ivecs");
    const auto folder = testing::data_folder() / "vectors/siftsmall";
    base_ = read_fvecs(folder / "siftsmall_base.fvecs");
    queries_ = read_fvecs(folder / "siftsmall_query.fvecs");
    truth_ = read_ivecs(folder / "siftsmall_groundtruth.ivecs");
    ASSERT_EQ(base_.rows(), 10000U);
    ASSERT_EQ(queries_.rows(), 100U);
  }

  Searcher searcher_with(const EncoderOptions& encoder) {
    Gallery gallery(train_model({.encoder = encoder}, {base_}));
    gallery.add(base_);
    return Searcher(gallery.commit());
  }
  float distance(std::size_t query, std::size_t row) const {
    float value = 0;
    kernels::kScalarKernels.l2_squared(queries_.row(query).data(), base_.row(row).data(), 0, nullptr, 1, 128,
                                       &value);
    return value;
  }

  Matrix base_;
  Matrix queries_;
  std::vector<std::vector<std::int32_t>> truth_;
};

TEST_F(Siftsmall, ExactSearchGivesThePublishedNeighbours) {
  Gallery gallery(Model({.dimension = 128}));
  gallery.add(base_);
  const auto results = Searcher(gallery.commit()).search(queries_, {.k = 100, .exact = true});
  for (std::size_t q = 0; q < 100; ++q) {
    for (std::size_t i = 0; i < 100; ++i) {
      const float published = distance(q, static_cast<std::size_t>(truth_[q][i]));
      EXPECT_EQ(results[q].hits[i].distance, published) << "query " << q << ", place " << i;
      const bool tied = (i > 0 && published == results[q].hits[i - 1].distance) ||
                        (i < 99 && published == results[q].hits[i + 1].distance) || i == 99;
      if (!tied) {
        EXPECT_EQ(results[q].hits[i].id, static_cast<ItemId>(truth_[q][i]));
      }
    }
  }
}

TEST_F(Siftsmall, TwoStagesWithAllCandidatesEqualExactSearch) {
  for (const EncoderOptions& encoder :
       {EncoderOptions{"itq", {{"bits", 64}, {"iterations", 10}}},
        EncoderOptions{"pq", {{"subspaces", 16}, {"bits_per_entry", 4}, {"iterations", 8}}}}) {
    const Searcher searcher = searcher_with(encoder);
    const auto all = searcher.search(queries_, {.k = 10, .pool_factor = 1000});
    const auto exact = searcher.search(queries_, {.k = 10, .exact = true});
    for (std::size_t q = 0; q < 100; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(all[q].hits[i].id, exact[q].hits[i].id);
        EXPECT_EQ(all[q].hits[i].distance, exact[q].hits[i].distance);
      }
    }
  }
}

TEST_F(Siftsmall, AdcEqualsBruteForceOverReconstructedVectors) {
  for (const std::int64_t bits : {4, 8}) {
    const Searcher searcher =
        searcher_with({"pq", {{"subspaces", 16}, {"bits_per_entry", bits}, {"iterations", 4}}});
    const Encoder& encoder = *searcher.snapshot().model().encoder();
    const Matrix reconstructed = encoder.reconstruct(encoder.encode(base_));
    const auto results =
        searcher.search(queries_.view().rows_from(0, 10), {.k = 10000, .rerank = Rerank::none});
    for (std::size_t q = 0; q < 10; ++q) {
      ASSERT_EQ(results[q].hits.size(), 10000U);
      for (const auto& hit : results[q].hits) {
        double expected = 0;
        for (std::size_t d = 0; d < 128; ++d) {
          const double difference =
              static_cast<double>(queries_(q, d)) - static_cast<double>(reconstructed(hit.id, d));
          expected += difference * difference;
        }
        ASSERT_NEAR(hit.distance, expected, expected * 1e-5 + 1e-2);
      }
    }
  }
}

TEST_F(Siftsmall, CodesFindMostNeighbours) {
  // A floor that a broken encoder or scan would fall through: share of the ten true neighbours in a pool of
  // 100.
  const std::vector<std::pair<EncoderOptions, double>> floors = {
      {{"lsh", {{"bits", 64}}}, 0.35},
      {{"itq", {{"bits", 64}}}, 0.55},
      {{"pq", {{"subspaces", 16}, {"bits_per_entry", 4}}}, 0.7},
      {{"pq", {{"subspaces", 8}, {"bits_per_entry", 8}}}, 0.75},
      {{"opq", {{"subspaces", 16}, {"bits_per_entry", 4}}}, 0.7}};
  for (const auto& [encoder, floor] : floors) {
    const auto results = searcher_with(encoder).search(queries_, {.k = 10, .pool_factor = 10});
    double found = 0;
    for (std::size_t q = 0; q < 100; ++q) {
      for (const auto& hit : results[q].hits)
        found += hit.distance <= distance(q, static_cast<std::size_t>(truth_[q][9]));
    }
    EXPECT_GT(found / 1000, floor) << encoder.type;
    RecordProperty(encoder.type, std::to_string(found / 1000));
    std::cout << encoder.type << ' ' << found / 1000 << '\n';
  }
}

}  // namespace
}  // namespace medretrieval
