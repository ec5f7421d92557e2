#include <medretrieval/class_gate.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/concat.hpp"
#include "base/portable_math.hpp"
#include "model/calibration_split.hpp"
#include "model/logistic_regression.hpp"

namespace medretrieval {

using detail::fail;

namespace {

constexpr std::size_t kFewestRows = 10;

/// `posterior` raised to 1 / temperature and made to sum to 1.
std::vector<double> tempered(std::span<const float> posterior, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (const float p : posterior) {
    result.push_back(p > 0 ? detail::portable_exp(detail::portable_log(static_cast<double>(p)) / temperature)
                           : 0);
    sum += result.back();
  }
  for (double& value : result) value = sum > 0 ? value / sum : 1.0 / static_cast<double>(result.size());
  return result;
}

double negative_log_likelihood(MatrixView posteriors, const LabelSets& labels, double temperature) {
  double sum = 0;
  for (std::size_t r = 0; r < posteriors.rows(); ++r) {
    if (labels.row(r).empty()) continue;
    const auto p = tempered(posteriors.row(r), temperature);
    sum -= detail::portable_log(std::max(p[labels.row(r).front()], 1e-12));
  }
  return sum;
}

/// Golden-section search for the temperature over 0.05 to 20, on a logarithmic scale.
double best_temperature(MatrixView posteriors, const LabelSets& labels) {
  constexpr double kRatio = 0.6180339887498949;
  double low = -3;
  double high = 3;
  const auto loss = [&](double log_t) {
    return negative_log_likelihood(posteriors, labels, detail::portable_exp(log_t));
  };
  for (int i = 0; i < 40; ++i) {
    const double left = high - kRatio * (high - low);
    const double right = low + kRatio * (high - low);
    (loss(left) <= loss(right) ? high : low) = loss(left) <= loss(right) ? right : left;
  }
  return detail::portable_exp((low + high) / 2);
}

void require_known_classes(const LabelSets& labels, std::size_t class_count) {
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    for (const auto label : labels.row(r)) {
      if (label >= class_count) {
        fail(ErrorCode::invalid_argument, "class gate: expected classes below ", class_count, ", got ", label,
             " in row ", r);
      }
    }
  }
}

}  // namespace

void GateOptions::validate() const {
  if (!(level > 0 && level < 1)) {
    fail(ErrorCode::invalid_argument, "gate: expected a level above 0 and below 1, got ", level);
  }
}

ClassGate ClassGate::train(MatrixView features, const LabelSets& labels, std::size_t class_count,
                           std::span<const std::string> patients, const GateTraining& training) {
  require_features(features, "gate features");
  if (labels.rows() != features.rows() || (!patients.empty() && patients.size() != features.rows())) {
    fail(ErrorCode::invalid_argument, "class gate: expected labels and patients for ", features.rows(),
         " rows, got ", labels.rows(), " and ", patients.size());
  }
  if (!(training.regularization > 0)) {
    fail(ErrorCode::invalid_argument, "class gate: expected a regularization above 0, got ",
         training.regularization);
  }
  require_known_classes(labels, class_count);
  const auto split = detail::split_by_patient(labels, patients);
  ClassGate gate;
  gate.several_labels_ = labels.has_several();
  gate.trained_.assign(class_count, 0);
  for (const auto row : split.fit) {
    for (const auto label : labels.row(row)) gate.trained_.at(label) = 1;
  }
  if (std::count(gate.trained_.begin(), gate.trained_.end(), 1) < 2) {
    fail(ErrorCode::invalid_argument, "class gate: expected rows of at least two classes");
  }
  gate.classifier_ = detail::fit_logistic_regression(features, labels, split.fit, class_count,
                                                     gate.several_labels_, training)
                         .classifier;
  Matrix held_out(split.held_out.size(), features.cols());
  LabelSets held_out_labels;
  for (std::size_t i = 0; i < split.held_out.size(); ++i) {
    const auto from = features.row(split.held_out[i]);
    std::copy(from.begin(), from.end(), held_out.row(i).begin());
    held_out_labels.add_row(labels.row(split.held_out[i]));
  }
  gate.fit_calibration(gate.posteriors(held_out, training.threads), held_out_labels);
  return gate;
}

ClassGate ClassGate::calibrate(MatrixView posteriors, const LabelSets& labels,
                               const GateCalibration& calibration) {
  require_features(posteriors, "posteriors");
  if (labels.rows() != posteriors.rows() || posteriors.rows() < kFewestRows) {
    fail(ErrorCode::invalid_argument, "class gate: expected labels for at least ", kFewestRows,
         " rows of posteriors, got ", labels.rows(), " for ", posteriors.rows());
  }
  require_known_classes(labels, posteriors.cols());
  ClassGate gate;
  gate.several_labels_ = calibration.several_labels || labels.has_several();
  gate.trained_.assign(posteriors.cols(), 1);
  for (const ClassId label : calibration.untrained) {
    if (label >= posteriors.cols()) {
      fail(ErrorCode::invalid_argument, "class gate: expected untrained classes below ", posteriors.cols(),
           ", got ", label);
    }
    gate.trained_[label] = 0;
  }
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    double sum = 0;
    for (const float p : posteriors.row(r)) {
      if (p < 0 || p > 1)
        fail(ErrorCode::invalid_argument, "posteriors: expected 0 to 1, got ", p, " in row ", r);
      sum += static_cast<double>(p);
    }
    if (!gate.several_labels_ && std::fabs(sum - 1) > 1e-3) {
      fail(ErrorCode::invalid_argument, "posteriors: expected row ", r, " to sum to 1, got ", sum);
    }
  }
  gate.fit_calibration(posteriors, labels);
  return gate;
}

void ClassGate::fit_calibration(MatrixView posteriors, const LabelSets& labels) {
  if (!several_labels_) {
    temperature_ = best_temperature(posteriors, labels);
    return;
  }
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    for (const auto label : labels.row(r)) {
      if (is_trained(label)) true_label_posteriors_.push_back(posteriors.row(r)[label]);
    }
  }
  std::sort(true_label_posteriors_.begin(), true_label_posteriors_.end());
}

Matrix ClassGate::posteriors(MatrixView features, int threads) const {
  if (!classifier_) {
    fail(ErrorCode::unsupported, "this gate has no classifier of its own: give posteriors with every query");
  }
  require_features(features, "gate features", dimension());
  return detail::linear_posteriors(*classifier_, trained_, features, threads);
}

std::vector<ClassId> ClassGate::ranked(std::span<const float> posterior) const {
  if (posterior.size() != class_count()) {
    fail(ErrorCode::invalid_argument, "gate: expected ", class_count(), " posteriors, got ",
         posterior.size());
  }
  for (const float p : posterior) {
    if (!(p >= 0 && p <= 1))
      fail(ErrorCode::invalid_argument, "gate: expected posteriors of 0 to 1, got ", p);
  }
  std::vector<ClassId> order(class_count());
  std::iota(order.begin(), order.end(), ClassId{0});
  std::stable_sort(order.begin(), order.end(), [&](ClassId a, ClassId b) {
    return is_trained(a) != is_trained(b) ? is_trained(a) : posterior[a] > posterior[b];
  });
  return order;
}

std::vector<ClassId> ClassGate::select(std::span<const float> posterior, const GateOptions& options) const {
  options.validate();
  if (options.mode == GateMode::off) return {};
  const auto order = ranked(posterior);
  std::size_t count = 1;
  if (options.mode == GateMode::adaptive) {
    const auto trained = static_cast<std::size_t>(std::count(trained_.begin(), trained_.end(), 1));
    if (several_labels_) {
      // The k-th smallest true-label posterior, k = floor((n + 1)(1 - level)): a new true label lies below it
      // with probability at most 1 - level (Vovk et al. 2005). k = 0 admits everything.
      const std::size_t n = true_label_posteriors_.size();
      const double share = std::floor(static_cast<double>(n + 1) * (1 - options.level) + 1e-9);
      const std::size_t k = std::min(n, static_cast<std::size_t>(share));
      const float threshold = k == 0 ? 0.0F : true_label_posteriors_[k - 1];
      while (count < trained && posterior[order[count]] >= threshold) ++count;
    } else {
      const auto calibrated = tempered(posterior, temperature_);
      double sum = calibrated[order[0]];
      while (count < trained && sum < options.level) sum += calibrated[order[count++]];
    }
  }
  std::vector<ClassId> chosen(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  if (options.mode == GateMode::adaptive) {
    for (ClassId label = 0; label < class_count(); ++label) {
      if (!is_trained(label)) chosen.push_back(label);
    }
  }
  return chosen;
}

void ClassGate::write(ByteWriter& writer) const {
  writer.number(static_cast<std::uint8_t>(several_labels_));
  writer.array(std::span<const std::uint8_t>(trained_));
  writer.number(temperature_);
  writer.array(std::span<const float>(true_label_posteriors_));
  writer.number(static_cast<std::uint8_t>(classifier_.has_value()));
  if (!classifier_) return;
  const Matrix& weights = classifier_->weights;
  writer.number(static_cast<std::uint8_t>(classifier_->one_against_rest));
  writer.number<std::uint64_t>(weights.cols());
  writer.array(std::span<const float>(weights.data(), weights.rows() * weights.cols()));
  writer.array(std::span<const float>(classifier_->offsets));
}

ClassGate ClassGate::read(ByteReader& reader) {
  ClassGate gate;
  gate.several_labels_ = reader.number<std::uint8_t>() != 0;
  gate.trained_ = reader.array<std::uint8_t>();
  gate.temperature_ = reader.number<double>();
  gate.true_label_posteriors_ = reader.array<float>();
  const bool calibrated =
      gate.temperature_ > 0 && std::isfinite(gate.temperature_) &&
      std::is_sorted(gate.true_label_posteriors_.begin(), gate.true_label_posteriors_.end());
  if (gate.trained_.empty() || gate.trained_.size() > LabelVocabulary::kMaxLabels || !calibrated ||
      std::any_of(gate.trained_.begin(), gate.trained_.end(), [](auto flag) { return flag > 1; })) {
    reader.corrupt("the gate's classes or calibration are out of range");
  }
  if (reader.number<std::uint8_t>() == 0) return gate;
  LinearClassifier classifier;
  classifier.one_against_rest = reader.number<std::uint8_t>() != 0;
  const auto dimension = reader.number<std::uint64_t>();
  const auto weights = reader.array<float>();
  classifier.offsets = reader.array<float>();
  const auto finite = [](float value) { return std::isfinite(value); };
  if (dimension == 0 || dimension > kMaxDimension || weights.size() != gate.class_count() * dimension ||
      classifier.offsets.size() != gate.class_count() ||
      !std::all_of(weights.begin(), weights.end(), finite) ||
      !std::all_of(classifier.offsets.begin(), classifier.offsets.end(), finite)) {
    reader.corrupt("the gate's weights do not fit its classes");
  }
  classifier.weights = Matrix::copy_of({weights.data(), gate.class_count(), dimension});
  gate.classifier_ = std::move(classifier);
  return gate;
}

}  // namespace medretrieval
