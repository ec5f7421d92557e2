#include "network_features.hpp"

#include <medretrieval/torch/deep_model.hpp>

#include "progress_line.hpp"

namespace medretrieval::cli {

namespace {

class NetworkFeatures final : public FeatureMaker {
 public:
  explicit NetworkFeatures(deep::DeepModel model) : model_(std::move(model)) {}

  std::string name() const override { return "network " + model_.description().network; }
  FeatureSource source() const override {
    return {std::string(deep::kNetworkFeatures), deep::NetworkExtractor(model_).parameters()};
  }
  std::size_t dimension() const override { return model_.dimension(); }

  ImageFeatures of_files(std::span<const std::filesystem::path> files, int threads) const override {
    auto analysis = model_.analyse_files(files, {}, {.threads = threads, .progress = progress_line()});
    return {std::move(analysis.features), std::move(analysis.posteriors)};
  }
  ImageFeatures of_image(const imaging::Image& image, int threads) const override {
    auto analysis = model_.analyse(std::span(&image, 1), {.threads = threads});
    return {std::move(analysis.features), std::move(analysis.posteriors)};
  }

  bool has_attention() const override { return model_.has_attention(); }
  imaging::Image attention_of(const imaging::Image& image, int threads) const override {
    if (!model_.has_attention()) return FeatureMaker::attention_of(image, threads);
    return std::move(
        model_.analyse(std::span(&image, 1), {.attention = true, .threads = threads}).attention.front());
  }

  const std::vector<std::string>* labels() const override { return &model_.description().labels; }
  bool several_labels() const override { return model_.description().several_labels; }
  std::shared_ptr<const Encoder> encoder() const override { return model_.encoder(); }
  std::shared_ptr<const ClassGate> gate() const override { return model_.gate(); }
  bool has_learned_code() const override { return model_.description().hash_learned; }
  void keep_in(const std::filesystem::path& gallery) const override { model_.save(gallery / kNetworkFile); }

 private:
  deep::DeepModel model_;
};

}  // namespace

std::unique_ptr<FeatureMaker> network_features(const std::filesystem::path& file, const std::string& device) {
  return std::make_unique<NetworkFeatures>(deep::DeepModel::load(file, device));
}

}  // namespace medretrieval::cli
