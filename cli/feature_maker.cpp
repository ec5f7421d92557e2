#include "feature_maker.hpp"

#include <algorithm>

#include "network_features.hpp"
#include "progress_line.hpp"

namespace medretrieval::cli {

namespace {

constexpr const char* kNetworkSource = "network";  // FeatureSource::name of deep networks

class ExtractedFeatures final : public FeatureMaker {
 public:
  ExtractedFeatures(std::string_view name, std::string_view parameters)
      : extractor_(imaging::make_feature_extractor(name, parameters)) {}

  std::string name() const override { return std::string(extractor_->name()); }
  FeatureSource source() const override { return {name(), extractor_->parameters()}; }
  std::size_t dimension() const override { return extractor_->dimension(); }

  ImageFeatures of_files(std::span<const std::filesystem::path> files, int threads) const override {
    return {imaging::extract_features(*extractor_, files, {}, threads, progress_line()), {}};
  }
  ImageFeatures of_image(const imaging::Image& image, int /*threads*/) const override {
    Matrix feature(1, dimension());
    extractor_->extract(image, feature.row(0));
    return {std::move(feature), {}};
  }

 private:
  std::unique_ptr<imaging::FeatureExtractor> extractor_;
};

}  // namespace

imaging::Image FeatureMaker::attention_of(const imaging::Image& /*image*/, int /*threads*/) const {
  throw Error(ErrorCode::unsupported, "features of '" + name() + "' come with no map of where they look");
}

std::unique_ptr<FeatureMaker> FeatureMaker::chosen(const FeatureChoice& choice) {
  if (!choice.network.empty()) return network_features(choice.network, "cpu");
  return std::make_unique<ExtractedFeatures>(choice.name, choice.parameters);
}

std::unique_ptr<FeatureMaker> FeatureMaker::of_gallery(const std::filesystem::path& gallery,
                                                       const Model& model) {
  const auto& source = model.feature_source();
  if (source.name.empty()) {
    throw Error(
        ErrorCode::unsupported,
        "this gallery's features were computed by an application; images cannot be turned into them here");
  }
  if (source.name != kNetworkSource)
    return std::make_unique<ExtractedFeatures>(source.name, source.parameters);
  auto network = network_features(gallery / kNetworkFile, "cpu");
  if (network->source() != source) {
    throw Error(ErrorCode::incompatible, (gallery / kNetworkFile).string() + ": expected the network " +
                                             source.parameters + " that made the gallery's features, got " +
                                             network->source().parameters);
  }
  return network;
}

ModelParts parts_of_network(const FeatureMaker& network) {
  ModelParts parts;
  parts.dimension = network.dimension();
  parts.feature_source = network.source();
  parts.labels = LabelVocabulary(*network.labels());
  parts.encoder = network.encoder();
  parts.gate = network.gate();
  return parts;
}

}  // namespace medretrieval::cli
