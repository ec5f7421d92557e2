#include <algorithm>
#include <future>
#include <medretrieval/torch/deep_model.hpp>
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

/// Copies the rows of a batch into a matrix.
void put_rows(const Tensor& rows, Matrix& matrix, std::size_t first, const char* what) {
  const Tensor values = rows.to(::torch::kCPU, ::torch::kFloat32).contiguous();
  if (!::torch::isfinite(values).all().item<bool>()) {
    fail(ErrorCode::unsupported, "network: ", what, " came out that are not finite");
  }
  const float* source = values.data_ptr<float>();
  std::copy(source, source + values.numel(), matrix.row(first).data());
}

/// Runs batches of tensors, made by `load(first, count)` while the network works on the batch before.
template <class Load>
Analysis run_batches(const Network& const_network, const DeepModel& model, ::torch::Device device,
                     std::size_t count, const AnalysisOptions& options, const Load& load) {
  auto& network = const_cast<Network&>(const_network);  // forward() of libtorch is not const
  options.validate();
  const auto& description = model.description();
  Analysis analysis;
  analysis.features = Matrix(count, model.dimension());
  analysis.posteriors = Matrix(count, description.labels.size());
  if (count == 0) return analysis;
  const ThreadScope threads(options.threads);
  const ::torch::InferenceMode inference;
  detail::ProgressCounter progress(options.progress, "analyse", count);
  const auto load_ahead = [&](std::size_t first) {
    return std::async(std::launch::async, [&load, first, count, &options] {
      return load(first, std::min(options.batch, count - first));
    });
  };
  auto next = load_ahead(0);
  for (std::size_t first = 0; first < count; first += options.batch) {
    const Tensor images = next.get().to(device);
    if (first + options.batch < count) next = load_ahead(first + options.batch);
    const NetworkOutput output = translated(description.network, [&] { return network.forward(images); });
    put_rows(output.features, analysis.features, first, "features");
    put_rows(posteriors_of(output.logits, description.several_labels), analysis.posteriors, first,
             "posteriors");
    for (std::int64_t row = 0; options.attention && row < images.size(0); ++row) {
      analysis.attention.push_back(map_image(output.attention[row]));
    }
    progress.add(static_cast<std::size_t>(images.size(0)));
  }
  return analysis;
}

void require_attention(const DeepModel& model, const AnalysisOptions& options) {
  if (options.attention && !model.has_attention()) {
    fail(ErrorCode::invalid_argument, "network '", model.description().network, "' has no attention to show");
  }
}

}  // namespace

Analysis DeepModel::analyse(std::span<const imaging::Image> images, const AnalysisOptions& options) const {
  require_attention(*this, options);
  const auto side = state_->description.side;
  return run_batches(*state_->network, *this, state_->device, images.size(), options,
                     [&](std::size_t first, std::size_t count) {
                       std::vector<Tensor> rows;
                       for (std::size_t i = 0; i < count; ++i)
                         rows.push_back(resized(images[first + i], side));
                       return ::torch::stack(rows).unsqueeze(1);
                     });
}

Analysis DeepModel::analyse_files(std::span<const std::filesystem::path> files,
                                  const imaging::LoadOptions& load, const AnalysisOptions& options) const {
  require_attention(*this, options);
  const auto side = state_->description.side;
  return run_batches(*state_->network, *this, state_->device, files.size(), options,
                     [&](std::size_t first, std::size_t count) {
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
