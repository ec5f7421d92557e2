// The anatomy of an axial chest slice: shapes of one patient, cut at a height.
#pragma once

#include <array>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_geometry.hpp"
#include "imaging/phantom_vessels.hpp"

namespace medretrieval::imaging::phantom {

/// What is drawn once for a patient. Lengths in mm; the origin is the middle of the chest cavity, y grows to
/// the back, x to the patient's left; heights grow towards the feet from the level of the nodule.
struct Chest {
  double level = 0.5;  ///< of height 0: 0 at the aortic arch, 1 at the middle of the heart
  double half_width = 125;
  double half_depth = 88;
  double squareness = 0.03;
  double skew = 0;  ///< how much fuller one side of the cavity is
  double muscle = 1;
  double fat = 16;  ///< below the skin
  double heart = 1;
  double blood = 45;                ///< HU: higher with contrast agent
  double parenchyma = -860;         ///< HU of healthy lung
  double gravity = 30;              ///< HU by which the back of the lung is denser than its middle
  double rib_phase = 0;             ///< of the rib sections along the wall, in gaps between ribs
  double fissure = 0;               ///< mm by which the fissures lie farther back
  std::array<double, 12> wobble{};  ///< by which organs differ from ellipses
  std::vector<Vessel> vessels;      ///< of both lungs
  std::vector<Unevenness> grain;    ///< fine and coarse
};

Chest draw_chest(detail::Random& random);

/// An organ of the mediastinum.
struct Organ {
  Blob outline;
  double hounsfield = 40;
};

/// The chest cut at one height. It looks into the Chest that it was made from.
class ChestSlice {
 public:
  ChestSlice(const Chest& chest, double height);

  /// How far `point` lies inside the lungs, in mm; negative outside.
  double lung_depth(Point point) const;
  /// Of the chest cavity, in mm.
  double half_depth() const { return cavity_.axes.y; }
  /// The middle of the vertebral body, which is 36 mm wide and 28 mm deep.
  Point vertebra() const { return {0, 0.86 * cavity_.axes.y}; }

  /// Paints everything but a nodule and noise in Hounsfield units; `lung` receives each pixel's share of
  /// lung.
  void paint(Canvas& hounsfield, Canvas& lung) const;

 private:
  void add_organ(Blob outline, double hounsfield);
  void place_mediastinum();
  void place_bones();
  void place_ribs();
  /// visit(organ, depth) is called for every organ.
  template <class Visit>
  double mediastinum_depth(Point point, const Visit& visit) const;
  double wall_value(Point point) const;
  void paint_inside(Point point, double inside, double& value, double& lung) const;
  void paint_lung_structures(Canvas& hounsfield, const Canvas& lung) const;
  void paint_bones(Canvas& hounsfield) const;

  const Chest& chest_;
  double height_;
  double level_;
  Blob cavity_;
  Blob muscle_;
  Blob body_;
  std::vector<Organ> organs_;
  std::vector<Blob> airways_;
  std::vector<Blob> cartilages_;
  std::vector<Blob> bones_;
  std::vector<Stroke> bone_strokes_;
};

}  // namespace medretrieval::imaging::phantom
