#include <gtest/gtest.h>

#include <medretrieval/imaging/manifest.hpp>
#include <set>

#include "support/damage.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

class ReadManifest : public ::testing::Test {
 protected:
  Manifest read(const std::string& text, const ManifestOptions& options = {}) {
    testing::write_bytes(file_, testing::ByteVector(text.begin(), text.end()));
    return read_manifest(folder_.path(), file_, options);
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "manifest.csv";
};

TEST_F(ReadManifest, ColumnsMeanWhatTheirNamesSay) {
  const Manifest manifest = read(
      "path,patient_id,labels,split,view,age\n"
      "a/1.png,p1,Edema|Effusion||Edema,train,AP,61\n"
      "b.png,,,query,\"PA, \"\"erect\"\"\", 7\n");
  ASSERT_EQ(manifest.rows.size(), 2U);
  EXPECT_EQ(manifest.label_column, "labels");
  EXPECT_EQ(manifest.other_columns, (std::vector<std::string>{"view", "age"}));
  EXPECT_EQ(manifest.rows[0].file, folder_ / "a/1.png");
  EXPECT_EQ(manifest.rows[0].path, "a/1.png");
  EXPECT_EQ(manifest.rows[0].patient, "p1");
  EXPECT_EQ(manifest.rows[0].labels, (std::vector<std::string>{"Edema", "Effusion"}));
  EXPECT_EQ(manifest.rows[1].labels, std::vector<std::string>{});
  EXPECT_EQ(manifest.rows[1].other, (std::vector<std::string>{"PA, \"erect\"", " 7"}));
  EXPECT_EQ(manifest.rows_of("query"), std::vector<std::size_t>{1});
  EXPECT_TRUE(manifest.rows_of("database").empty());
}

TEST_F(ReadManifest, OptionsRenameColumns) {
  ManifestOptions options;
  options.path_column = "file";
  options.label_column = "finding";
  options.split_column = "fold";
  options.patient_column = "who";
  options.label_separator = ';';
  const Manifest manifest = read("file,finding,fold,who\nx.png,a;b,database,7\n", options);
  EXPECT_EQ(manifest.rows[0].labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(manifest.rows[0].split, "database");
  EXPECT_EQ(manifest.rows[0].patient, "7");
  EXPECT_TRUE(manifest.other_columns.empty());
}

TEST_F(ReadManifest, SplitAndPatientMayBeMissingUnderTheirUsualNames) {
  const Manifest manifest = read("path,label\nx.png,a\n");
  EXPECT_EQ(manifest.label_column, "label");
  EXPECT_EQ(manifest.rows[0].split, "");
  EXPECT_EQ(manifest.rows[0].patient, "");
  ManifestOptions options;
  options.split_column = "fold";
  EXPECT_ERROR(read("path,label\nx.png,a\n", options), not_found, "no column \"fold\" (split_column");
}

TEST_F(ReadManifest, MissingColumnsAreNamedWithThoseThatAre) {
  EXPECT_ERROR(read("file,label\nx,a\n"), not_found, "the columns are file, label");
  EXPECT_ERROR(read("path,finding\nx,a\n"), not_found, "label_column; the columns are path, finding");
  ManifestOptions options;
  options.label_column = "findings";
  EXPECT_ERROR(read("path,finding\nx,a\n", options), not_found, "no column \"findings\"");
  EXPECT_ERROR(read_manifest(folder_.path(), folder_ / "absent.csv"), not_found, "absent.csv");
}

TEST_F(ReadManifest, FormsOfTheSameTable) {
  const std::string rows = "path,label\na.png,x\nb.png,y\n";
  std::string crlf;
  for (const char c : rows) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& text :
       {rows, crlf, "\xEF\xBB\xBF" + rows, rows + "\n\n", rows.substr(0, rows.size() - 1), "\n" + rows}) {
    const Manifest manifest = read(text);
    ASSERT_EQ(manifest.rows.size(), 2U) << text;
    EXPECT_EQ(manifest.rows[1].labels, std::vector<std::string>{"y"});
  }
  EXPECT_TRUE(read("path,label\n").rows.empty());
}

TEST_F(ReadManifest, BrokenTablesAreRefusedWithTheLine) {
  EXPECT_ERROR(read(""), corrupt, "header");
  EXPECT_ERROR(read("path,label\na,x\nb\n"), corrupt, "line 3 has 1 fields, the header has 2");
  EXPECT_ERROR(read("path,label\na,x,y\n"), corrupt, "line 2");
  EXPECT_ERROR(read("path,label\n\n\"a\nb\",x\nc,d,e\n"), corrupt, "line 5");
  EXPECT_ERROR(read("path,label\na,\"x\nb,y\n"), corrupt, "line 2");
  EXPECT_ERROR(read("path,label\na,x\"y\n"), corrupt, "line 2");
  EXPECT_ERROR(read("path,label\na,\"x\"y\n"), corrupt, "line 2");
  EXPECT_ERROR(read("path,label\na,\xFF\n"), corrupt, "UTF-8");
  EXPECT_ERROR(read(std::string("path,label\na,\0\n", 15)), corrupt, "UTF-8");
  EXPECT_ERROR(read("path,label,path\na,b,c\n"), invalid_argument, "\"path\" is there twice");
}

TEST_F(ReadManifest, RowsThatLieOutsideAreRefused) {
  const auto with_path = [&](const std::string& path) {
    return read("path,label\nok.png,x\n" + path + ",x\n");
  };
  EXPECT_ERROR(with_path("/etc/passwd"), invalid_argument, "line 3: the path \"/etc/passwd\"");
  EXPECT_ERROR(with_path("../x.png"), invalid_argument, "../x.png");
  EXPECT_ERROR(with_path("a/../../x.png"), invalid_argument, "line 3");
  EXPECT_ERROR(with_path(""), invalid_argument, "line 3");
  EXPECT_EQ(with_path("a..b/..c.png").rows.size(), 2U);
  EXPECT_ERROR(read("path,label,split\na,x,test\n"), invalid_argument, "the split \"test\"");
  EXPECT_ERROR(read("path,label,split\na,x,\n"), invalid_argument, "line 2");
}

TEST_F(ReadManifest, FlippedBitsDoNoHarm) {
  const std::string text =
      "path,label,split\n\"a\",\"x \"\"y\"\"\",train\nb,x|y,query\nc,\"x\ny\",database\n";
  testing::expect_flipped_bits_do_no_harm(file_, testing::ByteVector(text.begin(), text.end()), 1000,
                                          [&](const auto& file) { read_manifest(folder_.path(), file); });
}

TEST_F(ReadManifest, PatientsInTwoSplitsAreFound) {
  const std::string header = "path,patient_id,labels,split\n";
  const Manifest clean =
      read(header + "a,p1,x,train\n\nb,p1,x,train\nc,,x,train\nd,,x,query\ne,p2,x,query\n");
  EXPECT_EQ(clean.rows[1].line, 4U);
  EXPECT_EQ(patients_in_two_splits(clean).patients, 0U);
  EXPECT_NO_THROW(refuse_leak(clean));
  const Manifest leaky = read(header +
                              "a,p1,x,train\nb,p2,x,train\nc,p2,x,query\nd,p2,x,database\n"
                              "e,p1,x,database\nf,p1,x,database\n");
  const ManifestLeak leak = patients_in_two_splits(leaky);
  EXPECT_EQ(leak.patients, 2U);
  EXPECT_EQ(leak.first_line, 3U);
  EXPECT_EQ(leak.second_line, 4U);
  EXPECT_ERROR(refuse_leak(leaky), incompatible, "2 patients are in two splits (lines 3 and 4 are of one)");
  EXPECT_EQ(patients_in_two_splits(read("path,patient_id,labels\na,p1,x\nb,p1,x\n")).patients, 0U);
}

TEST(RealManifests, HaveTheirRowsAndNoPatientTwice) {
  REQUIRE_DATA("cxr_nih14/manifest_256.csv");
  const auto folder = testing::data_folder() / "cxr_nih14";
  const Manifest manifest = read_manifest(folder, folder / "manifest_256.csv");
  EXPECT_EQ(manifest.rows.size(), 480U);
  EXPECT_EQ(manifest.rows_of("train").size(), 247U);
  EXPECT_EQ(manifest.rows_of("database").size(), 153U);
  EXPECT_EQ(manifest.rows_of("query").size(), 80U);
  EXPECT_EQ(manifest.rows[0].labels.size(), 5U);
  std::map<std::string, std::set<std::string>> splits;
  for (const ManifestRow& row : manifest.rows) {
    EXPECT_TRUE(std::filesystem::exists(row.file)) << row.file;
    splits[row.patient].insert(row.split);
  }
  for (const auto& [patient, its_splits] : splits) EXPECT_EQ(its_splits.size(), 1U) << patient;
}

TEST(RealManifests, OneWithoutUsualLabelsNamesItsColumns) {
  REQUIRE_DATA("cxr_covid/manifest.csv");
  const auto folder = testing::data_folder() / "cxr_covid";
  EXPECT_ERROR(read_manifest(folder, folder / "manifest.csv"), not_found, "label_column");
  EXPECT_ERROR(read_manifest(folder, folder / "manifest.csv"), not_found, "finding, label_path");
  ManifestOptions options;
  options.label_column = "finding";
  EXPECT_EQ(read_manifest(folder, folder / "manifest.csv", options).rows.size(), 222U);
}

}  // namespace
}  // namespace medretrieval::imaging
