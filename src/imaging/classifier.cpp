#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <medretrieval/imaging/classifier.hpp>

#include "base/concat.hpp"
#include "base/option_values.hpp"
#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "imaging/classifier_method.hpp"
#include "imaging/opencv_threads.hpp"
#include "imaging/patient_folds.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

// A new kind is one line here.
const std::vector<ClassifierMethod>& methods() {
  static const std::vector<ClassifierMethod> kMethods = {svm_method(), elm_method()};
  return kMethods;
}

const ClassifierMethod& method_named(std::string_view name) {
  std::string known;
  for (const auto& method : methods()) {
    if (method.info.name == name) return method;
    known += (known.empty() ? "" : ", ") + method.info.name;
  }
  fail(ErrorCode::not_found, "unknown classifier '", name, "'; the known ones: ", known);
}

Parameters completed(const ClassifierOptions& options) {
  return complete_parameters(options.parameters, classifier_info(options.method).options,
                             "classifier '" + options.method + "'");
}

/// Mean and reciprocal deviation of every column; a column that never changes is left at 0.
class Standardization {
 public:
  explicit Standardization(MatrixView features) : mean_(features.cols()), factor_(features.cols()) {
    const auto rows = static_cast<double>(features.rows());
    for (std::size_t c = 0; c < features.cols(); ++c) {
      double sum = 0;
      for (std::size_t r = 0; r < features.rows(); ++r) sum += static_cast<double>(features.row(r)[c]);
      mean_[c] = sum / rows;
      double squares = 0;
      for (std::size_t r = 0; r < features.rows(); ++r) {
        const double difference = static_cast<double>(features.row(r)[c]) - mean_[c];
        squares += difference * difference;
      }
      const double deviation = std::sqrt(squares / rows);
      // Below the rounding of float32 it is noise.
      factor_[c] = deviation > 1e-7 * std::fabs(mean_[c]) ? 1 / deviation : 0;
    }
  }

  Matrix apply(MatrixView features) const {
    Matrix result(features.rows(), features.cols());
    for (std::size_t r = 0; r < features.rows(); ++r) {
      const auto from = features.row(r);
      auto to = result.row(r);
      for (std::size_t c = 0; c < from.size(); ++c) {
        to[c] = static_cast<float>((static_cast<double>(from[c]) - mean_[c]) * factor_[c]);
      }
    }
    return result;
  }

 private:
  std::vector<double> mean_;
  std::vector<double> factor_;
};

std::vector<bool> seen_classes(const ClassRows& rows) {
  std::vector<bool> seen(rows.class_count);
  for (const auto label : rows.classes) seen[label] = true;
  return seen;
}

void hide_unseen(Matrix& scores, const std::vector<bool>& seen) {
  for (std::size_t r = 0; r < scores.rows(); ++r) {
    for (std::size_t c = 0; c < scores.cols(); ++c) {
      if (!seen[c]) scores(r, c) = -std::numeric_limits<float>::infinity();
    }
  }
}

ClassId best_class(std::span<const float> scores) {
  return static_cast<ClassId>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

class TrainedClassifier final : public Classifier {
 public:
  TrainedClassifier(const ClassifierMethod& method, Parameters parameters, Standardization standardization,
                    const ClassRows& rows, std::unique_ptr<FittedClassifier> fitted)
      : method_(method),
        parameters_(std::move(parameters)),
        standardization_(std::move(standardization)),
        dimension_(rows.features.cols()),
        seen_(seen_classes(rows)),
        fitted_(std::move(fitted)) {}

  std::string_view name() const noexcept override { return method_.info.name; }
  const Parameters& parameters() const noexcept override { return parameters_; }
  std::size_t dimension() const noexcept override { return dimension_; }
  std::size_t class_count() const noexcept override { return seen_.size(); }

  Matrix scores(MatrixView features, int threads) const override {
    if (features.rows() == 0) return Matrix(0, class_count());
    require_features(features, "features to classify", dimension_);
    const SingleThreadedOpenCv single;
    Matrix result = fitted_->scores(standardization_.apply(features), threads);
    hide_unseen(result, seen_);
    return result;
  }

 private:
  const ClassifierMethod& method_;
  Parameters parameters_;
  Standardization standardization_;
  std::size_t dimension_;
  std::vector<bool> seen_;
  std::unique_ptr<FittedClassifier> fitted_;
};

std::vector<ClassId> checked_classes(const LabelSets& labels, std::size_t class_count) {
  std::vector<ClassId> classes;
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    const auto own = labels.row(r);
    if (own.size() > 1) {
      fail(ErrorCode::unsupported, "classifier: expected one label a row, got ", own.size(), " in row ", r,
           "; several labels an image are learned by networks");
    }
    if (own.empty()) fail(ErrorCode::invalid_argument, "classifier: row ", r, " has no label");
    if (own.front() >= class_count) {
      fail(ErrorCode::invalid_argument, "classifier: expected classes below ", class_count, ", got ",
           own.front(), " in row ", r);
    }
    classes.push_back(own.front());
  }
  if (std::adjacent_find(classes.begin(), classes.end(), std::not_equal_to<>()) == classes.end()) {
    fail(ErrorCode::invalid_argument, "classifier: expected training rows of at least two classes, got ",
         classes.empty() ? "no rows" : "rows of one");
  }
  return classes;
}

void check_sizes(MatrixView features, const LabelSets& labels, std::span<const std::string> patients) {
  require_features(features, "training features");
  if (labels.rows() != features.rows() || (!patients.empty() && patients.size() != features.rows())) {
    fail(ErrorCode::invalid_argument, "classifier: expected labels, and patients or none, of ",
         features.rows(), " rows, got ", labels.rows(), " and ", patients.size());
  }
}

/// The rows inside or outside of a fold.
struct FoldRows {
  Matrix features;
  ClassRows rows;

  FoldRows(const ClassRows& all, const std::vector<std::size_t>& fold_of, std::size_t fold, bool inside) {
    std::vector<std::size_t> chosen;
    for (std::size_t r = 0; r < fold_of.size(); ++r) {
      if ((fold_of[r] == fold) == inside) chosen.push_back(r);
    }
    features = Matrix(chosen.size(), all.features.cols());
    rows.class_count = all.class_count;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      std::copy_n(all.features.row(chosen[i]).data(), features.cols(), features.row(i).data());
      rows.classes.push_back(all.classes[chosen[i]]);
    }
    rows.features = features;
  }
};

/// How many rows of the fold are told right by what the others teach.
std::size_t right_rows(const ClassifierMethod& method, const Parameters& parameters, const FoldRows& others,
                       const FoldRows& fold, std::uint64_t seed) {
  const auto fitted = method.fit(parameters, others.rows, seed, 1);
  Matrix scores = fitted->scores(fold.features, 1);
  hide_unseen(scores, seen_classes(others.rows));
  std::size_t right = 0;
  for (std::size_t r = 0; r < scores.rows(); ++r)
    right += best_class(scores.row(r)) == fold.rows.classes[r] ? 1 : 0;
  return right;
}

/// The candidate that tells most rows right in cross-validation, the first of equals.
Parameters chosen(const ClassifierMethod& method, const ClassifierOptions& options, const Parameters& given,
                  const ClassRows& rows, std::span<const std::string> patients) {
  const auto candidates = method.candidates(given, rows.features.cols());
  if (candidates.size() == 1) return candidates.front();
  const auto fold_of = patient_folds(rows.classes, patients, detail::whole(given, "folds"), options.seed);
  const std::size_t folds = 1 + *std::max_element(fold_of.begin(), fold_of.end());
  std::vector<std::vector<std::size_t>> right(candidates.size(), std::vector<std::size_t>(folds));
  detail::ProgressCounter counter(options.progress, "cross-validation", candidates.size() * folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const FoldRows others(rows, fold_of, fold, false);
    const FoldRows own(rows, fold_of, fold, true);
    detail::parallel_for(candidates.size(), options.threads, [&](std::size_t i) {
      right[i][fold] = right_rows(method, candidates[i], others, own, options.seed);
      counter.add(1);
    });
  }
  std::vector<std::size_t> sums;
  for (const auto& each : right) {
    std::size_t sum = 0;
    for (const auto count : each) sum += count;
    sums.push_back(sum);
  }
  return candidates[static_cast<std::size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin())];
}

}  // namespace

std::vector<ClassId> Classifier::predict(MatrixView features, int threads) const {
  const Matrix all = scores(features, threads);
  std::vector<ClassId> classes;
  for (std::size_t r = 0; r < all.rows(); ++r) classes.push_back(best_class(all.row(r)));
  return classes;
}

std::vector<std::string> classifier_names() {
  std::vector<std::string> names;
  for (const auto& method : methods()) names.push_back(method.info.name);
  return names;
}

const ClassifierInfo& classifier_info(std::string_view name) {
  return method_named(name).info;
}

void ClassifierOptions::validate() const {
  completed(*this);
}

std::unique_ptr<Classifier> train_classifier(const ClassifierOptions& options, MatrixView features,
                                             const LabelSets& labels, std::size_t class_count,
                                             std::span<const std::string> patients) {
  const ClassifierMethod& method = method_named(options.method);
  const Parameters given = completed(options);
  check_sizes(features, labels, patients);
  const ClassRows checked = {features, checked_classes(labels, class_count), class_count};
  Standardization standardization(features);
  const Matrix standardized = standardization.apply(features);
  const ClassRows rows = {standardized, checked.classes, class_count};
  const SingleThreadedOpenCv single;
  Parameters parameters = chosen(method, options, given, rows, patients);
  auto fitted = method.fit(parameters, rows, options.seed, options.threads);
  return std::make_unique<TrainedClassifier>(method, std::move(parameters), std::move(standardization), rows,
                                             std::move(fitted));
}

}  // namespace medretrieval::imaging
