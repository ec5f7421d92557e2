#include <medretrieval/model.hpp>

#include <set>

#include "base/concat.hpp"
#include "base/reading.hpp"
#include "base/storage_version.hpp"

namespace medretrieval {

using detail::fail;

namespace {
constexpr std::size_t kMaxParameterText = 1 << 20;
}  // namespace

Model::Model(ModelParts parts) {
  if (parts.dimension == 0 || parts.dimension > kMaxDimension) {
    fail(ErrorCode::invalid_argument, "model: expected 1 to ", kMaxDimension, " dimensions, got ",
         parts.dimension);
  }
  if (parts.encoder && parts.encoder->dimension() != parts.dimension) {
    fail(ErrorCode::incompatible, "model: expected an encoder over ", parts.dimension, " dimensions, got '",
         parts.encoder->type(), "' over ", parts.encoder->dimension());
  }
  if (parts.lists && !parts.encoder) {
    fail(ErrorCode::invalid_argument, "model: inverted lists need an encoder");
  }
  if (parts.lists && parts.lists->dimension() != parts.dimension) {
    fail(ErrorCode::incompatible, "model: expected lists over ", parts.dimension, " dimensions, got ",
         parts.lists->dimension());
  }
  if (parts.gate && parts.gate->has_classifier() && parts.gate->dimension() != parts.dimension) {
    fail(ErrorCode::incompatible, "model: expected a gate over ", parts.dimension, " dimensions, got ",
         parts.gate->dimension());
  }
  if (parts.gate && parts.gate->class_count() != parts.labels.size()) {
    fail(ErrorCode::incompatible, "model: expected a gate over the ", parts.labels.size(), " labels, got ",
         parts.gate->class_count(), " classes");
  }
  if (parts.feature_source.parameters.size() > kMaxParameterText) {
    fail(ErrorCode::limit_exceeded, "model: feature parameters of more than ", kMaxParameterText, " bytes");
  }
  parts_ = std::make_shared<const ModelParts>(std::move(parts));
  fingerprint_ = Fingerprint::of(to_bytes());
}

bool Model::codes_residuals() const noexcept {
  return lists() != nullptr && encoder()->layout().kind() == CodeKind::product;
}

Codes Model::encode(MatrixView features, std::span<const std::uint32_t> item_lists, int threads,
                    const Progress& progress) const {
  if (encoder() == nullptr) fail(ErrorCode::invalid_argument, "model: it has no encoder");
  if (!codes_residuals()) return encoder()->encode(features, threads, progress);
  return encoder()->encode(lists()->residuals(features, item_lists), threads, progress);
}

std::vector<std::byte> Model::to_bytes() const {
  ByteWriter writer;
  writer.text("MRMODEL");
  const std::uint32_t version = detail::storage_version(lists() != nullptr, stored_features());
  writer.number(version);
  writer.number<std::uint64_t>(dimension());
  writer.text(feature_source().name);
  writer.text(feature_source().parameters);
  writer.number<std::uint64_t>(labels().size());
  for (const auto& name : labels().names()) writer.text(name);
  writer.bytes(encoder() != nullptr ? encoder()->to_bytes() : std::vector<std::byte>());
  writer.number(static_cast<std::uint8_t>(gate() != nullptr));
  if (gate() != nullptr) gate()->write(writer);
  if (version == 1) return writer.take();
  writer.number(static_cast<std::uint8_t>(stored_features()));
  writer.number(static_cast<std::uint8_t>(lists() != nullptr));
  if (lists() != nullptr) lists()->write(writer);
  return writer.take();
}

namespace {

ModelParts read_parts(ByteReader& reader) {
  if (reader.text() != "MRMODEL") reader.corrupt("the bytes do not begin with the mark of a model");
  const auto version = reader.number<std::uint32_t>();
  if (version == 0 || version > detail::kStorageVersion) {
    fail(ErrorCode::unsupported, "model: this build reads format versions 1 to ", detail::kStorageVersion,
         ", got ", version);
  }
  ModelParts parts;
  parts.dimension = reader.number<std::uint64_t>();
  parts.feature_source.name = reader.text();
  parts.feature_source.parameters = reader.text();
  std::vector<std::string> names;
  const auto count = reader.number<std::uint64_t>();
  if (count > LabelVocabulary::kMaxLabels)
    reader.corrupt(detail::concat("a vocabulary of ", count, " labels"));
  for (std::uint64_t i = 0; i < count; ++i) names.push_back(reader.text());
  parts.labels = LabelVocabulary(std::move(names));
  if (const auto encoder = reader.bytes(); !encoder.empty()) parts.encoder = load_encoder(encoder);
  if (reader.number<std::uint8_t>() != 0)
    parts.gate = std::make_shared<const ClassGate>(ClassGate::read(reader));
  if (version > 1) {
    parts.stored_features = detail::read_feature_type(reader, version);
    if (reader.number<std::uint8_t>() != 0) {
      parts.lists = std::make_shared<const CoarseQuantizer>(CoarseQuantizer::read(reader));
    }
  }
  reader.expect_end();
  return parts;
}

}  // namespace

Model Model::from_bytes(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, "model");
  return detail::reading("model", [&] { return Model(read_parts(reader)); });
}

namespace {

LabelVocabulary vocabulary_of(const ModelOptions& options, const TrainingRows& rows) {
  if (!options.labels.empty()) return LabelVocabulary(options.labels);
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const auto& row : rows.labels) {
    for (const auto& label : row) {
      if (seen.insert(label).second) names.push_back(label);
    }
  }
  return LabelVocabulary(std::move(names));
}

/// Product encoders under lists learn from residuals.
std::shared_ptr<const Encoder> train_coder(const EncoderOptions& encoder, const CoarseQuantizer* lists,
                                           const TrainingRows& rows, const LabelSets& labels,
                                           const ModelOptions& options) {
  TrainingSet data = {rows.features, rows.labels.empty() ? nullptr : &labels, options.threads,
                      options.progress};
  if (lists == nullptr || encoder_type(encoder.type).codes != CodeKind::product)
    return train_encoder(encoder, data);
  const Matrix residuals = lists->residuals(rows.features, lists->assign(rows.features, options.threads));
  data.features = residuals;
  return train_encoder(encoder, data);
}

}  // namespace

Model train_model(const ModelOptions& options, const TrainingRows& rows) {
  require_features(rows.features, "training features");
  if (!rows.labels.empty() && rows.labels.size() != rows.features.rows()) {
    fail(ErrorCode::invalid_argument, "model: expected labels for ", rows.features.rows(),
         " training rows, got ", rows.labels.size());
  }
  ModelParts parts;
  parts.dimension = rows.features.cols();
  parts.feature_source = options.feature_source;
  parts.stored_features = options.stored_features;
  parts.labels = vocabulary_of(options, rows);
  const LabelSets labels(parts.labels, rows.labels);
  if (options.lists) {
    if (!options.encoder) fail(ErrorCode::invalid_argument, "model: inverted lists need an encoder");
    parts.lists = std::make_shared<const CoarseQuantizer>(
        CoarseQuantizer::train(rows.features, *options.lists, options.threads));
  }
  if (options.encoder)
    parts.encoder = train_coder(*options.encoder, parts.lists.get(), rows, labels, options);
  if (options.gate && parts.labels.size() >= 2 && !rows.labels.empty()) {
    GateTraining training = options.gate_training;
    if (training.threads == 0) training.threads = options.threads;
    if (!training.progress) training.progress = options.progress;
    parts.gate = std::make_shared<const ClassGate>(
        ClassGate::train(rows.features, labels, parts.labels.size(), rows.patients, training));
  }
  return Model(std::move(parts));
}

}  // namespace medretrieval
