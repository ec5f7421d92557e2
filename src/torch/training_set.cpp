#include "torch/training_set.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"
#include "torch/image_tensor.hpp"

namespace medretrieval::deep {

using detail::fail;

namespace {

void check_sizes(const TrainingImages& images) {
  if (!images.load) fail(ErrorCode::invalid_argument, "training: expected a function that loads images");
  if (images.labels.size() < 2 || images.patients.size() != images.labels.size()) {
    fail(ErrorCode::invalid_argument, "training: expected at least two rows with labels and patients, got ",
         images.labels.size(), " and ", images.patients.size());
  }
  if (!images.sources.empty() && images.sources.size() != images.labels.size()) {
    fail(ErrorCode::invalid_argument, "training: expected a source for each of ", images.labels.size(),
         " rows or none, got ", images.sources.size());
  }
}

std::vector<std::string> names_of(const TrainingOptions& options, const TrainingImages& images) {
  if (!options.labels.empty()) return options.labels;
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const auto& row : images.labels) {
    for (const auto& label : row) {
      if (seen.insert(label).second) names.push_back(label);
    }
  }
  return names;
}

/// A number that follows from seed and text alone.
std::uint64_t draw_of(const std::string& text, std::uint64_t seed) {
  const auto hash = Fingerprint::of(std::as_bytes(std::span(text.data(), text.size())));
  return detail::Random(hash.low ^ (seed * 0x9e3779b97f4a7c15ULL)).next();
}

}  // namespace

TrainingSet::TrainingSet(const TrainingOptions& options, const TrainingImages& images, std::size_t side)
    : images_(images), augmentation_(options.augmentation), side_(side) {
  check_sizes(images);
  set_labels(names_of(options, images));
  split(options.validation_share, options.seed);
  const std::size_t copies = images.load_target ? 2 : 1;
  cached_ = images.labels.size() * copies * side * side * sizeof(float) <= options.cache_bytes;
  if (cached_) {
    cache_.resize(images.labels.size());
    target_cache_.resize(images.load_target ? images.labels.size() : 0);
  }
}

void TrainingSet::set_labels(const std::vector<std::string>& names) {
  const LabelVocabulary vocabulary(names);
  if (vocabulary.size() < 2) {
    fail(ErrorCode::invalid_argument, "training: expected at least two labels, got ", vocabulary.size());
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (detail::is_utf8(names[i])) continue;
    fail(ErrorCode::invalid_argument, "training: expected labels in UTF-8, got other bytes in label ", i + 1,
         " of ", names.size());
  }
  const LabelSets sets(vocabulary, images_.labels);
  label_names_ = names;
  several_labels_ = sets.has_several();
  labels_ = ::torch::zeros({static_cast<std::int64_t>(sets.rows()), static_cast<std::int64_t>(names.size())});
  auto values = labels_.accessor<float, 2>();
  for (std::size_t row = 0; row < sets.rows(); ++row) {
    for (const auto label : sets.row(row)) values[static_cast<std::int64_t>(row)][label] = 1;
  }
}

// Units (patients; rows of unknown patient alone) in the order of a hash; the first ones are held out.
void TrainingSet::split(double validation_share, std::uint64_t seed) {
  std::map<std::string, std::vector<std::size_t>> units;
  for (std::size_t row = 0; row < images_.labels.size(); ++row) {
    const auto& patient = images_.patients[row];
    units[patient.empty() ? "row " + std::to_string(row) : "patient " + patient].push_back(row);
  }
  std::vector<std::pair<std::uint64_t, const std::vector<std::size_t>*>> order;
  for (const auto& [name, rows] : units) order.emplace_back(draw_of(name, seed), &rows);
  std::sort(order.begin(), order.end());
  const auto held_out = static_cast<std::size_t>(validation_share * static_cast<double>(order.size()) + 0.5);
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& side = i < held_out ? validation_rows_ : training_rows_;
    side.insert(side.end(), order[i].second->begin(), order[i].second->end());
  }
  std::sort(training_rows_.begin(), training_rows_.end());
  std::sort(validation_rows_.begin(), validation_rows_.end());
  if (training_rows_.empty()) fail(ErrorCode::invalid_argument, "training: no patient is left to learn from");
}

Tensor places(std::span<const std::size_t> rows) {
  return ::torch::tensor(std::vector<std::int64_t>(rows.begin(), rows.end()));
}

Tensor TrainingSet::labels_of(std::span<const std::size_t> rows) const {
  return labels_.index_select(0, places(rows));
}

Tensor TrainingSet::pixels(std::size_t row, const Load& load, std::vector<Tensor>& cache) const {
  if (cached_ && cache[row].defined()) return cache[row];
  Tensor image = resized(load(row), side_);
  if (cached_) cache[row] = image;
  return image;
}

Tensor TrainingSet::gather(std::span<const std::size_t> rows, std::size_t epoch, int threads,
                           const Load& load, std::vector<Tensor>& cache) const {
  std::vector<Tensor> images(rows.size());
  detail::parallel_for(rows.size(), threads, [&](std::size_t i) {
    images[i] = pixels(rows[i], load, cache);
    if (epoch == 0 || !augmentation_) return;
    images[i] = resized(imaging::augment(to_image(images[i]), rows[i], epoch, *augmentation_), side_);
  });
  return ::torch::stack(images).unsqueeze(1);
}

Tensor TrainingSet::batch(std::span<const std::size_t> rows, std::size_t epoch, int threads) const {
  return gather(rows, epoch, threads, images_.load, cache_);
}

Tensor TrainingSet::targets(std::span<const std::size_t> rows, std::size_t epoch, int threads) const {
  return gather(rows, epoch, threads, images_.load_target, target_cache_);
}

}  // namespace medretrieval::deep
