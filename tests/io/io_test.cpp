#include <gtest/gtest.h>

#include <fstream>
#include <medretrieval/bytes.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/vector_files.hpp>

#include "io/files.hpp"
#include "io/sinks.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Bytes, RoundTripAndLittleEndian) {
  ByteWriter writer;
  writer.number<std::uint32_t>(0x01020304);
  writer.text("hé");
  writer.number(2.5F);
  const std::vector<double> values = {1, -2};
  writer.array(std::span<const double>(values));
  writer.array(std::span<const double>());
  EXPECT_EQ(writer.buffer()[0], std::byte{4});
  ByteReader reader(writer.buffer(), "test");
  EXPECT_EQ(reader.number<std::uint32_t>(), 0x01020304U);
  EXPECT_EQ(reader.text(), "hé");
  EXPECT_EQ(reader.number<float>(), 2.5F);
  EXPECT_EQ(reader.array<double>(), values);
  EXPECT_TRUE(reader.array<double>().empty());
  EXPECT_NO_THROW(reader.expect_end());
}

TEST(Bytes, EveryCutIsAnError) {
  ByteWriter writer;
  writer.text("name");
  writer.number<std::uint64_t>(7);
  const auto all = writer.buffer();
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    ByteReader reader({all.data(), cut}, "thing");
    EXPECT_ERROR((reader.text(), reader.number<std::uint64_t>()), corrupt, "thing: ");
  }
  ByteReader reader(all, "thing");
  EXPECT_ERROR(reader.expect_end(), corrupt, "20 bytes follow the end");
  ByteWriter huge;
  huge.number<std::uint64_t>(~std::uint64_t{0});
  ByteReader lying(huge.buffer(), "thing");
  EXPECT_ERROR(lying.array<float>(), corrupt, "claims 18446744073709551615 elements");
}

TEST(Fingerprint, TextFormRoundTrips) {
  const Fingerprint print = Fingerprint::of(std::as_bytes(std::span<const char>("abc", 3)));
  EXPECT_EQ(print.to_string(), "06b05ab6733a618578af5f94892f3950") << "XXH3-128 of \"abc\"";
  EXPECT_EQ(Fingerprint::from_string(print.to_string()), print);
  EXPECT_ERROR(Fingerprint::from_string("xyz"), invalid_argument, "'xyz'");
}

TEST(Files, AtomicWriteReplacesOrLeavesAlone) {
  const testing::TemporaryFolder folder;
  write_text(folder / "a", "old");
  io::write_file_atomically(folder / "a", std::as_bytes(std::span<const char>("new", 3)));
  EXPECT_EQ(read_text(folder / "a"), "new");
  EXPECT_ERROR(io::write_file_atomically(folder.path() / "no" / "a", {}), not_found, "cannot create");
  std::filesystem::create_directory(folder / "b");  // a folder cannot be replaced by a file
  EXPECT_ERROR(io::write_file_atomically(folder / "b", {}), io, "rename");
  EXPECT_FALSE(std::filesystem::exists(folder / "b.tmp"));
}

TEST(Files, ReadAndMapRefuseWhatIsNotAFile) {
  const testing::TemporaryFolder folder;
  EXPECT_ERROR(io::read_file(folder / "none"), not_found, "none: cannot open");
  EXPECT_ERROR(io::read_file(folder.path()), io, "regular file");
  EXPECT_ERROR(io::MappedFile(folder / "none"), not_found, "cannot open");
  write_text(folder / "five", "12345");
  EXPECT_ERROR(io::read_file(folder / "five", 4), limit_exceeded, "at most 4 bytes, got 5");
  EXPECT_EQ(io::MappedFile(folder / "five").bytes().size(), 5U);
  write_text(folder / "empty", "");
  EXPECT_TRUE(io::MappedFile(folder / "empty").bytes().empty());
}

TEST(Npy, RoundTripsAndIsNumPysOwnForm) {
  const testing::TemporaryFolder folder;
  const Matrix matrix = testing::gaussian(3, 4, 1);
  write_npy(folder / "m.npy", matrix);
  const Matrix back = read_npy(folder / "m.npy");
  ASSERT_EQ(back.rows(), 3U);
  EXPECT_TRUE(std::equal(matrix.data(), matrix.data() + 12, back.data()));
  const std::string text = read_text(folder / "m.npy");
  EXPECT_EQ((text.size() - 48) % 64, 0U) << "values start at a multiple of 64";
  EXPECT_EQ(text.substr(10, 59), "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
}

TEST(Npy, ReadsHeadersOfOtherWritersAndLongOnes) {
  const testing::TemporaryFolder folder;
  const auto read = [&](std::string header, char version) {
    header.resize(version == 1 ? std::max<std::size_t>(header.size(), 118) : 65000, ' ');
    std::string bytes = std::string("\x93NUMPY") + version + '\0';
    bytes += static_cast<char>(header.size() & 255);
    bytes += static_cast<char>(header.size() >> 8);
    if (version > 1) bytes += std::string(2, '\0');
    const float values[] = {1, 2, 3, 4, 5, 6};
    bytes += header + std::string(reinterpret_cast<const char*>(values), sizeof values);
    std::ofstream(folder / "x.npy", std::ios::binary) << bytes;
    return read_npy(folder / "x.npy");
  };
  EXPECT_EQ(read("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", 2).rows(), 3U);
  EXPECT_EQ(read("{'descr':'<f4','fortran_order':False,'shape':(6,)}", 1).cols(), 6U);
  for (const char* header :
       {"", "{", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 2), }",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }"}) {
    EXPECT_ERROR(read(header, 1), corrupt, "not a npy header");
  }
}

TEST(Npy, RefusesWhatItCannotRead) {
  const testing::TemporaryFolder folder;
  write_npy(folder / "m.npy", testing::gaussian(3, 4, 1));
  const std::string good = read_text(folder / "m.npy");
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    write_text(folder / "cut.npy", good.substr(0, cut));
    EXPECT_ERROR(read_npy(folder / "cut.npy"), corrupt, "cut.npy");
  }
  write_text(folder / "long.npy", good + "x");
  EXPECT_ERROR(read_npy(folder / "long.npy"), corrupt, "1 bytes follow");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    write_text(folder / "other.npy", text);
    return folder / "other.npy";
  };
  EXPECT_ERROR(read_npy(with("<f4", "<i4")), unsupported, "'<i4'");
  EXPECT_ERROR(read_npy(with("False", "True ")), unsupported, "Fortran");
  EXPECT_ERROR(read_npy(with("(3, 4)", "(3,9)8")), corrupt, "npy header");
  EXPECT_ERROR(read_npy(with("(3, 4)", "(9, 9)")), corrupt, "9 x 9");
}

TEST(Fvecs, ReadsSiftsmallAndRefusesCuts) {
  const testing::TemporaryFolder folder;
  std::string record("\x02\0\0\0", 4);
  record += std::string("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2
  write_text(folder / "v.fvecs", record + record);
  const Matrix vectors = read_fvecs(folder / "v.fvecs");
  ASSERT_EQ(vectors.rows(), 2U);
  EXPECT_EQ(vectors(1, 1), 2.0F);
  EXPECT_EQ(read_ivecs(folder / "v.fvecs")[0][0], 0x3f800000);
  for (std::size_t cut = 13; cut < 24; ++cut) {
    write_text(folder / "cut.fvecs", (record + record).substr(0, cut));
    EXPECT_ERROR(read_fvecs(folder / "cut.fvecs"), corrupt, "cut.fvecs");
  }
  write_text(folder / "mixed.fvecs", record + std::string("\x01\0\0\0\0\0\0\0", 8));
  EXPECT_ERROR(read_fvecs(folder / "mixed.fvecs"), corrupt, "vectors of 2 values, got one of 1");

  REQUIRE_DATA("vectors/siftsmall/siftsmall_base.fvecs");
  const auto sift = testing::data_folder() / "vectors/siftsmall";
  EXPECT_EQ(read_fvecs(sift / "siftsmall_base.fvecs").rows(), 10000U);
  EXPECT_EQ(read_fvecs(sift / "siftsmall_query.fvecs").cols(), 128U);
  EXPECT_EQ(read_ivecs(sift / "siftsmall_groundtruth.ivecs").size(), 100U);
}

}  // namespace
}  // namespace medretrieval
