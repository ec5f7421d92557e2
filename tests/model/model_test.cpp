#include <gtest/gtest.h>

#include <medretrieval/model.hpp>

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
