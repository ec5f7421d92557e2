// Images to features, by an extractor or by a trained network, which gives class posteriors too.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/features.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/model.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "search_options.hpp"

namespace medretrieval::cli {

/// What is computed of images, a row each.
struct ImageFeatures {
  Matrix features;
  Matrix posteriors;  ///< of every class; no rows where no network made the features
};

class FeatureMaker {
 public:
  virtual ~FeatureMaker() = default;

  /// As --features or --network say.
  /// \throws Error (unsupported) for a network in a build without libtorch.
  static std::unique_ptr<FeatureMaker> chosen(const FeatureChoice& choice);
  /// As a gallery's features were made.
  /// \throws Error unsupported (an application made them; a network in a build without libtorch), not_found and
  ///        incompatible (a network file that is not there or another).
  static std::unique_ptr<FeatureMaker> of_gallery(const std::filesystem::path& gallery, const Model& model);

  /// For people, for example "classical".
  virtual std::string name() const = 0;
  /// What a model stores of it.
  virtual FeatureSource source() const = 0;
  virtual std::size_t dimension() const = 0;
  virtual ImageFeatures of_files(std::span<const std::filesystem::path> files, int threads) const = 0;
  virtual ImageFeatures of_image(const imaging::Image& image, int threads) const = 0;

  virtual bool has_attention() const { return false; }
  /// Where a network looked, 0 to 1, as many pixels as it has places.
  /// \throws Error (unsupported) where it has no such map.
  virtual imaging::Image attention_of(const imaging::Image& image, int threads) const;

  /// The classes, code and gate of a network; of others there are none.
  virtual const std::vector<std::string>* labels() const { return nullptr; }
  /// Whether a network's posteriors are of labels of which an image may have several.
  virtual bool several_labels() const { return false; }
  virtual std::shared_ptr<const Encoder> encoder() const { return nullptr; }
  virtual std::shared_ptr<const ClassGate> gate() const { return nullptr; }
  /// Whether a training shaped that code.
  virtual bool has_learned_code() const { return false; }
  /// Puts what of_gallery() needs into the folder of a gallery.
  virtual void keep_in(const std::filesystem::path& /*gallery*/) const {}
};

/// What a network brings along: its features, classes, code and gate.
ModelParts parts_of_network(const FeatureMaker& network);

}  // namespace medretrieval::cli
