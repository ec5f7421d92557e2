#include <medretrieval/eval/classification.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/concat.hpp"

namespace medretrieval::eval {

using detail::fail;

namespace {

constexpr std::size_t kResamples = 1000;
constexpr float kThreshold = 0.5F;

std::size_t known_patients(std::span<const std::string> patients) {
  std::set<std::string> known(patients.begin(), patients.end());
  known.erase("");
  return known.size();
}

void check_rows(std::size_t rows, std::size_t others, std::size_t patients) {
  if (rows == 0 || rows != others || rows != patients) {
    fail(ErrorCode::invalid_argument, "classification: expected rows with an answer and a patient each, got ",
         rows, " rows, ", others, " answers and ", patients, " patients");
  }
}

double ratio(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// Balanced accuracy and chance from the confusion matrix.
void summarize(ClassificationReport& report) {
  double recalls = 0;
  std::size_t classes = 0;
  std::size_t most = 0;
  for (std::size_t c = 0; c < report.confusion.size(); ++c) {
    const auto& row = report.confusion[c];
    const std::size_t own = std::accumulate(row.begin(), row.end(), std::size_t{0});
    if (own == 0) continue;
    recalls += ratio(row[c], own);
    ++classes;
    most = std::max(most, own);
  }
  report.balanced_accuracy = recalls / static_cast<double>(classes);
  report.chance = ratio(most, report.rows);
}

/// marks[label][row]: whether the row has the label.
std::vector<std::vector<std::uint8_t>> marks_of(const LabelSets& truth, std::size_t label_count) {
  std::vector<std::vector<std::uint8_t>> marks(label_count, std::vector<std::uint8_t>(truth.rows()));
  for (std::size_t r = 0; r < truth.rows(); ++r) {
    for (const auto label : truth.row(r)) {
      if (label >= label_count) {
        fail(ErrorCode::invalid_argument, "classification: expected classes below ", label_count, ", got ",
             label, " in row ", r);
      }
      marks[label][r] = 1;
    }
  }
  return marks;
}

void check_posteriors(MatrixView posteriors) {
  for (std::size_t r = 0; r < posteriors.rows(); ++r) {
    for (const float value : posteriors.row(r)) {
      if (!(value >= 0 && value <= 1)) {
        fail(ErrorCode::invalid_argument, "classification: expected posteriors of 0 to 1, got ", value,
             " in row ", r);
      }
    }
  }
}

}  // namespace

ClassificationReport classification_report(const std::vector<std::string>& labels,
                                           std::span<const ClassId> truth, std::span<const ClassId> predicted,
                                           std::span<const std::string> patients, std::uint64_t seed) {
  check_rows(truth.size(), predicted.size(), patients.size());
  ClassificationReport report;
  report.labels = labels;
  report.rows = truth.size();
  report.patients = known_patients(patients);
  report.confusion.assign(labels.size(), std::vector<std::size_t>(labels.size()));
  std::vector<double> right;
  for (std::size_t r = 0; r < truth.size(); ++r) {
    if (truth[r] >= labels.size() || predicted[r] >= labels.size()) {
      fail(ErrorCode::invalid_argument, "classification: expected classes below ", labels.size(), ", got ",
           std::max(truth[r], predicted[r]), " in row ", r);
    }
    ++report.confusion[truth[r]][predicted[r]];
    right.push_back(truth[r] == predicted[r] ? 1 : 0);
  }
  report.accuracy = std::accumulate(right.begin(), right.end(), 0.0) / static_cast<double>(report.rows);
  report.accuracy_interval = bootstrap_interval(right, patients, kResamples, seed);
  summarize(report);
  return report;
}

SeveralLabelsReport several_labels_report(const std::vector<std::string>& labels, const LabelSets& truth,
                                          MatrixView posteriors, std::span<const std::string> patients,
                                          std::uint64_t seed) {
  check_rows(truth.rows(), posteriors.rows(), patients.size());
  if (labels.empty() || posteriors.cols() != labels.size()) {
    fail(ErrorCode::invalid_argument, "classification: expected posteriors of ", labels.size(),
         " labels and at least one, got ", posteriors.cols());
  }
  check_posteriors(posteriors);
  SeveralLabelsReport report;
  report.rows = truth.rows();
  report.patients = known_patients(patients);
  const auto marks = marks_of(truth, labels.size());
  const auto count = static_cast<double>(labels.size());
  std::vector<double> right(report.rows);  // share of the labels told right
  double areas = 0;
  std::size_t with_area = 0;
  for (std::size_t label = 0; label < labels.size(); ++label) {
    std::vector<float> scores;
    std::size_t told = 0;
    for (std::size_t r = 0; r < report.rows; ++r) {
      scores.push_back(posteriors.row(r)[label]);
      if ((scores.back() > kThreshold) != (marks[label][r] != 0)) continue;
      ++told;
      right[r] += 1 / count;
    }
    const auto positives =
        static_cast<std::size_t>(std::count(marks[label].begin(), marks[label].end(), std::uint8_t{1}));
    const auto area = area_under_curve(scores, marks[label]);
    report.labels.push_back({labels[label], positives, ratio(told, report.rows), area});
    report.accuracy += report.labels.back().accuracy / count;
    report.chance += ratio(std::max(positives, report.rows - positives), report.rows) / count;
    areas += area.value_or(0);
    with_area += area ? 1 : 0;
  }
  if (with_area > 0) report.area = areas / static_cast<double>(with_area);
  report.accuracy_interval = bootstrap_interval(right, patients, kResamples, seed);
  return report;
}

std::optional<double> area_under_curve(std::span<const float> scores,
                                       std::span<const std::uint8_t> positive) {
  const bool has_nan =
      std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
  if (scores.size() != positive.size() || has_nan) {
    fail(ErrorCode::invalid_argument, "area under the curve: expected ", positive.size(),
         " numbers, one a row, got ", scores.size(), has_nan ? " with NaN among them" : "");
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  double won = 0;  // pairs
  std::size_t others = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t tied[2] = {0, 0};  // others and positives of this score
    std::size_t end = begin;
    while (end < order.size() && scores[order[end]] == scores[order[begin]])
      ++tied[positive[order[end++]] != 0 ? 1 : 0];
    won += static_cast<double>(tied[1]) * (static_cast<double>(others) + static_cast<double>(tied[0]) / 2);
    others += tied[0];
    begin = end;
  }
  const std::size_t positives = scores.size() - others;
  if (positives == 0 || others == 0) return std::nullopt;
  return won / (static_cast<double>(positives) * static_cast<double>(others));
}

}  // namespace medretrieval::eval
