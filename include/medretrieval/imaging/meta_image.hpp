/// \file
/// MetaImage volumes (.mha, and .mhd with its .raw), as LUNA16 distributes its CT scans.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// The most voxels one volume may have (2^29; 2 GiB as float32). Checked before anything is allocated.
inline constexpr std::size_t kMaxMetaImageVoxels = std::size_t{1} << 29;

/// A place in millimetres or in voxels: x, y, z.
using Point3 = std::array<double, 3>;

/// A scalar volume with its geometry. A two-dimensional file has depth 1. Voxels lie as stored, whatever the
/// direction of their axes.
struct MetaImage {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t depth = 0;
  Point3 spacing = {1, 1, 1};  ///< millimetres between voxel centres along the axes
  Point3 origin = {0, 0, 0};   ///< millimetres, centre of the first voxel
  /// Where the axes point (TransformMatrix): row i is the direction of axis i in space.
  std::array<Point3, 3> direction = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  std::string element_type;   ///< "MET_SHORT" and so on
  std::vector<float> voxels;  ///< x fastest, then y, then z

  /// Slice `z` in stored units (Hounsfield units in LUNA16).
  /// \throws Error (invalid_argument) when z is not below depth.
  Image slice(std::size_t z) const;

  /// The place in space of a voxel, counted from 0 at the centre of the first.
  Point3 to_world(const Point3& voxel) const noexcept;
  /// The voxel at a place in space, not rounded.
  Point3 to_voxel(const Point3& world) const noexcept;

  /// Whether each axis lies along the patient's own (to the left, to the back, to the head), either way, within
  /// 0.1 %.
  bool is_axial() const noexcept;
  /// A slice of it as a radiologist sees it, where the axes are axial: columns from the patient's right to the
  /// left, rows from front to back. Other slices stay as they are.
  Image shown(Image slice) const;
  /// The column and row of a voxel in the slice as it is shown; its slice stays. Either way.
  Point3 to_shown(const Point3& voxel) const noexcept;
};

/// Reads .mha or .mhd (the raw file in the header's folder or below it, zlib-compressed or not, either byte
/// order, scalar element types MET_CHAR to MET_DOUBLE without MET_LONG, whose size is ambiguous).
/// \throws Error not_found (file or its raw part), io, corrupt (cut, damaged, an inconsistent header),
///        unsupported (text or vector elements, other than two or three dimensions, list files, names that
///        leave the folder), limit_exceeded (kMaxImagePixels a slice, kMaxMetaImageVoxels,
///        kMaxImageFileBytes, compressed data that unfolds to more than the header states, or to more than
///        128 MiB and 64 times its size).
MetaImage read_meta_image(const std::filesystem::path& file);

/// The same without the voxels, which are not looked at.
/// \throws Error as read_meta_image.
MetaImage read_meta_image_header(const std::filesystem::path& file);

/// Slice `z` in stored units; of an uncompressed .raw no more is read than the slice.
/// \throws Error as read_meta_image, and invalid_argument when z is not below depth.
Image read_meta_image_slice(const std::filesystem::path& file, std::size_t z);

/// The same as it is shown (MetaImage::shown).
/// \throws Error as read_meta_image_slice.
Image read_meta_image_view(const std::filesystem::path& file, std::size_t z);

/// Many slices of one file: what must be unfolded whole, or lies with its header, is read once and kept. Safe to
/// call from several threads.
class MetaImageSlices {
 public:
  /// Reads the header.
  /// \throws Error as read_meta_image_header.
  explicit MetaImageSlices(std::filesystem::path file);
  ~MetaImageSlices();

  /// The volume without its voxels.
  const MetaImage& header() const noexcept;
  /// Whether the whole volume is kept once a slice was read.
  bool is_kept_whole() const noexcept;
  /// Slice `z` in stored units, as it is shown.
  /// \throws Error as read_meta_image_slice.
  Image view(std::size_t z) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace medretrieval::imaging
