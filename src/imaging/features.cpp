#include <atomic>
#include <map>
#include <medretrieval/imaging/features.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/classical_features.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

using Factory = std::unique_ptr<FeatureExtractor> (*)(const nlohmann::json&);

// A new extractor is one line here.
const std::map<std::string_view, Factory>& registry() {
  static const std::map<std::string_view, Factory> kFactories = {{kClassicalName, make_classical_features}};
  return kFactories;
}

/// Progress of a parallel loop: counts, reports from one thread at a time, and remembers a cancellation.
class Reporter {
 public:
  Reporter(const Progress& progress, std::size_t total) : progress_(progress), total_(total) {}

  void one_done() {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    if (!cancelled_ && !progress_({"extract", ++done_, total_})) cancelled_ = true;
  }
  bool is_cancelled() const noexcept { return cancelled_; }

 private:
  const Progress& progress_;
  std::size_t total_;
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::atomic<bool> cancelled_{false};
};

/// The error of the lowest index. Indices below it are still tried, so that it is the same on every run.
class FirstError {
 public:
  bool is_before(std::size_t index) const noexcept { return lowest_ < index; }
  void keep(std::size_t index, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (index >= lowest_) return;
    lowest_ = index;
    error_ = std::move(error);
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::atomic<std::size_t> lowest_{SIZE_MAX};
  std::exception_ptr error_;
};

}  // namespace

std::unique_ptr<FeatureExtractor> make_feature_extractor(std::string_view name, std::string_view parameters) {
  const auto found = registry().find(name);
  if (found == registry().end()) {
    std::string known;
    for (const auto& [known_name, factory] : registry())
      known += detail::concat(known.empty() ? "" : ", ", known_name);
    fail(ErrorCode::not_found, "no feature extractor \"", name, "\"; there are: ", known);
  }
  const nlohmann::json json = nlohmann::json::parse(parameters, nullptr, false);
  if (!json.is_object()) {
    fail(ErrorCode::invalid_argument, "the parameters of ", name, " are no JSON object: ", parameters);
  }
  return found->second(json);
}

std::vector<std::string> feature_extractor_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : registry()) names.emplace_back(name);
  return names;
}

Matrix extract_features(const FeatureExtractor& extractor, std::span<const std::filesystem::path> files,
                        const LoadOptions& options, int threads, const Progress& progress) {
  Matrix features(files.size(), extractor.dimension());
  Reporter reporter(progress, files.size());
  FirstError first_error;
  detail::parallel_for(files.size(), threads, [&](std::size_t i) {
    if (reporter.is_cancelled() || first_error.is_before(i)) return;
    try {
      const Image image = load_image(files[i], options);
      naming_file(files[i], [&] { extractor.extract(image, features.row(i)); });
    } catch (...) {
      first_error.keep(i, std::current_exception());
      return;
    }
    reporter.one_done();
  });
  if (reporter.is_cancelled()) fail(ErrorCode::cancelled, "feature extraction was cancelled");
  first_error.rethrow();
  return features;
}

}  // namespace medretrieval::imaging
