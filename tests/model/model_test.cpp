#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <medretrieval/model.hpp>
#include <tuple>

#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"

namespace medretrieval {
namespace {

using testing::make_collection;
using testing::make_model;

TEST(Model, SurvivesItsByteForm) {
  const auto collection = make_collection(200, 16, false, 1);
  for (const EncoderOptions& encoder : {EncoderOptions{"itq", {{"bits", 12}}},
                                        EncoderOptions{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}}) {
    const Model model = make_model(collection, encoder);
    const Model back = Model::from_bytes(model.to_bytes());
    EXPECT_EQ(back.fingerprint(), model.fingerprint());
    EXPECT_EQ(back.encoder()->fingerprint(), model.encoder()->fingerprint());
    EXPECT_EQ(back.labels(), model.labels());
    EXPECT_EQ(back.feature_source(), model.feature_source());
    ASSERT_NE(back.gate(), nullptr);
  }
}

TEST(Model, CutOrChangedBytesNeverCrash) {
  const auto bytes = make_model(make_collection(100, 8, true, 1), {"lsh", {{"bits", 12}}}).to_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_THROW(Model::from_bytes(std::span(bytes).first(cut)), Error) << cut;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= std::byte{0x41};
    try {
      Model::from_bytes(changed);
    } catch (const Error&) {
    }
  }
}

TEST(Model, ListsAndFeatureTypeSurviveTheByteForm) {
  const auto collection = make_collection(200, 16, false, 1);
  const EncoderOptions pq = {"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}};
  const EncoderOptions itq = {"itq", {{"bits", 12}}};
  for (const auto& [encoder, lists, type] : {std::tuple{pq, std::size_t{9}, FeatureType::float16},
                                             std::tuple{pq, std::size_t{0}, FeatureType::float16},
                                             std::tuple{pq, std::size_t{0}, FeatureType::uint8},
                                             std::tuple{itq, std::size_t{9}, FeatureType::uint8},
                                             std::tuple{itq, std::size_t{9}, FeatureType::float32}}) {
    const Model model = make_model(collection, encoder, true, lists, type);
    const auto bytes = model.to_bytes();
    EXPECT_EQ(bytes[15], type == FeatureType::uint8 ? std::byte{3} : std::byte{2}) << "the version";
    const Model back = Model::from_bytes(bytes);
    EXPECT_EQ(back.fingerprint(), model.fingerprint());
    EXPECT_EQ(back.stored_features(), type);
    EXPECT_EQ(back.codes_residuals(), lists != 0 && encoder.type == "pq");
    ASSERT_EQ(back.lists() != nullptr, lists != 0);
    if (lists == 0) continue;
    EXPECT_EQ(back.lists()->assign(collection.features), model.lists()->assign(collection.features));
  }
  EXPECT_EQ(make_model(collection, itq).to_bytes()[15], std::byte{1}) << "old readers read what they can";
}

TEST(Model, CutOrChangedListsNeverCrash) {
  const auto bytes =
      make_model(make_collection(100, 8, true, 1), {"lsh", {{"bits", 12}}}, true, 5, FeatureType::float16)
          .to_bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_THROW(Model::from_bytes(std::span(bytes).first(cut)), Error) << cut;
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_ERROR(Model::from_bytes(longer), corrupt, "model");
  for (const unsigned flip : {0x41U, 0x80U, 0xffU}) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto changed = bytes;
      changed[at] ^= static_cast<std::byte>(flip);
      try {
        Model::from_bytes(changed);
      } catch (const Error&) {
      }
    }
  }
}

/// Before the values: u8 feature type, u8 has lists, u64 lists, u64 dimensions, u64 count.
TEST(Model, ForgedListsAreCorrupt) {
  constexpr std::size_t kLists = 5;
  constexpr std::size_t kDimension = 8;
  const Model model =
      make_model(make_collection(100, kDimension, false, 1), {"lsh", {{"bits", 12}}}, false, kLists);
  const auto bytes = model.to_bytes();
  const auto centroids = std::as_bytes(std::span(model.lists()->centroids().data(), kLists * kDimension));
  const auto found = std::search(bytes.begin(), bytes.end(), centroids.begin(), centroids.end());
  ASSERT_NE(found, bytes.end());
  const auto values = static_cast<std::size_t>(found - bytes.begin());
  const auto with = [&](std::size_t at, auto number) {
    auto changed = bytes;
    std::memcpy(changed.data() + at, &number, sizeof number);
    return changed;
  };
  EXPECT_NO_THROW(Model::from_bytes(bytes));
  EXPECT_ERROR(Model::from_bytes(with(values - 26, std::uint8_t{3})), corrupt, "stored as type 3");
  EXPECT_ERROR(Model::from_bytes(with(values - 25, std::uint8_t{0})), corrupt, "model");
  EXPECT_ERROR(Model::from_bytes(with(values - 24, std::uint64_t{4})), corrupt, "centroids of 4 lists");
  EXPECT_ERROR(Model::from_bytes(with(values - 24, std::uint64_t{0})), corrupt, "centroids of 0 lists");
  EXPECT_ERROR(Model::from_bytes(with(values - 24, ~std::uint64_t{0})), corrupt, "centroids of");
  EXPECT_ERROR(Model::from_bytes(with(values - 16, std::uint64_t{0})), corrupt, "over 0 dimensions");
  EXPECT_ERROR(Model::from_bytes(with(values - 8, std::uint64_t{39})), corrupt, "model");
  EXPECT_ERROR(Model::from_bytes(with(values - 8, ~std::uint64_t{0})), corrupt, "model");
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e30F}) {
    EXPECT_ERROR(Model::from_bytes(with(values + 12, bad)), corrupt, "model");
  }
  auto narrow = with(values - 24, std::uint64_t{10});  // ten lists of four dimensions
  const std::uint64_t four = 4;
  std::memcpy(narrow.data() + values - 16, &four, sizeof four);
  EXPECT_ERROR(Model::from_bytes(narrow), corrupt, "expected lists over 8 dimensions, got 4");
}

/// Above a few hundred lists the centroids get codes; they must not need distinct centroids.
TEST(Model, ManyEqualCentroidsAreRead) {
  const auto collection = make_collection(50, 8, false, 1);
  ModelParts parts;
  parts.dimension = 8;
  parts.encoder = train_encoder({"lsh", {{"bits", 8}}}, {collection.features});
  parts.lists = std::make_shared<const CoarseQuantizer>(Matrix(600, 8));
  const Model back = Model::from_bytes(Model(parts).to_bytes());
  ASSERT_NE(back.lists(), nullptr);
  EXPECT_EQ(back.lists()->assign(collection.features), std::vector<std::uint32_t>(50));
}

TEST(Model, VocabularyIsGivenOrTakenFromTheRows) {
  const auto collection = make_collection(100, 8, false, 1);
  const auto labels = collection.labels();
  const Model taken = train_model({.gate = false}, {collection.features, labels});
  EXPECT_EQ(taken.labels().names(), testing::class_names());
  EXPECT_EQ(taken.encoder(), nullptr);
  EXPECT_EQ(taken.gate(), nullptr);
  EXPECT_ERROR(train_model({.labels = {"alpha"}}, {collection.features, labels}), not_found,
               "unknown label 'beta'");
  EXPECT_ERROR(train_model({.labels = {"a", "a"}}, {collection.features}), invalid_argument,
               "'a' is in the vocabulary");
}

TEST(Model, PartsMustFitTogether) {
  const auto collection = make_collection(100, 8, false, 1);
  const auto encoder = train_encoder({"lsh", {{"bits", 8}}}, {collection.features});
  EXPECT_ERROR(Model({.dimension = 9, .encoder = encoder}), incompatible,
               "over 9 dimensions, got 'lsh' over 8");
  EXPECT_ERROR(Model({.dimension = 0}), invalid_argument, "got 0");
  const auto lists = std::make_shared<const CoarseQuantizer>(Matrix(3, 9));
  EXPECT_ERROR(Model({.dimension = 8, .encoder = encoder, .lists = lists}), incompatible,
               "lists over 8 dimensions, got 9");
  EXPECT_ERROR(Model({.dimension = 9, .lists = lists}), invalid_argument, "need an encoder");
  LabelSets labels(LabelVocabulary(testing::class_names()), collection.labels());
  const auto gate = std::make_shared<const ClassGate>(ClassGate::train(collection.features, labels, 5, {}));
  EXPECT_ERROR(Model({.dimension = 8, .gate = gate}), incompatible, "0 labels, got 5 classes");
}

TEST(LabelSets, KeepsOrderAndDropsRepeats) {
  LabelSets sets;
  const ClassId row[] = {3, 1, 3};
  sets.add_row(row);
  sets.add_row({});
  EXPECT_EQ(std::vector<ClassId>(sets.row(0).begin(), sets.row(0).end()), (std::vector<ClassId>{3, 1}));
  EXPECT_TRUE(sets.row(1).empty());
  EXPECT_TRUE(sets.has_several());
  EXPECT_TRUE(share_a_label(sets.row(0), std::vector<ClassId>{7, 1}));
  EXPECT_FALSE(share_a_label(sets.row(0), sets.row(1)));
  const LabelVocabulary vocabulary(testing::class_names());
  EXPECT_EQ(vocabulary.at("gamma"), 2U);
  EXPECT_ERROR(vocabulary.at("zeta"), not_found, "alpha, beta, gamma, delta, epsilon");
}

}  // namespace
}  // namespace medretrieval
