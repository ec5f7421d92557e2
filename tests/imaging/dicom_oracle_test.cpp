// Every file of shared/data/dicom against what two other decoders read (expected.csv).
#include <gtest/gtest.h>

#include <cstring>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <sstream>

#include "support/csv_table.hpp"
#include "support/expect_error.hpp"
#include "support/sha256.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::CsvRow;

std::vector<CsvRow> expected_files() {
  const auto table = testing::data_folder() / "dicom" / "expected.csv";
  if (!std::filesystem::exists(table)) return {};
  return testing::read_csv_table(table);
}

std::string shape_of(const StoredSamples& samples, std::size_t frames) {
  std::ostringstream shape;
  if (frames > 1) shape << frames << 'x';
  shape << samples.rows << 'x' << samples.columns;
  if (samples.samples_per_pixel > 1) shape << 'x' << samples.samples_per_pixel;
  return shape.str();
}

struct Statistics {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
  std::int64_t sum = 0;
};

void add_samples(const StoredSamples& samples, Statistics& statistics) {
  const auto size = static_cast<std::size_t>(samples.bits / 8);
  for (std::size_t at = 0; at < samples.bytes.size(); at += size) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, &samples.bytes[at], size);
    auto value = static_cast<std::int64_t>(raw);
    if (samples.is_signed && (raw >> (samples.bits - 1)) != 0) value -= std::int64_t{1} << samples.bits;
    statistics.low = std::min(statistics.low, value);
    statistics.high = std::max(statistics.high, value);
    statistics.sum += value;
  }
}

class DicomOracle : public ::testing::TestWithParam<CsvRow> {
 protected:
  std::filesystem::path file() const { return testing::data_folder() / "dicom" / GetParam().at("path"); }
};

TEST_P(DicomOracle, SamplesEqualThoseOfOtherDecoders) {
  const CsvRow& expected = GetParam();
  const DicomFile file(this->file());
  std::vector<std::uint8_t> all;
  Statistics statistics;
  StoredSamples samples;
  for (std::size_t frame = 0; frame < file.frame_count(); ++frame) {
    samples = file.stored_samples(frame);
    all.insert(all.end(), samples.bytes.begin(), samples.bytes.end());
    add_samples(samples, statistics);
  }
  EXPECT_EQ(shape_of(samples, file.frame_count()), expected.at("shape"));
  EXPECT_EQ(std::to_string(statistics.low), expected.at("min"));
  EXPECT_EQ(std::to_string(statistics.high), expected.at("max"));
  EXPECT_EQ(std::to_string(statistics.sum), expected.at("sum"));
  EXPECT_EQ(testing::sha256(all), expected.at("sha256_le"));
  if (!expected.at("transfer_syntax_uid").empty()) {
    EXPECT_EQ(file.transfer_syntax_uid(), expected.at("transfer_syntax_uid"));
  }
}

std::vector<CsvRow> decodable_files() {
  std::vector<CsvRow> rows = expected_files();
  std::erase_if(rows, [](const CsvRow& row) { return row.at("trust").empty(); });
  return rows;
}

std::string test_name(const ::testing::TestParamInfo<CsvRow>& info) {
  std::string name = info.param.at("path");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Files, DicomOracle, ::testing::ValuesIn(decodable_files()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DicomOracle);

}  // namespace
}  // namespace medretrieval::imaging
