// What is particular to single encoders: objectives, formulas, limits.
#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/encoder.hpp>
#include <numeric>

#include "encoders/itq_rotation.hpp"
#include "encoders/opq_rotation.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

using testing::clustered;
using testing::gaussian;

bool bit(const Codes& codes, std::size_t row, std::size_t i) {
  std::vector<std::uint8_t> packed(codes.layout().row_bytes());
  codes.get_row(row, packed.data());
  return (packed[i / 8] >> i % 8 & 1) != 0;
}

std::vector<Candidate> scan_all(const Encoder& encoder, const Codes& codes, MatrixView query) {
  std::vector<ItemId> ids(codes.rows());
  std::iota(ids.begin(), ids.end(), ItemId{0});
  CandidatePool pool({.count = codes.rows()});
  encoder.scorer(query)->begin(0)->scan(
      {codes, {}, ids, 0, 0, static_cast<std::uint32_t>(codes.rows()), nullptr}, pool);
  return pool.take();
}

TEST(Itq, ObjectiveNeverRisesAndRotationIsOrthogonal) {
  const Matrix features = clustered(2000, 40, 20, 0.4, 1);
  const auto components = linalg::principal_components(features, 16, 2);
  const Matrix projected =
      linalg::multiply_transposed(linalg::centered(features, components.mean), components.directions, 2);
  const auto found = encoders::find_itq_rotation(projected, 40, 1, 2, {});
  ASSERT_EQ(found.objective.size(), 40U);
  for (std::size_t i = 1; i < 40; ++i)
    EXPECT_LE(found.objective[i], found.objective[i - 1] * (1 + 1e-6)) << i;
  EXPECT_LT(found.objective.back(), found.objective.front() * 0.999) << "something was learned";
  EXPECT_LT(testing::max_distance_from_identity(found.rotation), 1e-5);
}

TEST(Itq, NeedsDimensionsAndRows) {
  const Matrix features = gaussian(30, 40, 1);
  EXPECT_ERROR(train_encoder({"itq", {{"bits", 41}}}, {features}), invalid_argument, "at most as many bits");
  EXPECT_ERROR(train_encoder({"itq", {{"bits", 30}}}, {features}), invalid_argument,
               "at least 31 training rows, got 30");
}

TEST(Opq, ObjectiveNeverRisesAndRotationIsOrthogonal) {
  const Matrix features = clustered(1500, 24, 40, 0.5, 2);
  for (const std::size_t dimension : {24U, 10U}) {
    const auto found = encoders::train_opq(
        features, dimension, 12,
        {.subspaces = 5, .bits_per_entry = 4, .iterations = 10, .seed = 1, .threads = 2}, {});
    ASSERT_EQ(found.objective.size(), 22U);
    for (std::size_t i = 1; i < found.objective.size(); ++i) {
      EXPECT_LE(found.objective[i], found.objective[i - 1] * (1 + 1e-5)) << i;
    }
    EXPECT_LT(testing::max_distance_from_identity(found.rotation.directions()), 1e-4);
    EXPECT_EQ(found.rotation.directions().rows(), dimension);
  }
}

TEST(Opq, BeatsPqOnCorrelatedDimensions) {
  Matrix features = gaussian(3000, 16, 3);
  for (std::size_t r = 0; r < features.rows();
       ++r) {  // all variance in four directions that straddle subspaces
    for (std::size_t c = 4; c < 16; ++c) features(r, c) = features(r, c % 4) * 0.9F + features(r, c) * 0.1F;
  }
  const auto error = [&](const std::string& type) {
    const auto encoder = train_encoder({type, {{"subspaces", 4}, {"bits_per_entry", 4}}}, {features});
    const Matrix back = encoder->reconstruct(encoder->encode(features));
    double sum = 0;
    for (std::size_t i = 0; i < 3000 * 16; ++i) {
      const double difference = static_cast<double>(features.data()[i]) - static_cast<double>(back.data()[i]);
      sum += difference * difference;
    }
    return sum;
  };
  EXPECT_LT(error("opq"), error("pq") * 0.9);
}

class ProductQuantizers
    : public ::testing::TestWithParam<std::tuple<std::string, std::int64_t, std::int64_t>> {};

TEST_P(ProductQuantizers, AdcEqualsBruteForceOverReconstructedVectors) {
  const auto& [type, subspaces, bits] = GetParam();
  const Matrix features = clustered(1200, 37, 50, 0.5, 4);  // 37: subspaces of unequal width
  const auto encoder = train_encoder(
      {type, {{"subspaces", subspaces}, {"bits_per_entry", bits}, {"iterations", 6}}}, {features});
  const Codes codes = encoder->encode(features);
  const Matrix reconstructed = encoder->reconstruct(codes);
  const Matrix queries = clustered(5, 37, 50, 0.5, 5);
  for (std::size_t q = 0; q < 5; ++q) {
    for (const auto& candidate : scan_all(*encoder, codes, MatrixView(queries.row(q)))) {
      double expected = 0;
      for (std::size_t d = 0; d < 37; ++d) {
        const double difference =
            static_cast<double>(queries(q, d)) - static_cast<double>(reconstructed(candidate.row, d));
        expected += difference * difference;
      }
      ASSERT_NEAR(candidate.distance, expected, 1e-3 + expected * 1e-5);
    }
  }
}

TEST_P(ProductQuantizers, EncodingPicksTheNearestCentroids) {
  const auto& [type, subspaces, bits] = GetParam();
  const Matrix features = clustered(800, 37, 50, 0.5, 6);
  const auto encoder = train_encoder(
      {type, {{"subspaces", subspaces}, {"bits_per_entry", bits}, {"iterations", 4}}}, {features});
  const Codes codes = encoder->encode(features);
  const Matrix back = encoder->reconstruct(codes);
  // No other row's code stands for a vector nearer to this row than its own code does.
  for (std::size_t r = 0; r < 800; r += 97) {
    const auto nearest = scan_all(*encoder, codes, MatrixView(features.row(r))).front();
    double own = 0;
    for (std::size_t d = 0; d < 37; ++d) {
      const double difference = static_cast<double>(features(r, d)) - static_cast<double>(back(r, d));
      own += difference * difference;
    }
    EXPECT_NEAR(nearest.distance, own, 1e-3 + own * 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Encoders, ProductQuantizers,
                         ::testing::Combine(::testing::Values("pq", "opq"), ::testing::Values(1, 8, 16),
                                            ::testing::Values(4, 8)));

TEST(TrainingRows, AreDrawnWhenThereAreMore) {
  const Matrix features = clustered(2000, 12, 30, 0.3, 7);
  for (const std::string type : {"pq", "opq", "itq"}) {
    Parameters options = {{"iterations", 4}};
    if (type == "itq") options["bits"] = 8;
    if (type != "itq") options["subspaces"] = 3, options["bits_per_entry"] = 4;
    const auto trained = [&](std::int64_t rows) {
      options["training_rows"] = rows;
      const Codes codes = train_encoder({type, options}, {features})->encode(features);
      return std::vector<std::uint8_t>(codes.view().blocks(),
                                       codes.view().blocks() + codes.view().size_bytes());
    };
    EXPECT_EQ(trained(0), trained(2000)) << type;
    EXPECT_NE(trained(0), trained(200)) << type;
  }
}

TEST_P(ProductQuantizers, EveryEntryIsTheNearestCentroid) {
  const auto& [type, subspaces, bits] = GetParam();
  if (type != "pq") return;  // the rotated rows of OPQ are not to be had from outside
  const Matrix features = clustered(300, 37, 50, 0.5, 8);
  const auto encoder = train_encoder(
      {type, {{"subspaces", subspaces}, {"bits_per_entry", bits}, {"iterations", 3}}}, {features});
  const Codes codes = encoder->encode(features, 2);
  const Matrix back = encoder->reconstruct(codes);
  const auto entries = static_cast<std::size_t>(1) << bits;
  std::vector<std::uint8_t> packed(codes.layout().row_bytes());
  for (std::size_t e = 0; e < entries;
       ++e) {  // no vector with the same entry everywhere is nearer in any subspace
    std::fill(packed.begin(), packed.end(), static_cast<std::uint8_t>(bits == 8 ? e : e * 17));
    if (bits == 4 && subspaces % 2 == 1) packed.back() = static_cast<std::uint8_t>(e);
    const Matrix same = encoder->reconstruct(Codes::from_rows(codes.layout(), 1, packed));
    const auto count = static_cast<std::size_t>(subspaces);
    for (std::size_t r = 0; r < 300; ++r) {
      for (std::size_t m = 0, d = 0; m < count; ++m) {
        float own = 0;
        float other = 0;
        for (const std::size_t end = d + 37 / count + (m < 37 % count ? 1 : 0); d < end; ++d) {
          own += (features(r, d) - back(r, d)) * (features(r, d) - back(r, d));
          other += (features(r, d) - same(0, d)) * (features(r, d) - same(0, d));
        }
        ASSERT_LE(own, other * 1.00001F) << "row " << r << ", subspace " << m << ", entry " << e;
      }
    }
  }
}

TEST(ProductQuantization, RefusesWhatItCannotTrain) {
  const Matrix features = gaussian(100, 12, 1);
  EXPECT_ERROR(train_encoder({"pq", {{"subspaces", 13}, {"bits_per_entry", 4}}}, {features}),
               invalid_argument, "1 to 12 subspaces");
  EXPECT_ERROR(train_encoder({"pq", {{"subspaces", 4}, {"bits_per_entry", 5}}}, {features}), invalid_argument,
               "4 or 8");
  EXPECT_ERROR(train_encoder({"pq", {{"subspaces", 4}}}, {features}), invalid_argument, "got 100");
  EXPECT_ERROR(train_encoder({"opq", {{"dimension", 13}, {"bits_per_entry", 4}}}, {features}),
               invalid_argument, "at most the features' 12, got 13");
}

TEST(HashHead, BitsAreTheSigmoidAboveOneHalf) {
  const Matrix weights = gaussian(70, 9, 7);
  const Matrix bias = gaussian(1, 70, 8);
  const auto head = make_hash_head(weights, bias.row(0));
  const Matrix features = gaussian(50, 9, 9);
  const Codes codes = head->encode(features);
  for (std::size_t r = 0; r < 50; ++r) {
    for (std::size_t i = 0; i < 70; ++i) {
      double z = static_cast<double>(bias(0, i));
      for (std::size_t d = 0; d < 9; ++d) {
        z += static_cast<double>(weights(i, d)) * static_cast<double>(features(r, d));
      }
      if (std::fabs(z) < 1e-4) continue;
      EXPECT_EQ(bit(codes, r, i), 1 / (1 + std::exp(-z)) > 0.5);
    }
  }
  EXPECT_ERROR(make_hash_head(weights, bias.row(0).first(69)), invalid_argument, "each of the 70 rows");
  EXPECT_ERROR(head->reconstruct(codes), unsupported, "hash_head");
}

TEST(Lsh, CentringMakesBitsBalanced) {
  Matrix features = gaussian(2000, 30, 10);
  for (std::size_t r = 0; r < features.rows(); ++r) {
    for (float& value : features.row(r)) value += 50;
  }
  const auto balance = [&](bool center) {
    const Codes codes =
        train_encoder({"lsh", {{"bits", 32}, {"center", center}}}, {features})->encode(features);
    double worst = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      double ones = 0;
      for (std::size_t r = 0; r < 2000; ++r) ones += bit(codes, r, i);
      worst = std::max(worst, std::fabs(ones / 2000 - 0.5));
    }
    return worst;
  };
  EXPECT_LT(balance(true), 0.1);
  EXPECT_GT(balance(false), 0.4);
}

TEST(Joint, DistanceIsTheWeightedSumOfTheSlices) {
  const Matrix features = clustered(400, 60, 20, 0.5, 11);
  const auto part = [&](std::size_t first, std::size_t count, std::int64_t bits) {
    return train_encoder({"lsh", {{"bits", bits}, {"seed", bits}}},
                         {features.view().cols_from(first, count)});
  };
  const std::vector<JointSlice> slices = {
      {0, part(0, 20, 24), 2}, {20, part(20, 10, 70), 1}, {30, part(30, 30, 32), 5}};
  const auto joint = make_joint_encoder(slices);
  EXPECT_EQ(joint->dimension(), 60U);
  EXPECT_EQ(joint->layout(), CodeLayout::binary(64 * 4));
  std::vector<std::size_t> places;
  std::size_t words = 0;
  for (const auto& slice : slices) {
    for (std::size_t bit = 0; bit < slice.encoder->layout().bits(); ++bit) places.push_back(64 * words + bit);
    words += slice.encoder->layout().words();
  }
  EXPECT_EQ(joint->bit_places(), places);
  std::vector<float> expected(400);
  for (const auto& slice : slices) {
    const MatrixView columns = features.view().cols_from(slice.first_column, slice.encoder->dimension());
    const Codes codes = slice.encoder->encode(columns);
    for (const auto& candidate : scan_all(*slice.encoder, codes, columns.rows_from(7, 1))) {
      expected[candidate.row] += static_cast<float>(slice.weight) * candidate.distance;
    }
  }
  for (const auto& candidate : scan_all(*joint, joint->encode(features), features.view().rows_from(7, 1))) {
    EXPECT_EQ(candidate.distance, expected[candidate.row]);
  }
}

TEST(Joint, RefusesWhatCannotBeSummedExactly) {
  const Matrix features = gaussian(300, 8, 1);
  const auto lsh = train_encoder({"lsh", {{"bits", 512}}}, {features});
  const auto pq = train_encoder({"pq", {{"subspaces", 2}, {"bits_per_entry", 4}}}, {features});
  EXPECT_ERROR(make_joint_encoder({}), invalid_argument, "at least one slice");
  EXPECT_ERROR(make_joint_encoder({{0, pq, 1}}), invalid_argument, "product(2 x 4 bits)");
  EXPECT_ERROR(make_joint_encoder({{0, lsh, 0}}), invalid_argument, "weights of 1 to 65535, got 0");
  EXPECT_ERROR(make_joint_encoder({{0, lsh, 40000}}), invalid_argument,
               "must stay below 16777216, got 20480000");
  EXPECT_ERROR(make_joint_encoder({{0, make_joint_encoder({{0, lsh, 1}}), 1}}), invalid_argument, "joint");
  EXPECT_ERROR(train_encoder({"joint", {{"slices", std::string("4:1,5:1")}}}, {features}), invalid_argument,
               "8 dim");
  EXPECT_ERROR(train_encoder({"joint", {{"slices", std::string("4-1")}}}, {features}), invalid_argument,
               "width:weight");
}

TEST(Joint, NestedBytesAreRefusedBeforeTheyAreRead) {
  const auto inner = train_encoder({"lsh", {{"bits", 8}}}, {testing::gaussian(50, 4, 1)});
  const auto joint = make_joint_encoder({{0, inner, 1}});
  auto bytes = joint->to_bytes();
  for (int depth = 0; depth < 1000; ++depth) {
    ByteWriter writer;
    writer.text("MRENCODR");
    writer.number<std::uint32_t>(1);
    writer.text("joint");
    writer.number<std::uint64_t>(0);  // parameters
    writer.number<std::uint64_t>(1);  // slices
    writer.number<std::uint64_t>(0);
    writer.number<std::uint32_t>(1);
    writer.bytes(bytes);
    bytes = writer.take();
  }
  EXPECT_ERROR(load_encoder(bytes), corrupt, "joint encoder itself");
}

TEST(Registry, TakesTypesOfTheApplication) {
  EXPECT_ERROR(encoder_type("nope"), not_found, "the known ones: lsh, itq");
  EXPECT_ERROR(register_encoder_type(encoder_type("lsh")), already_exists, "'lsh'");
  EXPECT_ERROR(register_encoder_type({}), invalid_argument, "needs a name");
  EncoderType mine = encoder_type("lsh");
  mine.name = "mine";
  register_encoder_type(mine);
  EXPECT_EQ(train_encoder({"mine", {{"bits", 8}}}, {gaussian(5, 4, 1)})->layout(), CodeLayout::binary(8));
}

TEST(Options, AreCheckedAgainstTheSchema) {
  EXPECT_ERROR((EncoderOptions{"itq", {{"bitz", 1}}}.validate()), invalid_argument,
               "encoder 'itq' has no option 'bitz'; it has: bits, iterations, training_rows, seed");
  EXPECT_ERROR((EncoderOptions{"itq", {{"bits", 0}}}.validate()), invalid_argument,
               "must be 1 to 8192, got 0");
  EXPECT_ERROR((EncoderOptions{"itq", {{"bits", "64"}}}.validate()), invalid_argument,
               "a whole number, got '64'");
  EXPECT_ERROR((EncoderOptions{"itq", {{"bits", 64.5}}}.validate()), invalid_argument,
               "a whole number, got '64.5'");
  EXPECT_NO_THROW((EncoderOptions{"itq", {{"bits", 64}}}.validate()));
  const auto& schema = encoder_type("lsh").options;
  EXPECT_EQ(parse_parameter("bits=128", schema, "lsh").second, ParameterValue(std::int64_t{128}));
  EXPECT_EQ(parse_parameter("center=false", schema, "lsh").second, ParameterValue(false));
  EXPECT_ERROR(parse_parameter("center=no", schema, "lsh"), invalid_argument, "true or false, got 'no'");
  EXPECT_ERROR(parse_parameter("bits=12x", schema, "lsh"), invalid_argument, "got '12x'");
  EXPECT_ERROR(parse_parameter("bits", schema, "lsh"), invalid_argument, "name=value");
}

}  // namespace
}  // namespace medretrieval
