#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <opencv2/ml.hpp>
#include <set>
#include <utility>

#include "base/concat.hpp"
#include "base/option_values.hpp"
#include "base/parallel_for.hpp"
#include "imaging/classifier_method.hpp"

namespace medretrieval::imaging {

namespace {

constexpr double kTolerance = 1e-3;       // of the optimality conditions, as libsvm's default
constexpr int kMaximumSteps = 1'000'000;  // each of one pair of rows
constexpr std::size_t kRowsOfAPrediction = 64;

/// The machine that tells class `first` (decision value above 0) from class `second`.
struct PairMachine {
  ClassId first = 0;
  ClassId second = 0;
  cv::Ptr<cv::ml::SVM> machine;
};

/// OpenCV's matrix over rows that are contiguous; it is only read.
cv::Mat as_opencv(MatrixView rows) {
  return {static_cast<int>(rows.rows()), static_cast<int>(rows.cols()), CV_32F,
          const_cast<float*>(rows.data()), rows.stride() * sizeof(float)};
}

class SvmClassifier final : public FittedClassifier {
 public:
  SvmClassifier(std::vector<PairMachine> machines, std::size_t class_count)
      : machines_(std::move(machines)), class_count_(class_count) {}

  Matrix scores(MatrixView standardized, int threads) const override {
    Matrix votes(standardized.rows(), class_count_);
    const std::size_t blocks = (standardized.rows() + kRowsOfAPrediction - 1) / kRowsOfAPrediction;
    detail::parallel_for(blocks, threads, [&](std::size_t block) {
      const std::size_t begin = block * kRowsOfAPrediction;
      const std::size_t count = std::min(kRowsOfAPrediction, standardized.rows() - begin);
      vote(standardized.rows_from(begin, count), votes, begin);
    });
    return votes;
  }

 private:
  /// A vote of every machine, and a share of its decision value, at most half a vote in all.
  void vote(MatrixView features, Matrix& votes, std::size_t begin) const {
    cv::Mat decisions;
    const double share = 0.5 / static_cast<double>(class_count_);
    for (const auto& pair : machines_) {
      pair.machine->predict(as_opencv(features), decisions, cv::ml::StatModel::RAW_OUTPUT);
      for (std::size_t r = 0; r < features.rows(); ++r) {
        const auto decision = static_cast<double>(decisions.at<float>(static_cast<int>(r)));
        const auto bounded = static_cast<float>(share * decision / (1 + std::fabs(decision)));
        auto row = votes.row(begin + r);
        row[decision > 0 ? pair.first : pair.second] += 1;
        row[pair.first] += bounded;
        row[pair.second] -= bounded;
      }
    }
  }

  std::vector<PairMachine> machines_;
  std::size_t class_count_;
};

/// The rows of two classes, the first class's label 0, the other's 1: OpenCV's decision value is above 0 for the lower.
cv::Ptr<cv::ml::TrainData> rows_of(const ClassRows& rows, ClassId first, ClassId second) {
  cv::Mat samples(0, static_cast<int>(rows.features.cols()), CV_32F);
  cv::Mat answers(0, 1, CV_32S);
  for (std::size_t r = 0; r < rows.features.rows(); ++r) {
    if (rows.classes[r] != first && rows.classes[r] != second) continue;
    samples.push_back(as_opencv(rows.features.rows_from(r, 1)));
    answers.push_back(rows.classes[r] == first ? 0 : 1);
  }
  return cv::ml::TrainData::create(samples, cv::ml::ROW_SAMPLE, answers);
}

cv::Ptr<cv::ml::SVM> fit_pair(const Parameters& parameters, const ClassRows& rows, ClassId first,
                              ClassId second) {
  auto machine = cv::ml::SVM::create();
  machine->setType(cv::ml::SVM::C_SVC);
  machine->setKernel(cv::ml::SVM::RBF);
  machine->setC(detail::real(parameters, "c"));
  machine->setGamma(detail::real(parameters, "gamma"));
  machine->setTermCriteria({cv::TermCriteria::MAX_ITER | cv::TermCriteria::EPS, kMaximumSteps, kTolerance});
  if (!machine->train(rows_of(rows, first, second))) {
    detail::fail(ErrorCode::invalid_argument,
                 "svm: OpenCV could not train with c = ", detail::real(parameters, "c"),
                 " and gamma = ", detail::real(parameters, "gamma"));
  }
  return machine;
}

std::vector<Parameters> candidates(const Parameters& given, std::size_t dimension) {
  const auto options = [&](const char* name, const std::vector<double>& choices) {
    const double value = detail::real(given, name);
    return value != 0 ? std::vector<double>{value} : choices;
  };
  const double scale = 1 / static_cast<double>(dimension);
  std::vector<Parameters> all;
  for (const double gamma : options("gamma", {0.25 * scale, scale, 4 * scale})) {
    for (const double c : options("c", {0.1, 1, 10, 100})) {
      all.push_back(given);
      all.back()["c"] = c;
      all.back()["gamma"] = gamma;
    }
  }
  return all;
}

std::unique_ptr<FittedClassifier> fit(const Parameters& parameters, const ClassRows& rows,
                                      std::uint64_t /*seed*/, int threads) {
  constexpr auto kMostRows = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (rows.features.rows() > kMostRows) {
    detail::fail(ErrorCode::limit_exceeded, "svm: expected at most ", kMostRows, " rows, got ",
                 rows.features.rows());
  }
  const std::set<ClassId> seen(rows.classes.begin(), rows.classes.end());
  std::vector<PairMachine> machines;
  for (auto first = seen.begin(); first != seen.end(); ++first) {
    for (auto second = std::next(first); second != seen.end(); ++second)
      machines.push_back({*first, *second, {}});
  }
  detail::parallel_for(machines.size(), threads, [&](std::size_t i) {
    machines[i].machine = fit_pair(parameters, rows, machines[i].first, machines[i].second);
  });
  return std::make_unique<SvmClassifier>(std::move(machines), rows.class_count);
}

}  // namespace

ClassifierMethod svm_method() {
  return {{"svm",
           "support vector machine of OpenCV: soft margin, Gaussian kernel, one for each pair of classes",
           {{"c", 0.0, 0, 1e6, "price of a row on the wrong side; 0: chosen by cross-validation"},
            {"gamma", 0.0, 0, 1e6, "of the kernel exp(-gamma |x - y|^2); 0: chosen by cross-validation"},
            folds_spec()}},
          candidates,
          fit};
}

}  // namespace medretrieval::imaging
