#include <gtest/gtest.h>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

constexpr const char* kHeader =
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
    "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
    "Fracture,Support Devices\n";
const std::string kRow =
    "CheXpert-v1.0-small/train/patient00001/study2/view1_frontal.jpg,Female,45,Frontal,PA,"
    ",,1.0,,,-1.0,0.0,,,,,,,1.0\n";

class CheXpert : public ::testing::Test {
 protected:
  Collector read(const std::string& rows, const Parameters& options = {}) {
    write_text(folder_ / "train.csv", kHeader + rows);
    return collect("chexpert", folder_.path(), options);
  }
  std::vector<std::string> labels(const std::string& policy) {
    const Collector all = read(kRow, {{"uncertain", policy}});
    return all.records.empty() ? std::vector<std::string>{"left out"} : all.records[0].labels;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(CheXpert, UncertainObservationsByPolicy) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(labels("zeros"), (Labels{"Cardiomegaly", "Support Devices"}));
  EXPECT_EQ(labels("ones"), (Labels{"Cardiomegaly", "Edema", "Support Devices"}));
  EXPECT_EQ(labels("class"), (Labels{"Cardiomegaly", "Edema (uncertain)", "Support Devices"}));
  EXPECT_EQ(labels("ignore"), (Labels{"left out"}));
  EXPECT_EQ(read(kRow, {{"uncertain", "ignore"}}).skipped.at("uncertain_labels"), 1U);
  EXPECT_ERROR(labels("maybe"), invalid_argument, "zeros, ones, ignore or class, got 'maybe'");
}

TEST_F(CheXpert, PatientStudyAndViewFromThePath) {
  write_small_png(folder_ / "train/patient00001/study2/view1_frontal.jpg");
  const Collector all = read(kRow);
  const DatasetRecord& record = all.records.at(0);
  EXPECT_EQ(record.key, "train-patient00001-study2-view1_frontal");
  EXPECT_EQ(record.patient, "patient00001");
  EXPECT_EQ(record.study, "patient00001-study2");
  EXPECT_EQ(record.official, OfficialSplit::train);
  EXPECT_EQ(record.source.file, folder_ / "train/patient00001/study2/view1_frontal.jpg");
  EXPECT_EQ(
      record.attributes,
      (std::map<std::string, std::string>{
          {"age", "45"}, {"projection", "PA"}, {"sex", "F"}, {"uncertain", "Edema"}, {"view", "frontal"}}));
  EXPECT_EQ(read(kRow, {{"view", "lateral"}}).skipped.at("other_view"), 1U);
}

TEST_F(CheXpert, TheRootMayBeTheFolderAbove) {
  write_small_png(folder_ / "CheXpert-v1.0-small/train/patient00001/study2/view1_frontal.jpg");
  EXPECT_TRUE(std::filesystem::exists(read(kRow).records.at(0).source.file));
}

TEST_F(CheXpert, HostileTablesAreRefused) {
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = kRow;
    return read(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_ERROR(changed("train/", "../"), corrupt, "a path below the root");
  EXPECT_ERROR(changed("CheXpert-v1.0-small", ""), corrupt, "a path below the root");
  EXPECT_ERROR(changed("patient00001/study2", "a"), corrupt, "patient, study and image");
  EXPECT_ERROR(changed("1.0,,,-1.0", "2.0,,,-1.0"), corrupt, "\"Cardiomegaly\", got \"2.0\"");
  EXPECT_ERROR(changed("1.0,,,-1.0", "yes,,,-1.0"), corrupt, "1, 0, -1 or nothing");
  EXPECT_ERROR(changed("Female,45", "45,Female"), corrupt, "Female, Male or Unknown");
  EXPECT_ERROR(changed("45", "nan"), corrupt, "\"Age\"");
  EXPECT_ERROR(changed("Frontal", "Top"), corrupt, "Frontal or Lateral");
  write_text(folder_ / "train.csv", "Path,Sex\n");
  EXPECT_ERROR(collect("chexpert", folder_.path()), not_found, "no column");
  std::filesystem::remove(folder_ / "train.csv");
  EXPECT_ERROR(collect("chexpert", folder_.path()), not_found, "no file train.csv");
}

TEST_F(CheXpert, ThePublishedForm) {
  REQUIRE_DATA("tables/chexpert");
  const auto tables = testing::data_folder() / "tables/chexpert";
  std::filesystem::copy(tables / "train_SYNTHETIC.csv", folder_ / "train.csv");
  std::filesystem::copy(tables / "valid_SYNTHETIC.csv", folder_ / "valid.csv");
  const Collector all = collect("chexpert", folder_.path(), {{"uncertain", "class"}});
  std::size_t train = 0;
  std::size_t positive = 0;
  std::size_t uncertain = 0;
  for (const auto& record : all.records) {
    if (record.official != OfficialSplit::train) continue;
    ++train;
    for (const auto& label : record.labels) {
      ++(label.find("(uncertain)") == std::string::npos ? positive : uncertain);
    }
  }
  EXPECT_EQ(train, 60U);
  EXPECT_EQ(all.records.size(), 80U);
  EXPECT_EQ(positive, 208U);
  EXPECT_EQ(uncertain, 52U);
  std::cout << all.records.size() << " images of " << all.patients() << " patients, " << positive
            << " positive and " << uncertain << " uncertain observations in train.csv\n";
}

}  // namespace
}  // namespace medretrieval::imaging
