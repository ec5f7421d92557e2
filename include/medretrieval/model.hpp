/// \file
/// A Model: everything a gallery needs to turn an image's features into an answer.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/class_gate.hpp>
#include <medretrieval/coarse_quantizer.hpp>
#include <medretrieval/encoder.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/stored_features.hpp>

namespace medretrieval {

/// Where the features come from. The library does not interpret it; medretrieval::imaging does.
struct FeatureSource {
  std::string name;        ///< a registered extractor, or empty: the application computes the features itself
  std::string parameters;  ///< of the extractor, a JSON object

  bool operator==(const FeatureSource&) const = default;
};

/// What a model is made of.
struct ModelParts {
  std::size_t dimension = 0;  ///< of the features, 1 to kMaxDimension
  FeatureSource feature_source = {};
  std::shared_ptr<const Encoder> encoder = {};  ///< null: exact search only
  /// Null: no inverted lists. With them a product encoder codes residuals: the features minus the centroid of their
  /// list; it must have been trained on such. Binary codes stay those of the features.
  std::shared_ptr<const CoarseQuantizer> lists = {};
  FeatureType stored_features = FeatureType::float32;  ///< how galleries keep them
  std::shared_ptr<const ClassGate> gate = {};          ///< null: no class gate
  LabelVocabulary labels = {};                         ///< every label that items may carry
};

/// Immutable, cheap to copy, thread-safe. Two models with equal fingerprints answer alike.
class Model {
 public:
  /// \throws Error (incompatible) when the dimension of encoder, lists or gate or the gate's number of classes does
  ///        not fit; invalid_argument (lists without an encoder).
  explicit Model(ModelParts parts);

  std::size_t dimension() const noexcept { return parts_->dimension; }
  const FeatureSource& feature_source() const noexcept { return parts_->feature_source; }
  const Encoder* encoder() const noexcept { return parts_->encoder.get(); }
  const CoarseQuantizer* lists() const noexcept { return parts_->lists.get(); }
  /// Whether codes are those of residuals.
  bool codes_residuals() const noexcept;
  FeatureType stored_features() const noexcept { return parts_->stored_features; }
  const ClassGate* gate() const noexcept { return parts_->gate.get(); }
  const LabelVocabulary& labels() const noexcept { return parts_->labels; }
  const Fingerprint& fingerprint() const noexcept { return fingerprint_; }
  /// To make a model that differs in a part.
  const ModelParts& parts() const noexcept { return *parts_; }

  /// The codes of a gallery's items, of residuals where the model says so.
  /// \param item_lists the list of every row; empty without lists
  /// \throws Error as Encoder::encode() and CoarseQuantizer::residuals(); invalid_argument without an encoder.
  Codes encode(MatrixView features, std::span<const std::uint32_t> item_lists, int threads = 0,
               const Progress& progress = {}) const;

  std::vector<std::byte> to_bytes() const;
  /// \throws Error corrupt, unsupported (a newer format), not_found (an encoder type that is not registered).
  static Model from_bytes(std::span<const std::byte> bytes);

 private:
  std::shared_ptr<const ModelParts> parts_;
  Fingerprint fingerprint_;
};

/// What train_model learns, and how.
struct ModelOptions {
  FeatureSource feature_source = {};
  std::optional<EncoderOptions> encoder = {};
  std::optional<ListOptions> lists = {};  ///< none: the pool is found by a scan; they need an encoder
  FeatureType stored_features = FeatureType::float32;
  bool gate = true;  ///< learn a class gate when there are at least two labels
  GateTraining gate_training = {};
  /// The vocabulary. Empty: the labels of the training rows in order of first appearance.
  std::vector<std::string> labels = {};
  int threads = 0;  ///< 0: all
  Progress progress = {};
};

/// The rows to learn from.
struct TrainingRows {
  MatrixView features;
  std::span<const std::vector<std::string>> labels = {};  ///< one a row, or empty
  std::span<const std::string> patients = {};             ///< one a row, or empty
};

/// Trains encoder and gate. Nothing but `rows` enters.
/// \throws Error invalid_argument, not_found (a label outside ModelOptions::labels), cancelled.
Model train_model(const ModelOptions& options, const TrainingRows& rows);

}  // namespace medretrieval
