// Files of every format version, kept as they were written: every later version must read them and find the same.
//
// When a format gets a new version, a folder v4 is added beside v1 to v3, and their tests stay. To write the files
// of one version: MEDRETRIEVAL_WRITE_GOLDEN=v4 build/release/tests/test_gallery --gtest_filter='Golden*'
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>
#include <medretrieval/vector_files.hpp>

#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MEDRETRIEVAL_TEST_DIR) / "golden" / "v1";
const fs::path kGolden2 = fs::path(MEDRETRIEVAL_TEST_DIR) / "golden" / "v2";
const fs::path kGolden3 = fs::path(MEDRETRIEVAL_TEST_DIR) / "golden" / "v3";
constexpr std::size_t kDimension = 12;

std::vector<std::byte> read_bytes(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void write_bytes(const fs::path& file, std::span<const std::byte> bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Whole numbers only, so that no rounding can differ.
testing::Collection golden_collection() {
  testing::Collection collection = testing::make_collection(90, kDimension, true, 1);
  for (std::size_t r = 0; r < 90; ++r) {
    for (std::size_t d = 0; d < kDimension; ++d) {
      collection.features(r, d) = static_cast<float>((r * 31 + d * d * 17 + r % 5 * 40) % 97);
    }
  }
  return collection;
}

/// The same steps every time: two commits, removals, an upsert.
void fill(Gallery& gallery, const testing::Collection& collection) {
  testing::add_in_segments(gallery, collection, 2);
  gallery.remove(std::vector<ItemId>{3, 4, 50});
  gallery.upsert(collection.features.view().rows_from(7, 1), std::span(collection.items).subspan(9, 1));
  gallery.commit();
}

std::string packed(const Codes& codes) {
  std::string rows(codes.rows() * codes.layout().row_bytes(), '\0');
  for (std::size_t r = 0; r < codes.rows(); ++r) {
    codes.get_row(r, reinterpret_cast<std::uint8_t*>(rows.data()) + r * codes.layout().row_bytes());
  }
  return rows;
}

const std::map<std::string, Parameters>& golden_encoders() {
  static const std::map<std::string, Parameters> all = {
      {"lsh", {{"bits", 40}}},
      {"itq", {{"bits", 10}, {"iterations", 5}}},
      {"pq", {{"subspaces", 5}, {"bits_per_entry", 4}, {"iterations", 5}}},
      {"opq",
       {{"subspaces", 3}, {"bits_per_entry", 4}, {"iterations", 3}, {"rotations", 3}, {"dimension", 9}}},
      {"joint", {{"slices", std::string("5:1,7:2")}, {"bits", 5}}}};
  return all;
}

void write_version_1() {
  const auto collection = golden_collection();
  fs::remove_all(kGolden);
  fs::create_directories(kGolden / "encoders");
  for (const auto& [type, parameters] : golden_encoders()) {
    const auto encoder = train_encoder({type, parameters}, {collection.features});
    write_bytes(kGolden / "encoders" / (type + ".encoder"), encoder->to_bytes());
    const std::string codes = packed(encoder->encode(collection.features));
    write_bytes(kGolden / "encoders" / (type + ".codes"), std::as_bytes(std::span(codes)));
  }
  Gallery gallery =
      Gallery::create(kGolden / "gallery", testing::make_model(collection, {"lsh", {{"bits", 40}}}));
  fill(gallery, collection);
  fs::remove(kGolden / "gallery" / "lock");
}

/// Values of which those from 64 on are rounded in a float16.
testing::Collection golden_collection_2() {
  testing::Collection collection = golden_collection();
  for (std::size_t r = 0; r < 90; ++r) {
    for (float& value : collection.features.row(r)) value += 1.0F / 32;
  }
  return collection;
}

constexpr TunedSearch kTuned = {0.75, 3, 2, 6};

void fill_2(Gallery& gallery) {
  fill(gallery, golden_collection_2());
  gallery.set_tuned_search(kTuned);
}

/// Inverted lists, features as float16, tuned.
void write_version_2() {
  const auto collection = golden_collection_2();
  fs::remove_all(kGolden2);
  fs::create_directories(kGolden2);
  Gallery gallery = Gallery::create(
      kGolden2 / "gallery", testing::make_model(collection, {"pq", {{"subspaces", 3}, {"bits_per_entry", 4}}},
                                                true, 5, FeatureType::float16));
  fill_2(gallery);
  fs::remove(kGolden2 / "gallery" / "lock");
}

/// Features as uint8, without lists.
void write_version_3() {
  fs::remove_all(kGolden3);
  fs::create_directories(kGolden3);
  Gallery gallery = Gallery::create(
      kGolden3 / "gallery",
      testing::make_model(golden_collection(), {"lsh", {{"bits", 40}}}, true, 0, FeatureType::uint8));
  fill(gallery, golden_collection());
  fs::remove(kGolden3 / "gallery" / "lock");
}

/// \return how many files were compared
std::size_t expect_same_files(const fs::path& got, const fs::path& expected) {
  std::size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(expected)) {
    EXPECT_EQ(read_bytes(got / entry.path().filename()), read_bytes(entry.path())) << entry.path();
    ++compared;
  }
  return compared;
}

class Golden : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* version = std::getenv("MEDRETRIEVAL_WRITE_GOLDEN");
    if (version == nullptr) return;
    if (std::string(version) == "v1") write_version_1();
    if (std::string(version) == "v2") write_version_2();
    if (std::string(version) == "v3") write_version_3();
  }
};

TEST_F(Golden, EncodersOfVersion1StillGiveTheirCodes) {
  const auto collection = golden_collection();
  for (const auto& [type, parameters] : golden_encoders()) {
    const auto bytes = read_bytes(kGolden / "encoders" / (type + ".encoder"));
    ASSERT_FALSE(bytes.empty()) << type;
    const auto encoder = load_encoder(bytes);
    EXPECT_EQ(encoder->type(), type);
    EXPECT_EQ(encoder->to_bytes(), bytes) << type << ": the byte form changed";
    const std::string codes = packed(encoder->encode(collection.features));
    const auto expected = read_bytes(kGolden / "encoders" / (type + ".codes"));
    EXPECT_EQ(std::memcmp(codes.data(), expected.data(), expected.size()), 0) << type;
    EXPECT_EQ(codes.size(), expected.size()) << type;
  }
}

/// Writes the gallery of a version anew, by fill(gallery), and expects the files in `golden_folder`.
template <class Fill>
void expect_written_alike(const std::filesystem::path& golden_folder, const Fill& fill) {
  const Snapshot golden = Snapshot::open(golden_folder);
  const testing::TemporaryFolder folder;
  Gallery gallery = Gallery::create(folder / "gallery", golden.model());
  fill(gallery);
  EXPECT_EQ(gallery.snapshot().fingerprint(), golden.fingerprint());
  EXPECT_EQ(expect_same_files(folder.path() / "gallery", golden_folder), 6U)
      << "manifest, model, removals, three segments";
}

std::vector<ItemId> ids_of(const SearchResult& result) {
  std::vector<ItemId> ids;
  for (const auto& hit : result.hits) ids.push_back(hit.id);
  return ids;
}

TEST_F(Golden, AGalleryOfVersion1IsReadAndSearched) {
  const Snapshot snapshot = Snapshot::open(kGolden / "gallery");
  EXPECT_NO_THROW(snapshot.verify());
  EXPECT_EQ(snapshot.size(), 87U);
  EXPECT_EQ(snapshot.generation(), 3U);
  const auto collection = golden_collection();
  for (const ItemId id : {ItemId{0}, ItemId{44}, ItemId{89}}) {
    Item expected = collection.items[id];
    expected.id = id;
    EXPECT_EQ(snapshot.item(id), expected);
    const auto row = collection.features.row(id);
    EXPECT_EQ(snapshot.features(id), std::vector<float>(row.begin(), row.end()));
  }
  EXPECT_FALSE(snapshot.contains(50));
  EXPECT_EQ(snapshot.find_key(collection.items[9].key), ItemId{90});
  SearchOptions options;
  options.k = 3;
  options.pool_factor = 10;
  const auto result = Searcher(snapshot).search(collection.features.row(20), options);
  EXPECT_EQ(ids_of(result), (std::vector<ItemId>{13, 20, 38})) << "13 and 20 have the same features";
  EXPECT_EQ(result.hits[1].distance, 0.0F);
  options.gate = {GateMode::adaptive, 0.5};
  EXPECT_FALSE(Searcher(snapshot).search(collection.features.row(20), options).classes_searched.empty());
}

TEST_F(Golden, TheWriterStillWritesVersion1ByteForByte) {
  expect_written_alike(kGolden / "gallery", [](Gallery& gallery) { fill(gallery, golden_collection()); });
}

TEST_F(Golden, AGalleryOfVersion2IsReadAndSearched) {
  const Snapshot snapshot = Snapshot::open(kGolden2 / "gallery");
  EXPECT_NO_THROW(snapshot.verify());
  EXPECT_EQ(snapshot.size(), 87U);
  EXPECT_EQ(snapshot.generation(), 4U);
  EXPECT_EQ(snapshot.tuned_search(), kTuned);
  EXPECT_EQ(snapshot.model().stored_features(), FeatureType::float16);
  ASSERT_NE(snapshot.model().lists(), nullptr);
  EXPECT_EQ(snapshot.model().lists()->lists(), 5U);
  EXPECT_TRUE(snapshot.model().codes_residuals());
  const auto collection = golden_collection_2();
  for (const ItemId id : {ItemId{0}, ItemId{44}, ItemId{89}}) {
    Item expected = collection.items[id];
    expected.id = id;
    EXPECT_EQ(snapshot.item(id), expected);
    for (std::size_t d = 0; d < kDimension; ++d) {
      const float value = collection.features(id, d);
      const float whole = value - 1.0F / 32;
      // From 64 on a float16 has steps of 1/16, and 1/32 is a tie: to the even one, which is the whole number.
      EXPECT_EQ(snapshot.features(id)[d], value < 64 ? value : whole) << id << ", " << d;
    }
  }
  SearchOptions options;
  options.k = 3;
  options.pool_factor = 6;
  options.probes = 2;
  const auto result = Searcher(snapshot).search(collection.features.row(20), options);
  EXPECT_EQ(ids_of(result), (std::vector<ItemId>{13, 20, 38})) << "13 and 20 have the same features";
  EXPECT_EQ(result.pool_size, 18U);
}

TEST_F(Golden, TheWriterStillWritesVersion2ByteForByte) {
  expect_written_alike(kGolden2 / "gallery", fill_2);
}

TEST_F(Golden, AGalleryOfVersion3IsReadAndSearched) {
  const Snapshot snapshot = Snapshot::open(kGolden3 / "gallery");
  EXPECT_NO_THROW(snapshot.verify());
  EXPECT_EQ(snapshot.size(), 87U);
  EXPECT_EQ(snapshot.model().stored_features(), FeatureType::uint8);
  const auto collection = golden_collection();
  for (const ItemId id : {ItemId{0}, ItemId{44}, ItemId{89}}) {
    Item expected = collection.items[id];
    expected.id = id;
    EXPECT_EQ(snapshot.item(id), expected);
    const auto row = collection.features.row(id);
    const auto [least, largest] = std::minmax_element(row.begin(), row.end());
    for (std::size_t d = 0; d < kDimension; ++d) {
      EXPECT_NEAR(snapshot.features(id)[d], row[d], (*largest - *least) / 510 * 1.0001F);
    }
  }
  const auto result = Searcher(snapshot).search(collection.features.row(20), {.k = 3, .pool_factor = 10});
  EXPECT_EQ(ids_of(result), (std::vector<ItemId>{13, 20, 38})) << "13 and 20 have the same features";
}

TEST_F(Golden, TheWriterStillWritesVersion3ByteForByte) {
  expect_written_alike(kGolden3 / "gallery", [](Gallery& gallery) { fill(gallery, golden_collection()); });
}

}  // namespace
}  // namespace medretrieval
