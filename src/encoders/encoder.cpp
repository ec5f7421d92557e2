#include <algorithm>
#include <medretrieval/encoder.hpp>
#include <numeric>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "base/reading.hpp"
#include "encoders/stored_type.hpp"

namespace medretrieval {

using detail::fail;

namespace {
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kChunkRows = 1024;  // a multiple of a block, so that threads write apart
}  // namespace

Encoder::Encoder(std::string type, Parameters parameters, std::size_t dimension, const CodeLayout& layout)
    : type_(std::move(type)), parameters_(std::move(parameters)), dimension_(dimension), layout_(layout) {
  if (dimension == 0 || dimension > kMaxDimension) {
    fail(ErrorCode::invalid_argument, "encoder '", type_, "': expected 1 to ", kMaxDimension,
         " dimensions, got ", dimension);
  }
}

Codes Encoder::encode(MatrixView features, int threads, const Progress& progress) const {
  require_features(features, "features", dimension_);
  Codes codes(layout_, features.rows());
  const std::size_t chunks = (features.rows() + kChunkRows - 1) / kChunkRows;
  detail::ProgressCounter counter(progress, "encode", features.rows());
  detail::parallel_for(chunks, threads, [&](std::size_t chunk) {
    const std::size_t first = chunk * kChunkRows;
    const std::size_t count = std::min(kChunkRows, features.rows() - first);
    encode_rows(features.rows_from(first, count), codes, first);
    counter.add(count);
  });
  return codes;
}

std::unique_ptr<QueryScorer> Encoder::scorer(MatrixView queries) const {
  require_features(queries, "queries", dimension_);
  return make_scorer(queries);
}

Matrix Encoder::reconstruct(const CodesView& codes) const {
  if (codes.layout() != layout_) {
    fail(ErrorCode::incompatible, "encoder '", type_, "' decodes ", layout_.to_string(), ", got codes of ",
         codes.layout().to_string());
  }
  return reconstruct_rows(codes);
}

Matrix Encoder::reconstruct_rows(const CodesView&) const {
  fail(ErrorCode::unsupported, "codes of encoder '", type_, "' cannot be turned back into features");
}

std::vector<std::size_t> Encoder::bit_places() const {
  std::vector<std::size_t> places(layout_.bits());
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

std::vector<std::byte> Encoder::to_bytes() const {
  ByteWriter writer;
  writer.text("MRENCODR");
  writer.number(kFormatVersion);
  writer.text(type_);
  writer.number<std::uint64_t>(parameters_.size());
  for (const auto& [name, value] : parameters_) {
    writer.text(name);
    writer.number(static_cast<std::uint8_t>(value.index()));
    if (const auto* whole = std::get_if<std::int64_t>(&value)) writer.number(*whole);
    if (const auto* real = std::get_if<double>(&value)) writer.number(*real);
    if (const auto* truth = std::get_if<bool>(&value)) writer.number(static_cast<std::uint8_t>(*truth));
    if (const auto* text = std::get_if<std::string>(&value)) writer.text(*text);
  }
  write_state(writer);
  return writer.take();
}

Fingerprint Encoder::fingerprint() const {
  return Fingerprint::of(to_bytes());
}

namespace {

Parameters read_parameters(ByteReader& reader) {
  Parameters parameters;
  const auto count = reader.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name = reader.text();
    switch (reader.number<std::uint8_t>()) {
      case 0:
        parameters[name] = reader.number<std::int64_t>();
        break;
      case 1:
        parameters[name] = reader.number<double>();
        break;
      case 2:
        parameters[name] = reader.number<std::uint8_t>() != 0;
        break;
      case 3:
        parameters[name] = reader.text();
        break;
      default:
        reader.corrupt("parameter '" + name + "' has an unknown type");
    }
  }
  return parameters;
}

}  // namespace

namespace encoders {

std::string read_type(ByteReader& reader) {
  if (reader.text() != "MRENCODR") reader.corrupt("the bytes do not begin with the mark of an encoder");
  const auto version = reader.number<std::uint32_t>();
  if (version != kFormatVersion) {
    fail(ErrorCode::unsupported, "encoder: this build reads format version ", kFormatVersion, ", got ",
         version);
  }
  return reader.text();
}

}  // namespace encoders

std::shared_ptr<const Encoder> load_encoder(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, "encoder");
  const EncoderType& type = encoder_type(encoders::read_type(reader));
  // Kept as stored, without defaults of options that came later: the fingerprint must not change.
  const Parameters stored = read_parameters(reader);
  return detail::reading("encoder '" + type.name + "'", [&] {
    (void)complete_parameters(stored, type.options, "encoder '" + type.name + "'");
    auto encoder = type.load(stored, reader);
    reader.expect_end();
    return encoder;
  });
}

void EncoderOptions::validate() const {
  const EncoderType& found = encoder_type(type);
  (void)complete_parameters(parameters, found.options, "encoder '" + type + "'");
}

std::shared_ptr<const Encoder> train_encoder(const EncoderOptions& options, const TrainingSet& data) {
  const EncoderType& type = encoder_type(options.type);
  const std::string owner = "encoder '" + type.name + "'";
  const Parameters parameters = complete_parameters(options.parameters, type.options, owner);
  require_features(data.features, "training features");
  if (data.labels != nullptr && data.labels->rows() != data.features.rows()) {
    fail(ErrorCode::invalid_argument, owner, ": expected labels for ", data.features.rows(),
         " training rows, got ", data.labels->rows());
  }
  auto encoder = type.train(parameters, data);
  if (encoder->layout().kind() != type.codes) {
    fail(ErrorCode::invalid_argument, owner, ": its type promises ",
         type.codes == CodeKind::product ? "product" : "binary", " codes, it makes ",
         encoder->layout().to_string());
  }
  return encoder;
}

}  // namespace medretrieval
