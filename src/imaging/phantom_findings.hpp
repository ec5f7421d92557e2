// Findings of chest radiographs: drawn for a patient, followed over the patient's images, shown in a
// projection.
#pragma once

#include <array>
#include <cstddef>
#include <medretrieval/imaging/image.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_thorax.hpp"

namespace medretrieval::imaging::phantom {

enum class Finding : std::size_t {
  atelectasis,
  cardiomegaly,
  consolidation,
  effusion,
  mass,
  nodule,
  pneumothorax,
};

/// What a finding is called.
struct FindingName {
  std::string_view label;
  std::string_view attribute;
};

/// In the order of Finding.
inline constexpr std::array<FindingName, 7> kFindings = {{{"Atelectasis", "atelectasis"},
                                                          {"Cardiomegaly", "cardiomegaly"},
                                                          {"Consolidation", "consolidation"},
                                                          {"Effusion", "effusion"},
                                                          {"Mass", "mass"},
                                                          {"Nodule", "nodule"},
                                                          {"Pneumothorax", "pneumothorax"}}};

/// How far each finding has gone: 0 when it is absent, otherwise from 0.2 (hardly visible) to 1.
struct Severities {
  std::array<double, kFindings.size()> values{};

  double& operator[](Finding finding) { return values[static_cast<std::size_t>(finding)]; }
  double operator[](Finding finding) const { return values[static_cast<std::size_t>(finding)]; }
};

/// What is drawn once for a patient's findings, whether they are present or not: where they are, and when
/// they heal.
struct FindingCourse {
  double effusion_side = 1;
  bool effusion_both = false;
  double pneumothorax_side = 1;
  double atelectasis_side = 1;
  /// Sites in a lung of any size: x from -1 to 1 of the half width, y from 0 (apex) to 1 (diaphragm).
  Point nodule;
  Point mass;
  Blob lump;  ///< the shape of both, with axes of 1
  Point consolidation;
  std::vector<Unevenness> patches;  ///< coarse and fine
  /// The first image without the finding.
  std::array<std::size_t, kFindings.size()> healed_at{};
};

/// Half of the patients have none; the others one to three.
Severities draw_severities(detail::Random& random);
FindingCourse draw_course(detail::Random& random);

/// The severities at the patient's image `index`: they drift, and are 0 once healed.
Severities severities_at(const Severities& first, const FindingCourse& course, std::size_t index,
                         detail::Random& random);

/// The names of the findings that are present, or "No Finding".
std::vector<std::string> finding_labels(const Severities& severities);

/// A nodule or a mass as it lies in one image, in mm.
struct Lump {
  Finding finding = Finding::nodule;
  Blob outline;
  double radius = 0;
};

/// The nodules and masses that are present.
std::vector<Lump> lumps_of(const Severities& severities, const FindingCourse& course,
                           const ThoraxOutline& outline);

/// Changes `projection` as the findings do, apart from cardiomegaly, which is in the pose, and sets the pixels of `mask`
/// where they are to 1: inside the outlines of nodules and masses, and where another finding covers half or more of
/// what was lung.
void paint_findings(const Severities& severities, const FindingCourse& course, const ThoraxOutline& outline,
                    Projection& projection, Image& mask);

}  // namespace medretrieval::imaging::phantom
