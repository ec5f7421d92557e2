// CT scans with nodules in a scanner's frame, in the form of LUNA16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/imaging/meta_image.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <string>
#include <vector>

#include "imaging/phantom_ct.hpp"

namespace medretrieval::imaging::phantom {

/// Of the form, for drawing_of().
inline constexpr std::uint64_t kLuna16Tag = 0x4c554e41;

/// A nodule of a scan, with its middle at height 0 of the chest.
struct ScannedNodule {
  Nodule nodule;
  Point3 voxel{};  ///< its middle, from the drawing and not by the header's geometry
  Point3 world{};  ///< mm
};

/// One scan of a patient, before it is painted.
struct Scan {
  CtPatient patient;
  std::string series;
  std::size_t side = 0;
  std::size_t slices = 0;
  Placement placement;
  double slice_spacing_mm = 1;
  double first_height = 0;             ///< of slice 0, the one nearest to the feet: mm below the nodules
  bool is_turned = false;              ///< rows and columns run backwards, and the header's direction says so
  Point3 offset{};                     ///< world, mm, of the first voxel
  std::vector<ScannedNodule> nodules;  ///< one or two
  std::vector<Point3> others;          ///< world, mm: places in the lungs away from the nodules
  double noise = 20;                   ///< HU

  double height_of(std::size_t slice) const {
    return first_height - static_cast<double>(slice) * slice_spacing_mm;
  }
};

/// Every fourth patient has two scans, the others one.
std::size_t scan_count(std::size_t patient);

/// \param drawing of PhantomKind::chest_ct, as drawing_of() gives it
Scan draw_scan(const PhantomOptions& drawing, std::size_t slices, std::size_t patient, std::size_t number);

/// Slice `slice` as stored, in whole Hounsfield units.
Image paint_scan_slice(const PhantomOptions& drawing, const Scan& scan, std::size_t patient,
                       std::size_t number, std::size_t slice);

}  // namespace medretrieval::imaging::phantom
