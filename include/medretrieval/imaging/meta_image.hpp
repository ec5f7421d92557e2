/// \file
/// MetaImage volumes (.mha, and .mhd with its .raw), as LUNA16 distributes its CT scans.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// The most voxels one volume may have (2^29; 2 GiB as float32). Checked before anything is allocated.
inline constexpr std::size_t kMaxMetaImageVoxels = std::size_t{1} << 29;

/// A scalar volume with its geometry. A two-dimensional file has depth 1. The file's orientation
/// (TransformMatrix) is not applied: voxels lie as stored.
struct MetaImage {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t depth = 0;
  std::array<double, 3> spacing = {1, 1, 1};  ///< millimetres between voxel centres along x, y, z
  std::array<double, 3> origin = {0, 0, 0};   ///< millimetres, centre of the first voxel
  std::string element_type;                   ///< "MET_SHORT" and so on
  std::vector<float> voxels;                  ///< x fastest, then y, then z

  /// Slice `z` in stored units (Hounsfield units in LUNA16).
  /// \throws Error (invalid_argument) when z is not below depth.
  Image slice(std::size_t z) const;
};

/// Reads .mha or .mhd (the raw file in the header's folder or below it, zlib-compressed or not, either byte
/// order, scalar element types MET_CHAR to MET_DOUBLE without MET_LONG, whose size is ambiguous).
/// \throws Error not_found (file or its raw part), io, corrupt (cut, damaged, an inconsistent header),
///        unsupported (text or vector elements, other than two or three dimensions, list files, names that
///        leave the folder), limit_exceeded (kMaxImagePixels a slice, kMaxMetaImageVoxels,
///        kMaxImageFileBytes, or compressed data that unfolds to more than the header states).
MetaImage read_meta_image(const std::filesystem::path& file);

}  // namespace medretrieval::imaging
