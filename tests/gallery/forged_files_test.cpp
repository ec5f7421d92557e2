// Galleries whose files were changed by somebody who mended the checksums, and what failures leave behind.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <limits>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

#include "gallery/segment_format.hpp"
#include "io/section_file.hpp"
#include "support/expect_error.hpp"
#include "support/forged_gallery.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::make_collection;
using testing::make_model;
using testing::read_text;
using testing::TemporaryFolder;

constexpr const char* kSegment = "segment-00000001.mrseg";

json tuned(const json& recall, const json& k, const json& probes, const json& pool_factor) {
  return {{"recall", recall}, {"k", k}, {"probes", probes}, {"pool_factor", pool_factor}};
}

class ForgedFiles : public ::testing::Test {
 protected:
  void fill(std::size_t rows) {
    const auto collection = make_collection(rows, 8, true, 1);
    Gallery gallery = Gallery::create(path_, make_model(collection, {"lsh", {{"bits", 16}}}));
    std::vector<Item> items = collection.items;
    for (std::size_t row = 0; row < rows; ++row) items[row].key = "key " + std::to_string(row);
    gallery.add(collection.features, items);
    gallery.commit();
  }

  void change_manifest(const std::function<void(json&)>& change) const {
    testing::change_manifest(path_, change);
  }
  void change_section(const io::SectionKey& changed,
                      const std::function<void(std::vector<std::byte>&)>& change) const {
    testing::change_section(path_, changed, change);
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_ / "gallery";
};

TEST_F(ForgedFiles, IdsThatWereUsedCannotComeAgain) {
  fill(50);
  for (const std::uint64_t next : {std::uint64_t{49}, std::uint64_t{0}, ~std::uint64_t{0}}) {
    change_manifest([&](json& manifest) { manifest["next_id"] = next; });
    EXPECT_ERROR(Gallery::open(path_), corrupt, "next_id is " + std::to_string(next));
  }
  change_manifest([](json& manifest) { manifest["next_id"] = 50; });
  EXPECT_NO_THROW(Gallery::open(path_));
}

TEST_F(ForgedFiles, ManifestsOfWrongTypesAreCorrupt) {
  fill(20);
  const std::string good = read_text(path_ / "manifest.json");
  const std::vector<std::function<void(json&)>> lies = {
      [](json& m) { m["next_id"] = 1e300; },
      [](json& m) { m["generation"] = -1; },
      [](json& m) { m["previous"] = "no fingerprint"; },
      [](json& m) { m["segments"][0]["rows"] = "many"; },
      [](json& m) { m["segments"][0]["file"] = "../elsewhere"; },
      [](json& m) {
        m["attributes"] = {{"patient", "number"}};
      },
      [](json& m) { m.erase("removals"); },
      [](json& m) { m["tuned"] = nullptr; },
      [](json& m) { m["tuned"] = tuned(1.01, 10, 0, 2); },
      [](json& m) { m["tuned"] = tuned(-0.5, 10, 0, 2); },
      [](json& m) { m["tuned"] = tuned("all", 10, 0, 2); },
      [](json& m) { m["tuned"] = tuned(0.9, 0, 0, 2); },
      [](json& m) { m["tuned"] = tuned(0.9, 10, -1, 2); },
      [](json& m) { m["tuned"] = tuned(0.9, 10, 1 << 21, 2); },
      [](json& m) { m["tuned"] = tuned(0.9, 10, 3, 2); },  // without lists
      [](json& m) { m["tuned"] = tuned(0.9, 10, 0, 0); },
      [](json& m) { m["tuned"] = tuned(0.9, 10, 0, 1'000'001); },
      [](json& m) {
        m["tuned"] = {{"recall", 0.9}};
      },
  };
  for (const auto& lie : lies) {
    change_manifest(lie);
    EXPECT_ERROR(Snapshot::open(path_), corrupt, "manifest.json");
    std::ofstream(path_ / "manifest.json", std::ios::binary) << good;
  }
  change_manifest([](json& m) { m["tuned"] = tuned(0.9, 10, 0, 2); });
  EXPECT_EQ(Snapshot::open(path_).tuned_search(), (TunedSearch{0.9, 10, 0, 2}));
}

TEST_F(ForgedFiles, FeaturesThatAreNoNumbersStopASearch) {
  fill(50);
  change_section({gallery::kFeatures, 0}, [](std::vector<std::byte>& bytes) {
    const float bad = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(bytes.data() + 7 * 8 * sizeof(float), &bad, sizeof bad);
  });
  const Snapshot snapshot = Snapshot::open(path_);
  EXPECT_ERROR(snapshot.verify(), corrupt, "not finite");
  const std::vector<float> query(8, 0.5F);
  EXPECT_ERROR(Searcher(snapshot).search(query, {.exact = true}), corrupt, "not finite");
  EXPECT_ERROR(Searcher(snapshot).search(query, {.pool_factor = 5}), corrupt, "not finite");
}

TEST_F(ForgedFiles, ACodeLayoutThatCannotBeIsCorrupt) {
  fill(20);
  change_section({gallery::kMeta, 0}, [](std::vector<std::byte>& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {  // the width of the code: 16 as 64-bit number
      if (bytes[i] == std::byte{16} && i + 8 < bytes.size() && bytes[i - 4] == std::byte{1}) {
        bytes[i + 7] = std::byte{0x7f};
        return;
      }
    }
    FAIL() << "no width found";
  });
  EXPECT_ERROR(Snapshot::open(path_), corrupt, "bits");
}

TEST_F(ForgedFiles, AnUpsertThatFailsChangesNothing) {
  constexpr std::size_t kRows = 20000;  // the ids fill more than one checksummed block
  fill(kRows);
  {
    const auto file = io::SectionFile::map(path_ / kSegment);
    const auto ids = file->raw({gallery::kIds, 0});
    const auto whole = read_text(path_ / kSegment);
    const auto place = static_cast<std::streamoff>(
        std::search(whole.begin(), whole.end(), reinterpret_cast<const char*>(ids.data()),
                    reinterpret_cast<const char*>(ids.data() + 4096)) -
        whole.begin());
    std::fstream stream(path_ / kSegment, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(place + static_cast<std::streamoff>(
                             ids.size() / 2));  // the last block holds the largest id, which opening reads
    stream.put(static_cast<char>(0x55));
  }
  const auto one = make_collection(1, 8, true, 2);
  std::size_t failed = 0;
  for (std::size_t row = 0; row < kRows; row += 401) {
    Gallery gallery = Gallery::open(path_);
    Item item = one.items[0];
    item.key = "key " + std::to_string(row);
    try {
      gallery.upsert(one.features, {&item, 1});
    } catch (const Error& error) {
      ++failed;
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
      EXPECT_EQ(gallery.pending_additions(), 0U);
      EXPECT_EQ(gallery.pending_removals(), 0U);
      EXPECT_EQ(gallery.add(one.features), std::vector<ItemId>{kRows}) << "the id was not used up";
    }
  }
  EXPECT_GT(failed, 0U) << "some of the rows have their id in the damaged block";
  EXPECT_LT(failed, kRows / 401);
}

TEST_F(ForgedFiles, ACreationThatFailedCanBeRepeated) {
  const auto collection = make_collection(20, 8, true, 1);
  const Model model = make_model(collection, {"lsh", {{"bits", 16}}});
  fs::create_directories(path_ / "manifest.json.tmp");  // in the way of the manifest
  EXPECT_ERROR(Gallery::create(path_, model), io, "manifest.json");
  EXPECT_ERROR(Gallery::open(path_), not_found, "manifest.json");
  fs::remove(path_ / "manifest.json.tmp");
  EXPECT_FALSE(fs::is_empty(path_)) << "lock and model are still there";
  Gallery::require_new(path_);
  Gallery::create(path_, model);
  EXPECT_ERROR(Gallery::require_new(path_), already_exists, "manifest.json");
  EXPECT_NO_THROW(Gallery::require_new(folder_ / "nowhere"));
}

}  // namespace
}  // namespace medretrieval
