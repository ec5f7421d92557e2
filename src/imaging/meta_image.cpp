#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/inflate.hpp"
#include "imaging/meta_image_header.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

using Bytes = std::span<const std::uint8_t>;

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

std::vector<std::uint8_t> inflate_voxels(const MetaImageHeader& header, Bytes stored, std::size_t expected) {
  if (const auto text = find(header, {"CompressedDataSize"})) {
    const std::size_t size = numbers<std::size_t>(*text, "CompressedDataSize", 1)[0];
    if (size > stored.size()) {
      fail(ErrorCode::corrupt, "MetaImage data of ", stored.size(), " bytes where ", size, " are stated");
    }
    stored = stored.first(size);
  }
  if (const std::size_t most = most_unfolded_bytes(stored.size()); expected > most) {
    fail(ErrorCode::limit_exceeded, "MetaImage data of ", stored.size(), " compressed bytes where ", expected,
         " are stated; at most ", most, " are unfolded from so few");
  }
  return inflate_bytes(stored, DeflateFormat::zlib_or_gzip, expected);
}

void read_voxels(const MetaImageHeader& header, Bytes stored, MetaImage& image) {
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
  MetaImageHeader header;
  MetaImage image;  ///< without voxels
  std::optional<fs::path> raw;
};

Opened open(const fs::path& file) {
  Opened opened;
  opened.bytes = read_file(file);
  opened.header = read_meta_header({reinterpret_cast<const char*>(opened.bytes.data()),
                                    std::min(opened.bytes.size(), kMaxMetaHeaderBytes)});
  read_meta_geometry(opened.header, opened.image);
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

bool needs_whole(const Opened& opened) {
  return !opened.raw || is_true(opened.header, {"CompressedData"}, false);
}

/// The volume of slice `z` alone, or all of it where no less can be read.
MetaImage read_around(const fs::path& file, std::size_t z) {
  Opened opened = open(file);
  MetaImage& image = opened.image;
  if (z >= image.depth) refuse_slice(z, image.depth);
  if (needs_whole(opened)) return read(file);
  const std::size_t slice_bytes = image.width * image.height * element_type(image.element_type).bytes;
  const auto part = naming_file(*opened.raw, [&] {
    return read_part(*opened.raw, z * slice_bytes, slice_bytes, image.depth * slice_bytes);
  });
  image.depth = 1;
  read_voxels(opened.header, part, image);
  return std::move(image);
}

Image slice_of(const MetaImage& image, std::size_t z) {
  return image.slice(image.depth == 1 ? 0 : z);
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

bool MetaImage::is_axial() const noexcept {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (std::abs(std::abs(direction[axis][axis]) - 1) > kDirectionTolerance) return false;
  }
  return true;
}

Image MetaImage::shown(Image slice) const {
  if (!is_axial()) return slice;
  if (direction[0][0] < 0) {
    for (std::size_t y = 0; y < slice.height(); ++y) {
      const auto row = slice.row(y);
      std::reverse(row.begin(), row.end());
    }
  }
  if (direction[1][1] < 0) {
    for (std::size_t y = 0; y < slice.height() / 2; ++y) {
      const auto upper = slice.row(y);
      std::swap_ranges(upper.begin(), upper.end(), slice.row(slice.height() - 1 - y).begin());
    }
  }
  return slice;
}

Point3 MetaImage::to_shown(const Point3& voxel) const noexcept {
  Point3 place = voxel;
  if (!is_axial()) return place;
  if (direction[0][0] < 0) place[0] = static_cast<double>(width) - 1 - voxel[0];
  if (direction[1][1] < 0) place[1] = static_cast<double>(height) - 1 - voxel[1];
  return place;
}

MetaImage read_meta_image(const fs::path& file) {
  return naming_file(file, [&] { return read(file); });
}

MetaImage read_meta_image_header(const fs::path& file) {
  return naming_file(file, [&] { return open(file).image; });
}

Image read_meta_image_slice(const fs::path& file, std::size_t z) {
  return naming_file(file, [&] { return slice_of(read_around(file, z), z); });
}

Image read_meta_image_view(const fs::path& file, std::size_t z) {
  return naming_file(file, [&] {
    const MetaImage image = read_around(file, z);
    return image.shown(slice_of(image, z));
  });
}

struct MetaImageSlices::Impl {
  fs::path file;
  MetaImage header;
  bool kept_whole = false;
  std::once_flag once;
  MetaImage whole;
};

MetaImageSlices::MetaImageSlices(fs::path file) : impl_(std::make_unique<Impl>()) {
  impl_->file = std::move(file);
  naming_file(impl_->file, [&] {
    Opened opened = open(impl_->file);
    impl_->kept_whole = needs_whole(opened);
    impl_->header = std::move(opened.image);
  });
}

MetaImageSlices::~MetaImageSlices() = default;

const MetaImage& MetaImageSlices::header() const noexcept {
  return impl_->header;
}

bool MetaImageSlices::is_kept_whole() const noexcept {
  return impl_->kept_whole;
}

Image MetaImageSlices::view(std::size_t z) const {
  if (!impl_->kept_whole) return read_meta_image_view(impl_->file, z);
  std::call_once(impl_->once, [&] { impl_->whole = read_meta_image(impl_->file); });
  return impl_->whole.shown(impl_->whole.slice(z));
}

}  // namespace medretrieval::imaging
