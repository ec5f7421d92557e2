/// \file
/// Encoders: trained, immutable maps from feature vectors to compact codes, and the open list of their types.
///
/// To add one, see CONTRIBUTING.md: a source file that defines an EncoderType, its test, and one line in
/// src/encoders/registry.cpp (or register_encoder_type() from an application).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/bytes.hpp>
#include <medretrieval/codes.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/parameters.hpp>
#include <medretrieval/progress.hpp>
#include <medretrieval/scorer.hpp>

namespace medretrieval {

/// Turns feature vectors into codes of one layout and queries into scorers of such codes.
/// Always trained; immutable; every function may be called from several threads at once.
/// The same features give the same codes on every instruction set and at any thread count.
class Encoder {
 public:
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// The registered type name, for example "itq".
  const std::string& type() const noexcept { return type_; }
  /// All options of the training, defaults included.
  const Parameters& parameters() const noexcept { return parameters_; }
  /// Width of the feature vectors.
  std::size_t dimension() const noexcept { return dimension_; }
  const CodeLayout& layout() const noexcept { return layout_; }

  /// Row i of the result is the code of row i. Zero rows give zero codes.
  /// \param threads 0: all
  /// \throws Error (invalid_argument) when the width differs or a value is not finite (see require_features),
  ///        cancelled.
  Codes encode(MatrixView features, int threads = 0, const Progress& progress = {}) const;

  /// Prepares queries: their codes for Hamming distance, or their lookup tables for asymmetric distance. Does
  /// not keep `queries`.
  /// \throws Error as encode().
  std::unique_ptr<QueryScorer> scorer(MatrixView queries) const;

  /// Where the bits of a binary code lie in a row, ascending. Most have bits 0 to layout().bits() - 1; joint codes
  /// begin each slice at a new word, and what lies between is always 0.
  virtual std::vector<std::size_t> bit_places() const;

  /// The feature vectors that the codes stand for, for encoders that quantize.
  /// \throws Error unsupported (binary codes cannot be decoded), incompatible (another layout).
  Matrix reconstruct(const CodesView& codes) const;

  /// Everything needed by load_encoder(); the same on every machine.
  std::vector<std::byte> to_bytes() const;
  /// Of to_bytes(): encoders with equal fingerprints give equal codes.
  Fingerprint fingerprint() const;

 protected:
  Encoder(std::string type, Parameters parameters, std::size_t dimension, const CodeLayout& layout);

 private:
  /// Encodes checked features into the rows of `codes` from `first_row`, a multiple of 64. Called from
  /// several threads.
  virtual void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const = 0;
  /// For checked queries.
  virtual std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const = 0;
  /// For codes of layout(). The default throws unsupported.
  virtual Matrix reconstruct_rows(const CodesView& codes) const;
  /// What EncoderType::load reads.
  virtual void write_state(ByteWriter& writer) const = 0;

  std::string type_;
  Parameters parameters_;
  std::size_t dimension_;
  CodeLayout layout_;
};

/// What an encoder learns from.
struct TrainingSet {
  MatrixView features = {};
  /// One row each, or null: only supervised encoders need labels.
  const LabelSets* labels = nullptr;
  int threads = 0;  ///< 0: all
  Progress progress = {};
};

/// A registered kind of encoder.
struct EncoderType {
  std::string name;
  std::string description;          ///< one line, with the paper
  std::vector<OptionSpec> options;  ///< their schema
  /// Makes a trained encoder from complete, checked parameters and checked features.
  std::function<std::shared_ptr<const Encoder>(const Parameters&, const TrainingSet&)> train;
  /// Reads what write_state() wrote.
  std::function<std::shared_ptr<const Encoder>(const Parameters&, ByteReader&)> load;
  CodeKind codes =
      CodeKind::binary;  ///< what its encoders make; under inverted lists product codes are of residuals
};

/// Which encoder, with which options; those left out take the defaults of the type.
/// \code
///   auto encoder = train_encoder({"itq", {{"bits", 64}}}, {features});
/// \endcode
struct EncoderOptions {
  std::string type;
  Parameters parameters;

  /// \throws Error not_found (no such type), invalid_argument (see complete_parameters).
  void validate() const;
};

/// Trains an encoder. Repeatable: the same data and options give the same bytes at any thread count.
/// \throws Error not_found (type), invalid_argument (options, features, too few rows), cancelled.
std::shared_ptr<const Encoder> train_encoder(const EncoderOptions& options, const TrainingSet& data);

/// Reads an encoder from to_bytes().
/// \throws Error corrupt, unsupported (a newer format), not_found (a type this program has not registered).
std::shared_ptr<const Encoder> load_encoder(std::span<const std::byte> bytes);

/// The registered types, built-in ones first.
std::vector<std::string> encoder_type_names();
/// \throws Error (not_found) that lists the registered types.
const EncoderType& encoder_type(std::string_view name);
/// Adds a type of the application's own. Thread-safe. The type stays until the program ends.
/// \throws Error already_exists (the name is taken), invalid_argument (no name, train or load).
void register_encoder_type(EncoderType type);

/// Hash head of deep hashing (paper 001, section 1.4): h = sigmoid(W f + b), bit = h > 0.5, from trained
/// weights.
/// \param weights bits x dimension
/// \param bias one for each bit
/// \throws Error (invalid_argument) when the shapes do not fit or a value is not finite.
std::shared_ptr<const Encoder> make_hash_head(MatrixView weights, std::span<const float> bias);

/// One slice of a joint encoder.
struct JointSlice {
  std::size_t first_column = 0;            ///< of the concatenated feature
  std::shared_ptr<const Encoder> encoder;  ///< binary; its dimension is the slice's width
  std::uint32_t weight = 1;                ///< of its Hamming distance in the sum, 1 to 65,535
};

/// Joint distance over several feature layers (paper 003, equation 22, read as the sum of the layers' Hamming
/// distances for each candidate): one encoder over slices of a concatenated feature, an integer weight for
/// each.
/// \throws Error (invalid_argument) without slices, for slices that are not binary, and when the largest
///        possible distance reaches 2^24.
std::shared_ptr<const Encoder> make_joint_encoder(std::vector<JointSlice> slices);

}  // namespace medretrieval
