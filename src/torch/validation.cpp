#include "torch/validation.hpp"

#include <algorithm>
#include <medretrieval/eval/classification.hpp>
#include <medretrieval/eval/metrics.hpp>
#include <numeric>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "torch/batches_ahead.hpp"

namespace medretrieval::deep {

namespace {

constexpr std::size_t kGalleryRows = 2000;

/// What a bit counts in the distance.
Tensor weights_of_bits(const Network& network) {
  std::vector<Tensor> weights;
  for (const auto& slice : network.hash_slices()) {
    weights.push_back(::torch::full({slice.layer->options.out_features()}, static_cast<float>(slice.weight)));
  }
  return ::torch::cat(weights);
}

/// Weighted Hamming distances of sign codes: queries x gallery.
Tensor hamming(const Tensor& queries, const Tensor& gallery, const Tensor& weights) {
  const auto signs = [](const Tensor& hash) { return (hash > 0).to(::torch::kFloat32) * 2 - 1; };
  return (weights.sum() - (signs(queries) * weights).mm(signs(gallery).t())) / 2;
}

}  // namespace

void RowRunner::run(std::span<const std::size_t> rows,
                    const std::function<void(const NetworkOutput&)>& use) const {
  const ::torch::NoGradGuard no_gradient;
  network.eval();
  const std::size_t count = (rows.size() + batch - 1) / batch;
  const bool fixed = fixed_features.defined();
  BatchesAhead<Tensor> ahead(count, [&](std::size_t number) {
    const auto part = rows.subspan(number * batch, std::min(batch, rows.size() - number * batch));
    return fixed ? fixed_features.index_select(0, places(part)) : set.batch(part, 0, threads);
  });
  for (std::size_t number = 0; number < count; ++number) {
    const Tensor loaded = ahead.next().to(device);
    use(fixed ? network.forward_features(loaded) : network.forward(loaded));
  }
  network.train();
}

RowAnswers RowRunner::answers_of(std::span<const std::size_t> rows) const {
  std::vector<Tensor> hash;
  std::vector<Tensor> logits;
  run(rows, [&](const NetworkOutput& output) {
    hash.push_back(output.hash.to(::torch::kCPU));
    logits.push_back(output.logits.to(::torch::kCPU));
  });
  return {::torch::cat(hash), ::torch::cat(logits)};
}

Tensor RowRunner::features_of_all() const {
  std::vector<std::size_t> rows(static_cast<std::size_t>(set.labels().size(0)));
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::vector<Tensor> features;
  run(rows, [&](const NetworkOutput& output) { features.push_back(output.features.to(::torch::kCPU)); });
  return ::torch::cat(features);
}

Validation::Validation(const TrainingSet& set, std::uint64_t seed) : set_(set) {
  detail::Random random(seed);
  for (const auto place :
       detail::sample_without_replacement(set.training_rows().size(), kGalleryRows, random)) {
    gallery_.push_back(set.training_rows()[place]);
  }
}

bool Validation::has_relevant_rows() const {
  return !set_.validation_rows().empty() && relevant_rows().any().item<bool>();
}

bool Validation::has_classes() const {
  if (set_.validation_rows().empty()) return false;
  const Tensor labels = set_.labels_of(set_.validation_rows()) > 0;
  const Tensor tell = set_.several_labels() ? labels.any(0).logical_and(labels.all(0).logical_not()) : labels;
  return tell.any().item<bool>();
}

Tensor Validation::relevant_rows() const {
  return set_.labels_of(set_.validation_rows()).mm(set_.labels_of(gallery_).t()) > 0;
}

void Validation::measure(const RowRunner& runner, EpochFigures& figures) const {
  const auto& rows = set_.validation_rows();
  if (rows.empty()) return;
  const RowAnswers queries = runner.answers_of(rows);
  if (!(::torch::isfinite(queries.hash).all() & ::torch::isfinite(queries.logits).all()).item<bool>()) {
    detail::fail(ErrorCode::unsupported, "training: answers to held-out rows are not finite after epoch ",
                 figures.epoch, "; try a lower learning rate than ", figures.learning_rate);
  }
  figures.map = mean_average_precision(
      hamming(queries.hash, runner.answers_of(gallery_).hash, weights_of_bits(runner.network)));
  figures.accuracy = accuracy(queries.logits);
  if (set_.several_labels()) figures.area_under_curve = area_under_curve(queries.logits);
}

std::optional<double> Validation::mean_average_precision(const Tensor& distances) const {
  const Tensor alike = relevant_rows();
  const auto distance = distances.accessor<float, 2>();
  const auto relevant = alike.accessor<bool, 2>();
  double sum = 0;
  std::size_t counted = 0;
  for (std::int64_t q = 0; q < distances.size(0); ++q) {
    std::vector<std::int64_t> order(gallery_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return distance[q][a] < distance[q][b]; });
    eval::Ranking ranking;
    for (const auto place : order) {
      ranking.distances.push_back(distance[q][place]);
      ranking.relevant.push_back(relevant[q][place] ? 1 : 0);
    }
    const auto total =
        static_cast<std::size_t>(std::count(ranking.relevant.begin(), ranking.relevant.end(), 1));
    if (total == 0) continue;
    sum += eval::average_precision(ranking, total).expected;
    ++counted;
  }
  return counted == 0 ? std::nullopt : std::optional(sum / static_cast<double>(counted));
}

std::optional<double> Validation::accuracy(const Tensor& logits) const {
  const Tensor labels = set_.labels_of(set_.validation_rows());
  if (set_.several_labels()) {
    return ((logits > 0) == (labels > 0)).to(::torch::kFloat64).mean().item<double>();
  }
  const Tensor labelled = labels.sum(1) > 0;
  const Tensor right = (logits.argmax(1) == labels.argmax(1)).logical_and(labelled);
  const auto count = labelled.sum().item<std::int64_t>();
  if (count == 0) return std::nullopt;
  return static_cast<double>(right.sum().item<std::int64_t>()) / static_cast<double>(count);
}

std::optional<double> Validation::area_under_curve(const Tensor& logits) const {
  const auto columns = [](const Tensor& rows, auto type) { return rows.t().to(type).contiguous(); };
  const Tensor scores = columns(logits, ::torch::kFloat32);
  const Tensor labels = columns(set_.labels_of(set_.validation_rows()) > 0, ::torch::kUInt8);
  const auto rows = static_cast<std::size_t>(labels.size(1));
  double sum = 0;
  double counted = 0;
  for (std::int64_t label = 0; label < labels.size(0); ++label) {
    const auto area = eval::area_under_curve({scores[label].data_ptr<float>(), rows},
                                             {labels[label].data_ptr<std::uint8_t>(), rows});
    const auto positives = area ? labels[label].sum().item<double>() : 0;
    sum += positives * area.value_or(0);
    counted += positives;
  }
  return counted == 0 ? std::nullopt : std::optional(sum / counted);
}

}  // namespace medretrieval::deep
