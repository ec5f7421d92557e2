// Key slices with lesions, in the form of DeepLesion.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_ct.hpp"

namespace medretrieval::imaging::phantom {

/// A coarse type as DeepLesion numbers them. Only these lie in a slice of a chest phantom.
enum class LesionType { bone = 1, mediastinum = 3, lung = 5 };

/// Of the form, for drawing_of().
inline constexpr std::uint64_t kDeepLesionTag = 0x444c4553;

/// A lesion as a reader measures it, in pixels.
struct MeasuredLesion {
  LesionType type = LesionType::lung;
  /// The ends of the longest diameter, then of the one across it: x and y of each.
  std::array<double, 8> ends{};
  std::array<double, 2> diameters{};  ///< the longer, the shorter
  bool is_noisy = false;

  /// Left, top, right, bottom: 5 pixels wider than the ends, as published.
  std::array<double, 4> box() const;
};

struct KeySlice {
  Image image;  ///< whole Hounsfield units
  double spacing_mm = 1;
  Window window;                        ///< for the first lesion's type
  std::vector<MeasuredLesion> lesions;  ///< one or two
};

/// The lesions of a patient, which all of the patient's slices show.
struct LesionPatient {
  CtPatient chest;  ///< with its nodule, where has_nodule
  struct Body {
    LesionType type;
    Blob outline;
    double hounsfield;
  };
  std::vector<Body> bodies;
  bool has_nodule = false;
};

/// \param drawing of PhantomKind::chest_ct, as drawing_of() gives it
LesionPatient draw_lesion_patient(const PhantomOptions& drawing, std::size_t patient);
KeySlice draw_key_slice(const PhantomOptions& drawing, std::size_t patient, std::size_t index);

}  // namespace medretrieval::imaging::phantom
