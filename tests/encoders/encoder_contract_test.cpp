// What every registered encoder type must do, whoever wrote it: a new type is tested here without a line of
// its own.
#include <gtest/gtest.h>

#include <medretrieval/encoder.hpp>
#include <medretrieval/vector_files.hpp>
#include <string>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

constexpr std::size_t kDimension = 48;

/// Small options for types whose defaults need more data or input than these tests have.
Parameters small_options(const std::string& type, const testing::TemporaryFolder& folder) {
  if (type == "hash_head") {
    write_npy(folder / "w.npy", testing::gaussian(20, kDimension, 3));
    write_npy(folder / "b.npy", testing::gaussian(1, 20, 4));
    return {{"weights", (folder / "w.npy").string()}, {"bias", (folder / "b.npy").string()}};
  }
  if (type == "joint") return {{"slices", std::string("16:1,32:3")}, {"bits", 16}};
  Parameters small;
  for (const auto& option : encoder_type(type).options) {
    if (option.name == "bits") small["bits"] = std::int64_t{24};
    if (option.name == "subspaces") small["subspaces"] = std::int64_t{5};
    if (option.name == "iterations") small["iterations"] = std::int64_t{5};
    if (option.name == "rotations") small["rotations"] = std::int64_t{3};
  }
  return small;
}

class EveryEncoder : public ::testing::TestWithParam<std::string> {
 protected:
  EveryEncoder() {
    for (std::size_t r = 0; r < features_.rows(); ++r) {
      const ClassId label = static_cast<ClassId>(r % 4);
      labels_.add_row({&label, 1});
    }
    encoder_ = train();
  }

  std::shared_ptr<const Encoder> train(int threads = 1) const {
    return train_encoder({GetParam(), small_options(GetParam(), folder_)},
                         {features_, &labels_, threads, {}});
  }
  std::vector<std::uint8_t> packed(const Codes& codes) const {
    std::vector<std::uint8_t> rows(codes.rows() * codes.layout().row_bytes());
    for (std::size_t r = 0; r < codes.rows(); ++r)
      codes.get_row(r, rows.data() + r * codes.layout().row_bytes());
    return rows;
  }

  testing::TemporaryFolder folder_;
  Matrix features_ = testing::clustered(600, kDimension, 30, 0.3, 1);
  LabelSets labels_;
  std::shared_ptr<const Encoder> encoder_;
};

TEST_P(EveryEncoder, SaysWhatItIs) {
  EXPECT_EQ(encoder_->type(), GetParam());
  EXPECT_EQ(encoder_->dimension(), kDimension);
  EXPECT_FALSE(encoder_type(GetParam()).description.empty());
}

TEST_P(EveryEncoder, TrainingRepeatsAtAnyThreadCount) {
  EXPECT_EQ(train(1)->fingerprint(), encoder_->fingerprint());
  EXPECT_EQ(train(2)->fingerprint(), encoder_->fingerprint());
  EXPECT_EQ(train(8)->fingerprint(), encoder_->fingerprint());
}

TEST_P(EveryEncoder, CodesDoNotDependOnThreadsBatchesOrStride) {
  const auto all = packed(encoder_->encode(features_, 1));
  EXPECT_EQ(packed(encoder_->encode(features_, 8)), all);
  Matrix wide(features_.rows(), kDimension + 7);
  for (std::size_t r = 0; r < features_.rows(); ++r) {
    std::copy(features_.row(r).begin(), features_.row(r).end(), wide.row(r).begin());
  }
  EXPECT_EQ(packed(encoder_->encode(wide.view().cols_from(0, kDimension))), all);
  const std::size_t row_bytes = encoder_->layout().row_bytes();
  for (const std::size_t r : {0U, 77U, 599U}) {
    const auto one = packed(encoder_->encode(MatrixView(features_.row(r))));
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(r * row_bytes)));
  }
  EXPECT_EQ(encoder_->encode(MatrixView(features_.data(), 0, kDimension)).rows(), 0U);
}

TEST_P(EveryEncoder, SurvivesItsByteForm) {
  const auto bytes = encoder_->to_bytes();
  const auto loaded = load_encoder(bytes);
  EXPECT_EQ(loaded->fingerprint(), encoder_->fingerprint());
  EXPECT_EQ(loaded->to_bytes(), bytes);
  EXPECT_EQ(loaded->parameters(), encoder_->parameters());
  EXPECT_EQ(packed(loaded->encode(features_)), packed(encoder_->encode(features_)));
}

TEST_P(EveryEncoder, CutOrChangedBytesNeverCrash) {
  const auto bytes = encoder_->to_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); cut += cut < 300 ? 1 : 97) {
    EXPECT_THROW(load_encoder(std::span(bytes).first(cut)), Error) << cut;
  }
  detail::Random random(9);
  for (int i = 0; i < 300; ++i) {
    auto changed = bytes;
    changed[random.below(std::min<std::size_t>(bytes.size(), 400))] ^=
        static_cast<std::byte>(1 + random.below(255));
    try {
      load_encoder(changed);  // a changed number may still be a valid encoder
    } catch (const Error&) {
    }
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_ERROR(load_encoder(longer), corrupt, "1 bytes follow the end");
}

TEST_P(EveryEncoder, NearFeaturesAreNearByCode) {
  // Retrieval must beat chance by far on 30 tight clusters: the ten nearest codes share the query's cluster.
  const Codes codes = encoder_->encode(features_);
  std::vector<ItemId> ids(features_.rows());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  const auto scorer = encoder_->scorer(features_.view().rows_from(0, 60));
  ASSERT_EQ(scorer->size(), 60U);
  int shared = 0;
  for (std::size_t q = 0; q < 60; ++q) {
    CandidatePool pool({.count = 10});
    scorer->begin(q)->scan({codes, {}, ids, 0, 0, static_cast<std::uint32_t>(ids.size()), nullptr}, pool);
    for (const auto& candidate : pool.take()) shared += candidate.id % 30 == q % 30;
  }
  EXPECT_GT(shared, 300) << "of 600; chance is 20";
}

TEST_P(EveryEncoder, RefusesBadFeatures) {
  EXPECT_ERROR(encoder_->encode(testing::gaussian(2, kDimension + 1, 1)), invalid_argument,
               "expected 48 dimensions");
  EXPECT_ERROR(encoder_->scorer(testing::gaussian(2, kDimension - 1, 1)), invalid_argument, "got 47");
  Matrix bad = testing::gaussian(2, kDimension, 1);
  bad(1, 3) = std::nanf("");
  EXPECT_ERROR(encoder_->encode(bad), invalid_argument, "row 1, column 3");
  EXPECT_ERROR(train_encoder({GetParam(), {{"no_such_option", 1}}}, {features_}), invalid_argument,
               "no_such_option");
  EXPECT_ERROR(train_encoder({GetParam(), small_options(GetParam(), folder_)}, {bad}), invalid_argument,
               "training features");
}

TEST_P(EveryEncoder, CanBeCancelled) {
  EXPECT_ERROR(encoder_->encode(features_, 2, [](const ProgressReport&) { return false; }), cancelled,
               "encode");
}

INSTANTIATE_TEST_SUITE_P(Encoders, EveryEncoder, ::testing::ValuesIn(encoder_type_names()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace medretrieval
