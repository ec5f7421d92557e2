#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/inflate.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

Point3 cross(const Point3& a, const Point3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const Point3& a, const Point3& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

double determinant(const std::array<Point3, 3>& rows) {
  return dot(rows[0], cross(rows[1], rows[2]));
}

// ---- the header: lines of "Key = value", the last one says where the voxels are --------------------------

struct Header {
  std::map<std::string, std::string, std::less<>> values;
  std::size_t bytes = 0;  // up to and with the newline behind ElementDataFile
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Header read_header(std::string_view text) {
  Header header;
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
  fail(ErrorCode::corrupt, "a MetaImage header without ElementDataFile in its first ", kMaxHeaderBytes,
       " bytes");
}

std::optional<std::string_view> find(const Header& header, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto found = header.values.find(key);
    if (found != header.values.end()) return found->second;
  }
  return std::nullopt;
}

std::string_view need(const Header& header, std::string_view key) {
  const auto value = find(header, {key});
  if (!value) fail(ErrorCode::corrupt, "a MetaImage header without ", key);
  return *value;
}

// `count` numbers with blanks between them, and nothing else.
template <class Number>
std::vector<Number> numbers(std::string_view text, std::string_view key, std::size_t count) {
  std::vector<Number> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    Number value{};
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) break;
    values.push_back(value);
    at = std::find_if(next, end, [](char c) { return c != ' ' && c != '\t'; });
  }
  if (at != end || values.size() != count) {
    fail(ErrorCode::corrupt, "MetaImage ", key, " is \"", text.substr(0, 80), "\", expected ", count,
         " numbers");
  }
  return values;
}

bool is_true(const Header& header, std::initializer_list<std::string_view> keys, bool absent) {
  const auto value = find(header, keys);
  if (!value) return absent;
  const bool yes = *value == "True" || *value == "true" || *value == "1";
  if (!yes && *value != "False" && *value != "false" && *value != "0") {
    fail(ErrorCode::corrupt, "MetaImage ", *keys.begin(), " is \"", *value, "\", expected True or False");
  }
  return yes;
}

void refuse_unsupported(const Header& header) {
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

void read_direction(const Header& header, std::size_t dimensions, MetaImage& image) {
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
  const double volume = determinant(image.direction);
  if (!(std::abs(volume) > 0.5 && std::abs(volume) < 1.5)) {
    fail(ErrorCode::corrupt, "MetaImage TransformMatrix has the determinant ", volume,
         ", expected directions at right angles, with 1 or -1");
  }
}

void read_geometry(const Header& header, MetaImage& image) {
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
}

void check_size(const MetaImage& image) {
  const bool sides_fit = image.width >= 1 && image.width <= kMaxImageSide && image.height >= 1 &&
                         image.height <= kMaxImageSide && image.width * image.height <= kMaxImagePixels;
  if (!sides_fit || image.depth == 0 || image.depth > kMaxMetaImageVoxels / (image.width * image.height)) {
    fail(ErrorCode::limit_exceeded, "a MetaImage of ", image.width, " x ", image.height, " x ", image.depth,
         "; at most ", kMaxImagePixels, " pixels a slice and ", kMaxMetaImageVoxels, " voxels are read");
  }
}

// ---- the voxels ------------------------------------------------------------------------------------------

template <class Element>
void convert(Bytes bytes, bool reversed, std::vector<float>& voxels) {
  std::array<std::uint8_t, sizeof(Element)> raw;
  for (std::size_t i = 0; i < voxels.size(); ++i) {
    std::copy_n(bytes.data() + i * raw.size(), raw.size(), raw.begin());
    if (reversed) std::reverse(raw.begin(), raw.end());
    voxels[i] = static_cast<float>(std::bit_cast<Element>(raw));
  }
}

struct ElementType {
  std::size_t bytes;
  void (*convert)(Bytes, bool, std::vector<float>&);
};

// MET_LONG is missing on purpose: it has four or eight bytes, depending on who wrote it.
const ElementType& element_type(std::string_view name) {
  static const std::map<std::string_view, ElementType> kTypes = {
      {"MET_CHAR", {1, convert<std::int8_t>}},
      {"MET_UCHAR", {1, convert<std::uint8_t>}},
      {"MET_SHORT", {2, convert<std::int16_t>}},
      {"MET_USHORT", {2, convert<std::uint16_t>}},
      {"MET_INT", {4, convert<std::int32_t>}},
      {"MET_UINT", {4, convert<std::uint32_t>}},
      {"MET_LONG_LONG", {8, convert<std::int64_t>}},
      {"MET_ULONG_LONG", {8, convert<std::uint64_t>}},
      {"MET_FLOAT", {4, convert<float>}},
      {"MET_DOUBLE", {8, convert<double>}}};
  const auto found = kTypes.find(name);
  if (found == kTypes.end()) fail(ErrorCode::unsupported, "MetaImage elements of type ", name);
  return found->second;
}

// The header names its data file; a hostile one would name any file of the machine.
fs::path data_file(const fs::path& header_file, std::string_view name) {
  const fs::path relative(name);
  const bool leaves =
      relative.has_root_path() || std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (name.empty() || leaves || name.starts_with("LIST") || name.find('%') != std::string_view::npos) {
    fail(ErrorCode::unsupported, "the MetaImage data file \"", name.substr(0, 200),
         "\"; LOCAL or one file in the header's folder is read");
  }
  return header_file.parent_path() / relative;
}

std::vector<std::uint8_t> inflate_voxels(const Header& header, Bytes stored, std::size_t expected) {
  if (const auto text = find(header, {"CompressedDataSize"})) {
    const std::size_t size = numbers<std::size_t>(*text, "CompressedDataSize", 1)[0];
    if (size > stored.size()) {
      fail(ErrorCode::corrupt, "MetaImage data of ", stored.size(), " bytes where ", size, " are stated");
    }
    stored = stored.first(size);
  }
  return inflate_bytes(stored, DeflateFormat::zlib_or_gzip, expected);
}

void read_voxels(const Header& header, Bytes stored, MetaImage& image) {
  const ElementType& type = element_type(image.element_type);
  const std::size_t count = image.width * image.height * image.depth;
  std::vector<std::uint8_t> inflated;
  if (is_true(header, {"CompressedData"}, false)) {
    inflated = inflate_voxels(header, stored, count * type.bytes);
    stored = inflated;
  }
  if (stored.size() != count * type.bytes) {
    fail(ErrorCode::corrupt, "MetaImage data of ", stored.size(), " bytes where ", count, " voxels of ",
         type.bytes, " bytes are stated");
  }
  const bool big_endian = is_true(header, {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}, false);
  image.voxels.resize(count);
  type.convert(stored, big_endian != (std::endian::native == std::endian::big), image.voxels);
}

[[noreturn]] void refuse_slice(std::size_t z, std::size_t depth) {
  fail(ErrorCode::invalid_argument, "no slice ", z, "; there are ", depth);
}

/// A header file, read and checked, and where its voxels lie.
struct Opened {
  std::vector<std::uint8_t> bytes;
  Header header;
  MetaImage image;  ///< without voxels
  std::optional<fs::path> raw;
};

Opened open(const fs::path& file) {
  Opened opened;
  opened.bytes = read_file(file);
  opened.header = read_header(
      {reinterpret_cast<const char*>(opened.bytes.data()), std::min(opened.bytes.size(), kMaxHeaderBytes)});
  refuse_unsupported(opened.header);
  read_geometry(opened.header, opened.image);
  check_size(opened.image);
  opened.image.element_type = need(opened.header, "ElementType");
  element_type(opened.image.element_type);
  const std::string_view data = need(opened.header, "ElementDataFile");
  if (data != "LOCAL") opened.raw = data_file(file, data);
  return opened;
}

MetaImage read(const fs::path& file) {
  Opened opened = open(file);
  if (!opened.raw) {
    read_voxels(opened.header, Bytes(opened.bytes).subspan(opened.header.bytes), opened.image);
  } else {
    read_voxels(opened.header, naming_file(*opened.raw, [&] { return read_file(*opened.raw); }),
                opened.image);
  }
  return std::move(opened.image);
}

Image read_slice(const fs::path& file, std::size_t z) {
  Opened opened = open(file);
  MetaImage& image = opened.image;
  if (!opened.raw || is_true(opened.header, {"CompressedData"}, false)) return read(file).slice(z);
  if (z >= image.depth) refuse_slice(z, image.depth);
  const std::size_t slice_bytes = image.width * image.height * element_type(image.element_type).bytes;
  const auto part = naming_file(*opened.raw, [&] {
    return read_part(*opened.raw, z * slice_bytes, slice_bytes, image.depth * slice_bytes);
  });
  image.depth = 1;
  read_voxels(opened.header, part, image);
  return image.slice(0);
}

}  // namespace

Image MetaImage::slice(std::size_t z) const {
  if (z >= depth) refuse_slice(z, depth);
  Image image(width, height, PixelUnit::stored);
  std::copy_n(voxels.begin() + static_cast<std::ptrdiff_t>(z * width * height), width * height,
              image.pixels().begin());
  return image;
}

Point3 MetaImage::to_world(const Point3& voxel) const noexcept {
  Point3 world = origin;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (std::size_t i = 0; i < 3; ++i) world[i] += voxel[axis] * spacing[axis] * direction[axis][i];
  }
  return world;
}

// Cramer's rule: the part of the way along an axis is found beside the plane of the other two.
Point3 MetaImage::to_voxel(const Point3& world) const noexcept {
  const Point3 way = {world[0] - origin[0], world[1] - origin[1], world[2] - origin[2]};
  const double volume = determinant(direction);
  Point3 voxel;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Point3 normal = cross(direction[(axis + 1) % 3], direction[(axis + 2) % 3]);
    voxel[axis] = dot(way, normal) / volume / spacing[axis];
  }
  return voxel;
}

MetaImage read_meta_image(const fs::path& file) {
  return naming_file(file, [&] { return read(file); });
}

MetaImage read_meta_image_header(const fs::path& file) {
  return naming_file(file, [&] { return open(file).image; });
}

Image read_meta_image_slice(const fs::path& file, std::size_t z) {
  return naming_file(file, [&] { return read_slice(file, z); });
}

}  // namespace medretrieval::imaging
