// Forged segments of galleries with inverted lists and float16 features.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>
#include <span>

#include "base/random.hpp"
#include "gallery/segment_format.hpp"
#include "support/expect_error.hpp"
#include "support/forged_gallery.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

namespace fs = std::filesystem;
using testing::change_section;
using testing::make_collection;
using testing::make_model;
using testing::TemporaryFolder;

constexpr std::size_t kRows = 80;
constexpr std::size_t kDimension = 8;
constexpr std::size_t kLists = 4;
constexpr std::size_t kVersionAt = 17;  // in the meta section: behind the length and the text MRSEGMENT

/// List and first row of every cell, one after the other.
using Cells = std::vector<std::uint32_t>;

class ForgedLists : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto collection = make_collection(kRows, kDimension, false, 1);
    const Model model = make_model(collection, {"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}, true,
                                   kLists, FeatureType::float16);
    Gallery gallery = Gallery::create(path_, model);
    gallery.add(collection.features, collection.items);
    gallery.commit();
    fs::copy(path_, good_);
  }

  /// The gallery as it was written.
  void restore() const {
    fs::copy(good_, path_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }

  void change_cells(const std::function<void(Cells&)>& change) const {
    change_section(path_, {gallery::kCells, 0}, [&](std::vector<std::byte>& bytes) {
      Cells cells(bytes.size() / sizeof(std::uint32_t));
      std::memcpy(cells.data(), bytes.data(), bytes.size());
      change(cells);
      const auto changed = std::as_bytes(std::span(cells));
      bytes.assign(changed.begin(), changed.end());
    });
  }

  void change_meta(const std::function<void(std::vector<std::byte>&)>& change) const {
    change_section(path_, {gallery::kMeta, 0}, change);
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_ / "gallery";
  fs::path good_ = folder_ / "good";
};

/// The first row of the second class.
constexpr std::uint32_t kSecondClass = kRows / 5;

std::size_t cell_at(const Cells& cells, std::uint32_t row) {
  std::size_t cell = 0;
  while (cells[cell + 1] != row) cell += 2;
  return cell;
}

TEST_F(ForgedLists, WhatWasWrittenIsSound) {
  change_cells([](Cells& cells) {
    EXPECT_EQ(cells[1], 0U);
    EXPECT_LT(cells.size() / 2, 5 * kLists + 1);
    EXPECT_GT(cells.size() / 2, 5U) << "some class has several lists, or little is tested here";
  });
  EXPECT_NO_THROW(Snapshot::open(path_).verify());
}

TEST_F(ForgedLists, CellsOutOfPlaceAreRefused) {
  const std::vector<std::function<void(Cells&)>> lies = {
      [](Cells& cells) { cells[0] = kLists; },     // no such list
      [](Cells& cells) { cells[1] = 1; },          // the first row is in no cell
      [](Cells& cells) { cells.back() = kRows; },  // beyond the rows
      [](Cells& cells) { cells.back() = 0; },      // rows descend
      [](Cells& cells) {
        cells.insert(cells.end(), {kLists - 1, cells.back()});
      },  // an empty cell
      [](Cells& cells) {
        cells.insert(cells.begin() + 2, {cells[0], 1});
      },                  // a list twice in a class
      [](Cells& cells) {  // lists descend
        cells[0] = 3;
        cells.insert(cells.begin() + 2, {0, 1});
      },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    SCOPED_TRACE(i);
    change_cells(lies[i]);
    EXPECT_ERROR(Snapshot::open(path_), corrupt, "of the inverted lists is out of place");
    restore();
  }
}

TEST_F(ForgedLists, EveryClassBeginsWithACell) {
  change_cells([](Cells& cells) {  // the first cell of a class goes to the class before
    const auto cell = cells.begin() + static_cast<std::ptrdiff_t>(cell_at(cells, kSecondClass));
    cells.erase(cell, cell + 2);
  });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "inverted lists");
  restore();
  change_cells([](Cells& cells) { cells.resize(cell_at(cells, 4 * kSecondClass)); });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "a class does not begin with a cell");
  restore();
  change_cells([](Cells& cells) { cells.clear(); });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "a class does not begin with a cell");
}

TEST_F(ForgedLists, HalfACellIsRefused) {
  const auto lengthen = [&](std::size_t more) {
    change_section(path_, {gallery::kCells, 0},
                   [&](std::vector<std::byte>& bytes) { bytes.resize(bytes.size() + more); });
  };
  lengthen(4);
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "the cells of the inverted lists are cut");
  restore();
  lengthen(2);
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "elements of 4 bytes");
}

TEST_F(ForgedLists, RowsOutOfTheOrderOfTheirCellsAreFound) {
  change_cells([](Cells& cells) {  // two cells of a class become one: its ids begin anew in the middle
    for (std::size_t cell = 2; cell < cells.size(); cell += 2) {
      if (cells[cell] <= cells[cell - 2]) continue;
      cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(cell),
                  cells.begin() + static_cast<std::ptrdiff_t>(cell + 2));
      return;
    }
    FAIL() << "no class with two lists";
  });
  const Snapshot snapshot = Snapshot::open(path_);
  EXPECT_ERROR(snapshot.verify(), corrupt, "not in the order of their ids");
}

/// Any bytes where lists are described: an Error or an answer, never a read outside the segment.
TEST_F(ForgedLists, LiesDoNoHarm) {
  detail::Random random(3);
  const Matrix queries = make_collection(4, kDimension, false, 2).features;
  int refused = 0;
  for (int round = 0; round < 80; ++round) {
    const auto kind = round % 4 == 0 ? gallery::kClassStarts : gallery::kCells;
    change_section(path_, {kind, 0}, [&](std::vector<std::byte>& bytes) {
      for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
        const auto at = random.below(bytes.size() / 4) * 4;  // the low byte: small numbers
        bytes[at] = static_cast<std::byte>(random.below(round % 3 == 0 ? 256 : kRows + 2));
      }
    });
    try {
      const Snapshot snapshot = Snapshot::open(path_);
      (void)Searcher(snapshot).search(queries, {.k = 5, .probes = 2});
      SearchOptions gated;
      gated.gate.mode = GateMode::top1;
      (void)Searcher(snapshot).search(queries, gated);
      snapshot.verify();
    } catch (const Error&) {
      ++refused;
    }
    restore();
  }
  EXPECT_GT(refused, 50) << "most of these lies must be noticed";
}

TEST_F(ForgedLists, TheMetaSectionMustAgreeWithTheModel) {
  const auto set_byte = [&](std::size_t at, int value) {
    change_meta([&](std::vector<std::byte>& bytes) { bytes[at] = static_cast<std::byte>(value); });
  };
  set_byte(kVersionAt, 4);
  EXPECT_ERROR(Snapshot::open(path_), unsupported, "segment versions 1 to 3, got 4");
  restore();
  change_meta([](std::vector<std::byte>& bytes) {  // uint8, which version 3 has
    bytes[kVersionAt] = std::byte{3};
    bytes[kVersionAt + 5] = std::byte{3};
  });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "are not those of the model");
  restore();
  set_byte(kVersionAt + 4, 0);  // no lists
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "are not those of the model");
  restore();
  set_byte(kVersionAt + 5, 1);  // float32
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "are not those of the model");
  restore();
  for (const int type : {0, 3, 255}) {
    set_byte(kVersionAt + 5, type);
    EXPECT_ERROR(Snapshot::open(path_), corrupt, "features are stored as type " + std::to_string(type));
    restore();
  }
  change_meta([](std::vector<std::byte>& bytes) {  // as the first version had it
    bytes[kVersionAt] = std::byte{1};
    bytes.erase(bytes.begin() + kVersionAt + 4, bytes.begin() + kVersionAt + 6);
  });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "are not those of the model");
}

TEST_F(ForgedLists, HalvesThatAreNoNumbersStopASearch) {
  const std::vector<float> query(kDimension, 0.5F);
  constexpr std::array<std::uint16_t, 4> kInfinitiesAndNotNumbers = {0x7c00, 0xfc00, 0x7c01, 0xffff};
  for (const std::uint16_t bad : kInfinitiesAndNotNumbers) {
    SCOPED_TRACE(bad);
    change_section(path_, {gallery::kFeatures, 0}, [&](std::vector<std::byte>& bytes) {
      std::memcpy(bytes.data() + 7 * kDimension * sizeof bad, &bad, sizeof bad);
    });
    const Snapshot snapshot = Snapshot::open(path_);
    EXPECT_ERROR(snapshot.verify(), corrupt, "not finite");
    EXPECT_ERROR(Searcher(snapshot).search(query, {.exact = true}), corrupt, "not finite");
    EXPECT_ERROR(Searcher(snapshot).search(query, {.pool_factor = 8}), corrupt, "not finite");
    restore();
  }
}

/// Least value or step of a row of bytes; the bytes themselves may be anything.
TEST(ForgedBytes, HeadsThatNoRowCanHaveStopASearch) {
  const TemporaryFolder folder;
  const fs::path path = folder / "gallery";
  Gallery gallery = Gallery::create(path, Model({.dimension = 8, .stored_features = FeatureType::uint8}));
  gallery.add(make_collection(kRows, 8, false, 1).features);
  gallery.commit();
  fs::copy(path, folder / "good");
  const auto restore = [&] {
    fs::copy(folder / "good", path, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  };
  constexpr std::size_t kRowBytes = 16;
  const std::vector<float> query(8, 0.5F);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::size_t at : {std::size_t{0}, sizeof(float)}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 3e38F}) {
      SCOPED_TRACE(bad);
      change_section(path, {gallery::kFeatures, 0}, [&](std::vector<std::byte>& bytes) {
        std::memcpy(bytes.data() + 7 * kRowBytes + at, &bad, sizeof bad);
      });
      const Snapshot snapshot = Snapshot::open(path);
      EXPECT_ERROR(snapshot.verify(), corrupt, "not finite");
      EXPECT_ERROR(Searcher(snapshot).search(query, {.exact = true}), corrupt, "not finite");
      restore();
    }
  }
  change_section(path, {gallery::kFeatures, 0}, [](std::vector<std::byte>& bytes) { bytes.pop_back(); });
  EXPECT_ERROR(Snapshot::open(path), corrupt, "got 1279 bytes");
  restore();
  change_section(path, {gallery::kFeatures, 0}, [](std::vector<std::byte>& bytes) {
    std::fill(bytes.begin() + 7 * kRowBytes + 8, bytes.begin() + 8 * kRowBytes, std::byte{200});
  });
  EXPECT_NO_THROW(Snapshot::open(path).verify());
  EXPECT_NO_THROW(Searcher(Snapshot::open(path)).search(query, {.exact = true}));
}

}  // namespace
}  // namespace medretrieval
