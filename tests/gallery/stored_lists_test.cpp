// Galleries with inverted lists and features as float16 or uint8: what is stored, and that every way of storing it answers alike.
#include <gtest/gtest.h>

#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

#include "base/feature_storage.hpp"
#include "gallery/segment.hpp"
#include "gallery/snapshot_state.hpp"
#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

using testing::Collection;
using testing::make_collection;
using testing::make_model;
using testing::TemporaryFolder;

constexpr std::size_t kRows = 240;
constexpr std::size_t kDimension = 12;
constexpr std::size_t kLists = 7;

std::vector<float> rounded(std::span<const float> row, FeatureType type) {
  const auto stored = detail::to_stored(MatrixView(row), type);
  std::vector<float> values(row.size());
  StoredFeatures(type, stored.data(), 1, row.size()).copy_row(0, values);
  return values;
}

/// Codes of residuals (product) and of the features themselves (binary), and how features are stored.
class StoredLists : public ::testing::TestWithParam<std::tuple<bool, FeatureType>> {
 protected:
  /// Three commits, with items removed and replaced both before and after their commit.
  void fill(Gallery& gallery) const {
    testing::add_in_segments(gallery, collection_, 2);
    const Collection more = make_collection(30, kDimension, true, 5);
    const auto ids = gallery.add(more.features, more.items);
    gallery.remove(std::vector<ItemId>{ids[4], ids[11], 7, 130});
    gallery.upsert(collection_.features.view().rows_from(0, 5), std::span(more.items).subspan(20, 5));
    gallery.upsert(more.features.view().rows_from(0, 2), std::span(collection_.items).subspan(60, 2));
    gallery.commit();
  }

  /// Searches of every kind, one after the other.
  std::vector<SearchResult> answers(const Snapshot& snapshot) const {
    const Searcher searcher(snapshot);
    const Matrix queries = make_collection(15, kDimension, true, 2).features;
    std::vector<SearchResult> all;
    for (int kind = 0; kind < 8; ++kind) {
      SearchOptions options;
      options.k = 6;
      options.pool_factor = 3;
      options.exact = kind == 0;
      options.probes = kind < 2 ? 0 : 2;
      if (kind == 3) options.rerank = Rerank::none;
      if (kind == 4) options.gate.mode = GateMode::adaptive;
      if (kind == 5) options.filter.modalities = {"MR"};
      if (kind == 6) options.group_by = GroupBy::patient;
      if (kind == 7) options.prepared_filter = searcher.prepare({.from = Date::from_days(18700)});
      const auto results = searcher.search(queries, options);
      all.insert(all.end(), results.begin(), results.end());
    }
    return all;
  }

  void expect_same_answers(const Snapshot& got, const Snapshot& expected) const {
    const auto left = answers(got);
    const auto right = answers(expected);
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t q = 0; q < left.size(); ++q) {
      EXPECT_EQ(left[q].eligible, right[q].eligible) << q;
      ASSERT_EQ(left[q].hits.size(), right[q].hits.size()) << q;
      for (std::size_t i = 0; i < left[q].hits.size(); ++i) {
        EXPECT_EQ(left[q].hits[i].id, right[q].hits[i].id) << q << ", rank " << i;
        EXPECT_EQ(left[q].hits[i].distance, right[q].hits[i].distance) << q << ", rank " << i;
      }
    }
  }

  /// List and code of every row are those of its stored features, and every row lies in the range of its list.
  void expect_lists_and_codes_of_the_features(const Snapshot& snapshot) const {
    for (const auto& part : snapshot.state().parts) {
      const auto& segment = *part.segment;
      ASSERT_NE(segment.lists(), nullptr);
      EXPECT_EQ(segment.features().type(), type_);
      Matrix stored(segment.rows(), kDimension);
      for (std::size_t row = 0; row < segment.rows(); ++row)
        segment.features().copy_row(row, stored.row(row));
      const auto lists = model_.lists()->assign(stored);
      const Codes codes = model_.encode(stored, lists);
      const auto view = segment.codes(0, segment.rows());
      std::vector<std::uint8_t> got(codes.layout().row_bytes());
      auto expected = got;
      std::size_t in_ranges = 0;
      for (std::size_t row = 0; row < segment.rows(); ++row) {
        EXPECT_EQ(segment.list(row), lists[row]) << row;
        view.get_row(row, got.data());
        codes.get_row(row, expected.data());
        EXPECT_EQ(got, expected) << row;
        for (const auto& range : segment.lists()->of(lists[row]))
          in_ranges += range.begin <= row && row < range.end ? 1 : 0;
      }
      EXPECT_EQ(in_ranges, segment.rows());
    }
  }

  FeatureType type_ = std::get<1>(GetParam());
  TemporaryFolder folder_;
  Collection collection_ = make_collection(kRows, kDimension, true, 1);
  Model model_ =
      make_model(collection_,
                 std::get<0>(GetParam()) ? EncoderOptions{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}
                                         : EncoderOptions{"itq", {{"bits", 12}, {"iterations", 5}}},
                 true, kLists, type_);
};

TEST_P(StoredLists, AFolderAnswersAsMemoryDoes) {
  Gallery memory(model_);
  fill(memory);
  Gallery folder = Gallery::create(folder_ / "gallery", model_);
  fill(folder);
  const Snapshot opened = Snapshot::open(folder_ / "gallery");
  EXPECT_EQ(opened.fingerprint(), memory.snapshot().fingerprint());
  EXPECT_EQ(opened.model().fingerprint(), model_.fingerprint());
  EXPECT_EQ(opened.model().stored_features(), type_);
  ASSERT_NE(opened.model().lists(), nullptr);
  EXPECT_EQ(opened.model().lists()->lists(), kLists);
  EXPECT_NO_THROW(opened.verify());
  expect_same_answers(opened, memory.snapshot());
  expect_lists_and_codes_of_the_features(opened);
}

TEST_P(StoredLists, FeaturesComeBackRounded) {
  Gallery gallery = Gallery::create(folder_ / "gallery", model_);
  gallery.add(collection_.features, collection_.items);
  gallery.commit();
  const Snapshot snapshot = Snapshot::open(folder_ / "gallery");
  for (ItemId id = 0; id < kRows; ++id) {
    EXPECT_EQ(snapshot.features(id), rounded(collection_.features.row(id), type_));
    Item expected = collection_.items[id];
    expected.id = id;
    EXPECT_EQ(snapshot.item(id), expected);
  }
}

TEST_P(StoredLists, CompactionKeepsContentAndAnswers) {
  Gallery gallery = Gallery::create(folder_ / "gallery", model_);
  fill(gallery);
  const Snapshot before = gallery.snapshot();
  EXPECT_EQ(before.segments().size(), 3U);
  gallery.compact();
  const Snapshot after = Snapshot::open(folder_ / "gallery");
  EXPECT_EQ(after.segments().size(), 1U);
  EXPECT_NO_THROW(after.verify());
  ASSERT_EQ(after.ids(), before.ids());
  for (const auto id : before.ids()) {
    EXPECT_EQ(after.features(id), before.features(id));
    EXPECT_EQ(after.item(id), before.item(id));
  }
  expect_lists_and_codes_of_the_features(after);
  expect_same_answers(after, before);
}

TEST_P(StoredLists, TheNumberOfSegmentsChangesNoAnswer) {
  Gallery one(model_);
  testing::add_in_segments(one, collection_, 1);
  Gallery many(model_);
  testing::add_in_segments(many, collection_, 9);
  expect_same_answers(many.snapshot(), one.snapshot());
}

/// Of float16 only: bytes hold any value.
class Float16Lists : public StoredLists {};

TEST_P(Float16Lists, ValuesThatFloat16CannotHoldAreRefused) {
  Gallery gallery = Gallery::create(folder_ / "gallery", model_);
  gallery.add(collection_.features.view().rows_from(0, 20), std::span(collection_.items).first(20));
  const Snapshot before = gallery.commit();
  Matrix rows = Matrix::copy_of(collection_.features.view().rows_from(20, 3));
  const auto items = std::span(collection_.items).subspan(20, 3);
  for (const float bad : {65504.004F, 65520.0F, -70000.0F, 1e10F}) {
    rows(2, 5) = bad;
    EXPECT_ERROR(gallery.add(rows, items), invalid_argument, "row 2 holds");
    EXPECT_ERROR(gallery.add(rows, items), invalid_argument, "float16, up to 65504");
    EXPECT_ERROR(gallery.upsert(rows, std::span(collection_.items).first(3)), invalid_argument,
                 "row 2 holds");
  }
  EXPECT_EQ(gallery.pending_additions(), 0U);
  EXPECT_EQ(gallery.pending_removals(), 0U);
  EXPECT_EQ(gallery.commit().fingerprint(), before.fingerprint()) << "nothing was half-added";
  rows(2, 5) = -kMaxHalfMagnitude;
  EXPECT_EQ(gallery.add(rows, items), (std::vector<ItemId>{20, 21, 22})) << "no id was used up";
  EXPECT_EQ(gallery.commit().features(22)[5], -65504.0F);
  EXPECT_NO_THROW(Snapshot::open(folder_ / "gallery").verify());
}

TEST_P(StoredLists, WhatWasTunedStaysThroughChanges) {
  const TunedSearch tuned = {0.95, 10, 3, 5};
  Gallery gallery = Gallery::create(folder_ / "gallery", model_);
  gallery.add(collection_.features, collection_.items);
  EXPECT_ERROR(gallery.set_tuned_search(tuned), invalid_argument, "waiting changes");
  gallery.commit();
  const Snapshot stored = gallery.set_tuned_search(tuned);
  EXPECT_EQ(Snapshot::open(folder_ / "gallery").tuned_search(), tuned);
  EXPECT_EQ(Snapshot::open(folder_ / "gallery").fingerprint(), stored.fingerprint());
  EXPECT_ERROR(gallery.set_tuned_search(TunedSearch{1.5, 10, 3, 5}), invalid_argument, "recall of 0 to 1");
  EXPECT_ERROR(gallery.set_tuned_search(TunedSearch{0.9, 10, 3, 0}), invalid_argument, "pool factor");
  EXPECT_EQ(gallery.snapshot().fingerprint(), stored.fingerprint());
  gallery.remove(std::vector<ItemId>{1});
  gallery.commit();
  gallery.compact();
  EXPECT_EQ(Snapshot::open(folder_ / "gallery").tuned_search(), tuned);
  gallery.set_tuned_search(std::nullopt);
  EXPECT_FALSE(Snapshot::open(folder_ / "gallery").tuned_search().has_value());
}

std::string name_of(const ::testing::TestParamInfo<StoredLists::ParamType>& tested) {
  return std::string(std::get<0>(tested.param) ? "Residuals_" : "Binary_") +
         std::string(feature_type_name(std::get<1>(tested.param)));
}

INSTANTIATE_TEST_SUITE_P(Gallery, StoredLists,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(FeatureType::float16, FeatureType::uint8)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Gallery, Float16Lists,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(FeatureType::float16)),
                         name_of);

TEST(StoredListsAlone, WithoutListsOnlyThePoolIsTuned) {
  const auto collection = make_collection(60, 8, false, 1);
  Gallery gallery(make_model(collection, {"lsh", {{"bits", 16}}}));
  EXPECT_ERROR(gallery.set_tuned_search(TunedSearch{0.9, 10, 1, 5}), invalid_argument, "inverted lists");
}

TEST(StoredListsAlone, NarrowFeaturesNeedNoEncoder) {
  const auto collection = make_collection(60, 8, false, 1);
  for (const auto type : {FeatureType::float16, FeatureType::uint8}) {
    const TemporaryFolder folder;
    Gallery gallery = Gallery::create(folder / "gallery", Model({.dimension = 8, .stored_features = type}));
    gallery.add(collection.features);
    gallery.commit();
    const Snapshot snapshot = Snapshot::open(folder / "gallery");
    EXPECT_NO_THROW(snapshot.verify());
    for (const auto distance : {Rerank::l2, Rerank::cosine}) {
      const auto result =
          Searcher(snapshot).search(snapshot.features(11), {.k = 1, .rerank = distance, .exact = true});
      EXPECT_EQ(result.hits.front().id, 11U);
      EXPECT_EQ(result.hits.front().distance, 0.0F);
    }
  }
}

}  // namespace
}  // namespace medretrieval
