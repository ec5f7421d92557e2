#include <gtest/gtest.h>

#include <medretrieval/gallery.hpp>
#include <thread>

#include "gallery/id_set.hpp"
#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

using testing::Collection;
using testing::make_collection;
using testing::make_model;
using testing::TemporaryFolder;

const EncoderOptions kSmallItq = {"itq", {{"bits", 10}, {"iterations", 5}}};

/// Every test runs on a gallery in memory and on one in a folder.
class Galleries : public ::testing::TestWithParam<bool> {
 protected:
  Gallery make(const Model& model) {
    return GetParam() ? Gallery::create(folder_ / "gallery", model) : Gallery(model);
  }
  /// What another process would see: the folder opened anew, or the same snapshot in memory.
  Snapshot seen(const Gallery& gallery) {
    return GetParam() ? Snapshot::open(gallery.folder()) : gallery.snapshot();
  }

  TemporaryFolder folder_;
  Collection collection_ = make_collection(150, 12, true, 1);
  Model model_ = make_model(collection_, kSmallItq);
};

void expect_item(const Snapshot& snapshot, ItemId id, Item expected, std::span<const float> features) {
  expected.id = id;
  EXPECT_EQ(snapshot.item(id), expected) << "item " << id;
  EXPECT_EQ(snapshot.features(id), std::vector<float>(features.begin(), features.end()));
}

TEST_P(Galleries, WhatIsAddedComesBackWhole) {
  Gallery gallery = make(model_);
  const auto ids = gallery.add(collection_.features, collection_.items);
  EXPECT_EQ(gallery.pending_additions(), 150U);
  EXPECT_EQ(gallery.snapshot().size(), 0U) << "not before the commit";
  gallery.commit();
  const Snapshot snapshot = seen(gallery);
  EXPECT_EQ(snapshot.size(), 150U);
  EXPECT_EQ(snapshot.ids(), ids);
  EXPECT_EQ(snapshot.model().fingerprint(), model_.fingerprint());
  EXPECT_EQ(snapshot.fingerprint(), gallery.snapshot().fingerprint());
  for (std::size_t r = 0; r < 150; ++r) {
    expect_item(snapshot, ids[r], collection_.items[r], collection_.features.row(r));
    EXPECT_EQ(snapshot.find_key(collection_.items[r].key), ids[r]);
  }
  EXPECT_EQ(snapshot.attributes(),
            (std::map<std::string, ColumnType>{{"age", ColumnType::number}, {"view", ColumnType::text}}));
  EXPECT_NO_THROW(snapshot.verify());
}

TEST_P(Galleries, SnapshotsNeverChange) {
  Gallery gallery = make(model_);
  const auto ids = gallery.add(collection_.features, collection_.items);
  const Snapshot first = gallery.commit();
  gallery.remove(std::span(ids).first(50));
  const Snapshot second = gallery.commit();
  gallery.compact();
  EXPECT_EQ(first.size(), 150U);
  expect_item(first, ids[3], collection_.items[3], collection_.features.row(3));
  EXPECT_EQ(second.size(), 100U);
  EXPECT_FALSE(second.contains(ids[3]));
  EXPECT_NE(first.fingerprint(), second.fingerprint());
  EXPECT_NO_THROW(first.verify());
}

TEST_P(Galleries, TheModelStaysWhereItIs) {
  Gallery gallery = make(model_);
  const Model* model = &gallery.model();
  gallery.add(collection_.features, collection_.items);
  gallery.commit();
  gallery.compact();
  EXPECT_EQ(&gallery.model(), model);
}

TEST_P(Galleries, TextThatIsNotUtf8IsRefused) {
  Gallery gallery = make(model_);
  const auto one = collection_.features.view().rows_from(0, 1);
  Item item;
  item.attributes = {{"gr\xf6sse", 1.0}};
  EXPECT_ERROR(gallery.add(one, {&item, 1}), invalid_argument, "UTF-8");
  item.attributes = {{"size", std::string("gro\xdf")}};
  EXPECT_ERROR(gallery.add(one, {&item, 1}), invalid_argument, "UTF-8 text in 'size'");
  item.attributes.clear();
  item.patient = "M\xfcller";
  EXPECT_ERROR(gallery.add(one, {&item, 1}), invalid_argument, "UTF-8 text in 'patient'");
  item.patient = "M\xc3\xbcller";
  gallery.add(one, {&item, 1});
  EXPECT_NO_THROW(gallery.commit());
}

TEST_P(Galleries, IdsAreNeverUsedAgain) {
  Gallery gallery = make(model_);
  const MatrixView one = collection_.features.view().rows_from(0, 1);
  std::vector<Item> item(1);
  item[0].id = 40;
  EXPECT_EQ(gallery.add(one, item), (std::vector<ItemId>{40}));
  EXPECT_ERROR(gallery.add(one, item), already_exists, "the id 40");
  EXPECT_EQ(gallery.add(one), (std::vector<ItemId>{41})) << "assigned above the given";
  gallery.commit();
  EXPECT_ERROR(gallery.add(one, item), already_exists, "the id 40");
  gallery.remove(std::vector<ItemId>{40});
  EXPECT_ERROR(gallery.add(one, item), already_exists, "the id 40");
  gallery.commit();
  EXPECT_ERROR(gallery.add(one, item), already_exists, "the id 40");
  gallery.compact();
  EXPECT_ERROR(gallery.add(one, item), already_exists, "the id 40");
  item[0].id = 7;
  EXPECT_EQ(gallery.add(one, item), (std::vector<ItemId>{7})) << "lower, but never used";
  const ItemId waiting = gallery.add(one).front();
  gallery.remove({&waiting, 1});
  item[0].id = waiting;
  EXPECT_ERROR(gallery.add(one, item), already_exists, "is or was used");
  std::vector<Item> twice(2);
  twice[0].id = twice[1].id = 99;
  EXPECT_ERROR(gallery.add(collection_.features.view().rows_from(0, 2), twice), already_exists,
               "item 1: the id 99");
}

TEST_P(Galleries, UpsertReplacesByKey) {
  Gallery gallery = make(model_);
  const MatrixView row0 = collection_.features.view().rows_from(0, 1);
  const MatrixView row1 = collection_.features.view().rows_from(1, 1);
  std::vector<Item> item = {collection_.items[0]};
  const ItemId first = gallery.add(row0, item).front();
  EXPECT_ERROR(gallery.add(row1, item), already_exists, "key 'uid 1.0' is taken");
  const ItemId second = gallery.upsert(row1, item).front();  // replaces one that waits
  EXPECT_NE(first, second);
  EXPECT_EQ(gallery.pending_additions(), 1U);
  gallery.commit();
  item[0].patient = "someone else";
  const ItemId third = gallery.upsert(row0, item).front();  // replaces a committed one
  EXPECT_EQ(seen(gallery).find_key("uid 1.0"), second) << "until the commit";
  const Snapshot after = gallery.commit();
  EXPECT_EQ(after.size(), 1U);
  EXPECT_EQ(after.find_key("uid 1.0"), third);
  expect_item(seen(gallery), third, item[0], collection_.features.row(0));
  item[0].key.clear();
  EXPECT_ERROR(gallery.upsert(row0, item), invalid_argument, "item 0 has no key");
  std::vector<Item> twice = {collection_.items[5], collection_.items[5]};
  EXPECT_ERROR(gallery.upsert(collection_.features.view().rows_from(0, 2), twice), already_exists,
               "item 1: the key");
}

TEST_P(Galleries, AKeyIsFreeAgainOnceItsItemIsRemoved) {
  Gallery gallery = make(model_);
  const MatrixView row = collection_.features.view().rows_from(0, 1);
  const std::vector<Item> item = {collection_.items[0]};
  const auto id = gallery.add(row, item);
  gallery.commit();
  gallery.remove(id);
  EXPECT_NO_THROW(gallery.add(row, item));
  EXPECT_EQ(gallery.commit().size(), 1U);
}

TEST_P(Galleries, RefusedCallsChangeNothing) {
  Gallery gallery = make(model_);
  const auto ids =
      gallery.add(collection_.features.view().rows_from(0, 10), std::span(collection_.items).first(10));
  const Fingerprint before = gallery.commit().fingerprint();
  const MatrixView two = collection_.features.view().rows_from(20, 2);
  std::vector<Item> items = {collection_.items[20], collection_.items[21]};
  const auto with = [&](auto change) {
    auto changed = items;
    change(changed[1]);
    return changed;
  };
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.labels = {"nope"}; })), not_found,
               "item 1: unknown label 'nope'");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.attributes["age"] = std::string("old"); })),
               incompatible, "'age' to be a number as before, got a text");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.attributes["patient"] = 1.0; })), invalid_argument,
               "'patient'");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.attributes["x"] = std::nan(""); })), invalid_argument,
               "nan");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.study = std::string(70000, 's'); })), invalid_argument,
               "70000");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) {
                             i.date = Date{2023, 2, 30};
                           })),
               invalid_argument, "2023-02-30");
  EXPECT_ERROR(gallery.add(two, with([](Item& i) { i.id = kMaxItemId + 1; })), invalid_argument,
               "id of at most");
  EXPECT_ERROR(gallery.add(two, with([&](Item& i) { i.id = ids[0]; })), already_exists, "the id 0");
  EXPECT_ERROR(gallery.add(two, with([&](Item& i) { i.key = items[0].key; })), already_exists,
               "item 1: the key");
  EXPECT_ERROR(gallery.add(two, std::span(items).first(1)), invalid_argument, "each of the 2 rows, got 1");
  EXPECT_ERROR(gallery.add(testing::gaussian(2, 13, 1), items), invalid_argument,
               "expected 12 dimensions, got 13");
  EXPECT_ERROR(gallery.add(two, items, 1, [](const ProgressReport&) { return false; }), cancelled, "encode");
  EXPECT_ERROR(gallery.remove(std::vector<ItemId>{ids[0], 999}), not_found, "no item 999");
  EXPECT_ERROR(gallery.remove(std::vector<ItemId>{ids[0], ids[0]}), not_found, "item 0 twice");
  EXPECT_EQ(gallery.pending_additions(), 0U);
  EXPECT_EQ(gallery.pending_removals(), 0U);
  EXPECT_EQ(gallery.commit().fingerprint(), before) << "and nothing is written";
  EXPECT_EQ(gallery.add(two, items).front(), 10U) << "no id was lost";
}

TEST_P(Galleries, RollbackForgetsWhatWaits) {
  Gallery gallery = make(model_);
  const auto ids =
      gallery.add(collection_.features.view().rows_from(0, 10), std::span(collection_.items).first(10));
  gallery.commit();
  gallery.remove(std::span(ids).first(3));
  gallery.add(collection_.features.view().rows_from(10, 5), std::span(collection_.items).subspan(10, 5));
  EXPECT_ERROR(gallery.compact(), invalid_argument, "commit or roll back");
  gallery.rollback();
  EXPECT_EQ(gallery.commit().ids(), ids);
}

TEST_P(Galleries, CompactionKeepsTheContent) {
  Gallery gallery = make(model_);
  testing::add_in_segments(gallery, collection_, 5);
  std::vector<ItemId> removed;
  for (ItemId id = 0; id < 150; id += 4) removed.push_back(id);
  gallery.remove(removed);
  const Snapshot before = gallery.commit();
  EXPECT_EQ(before.segments().size(), 5U);
  const Snapshot after = gallery.compact();
  EXPECT_EQ(after.segments().size(), 1U);
  EXPECT_EQ(after.segments()[0].removed, 0U);
  EXPECT_EQ(seen(gallery).ids(), before.ids());
  for (const auto id : before.ids()) {
    EXPECT_EQ(after.item(id), before.item(id));
    EXPECT_EQ(after.features(id), before.features(id));
  }
  EXPECT_NO_THROW(seen(gallery).verify());
  EXPECT_EQ(gallery.compact().fingerprint(), after.fingerprint()) << "nothing left to do";
  EXPECT_ERROR((gallery.remove(std::vector<ItemId>{1}), gallery.commit(),
                gallery.compact({.progress = [](const ProgressReport&) { return false; }})),
               cancelled, "write segment");
  EXPECT_EQ(gallery.snapshot().size(), before.size() - 1);
}

TEST_P(Galleries, LargeSegmentsAreLeftAloneUnlessRowsWereRemoved) {
  Gallery gallery = make(model_);
  testing::add_in_segments(gallery, collection_, 3);  // 50 rows each
  EXPECT_EQ(gallery.compact({.merge_below = 50}).segments().size(), 3U);
  gallery.remove(std::vector<ItemId>{0, 51});
  gallery.commit();
  const auto segments = gallery.compact({.merge_below = 10}).segments();
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].rows, 50U);
  EXPECT_EQ(segments[1].rows, 98U);
}

TEST_P(Galleries, SegmentsWithoutLiveRowsDisappear) {
  Gallery gallery = make(model_);
  testing::add_in_segments(gallery, collection_, 3);
  std::vector<ItemId> all;
  for (ItemId id = 0; id < 150; ++id) all.push_back(id);
  gallery.remove(std::span(all).first(50));
  EXPECT_EQ(gallery.commit().segments().size(), 2U);
  gallery.remove(std::span(all).subspan(50));
  EXPECT_EQ(gallery.commit().segments().size(), 0U);
  EXPECT_EQ(seen(gallery).size(), 0U);
  EXPECT_EQ(gallery.add(collection_.features.view().rows_from(0, 1)).front(), 150U);
}

TEST_P(Galleries, WorksWithoutEncoderLabelsOrItems) {
  Gallery gallery = make(Model({.dimension = 12}));
  gallery.add(collection_.features);
  gallery.commit();
  const Snapshot snapshot = seen(gallery);
  EXPECT_EQ(snapshot.size(), 150U);
  EXPECT_EQ(snapshot.features(7),
            std::vector<float>(collection_.features.row(7).begin(), collection_.features.row(7).end()));
  EXPECT_NO_THROW(snapshot.verify());
}

TEST_P(Galleries, TheSameContentHasTheSameFingerprint) {
  Gallery gallery = make(model_);
  testing::add_in_segments(gallery, collection_, 2);
  Gallery other(model_);
  testing::add_in_segments(other, collection_, 2);
  EXPECT_EQ(gallery.snapshot().fingerprint(), other.snapshot().fingerprint()) << "in memory as in a folder";
  Gallery third(model_);
  testing::add_in_segments(third, collection_, 3);
  EXPECT_NE(third.snapshot().fingerprint(), other.snapshot().fingerprint());
}

TEST_P(Galleries, SeveralThreadsMayWriteAndRead) {
  Gallery gallery = make(model_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 5; ++i) {
        const std::size_t row = static_cast<std::size_t>(t) * 50 + i;
        gallery.add(collection_.features.view().rows_from(row, 1),
                    std::span(collection_.items).subspan(row, 1));
        const Snapshot snapshot = gallery.commit();
        for (const auto id : snapshot.ids()) EXPECT_EQ(snapshot.item(id).id, id);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(gallery.snapshot().size(), 15U);
  EXPECT_NO_THROW(seen(gallery).verify());
}

INSTANTIATE_TEST_SUITE_P(Gallery, Galleries, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "InAFolder" : "InMemory"; });

TEST(IdSet, HoldsRanges) {
  gallery::IdSet set;
  set.insert({5, 3, 4, 9, 4});
  EXPECT_EQ(set.ranges(), (std::vector<gallery::IdSet::Range>{{3, 5}, {9, 9}}));
  set.insert({8, 6, 7});
  EXPECT_EQ(set.ranges(), (std::vector<gallery::IdSet::Range>{{3, 9}}));
  EXPECT_TRUE(set.contains(3));
  EXPECT_TRUE(set.contains(9));
  EXPECT_FALSE(set.contains(2));
  EXPECT_FALSE(set.contains(10));
  EXPECT_FALSE(gallery::IdSet().contains(0));
}

TEST(Date, ParsesBothFormsAndRefusesOthers) {
  EXPECT_EQ(Date::parse("2024-02-29"), (Date{2024, 2, 29}));
  EXPECT_EQ(Date::parse("20240229").to_string(), "2024-02-29");
  EXPECT_EQ(Date::from_days(Date::parse("1970-01-02").to_days()), (Date{1970, 1, 2}));
  EXPECT_EQ((Date{1970, 1, 1}).to_days(), 0);
  for (const char* bad :
       {"", "2023-02-29", "2023-13-01", "2023/01/01", "202301011", "2023-1-01", "-999-01-01", "00000101"}) {
    EXPECT_ERROR(Date::parse(bad), invalid_argument, "YYYY-MM-DD");
  }
}

}  // namespace
}  // namespace medretrieval
