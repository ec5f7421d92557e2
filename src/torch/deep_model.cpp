#include <algorithm>
#include <medretrieval/torch/deep_model.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/image_tensor.hpp"
#include "torch/libtorch_errors.hpp"
#include "torch/thread_scope.hpp"

namespace medretrieval::deep {

using detail::fail;

void AnalysisOptions::validate() const {
  if (batch == 0 || batch > 65'536) {
    fail(ErrorCode::invalid_argument, "analysis: expected a batch of 1 to 65,536 images, got ", batch);
  }
}

const NetworkDescription& DeepModel::description() const noexcept {
  return state_->description;
}
const Fingerprint& DeepModel::fingerprint() const noexcept {
  return state_->fingerprint;
}
std::size_t DeepModel::dimension() const noexcept {
  return state_->encoder->dimension();
}
const std::shared_ptr<const Encoder>& DeepModel::encoder() const noexcept {
  return state_->encoder;
}
const std::shared_ptr<const ClassGate>& DeepModel::gate() const noexcept {
  return state_->gate;
}
bool DeepModel::has_attention() const noexcept {
  return state_->has_attention;
}

Tensor posteriors_of(const Tensor& logits, bool several_labels) {
  return several_labels ? ::torch::sigmoid(logits) : ::torch::softmax(logits, 1);
}

namespace {

constexpr std::size_t kLeastBatch = 8;

/// Copies the rows of a batch into a matrix.
void put_rows(const Tensor& rows, Matrix& matrix, std::size_t first, const char* what) {
  const Tensor values = rows.to(::torch::kCPU, ::torch::kFloat32).contiguous();
  if (!::torch::isfinite(values).all().item<bool>()) {
    fail(ErrorCode::unsupported, "network: ", what, " came out that are not finite");
  }
  const float* source = values.data_ptr<float>();
  std::copy(source, source + values.numel(), matrix.row(first).data());
}

/// Images of a pass. On the processor every thread runs one: `options.batch` over all threads together, but enough to be
/// worth a pass where there are as many images.
std::size_t batch_of_pass(std::size_t count, const AnalysisOptions& options, bool on_processor) {
  if (!on_processor) return options.batch;
  const auto threads = static_cast<std::size_t>(detail::resolve_threads(options.threads));
  const std::size_t share = std::max(options.batch / threads, std::min(options.batch, kLeastBatch));
  return std::min(share, (count + threads - 1) / threads);
}

/// Runs a network on a batch at a time in every thread; a lone batch has all threads within. On another device than the
/// processor batches are loaded side by side and run one after the other.
class BatchRunner {
 public:
  BatchRunner(const Network& network, const DeepModel& model, ::torch::Device device)
      : network_(const_cast<Network&>(network)), model_(model), device_(device) {}  // forward() is not const

  /// \param load makes the tensor of images `first` to `first + count`
  template <class Load>
  Analysis run(std::size_t count, const AnalysisOptions& options, const Load& load) {
    options.validate();
    Analysis analysis;
    analysis.features = Matrix(count, model_.dimension());
    analysis.posteriors = Matrix(count, model_.description().labels.size());
    analysis.attention.resize(options.attention ? count : 0);
    if (count == 0) return analysis;
    const ThreadScope threads(options.threads);
    detail::ProgressCounter progress(options.progress, "analyse", count);
    const std::size_t batch = batch_of_pass(count, options, device_.is_cpu());
    detail::parallel_for((count + batch - 1) / batch, options.threads, [&](std::size_t number) {
      const std::size_t first = number * batch;
      const std::size_t images = std::min(batch, count - first);
      translated(model_.description().network, [&] {
        const ::torch::InferenceMode inference;
        put(forward(load(first, images)), first, analysis);
      });
      progress.add(images);
    });
    return analysis;
  }

 private:
  NetworkOutput forward(const Tensor& images) {
    std::unique_lock lock(device_mutex_, std::defer_lock);
    if (!device_.is_cpu()) lock.lock();
    return network_.forward(images.to(device_));
  }

  void put(const NetworkOutput& output, std::size_t first, Analysis& analysis) const {
    put_rows(output.features, analysis.features, first, "features");
    put_rows(posteriors_of(output.logits, model_.description().several_labels), analysis.posteriors, first,
             "posteriors");
    if (analysis.attention.empty()) return;
    for (std::int64_t row = 0; row < output.attention.size(0); ++row) {
      analysis.attention[first + static_cast<std::size_t>(row)] = map_image(output.attention[row]);
    }
  }

  Network& network_;
  const DeepModel& model_;
  ::torch::Device device_;
  std::mutex device_mutex_;
};

void require_attention(const DeepModel& model, const AnalysisOptions& options) {
  if (options.attention && !model.has_attention()) {
    fail(ErrorCode::invalid_argument, "network '", model.description().network, "' has no attention to show");
  }
}

}  // namespace

Analysis DeepModel::analyse(std::span<const imaging::Image> images, const AnalysisOptions& options) const {
  require_attention(*this, options);
  const auto side = state_->description.side;
  return BatchRunner(*state_->network, *this, state_->device)
      .run(images.size(), options, [&](std::size_t first, std::size_t count) {
        std::vector<Tensor> rows;
        for (std::size_t i = 0; i < count; ++i) rows.push_back(resized(images[first + i], side));
        return ::torch::stack(rows).unsqueeze(1);
      });
}

Analysis DeepModel::analyse_files(std::span<const std::filesystem::path> files,
                                  const imaging::LoadOptions& load, const AnalysisOptions& options) const {
  require_attention(*this, options);
  const auto side = state_->description.side;
  return BatchRunner(*state_->network, *this, state_->device)
      .run(files.size(), options, [&](std::size_t first, std::size_t count) {
        std::vector<Tensor> rows(count);
        detail::parallel_for(count, options.threads, [&](std::size_t i) {
          rows[i] = resized(imaging::load_image(files[first + i], load), side);
        });
        return ::torch::stack(rows).unsqueeze(1);
      });
}

std::string NetworkExtractor::parameters() const {
  return nlohmann::json({{"fingerprint", model_.fingerprint().to_string()}}).dump();
}

void NetworkExtractor::extract(const imaging::Image& image, std::span<float> feature) const {
  if (feature.size() != dimension()) {
    fail(ErrorCode::invalid_argument, "network: expected room for ", dimension(), " values, got ",
         feature.size());
  }
  const Analysis analysis = model_.analyse(std::span(&image, 1), {.threads = 1});
  const auto row = analysis.features.row(0);
  std::copy(row.begin(), row.end(), feature.begin());
}

}  // namespace medretrieval::deep
