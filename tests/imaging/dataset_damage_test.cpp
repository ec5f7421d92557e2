// Damaged tables of every reader: whatever comes, it is read or refused with an Error.
#include <gtest/gtest.h>

#include <algorithm>

#include "imaging/csv_records.hpp"
#include "imaging/dataset_support.hpp"
#include "support/damage.hpp"

namespace medretrieval::imaging {
namespace {

struct Case {
  const char* dataset;
  const char* table;  ///< the one that is damaged
  std::map<std::string, std::string> files;
  Parameters options = {};
};

std::vector<Case> cases() {
  const std::string scan =
      "ObjectType = Image\nNDims = 3\nOffset = -10 -20 100\nElementSpacing = 0.5 0.5 2\n"
      "TransformMatrix = 1 0 0 0 1 0 0 0 1\nDimSize = 8 8 5\nElementType = MET_UCHAR\n"
      "ElementDataFile = 1.2.raw\n";
  const std::map<std::string, std::string> luna = {
      {"annotations.csv", "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,-8,-18,104,6.5\n"},
      {"candidates.csv", "seriesuid,coordX,coordY,coordZ,class\n1.2,-8,-18,104,1\n1.2,-9,-19,100,0\n"},
      {"1.2.mhd", scan},
      {"1.2.raw", std::string(320, '\x05')}};
  const Parameters one_slice = {{"slices", std::int64_t{1}}};
  const std::map<std::string, std::string> chest = {
      {"Data_Entry_2017.csv",
       "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
       "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
       "00000001_000.png,Cardiomegaly|Mass,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"},
      {"BBox_List_2017.csv",
       "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,1.5,2,30,40\n"},
      {"test_list.txt", "00000001_000.png\n00000002_000.png\n"}};
  return {
      {"chestx-ray14", "Data_Entry_2017.csv", chest},
      {"chestx-ray14", "BBox_List_2017.csv", chest},
      {"chestx-ray14", "test_list.txt", chest},
      {"chexpert",
       "train.csv",
       {{"train.csv",
         "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
         "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,"
         "Pleural Other,Fracture,Support Devices\n"
         "CheXpert-v1.0/train/patient00001/study2/"
         "view1_frontal.jpg,Female,45,Frontal,PA,,,1.0,,,-1.0,0.0,,,,,,,\n"}}},
      {"deeplesion",
       "DL_info.csv",
       {{"DL_info.csv",
         "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_"
         "boxes,"
         "Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,"
         "Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test\n"
         "000001_02_03_017.png,1,2,3,17,\"1, 2, 3, 4\",\"1.5, 2, 3.25, 3.5\",\"12, 5\",\"0.4, 0.3, 0.2\",5,0,"
         "\"8, 23\",\"0.5, 0.5, 5\",\"8, 8\",\"-175, 275\",F,62,2\n"}},
       {{"unit", "lesion"}}},
      {"luna16", "annotations.csv", luna, one_slice},
      {"luna16", "candidates.csv", luna, one_slice},
      {"luna16", "1.2.mhd", luna, one_slice}};
}

TEST(DamagedTables, AreReadOrRefused) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(std::string(one.dataset) + " " + one.table);
    const testing::TemporaryFolder folder;
    for (const auto& [name, text] : one.files) write_text(folder / name, text);
    const auto whole = testing::read_bytes(folder / one.table);
    const auto read = [&](const std::filesystem::path&) {
      Collector all = collect(one.dataset, folder.path(), one.options);
      for (const auto& record : all.records) {
        try {
          record.load ? record.load() : load_source(record.source);
        } catch (const Error&) {  // the image is missing: only the table is here
        }
      }
      // A damaged scan is left out, not refused.
      if (!all.skipped.empty()) throw Error(ErrorCode::corrupt, "left out");
    };
    EXPECT_NO_THROW(read(folder / one.table));
    testing::expect_flipped_bits_do_no_harm(folder / one.table, whole, 1500, read);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      testing::write_bytes(folder / one.table, std::span(whole).first(length));
      try {
        read(folder / one.table);
      } catch (const Error&) {
      }
    }
  }
}

using Rows = std::vector<std::vector<std::string>>;

bool is_table(const Case& one) {
  return std::string_view(one.table).ends_with(".csv");
}

std::string joined(const Rows& rows, const std::string& line_end, bool quoted = false) {
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += (i > 0 ? "," : "") + (quoted ? "\"" + row[i] + "\"" : csv_field(row[i]));
    }
    text += line_end;
  }
  return text;
}

Rows rows_of(const Case& one) {
  Rows rows;
  for (const CsvRecord& record : read_csv_records(one.files.at(one.table))) rows.push_back(record.fields);
  return rows;
}

/// What came of the data set with this text in place of the table: records one a line, or the message.
std::string outcome(const Case& one, const std::string& text) {
  const testing::TemporaryFolder folder;
  for (const auto& [name, whole] : one.files) write_text(folder / name, name == one.table ? text : whole);
  std::string told;
  try {
    for (const DatasetRecord& record : collect(one.dataset, folder.path(), one.options).records) {
      told += record.key + " " + record.patient;
      for (const std::string& label : record.labels) told += " " + label;
      for (const auto& [name, value] : record.attributes) told += " " + name + "=" + value;
      told += "\n";
    }
  } catch (const Error& error) {
    told = std::string("refused ") + error.what();
  }
  return told;
}

TEST(DamagedTables, EveryFormOfATableIsReadTheSame) {
  for (const Case& one : cases()) {
    if (!is_table(one)) continue;
    SCOPED_TRACE(std::string(one.dataset) + " " + one.table);
    const Rows rows = rows_of(one);
    const std::string expected = outcome(one, one.files.at(one.table));
    EXPECT_FALSE(expected.starts_with("refused")) << expected;
    for (const char* line_end : {"\n", "\r\n", "\r", "\n\r\n\r"}) {
      EXPECT_EQ(outcome(one, joined(rows, line_end)), expected);
      EXPECT_EQ(outcome(one, "\xEF\xBB\xBF" + joined(rows, line_end, true)), expected);
    }
    EXPECT_EQ(outcome(one, joined({rows[0]}, "\r\n") + joined({rows.begin() + 1, rows.end()}, "\r")),
              expected);
  }
}

TEST(DamagedTables, ColumnsMayStandInAnyOrderButMustBeThere) {
  for (const Case& one : cases()) {
    if (!is_table(one)) continue;
    SCOPED_TRACE(std::string(one.dataset) + " " + one.table);
    const Rows rows = rows_of(one);
    const std::string expected = outcome(one, one.files.at(one.table));
    std::size_t needed = 0;
    for (std::size_t column = 0; column < rows[0].size(); ++column) {
      SCOPED_TRACE(rows[0][column]);
      Rows without = rows;
      Rows last = rows;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        if (column >= rows[row].size()) continue;  // nameless columns at the end may be missing
        const auto at = static_cast<std::ptrdiff_t>(column);
        without[row].erase(without[row].begin() + at);
        std::rotate(last[row].begin() + at, last[row].begin() + at + 1, last[row].end());
      }
      if (const std::string missing = outcome(one, joined(without, "\n")); missing != expected) {
        ++needed;
        EXPECT_TRUE(missing.starts_with("refused")) << missing;
      }
      const bool by_place =
          std::string_view(one.table) == "BBox_List_2017.csv";  // most of its columns lack a name
      if (by_place || rows[0].back().empty()) continue;
      EXPECT_EQ(outcome(one, joined(last, "\n")), expected);
    }
    EXPECT_GT(needed, 0U);
  }
}

TEST(DamagedTables, ExchangedValuesAreRefused) {
  for (const Case& one : cases()) {
    if (!is_table(one)) continue;
    SCOPED_TRACE(std::string(one.dataset) + " " + one.table);
    Rows rows = rows_of(one);
    for (std::size_t row = 1; row < rows.size(); ++row) std::swap(rows[row][0], rows[row][1]);
    EXPECT_TRUE(outcome(one, joined(rows, "\n")).starts_with("refused"));
  }
}

}  // namespace
}  // namespace medretrieval::imaging
