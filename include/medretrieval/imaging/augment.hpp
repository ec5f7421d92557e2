/// \file
/// Altered copies of training images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include <medretrieval/imaging/image.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// How far copies may differ from their image. Make copies of training images only, after the split: a copy of
/// an image that is asked for is the answer to it.
struct AugmentationOptions {
  bool flip_horizontal = true;    ///< half of the copies are mirrored left to right
  bool flip_vertical = true;      ///< half of the copies are mirrored top to bottom
  double rotation_degrees = 180;  ///< turned by up to this, either way; 0 to 180
  double shift_pixels = 2;        ///< moved by up to this along each axis, either way; 0 to 64
  std::uint64_t seed = 1;

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Copy number `copy` of image number `index`: mirrored, turned about its middle, moved. Pixels between pixels
/// are bilinear; pixels from outside repeat the edge. The same options, index and copy give the same bits on
/// every machine, whatever else is drawn.
/// \throws Error (invalid_argument) for options out of range or an empty image.
Image augment(const Image& image, std::uint64_t index, std::uint64_t copy,
              const AugmentationOptions& options = {});

/// How the training images of a folder are multiplied.
struct AugmentedFolderOptions {
  AugmentationOptions augmentation;
  std::size_t copies = 4;   ///< of each training image, 1 to 1,000
  int bits = 0;             ///< of the PNG files, 8 or 16; 0: as the image that is copied
  bool allow_leak = false;  ///< go on with a manifest that has a patient in two splits
  int threads = 0;          ///< 0: all

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Writes altered copies of the images whose split is "train" to augmented/ in `folder`, and
/// manifest_augmented.csv: all rows of manifest.csv, and after them one for each copy, with the same values in
/// all columns but the path. The column copy_of holds the path of the image that was copied. Queries and
/// database stay as they are; copies have the patient of their image. Returns the number of copies.
///
/// While it runs there is no manifest_augmented.csv: an earlier one would list copies that are being replaced.
/// Copies of an earlier run that the new manifest does not list are removed at the end.
/// \throws Error as read_manifest and load_image; invalid_argument for options out of range, a manifest without
///        a training image or with a column named copy_of; incompatible (a patient in two splits, without
///        allow_leak); locked (another process writes to the folder); io; cancelled.
std::size_t augment_training_images(const std::filesystem::path& folder,
                                    const AugmentedFolderOptions& options = {},
                                    const Progress& progress = {});

}  // namespace medretrieval::imaging
