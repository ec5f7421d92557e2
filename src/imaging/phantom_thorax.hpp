// The thorax as a frontal radiograph sees it: outlines, and what a ray crosses on its way.
#pragma once

#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_geometry.hpp"
#include "imaging/phantom_vessels.hpp"

namespace medretrieval::imaging::phantom {

/// What is drawn once for a patient. Lengths in mm unless they say cm; the origin is the middle of the chest,
/// x grows to the patient's left, which is the right of the image.
struct Thorax {
  bool female = false;
  double age = 55;            ///< years, at the first image
  double half_width = 135;    ///< inner, at the widest
  double height = 165;        ///< half the height of the rib cage
  double thickness_cm = 20;   ///< of the body, front to back
  double fat = 20;            ///< beside the ribs
  double heart_ratio = 0.45;  ///< cardiothoracic ratio
  double heart_tilt = 0.08;   ///< turns
  double aorta = 1;           ///< size of the aortic knob
  double dome = 85;           ///< height of the right diaphragm's dome below the middle
  double left_lower = 10;     ///< by which the left dome is lower
  double dome_curve = 1;
  double breast_cm = 0;
  double shoulder_slope = 0.35;
  double rib_drop = 45;  ///< from the spine to the side of a rib
  double rib_gap = 21;   ///< between ribs
  double rib_phase = 0;  ///< 0 to 1, in gaps
  double clavicle = 0;   ///< mm higher at the shoulder
  double stomach = 0;    ///< radius of the air in it, 0 for none
  std::vector<Vessel> vessels;
};

Thorax draw_thorax(detail::Random& random);

/// What changes between images of a patient.
struct Pose {
  bool lying = false;  ///< AP view: the heart is magnified and the diaphragm stands higher
  double breath = 0;   ///< mm by which the diaphragm is lower
  double heart_ratio = 0.45;
  double left_rise = 0;  ///< mm by which the left dome stands higher
  double right_rise = 0;
};

/// What rays cross, pixel by pixel.
struct Projection {
  Canvas tissue;   ///< cm of water that would absorb as much, lungs counted as solid
  Canvas lung;     ///< cm of aerated lung
  Canvas vessels;  ///< mm of lung vessels
};

/// The outlines of one image. They look into the Thorax that they were made from.
class ThoraxOutline {
 public:
  ThoraxOutline(const Thorax& thorax, const Pose& pose);

  const Thorax& thorax() const { return thorax_; }
  /// Depth inside the rib cage.
  double cage_depth(Point point) const { return cage_.depth(point); }
  /// The y of the diaphragm below or above a point.
  double diaphragm(double x) const;
  /// The y of the bottom of the costophrenic angle on `side` (1 or -1).
  double angle_bottom(double side) const;

  /// Soft tissue, lungs and their vessels.
  void paint(Projection& projection) const;

 private:
  /// Depth inside heart, great vessels and the column between the lungs.
  double mediastinum_depth(Point point) const;
  double body_cm(Point point) const;
  double lung_cm(Point point) const;
  double breast_cm(Point point) const;

  const Thorax& thorax_;
  Pose pose_;
  Blob cage_;
  Blob heart_;
  std::vector<Blob> great_vessels_;
};

/// Spine, ribs, clavicles and shoulder blades, into projection.tissue.
void paint_skeleton(const Thorax& thorax, Projection& projection);

}  // namespace medretrieval::imaging::phantom
