// Galleries in folders: locks, crashes, damage, formats.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>
#include <thread>

#include "gallery/segment.hpp"
#include "gallery/segment_format.hpp"
#include "io/section_file.hpp"
#include "support/expect_error.hpp"
#include "support/small_gallery.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

namespace fs = std::filesystem;
using testing::make_collection;
using testing::make_model;
using testing::TemporaryFolder;

const EncoderOptions kSmallItq = {"itq", {{"bits", 10}, {"iterations", 5}}};

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

fs::path file_with(const fs::path& folder, const std::string& part) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().find(part) != std::string::npos) return entry.path();
  }
  return {};
}

class GalleryFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    Gallery gallery = Gallery::create(path_, model_);
    testing::add_in_segments(gallery, collection_, 2);
    gallery.remove(std::vector<ItemId>{3, 60});
    gallery.commit();
  }

  /// Opens, reads and searches everything.
  void use_all() const {
    const Snapshot snapshot = Snapshot::open(path_);
    for (const auto id : snapshot.ids()) {
      (void)snapshot.item(id);
      (void)snapshot.features(id);
    }
    SearchOptions options;
    options.k = 5;
    options.pool_factor = 4;
    options.gate.mode = GateMode::adaptive;
    options.group_by = GroupBy::patient;
    Searcher(snapshot).search(collection_.features.view().rows_from(0, 4), options);
    snapshot.verify();
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_ / "gallery";
  testing::Collection collection_ = make_collection(100, 12, true, 1);
  Model model_ = make_model(collection_, kSmallItq);
};

TEST_F(GalleryFolder, HasOneWriterAndManyReaders) {
  Gallery writer = Gallery::open(path_);
  EXPECT_ERROR(Gallery::open(path_), locked, "another writer");
  EXPECT_EQ(Snapshot::open(path_).size(), 98U);
  { const Gallery moved = std::move(writer); }
  EXPECT_NO_THROW(Gallery::open(path_)) << "free again";
}

TEST_F(GalleryFolder, CreateNeedsAnEmptyFolderAndOpenAGallery) {
  EXPECT_ERROR(Gallery::create(path_, model_), already_exists, "empty folder");
  EXPECT_ERROR(Gallery::open(folder_ / "none"), not_found, "manifest.json");
  EXPECT_FALSE(fs::exists(folder_ / "none")) << "nothing is made by looking";
  fs::create_directory(folder_ / "other");
  EXPECT_ERROR(Snapshot::open(folder_ / "other"), not_found, "manifest.json");
  EXPECT_TRUE(fs::is_empty(folder_ / "other"));
  write_text(folder_ / "file", "x");
  EXPECT_ERROR(Gallery::create(folder_ / "file" / "g", model_), io, "cannot create the folder");
}

TEST_F(GalleryFolder, KnowsItsHistory) {
  const std::string manifest = read_text(path_ / "manifest.json");
  Gallery gallery = Gallery::open(path_);
  const Fingerprint before = gallery.snapshot().fingerprint();
  EXPECT_NE(manifest.find(before.to_string()), std::string::npos) << "the hash stands at the end";
  gallery.add(collection_.features.view().rows_from(0, 1));
  gallery.commit();
  EXPECT_NE(read_text(path_ / "manifest.json").find("\"previous\": \"" + before.to_string()),
            std::string::npos);
}

TEST_F(GalleryFolder, EveryFlippedByteIsNoticed) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().filename() != "lock") files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 5U) << "manifest, model, two segments, removals";
  ASSERT_NO_THROW(use_all());
  for (const auto& file : files) {
    const std::string good = read_text(file);
    const std::size_t step = std::max<std::size_t>(1, good.size() / 150);
    for (std::size_t at = 0; at < good.size(); at += step) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
      write_text(file, bad);
      EXPECT_THROW(use_all(), Error) << file << " byte " << at;
    }
    write_text(file, good);
  }
  EXPECT_NO_THROW(use_all());
}

TEST_F(GalleryFolder, EveryCutIsNoticed) {
  for (const auto& name : {"manifest.json", "segment-", "model-", "removals-"}) {
    const fs::path file = file_with(path_, name);
    const std::string good = read_text(file);
    const std::size_t step = std::max<std::size_t>(1, good.size() / 60);
    for (std::size_t length = 0; length < good.size(); length += step) {
      write_text(file, good.substr(0, length));
      EXPECT_THROW(use_all(), Error) << file << " of " << length << " bytes";
    }
    write_text(file, good + "x");
    EXPECT_THROW(use_all(), Error) << file << " with a byte more";
    fs::remove(file);
    EXPECT_THROW(use_all(), Error) << file << " gone";
    write_text(file, good);
  }
  EXPECT_NO_THROW(use_all());
}

TEST_F(GalleryFolder, DamageIsFoundAtFirstTouchAndNamesTheFile) {
  const fs::path file = file_with(path_, "segment-00000001");
  std::string bytes = read_text(file);
  const auto data_end = bytes.size() - 16 - 8;  // one block of data, its checksum, the last checksum
  bytes[data_end - 100] = static_cast<char>(bytes[data_end - 100] ^ 1);
  write_text(file, bytes);
  EXPECT_ERROR(use_all(), corrupt, file.filename().string());
}

TEST_F(GalleryFolder, ASegmentOfAnotherModelIsRefused) {
  const Model other = make_model(collection_, {"lsh", {{"bits", 24}}});
  Gallery gallery = Gallery::create(folder_ / "other", other);
  testing::add_in_segments(gallery, collection_, 2);
  // Its manifest with our segment's name and checksum in it would be needed to get this far in a folder; open
  // directly.
  const auto file = io::SectionFile::map(file_with(folder_ / "other", "segment-00000001"));
  EXPECT_ERROR(gallery::Segment::open(file, model_), incompatible, "expected a segment of model");
}

TEST_F(GalleryFolder, AnEncoderWithAnotherFingerprintIsRefused) {
  const fs::path manifest = path_ / "manifest.json";
  std::string text = read_text(manifest);
  const std::string encoder = model_.encoder()->fingerprint().to_string();
  const std::size_t at = text.find(encoder);
  ASSERT_NE(at, std::string::npos);
  text[at] = text[at] == '0' ? '1' : '0';
  text.resize(text.rfind("\nxxh3-128 "));
  const Fingerprint hash = Fingerprint::of(std::as_bytes(std::span(text)));
  write_text(manifest, text + "\nxxh3-128 " + hash.to_string() + "\n");
  EXPECT_ERROR(Snapshot::open(path_), incompatible, "expected an encoder with the fingerprint");
}

TEST_F(GalleryFolder, NewerFormatsAreRefusedAsSuch) {
  const fs::path manifest = path_ / "manifest.json";
  std::string text = read_text(manifest);
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 9");
  text.resize(text.rfind("\nxxh3-128 "));
  write_text(manifest,
             text + "\nxxh3-128 " + Fingerprint::of(std::as_bytes(std::span(text))).to_string() + "\n");
  EXPECT_ERROR(Snapshot::open(path_), unsupported, "manifest version 1, got 9");
}

TEST_F(GalleryFolder, WhatACrashLeftIsCleanedUp) {
  write_text(path_ / "segment-00000099.mrseg", "half");
  write_text(path_ / "segment-00000099.mrseg.tmp", "half");
  write_text(path_ / "manifest.json.tmp", "half");
  write_text(path_ / "notes.txt", "mine");
  EXPECT_NO_THROW(use_all()) << "readers do not look at them";
  Gallery::open(path_);
  EXPECT_FALSE(fs::exists(path_ / "segment-00000099.mrseg"));
  EXPECT_FALSE(fs::exists(path_ / "segment-00000099.mrseg.tmp"));
  EXPECT_FALSE(fs::exists(path_ / "manifest.json.tmp"));
  EXPECT_TRUE(fs::exists(path_ / "notes.txt")) << "not ours to remove";
  EXPECT_NO_THROW(use_all());
}

TEST_F(GalleryFolder, AFailedCommitLeavesEverythingAsItWas) {
  if (::geteuid() != 0) {
    Gallery gallery = Gallery::open(path_);
    const Fingerprint before = gallery.snapshot().fingerprint();
    gallery.add(collection_.features.view().rows_from(0, 2));
    fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_ERROR(gallery.commit(), io, "cannot create");
    fs::permissions(path_, fs::perms::owner_all);
    EXPECT_EQ(gallery.snapshot().fingerprint(), before);
    EXPECT_EQ(gallery.pending_additions(), 2U);
    EXPECT_EQ(gallery.commit().size(), 100U) << "and works when tried again";
    return;
  }
  // Root passes permission checks; a folder in the file's place fails for everyone.
  Gallery gallery = Gallery::open(path_);
  const Snapshot before = gallery.snapshot();
  gallery.add(collection_.features.view().rows_from(0, 2));
  fs::create_directory(path_ / "manifest.json.tmp");
  EXPECT_ERROR(gallery.commit(), io, "manifest.json.tmp");
  EXPECT_EQ(gallery.snapshot().fingerprint(), before.fingerprint());
  EXPECT_EQ(Snapshot::open(path_).fingerprint(), before.fingerprint());
  EXPECT_EQ(gallery.pending_additions(), 2U);
  fs::remove(path_ / "manifest.json.tmp");
  EXPECT_EQ(gallery.commit().size(), 100U) << "and works when tried again";
  EXPECT_NO_THROW(use_all());
}

TEST_F(GalleryFolder, AKilledWriterLosesOnlyWhatItHadNotCommitted) {
  std::size_t last_size = Snapshot::open(path_).size();
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        Gallery gallery = Gallery::open(path_);
        for (;;) {
          gallery.add(collection_.features.view().rows_from(0, 3));
          gallery.commit();
          gallery.compact();
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + 7 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer stopped by itself";
    const Snapshot after = Snapshot::open(path_);
    EXPECT_NO_THROW(after.verify());
    EXPECT_GE(after.size(), last_size) << "nothing committed is lost";
    EXPECT_EQ((after.size() - 98) % 3, 0U) << "a commit is whole or not there";
    last_size = after.size();
  }
  EXPECT_NO_THROW(Gallery::open(path_)) << "the lock of a killed writer is free";
  EXPECT_GT(last_size, 98U) << "some commits must have happened, or nothing was tested";
}

TEST_F(GalleryFolder, ReadersSeeWholeGenerationsWhileAWriterWorks) {
  Gallery writer = Gallery::open(path_);
  std::atomic<bool> stop{false};
  std::thread writing([&] {
    for (int i = 0; i < 25; ++i) {
      writer.add(collection_.features.view().rows_from(0, 2));
      writer.commit();
      writer.compact();
    }
    stop = true;
  });
  std::size_t opened = 0;
  std::size_t last_size = 0;
  while (!stop || opened == 0) {
    const Snapshot snapshot = Snapshot::open(path_);
    EXPECT_GE(snapshot.size(), last_size);
    EXPECT_EQ(snapshot.size() % 2, 0U);
    last_size = snapshot.size();
    EXPECT_EQ(snapshot.ids().size(), snapshot.size());
    ++opened;
  }
  writing.join();
  EXPECT_GT(opened, 0U);
}

/// Copies a section file, with some sections replaced, all checksums right again.
std::shared_ptr<const io::SectionFile> forged(
    const io::SectionFile& source, const std::map<io::SectionKey, std::vector<std::byte>>& replaced,
    const std::vector<io::SectionKey>& keys) {
  io::MemorySink sink;
  io::SectionWriter writer(sink, keys.size());
  for (const auto& key : keys) {
    writer.begin_section(key);
    const auto found = replaced.find(key);
    const auto bytes = source.raw(key);
    writer.append(found == replaced.end() ? bytes : std::span<const std::byte>(found->second));
    writer.end_section();
  }
  writer.finish();
  const std::size_t size = sink.size();
  return io::SectionFile::from_memory(sink.take(), size, "forged");
}

TEST_F(GalleryFolder, BoundsHoldEvenWhereChecksumsAgree) {
  const auto source = io::SectionFile::map(file_with(path_, "segment-00000001"));
  std::vector<io::SectionKey> keys;
  for (std::uint32_t kind = 0; kind < 40; ++kind) {
    for (std::uint32_t column = 0; column < 20; ++column) {
      if (source->has({kind, column})) keys.push_back({kind, column});
    }
  }
  ASSERT_GT(keys.size(), 20U);
  ASSERT_NO_THROW(gallery::Segment::open(forged(*source, {}, keys), model_)->verify());
  detail::Random random(5);
  int refused = 0;
  for (const auto& key : keys) {
    if (key.kind == gallery::kFeatures || key.kind == gallery::kCodes) continue;  // any value is in bounds
    for (int round = 0; round < 12; ++round) {
      const auto bytes = source->raw(key);
      std::vector<std::byte> changed(bytes.begin(), bytes.end());
      if (round == 0) changed.clear();
      if (round == 1) changed.insert(changed.end(), 8, std::byte{0xff});
      if (round > 1)
        changed[random.below(changed.size())] ^=
            static_cast<std::byte>(round < 8 ? 0x80 : 1 + random.below(255));
      try {
        const auto segment = gallery::Segment::open(forged(*source, {{key, changed}}, keys), model_);
        for (std::size_t row = 0; row < segment->rows(); ++row) (void)segment->item(row, model_.labels());
        for (ClassId label = 0; label < 5; ++label) (void)segment->members(label);
        for (ItemId id = 0; id < 50; ++id) (void)segment->find(id);
        segment->verify();
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 200) << "most of these lies must be noticed; none may crash";
}

TEST(SectionFiles, RefuseHostileHeaders) {
  io::MemorySink sink;
  io::SectionWriter writer(sink, 1);
  writer.begin_section({1, 0});
  writer.append(std::vector<std::byte>(100000, std::byte{7}));
  writer.end_section();
  writer.finish();
  const std::size_t size = sink.size();
  const auto good = sink.take();
  const auto open = [&](auto change) {
    io::MemorySink copy;
    copy.append({good.get(), size});
    auto bytes = copy.take();
    change(const_cast<std::byte*>(bytes.get()));
    return io::SectionFile::from_memory(bytes, size, "file");
  };
  EXPECT_NO_THROW(open([](std::byte*) {})->verify());
  EXPECT_ERROR(open([](std::byte* b) { b[0] = std::byte{0}; }), corrupt, "without its mark");
  EXPECT_ERROR(open([](std::byte* b) { b[8] = std::byte{2}; }), unsupported, "version 1, got 2");
  EXPECT_ERROR(open([](std::byte* b) { b[12] = std::byte{255}; }), corrupt, "offsets do not fit");
  EXPECT_ERROR(open([](std::byte* b) { b[30] = std::byte{255}; }), corrupt, "offsets do not fit");
  EXPECT_ERROR(open([](std::byte* b) { b[33] = std::byte{255}; }), corrupt, "bytes, got");
  EXPECT_ERROR(open([](std::byte* b) { b[73] = std::byte{255}; }), corrupt, "checksum over header");
  const auto damaged = open([](std::byte* b) { b[70000] = std::byte{0}; });
  EXPECT_NO_THROW(damaged->ensure(damaged->raw({1, 0}).first(100))) << "the first block is whole";
  EXPECT_ERROR(damaged->ensure(damaged->raw({1, 0}).subspan(69990, 50)), corrupt,
               "do not match their checksum");
  EXPECT_ERROR(damaged->verify(), corrupt, "do not match");
}

}  // namespace
}  // namespace medretrieval
