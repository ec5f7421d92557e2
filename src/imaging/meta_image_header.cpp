#include "imaging/meta_image_header.hpp"

#include <cmath>

namespace medretrieval::imaging {

using detail::fail;

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Point3 cross(const Point3& a, const Point3& b) noexcept {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const Point3& a, const Point3& b) noexcept {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

double determinant(const std::array<Point3, 3>& rows) noexcept {
  return dot(rows[0], cross(rows[1], rows[2]));
}

MetaImageHeader read_meta_header(std::string_view text) {
  MetaImageHeader header;
  while (header.bytes < text.size()) {
    const std::size_t end = std::min(text.find('\n', header.bytes), text.size());
    const std::string_view line = text.substr(header.bytes, end - header.bytes);
    header.bytes = std::min(end + 1, text.size());
    const std::size_t equals = line.find('=');
    if (trimmed(line).empty()) continue;
    if (equals == std::string_view::npos) fail(ErrorCode::corrupt, "a MetaImage header line without '='");
    const std::string key(trimmed(line.substr(0, equals)));
    if (!header.values.emplace(key, trimmed(line.substr(equals + 1))).second) {
      fail(ErrorCode::corrupt, "the MetaImage header states ", key, " twice");
    }
    if (key == "ElementDataFile") return header;
  }
  fail(ErrorCode::corrupt, "a MetaImage header without ElementDataFile in its first ", kMaxMetaHeaderBytes,
       " bytes");
}

std::optional<std::string_view> find(const MetaImageHeader& header,
                                     std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto found = header.values.find(key);
    if (found != header.values.end()) return found->second;
  }
  return std::nullopt;
}

std::string_view need(const MetaImageHeader& header, std::string_view key) {
  const auto value = find(header, {key});
  if (!value) fail(ErrorCode::corrupt, "a MetaImage header without ", key);
  return *value;
}

bool is_true(const MetaImageHeader& header, std::initializer_list<std::string_view> keys, bool absent) {
  const auto value = find(header, keys);
  if (!value) return absent;
  const bool yes = *value == "True" || *value == "true" || *value == "1";
  if (!yes && *value != "False" && *value != "false" && *value != "0") {
    fail(ErrorCode::corrupt, "MetaImage ", *keys.begin(), " is \"", *value, "\", expected True or False");
  }
  return yes;
}

namespace {

void refuse_unsupported(const MetaImageHeader& header) {
  if (!is_true(header, {"BinaryData"}, true))
    fail(ErrorCode::unsupported, "MetaImage voxels written as text");
  if (numbers<int>(find(header, {"ElementNumberOfChannels"}).value_or("1"), "ElementNumberOfChannels",
                   1)[0] != 1) {
    fail(ErrorCode::unsupported, "MetaImage voxels of several channels");
  }
  if (numbers<int>(find(header, {"HeaderSize"}).value_or("0"), "HeaderSize", 1)[0] != 0) {
    fail(ErrorCode::unsupported, "a MetaImage data file with a header of its own");
  }
}

void read_direction(const MetaImageHeader& header, std::size_t dimensions, MetaImage& image) {
  const auto text = find(header, {"TransformMatrix", "Rotation", "Orientation"});
  if (!text) return;
  const auto entries = numbers<double>(*text, "TransformMatrix", dimensions * dimensions);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    image.direction[i / dimensions][i % dimensions] = entries[i];
  }
}

// Whoever divides by these numbers later can rely on them.
void check_geometry(const MetaImage& image) {
  constexpr double kLongest = 1e9;
  const auto is_distance = [](double value) { return std::abs(value) <= kLongest; };  // false for NaN
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(image.spacing[i] > 0) || !is_distance(image.spacing[i])) {
      fail(ErrorCode::corrupt, "MetaImage ElementSpacing is ", image.spacing[i], ", expected more than 0 mm");
    }
    if (!is_distance(image.origin[i])) {
      fail(ErrorCode::corrupt, "MetaImage Offset is ", image.origin[i], ", expected millimetres");
    }
  }
  // The determinant alone would let a shear of any size through.
  constexpr double kTolerance = 0.1;
  for (std::size_t i = 0; i < 9; ++i) {
    const double product = dot(image.direction[i / 3], image.direction[i % 3]);
    if (!(std::abs(product - (i / 3 == i % 3 ? 1 : 0)) < kTolerance)) {
      fail(ErrorCode::corrupt, "MetaImage TransformMatrix has axes ", i / 3, " and ", i % 3,
           " with the product ", product, ", expected directions of length 1 at right angles");
    }
  }
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      const double product = dot(image.direction[a], image.direction[b]);
      if (std::abs(product - (a == b ? 1 : 0)) > 2 * kDirectionTolerance) {
        fail(ErrorCode::corrupt, "MetaImage TransformMatrix has axes ", a + 1, " and ", b + 1,
             " with the product ", product, ", expected directions of length 1 at right angles");
      }
    }
  }
}

void check_size(const MetaImage& image) {
  const bool sides_fit = image.width >= 1 && image.width <= kMaxImageSide && image.height >= 1 &&
                         image.height <= kMaxImageSide && image.width * image.height <= kMaxImagePixels;
  if (!sides_fit || image.depth == 0 || image.depth > kMaxMetaImageVoxels / (image.width * image.height)) {
    fail(ErrorCode::limit_exceeded, "a MetaImage of ", image.width, " x ", image.height, " x ", image.depth,
         "; at most ", kMaxImagePixels, " pixels a slice and ", kMaxMetaImageVoxels, " voxels are read");
  }
}

}  // namespace

void read_meta_geometry(const MetaImageHeader& header, MetaImage& image) {
  refuse_unsupported(header);
  const std::size_t dimensions = numbers<std::size_t>(need(header, "NDims"), "NDims", 1)[0];
  if (dimensions != 2 && dimensions != 3) {
    fail(ErrorCode::unsupported, "a MetaImage of ", dimensions, " dimensions; 2 and 3 are read");
  }
  auto sizes = numbers<std::size_t>(need(header, "DimSize"), "DimSize", dimensions);
  sizes.resize(3, 1);
  image.width = sizes[0];
  image.height = sizes[1];
  image.depth = sizes[2];
  if (const auto text = find(header, {"ElementSpacing", "ElementSize"})) {
    const auto spacing = numbers<double>(*text, "ElementSpacing", dimensions);
    std::copy(spacing.begin(), spacing.end(), image.spacing.begin());
  }
  if (const auto text = find(header, {"Offset", "Position", "Origin"})) {
    const auto origin = numbers<double>(*text, "Offset", dimensions);
    std::copy(origin.begin(), origin.end(), image.origin.begin());
  }
  read_direction(header, dimensions, image);
  check_geometry(image);
  check_size(image);
}

}  // namespace medretrieval::imaging
