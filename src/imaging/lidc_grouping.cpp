// Whose outlines belong to the same nodule, and what its readers say of it together.
#include <algorithm>
#include <map>
#include <medretrieval/imaging/lidc.hpp>
#include <numeric>
#include <opencv2/core.hpp>
#include <set>

#include "base/concat.hpp"
#include "imaging/lidc_outline.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr double kSameSlice = 0.01;  // mm

/// Gives every slice that contours name a number.
class SliceNumbers {
 public:
  std::size_t number_of(const LidcContour& contour) {
    if (contour.sop_uid.empty()) return by_z_or_new(contour);
    const auto known = by_uid_.find(contour.sop_uid);
    if (known != by_uid_.end()) return known->second;
    return by_uid_.emplace(contour.sop_uid, by_z_or_new(contour)).first->second;
  }

 private:
  struct Slice {
    std::size_t number = 0;
    std::string uid;  ///< empty: not known yet
  };

  // A slice that was named by its UID before is found again by its position, but another UID is another slice.
  std::size_t by_z_or_new(const LidcContour& contour) {
    if (!contour.z) return count_++;
    const auto near = by_z_.lower_bound(*contour.z - kSameSlice);
    if (near != by_z_.end() && near->first <= *contour.z + kSameSlice) {
      Slice& slice = near->second;
      if (!slice.uid.empty() && !contour.sop_uid.empty() && slice.uid != contour.sop_uid) return count_++;
      if (slice.uid.empty()) slice.uid = contour.sop_uid;
      return slice.number;
    }
    return by_z_.emplace(*contour.z, Slice{count_++, contour.sop_uid}).first->second.number;
  }

  std::size_t count_ = 0;
  std::map<std::string, std::size_t> by_uid_;
  std::map<double, Slice> by_z_;
};

/// The part of a nodule that lies in one slice.
struct Area {
  cv::Rect box;
  cv::Mat mask;  ///< CV_8U of the size of the box, 1 inside
};

/// A nodule as pixels.
struct Volume {
  std::map<std::size_t, Area> areas;  ///< by number of the slice
  std::size_t pixels = 0;
};

Area fill(const std::vector<const LidcContour*>& contours) {
  Area area;
  for (const LidcContour* contour : contours) {
    if (contour->inclusion) area.box |= outline_box(contour->points);
  }
  if (area.box.empty()) return area;
  area.mask = cv::Mat::zeros(area.box.size(), CV_8U);
  for (const bool inclusion : {true, false}) {
    for (const LidcContour* contour : contours) {
      if (contour->inclusion != inclusion) continue;
      fill_outline(area.mask, area.box.tl(), contour->points, inclusion, inclusion ? 1 : 0);
    }
  }
  return area;
}

Volume volume_of(const LidcNodule& nodule, SliceNumbers& slices) {
  std::map<std::size_t, std::vector<const LidcContour*>> contours;
  for (const LidcContour& contour : nodule.contours) contours[slices.number_of(contour)].push_back(&contour);
  Volume volume;
  for (const auto& [slice, parts] : contours) {
    Area area = fill(parts);
    if (area.box.empty()) continue;
    volume.pixels += static_cast<std::size_t>(cv::countNonZero(area.mask));
    volume.areas.emplace(slice, std::move(area));
  }
  return volume;
}

std::size_t common_pixels(const Area& a, const Area& b) {
  const cv::Rect box = a.box & b.box;
  if (box.empty()) return 0;
  const cv::Rect in_a(box.tl() - a.box.tl(), box.size());
  const cv::Rect in_b(box.tl() - b.box.tl(), box.size());
  return static_cast<std::size_t>(cv::countNonZero(a.mask(in_a) & b.mask(in_b)));
}

bool overlap(const Volume& a, const Volume& b, double min_overlap) {
  std::size_t common = 0;
  for (const auto& [slice, area] : a.areas) {
    const auto other = b.areas.find(slice);
    if (other != b.areas.end()) common += common_pixels(area, other->second);
  }
  return static_cast<double>(common) > min_overlap * static_cast<double>(std::min(a.pixels, b.pixels));
}

/// Comparing all pairs takes bounded time.
void require_few(const LidcAnnotations& annotations) {
  std::size_t marks = 0;
  std::size_t outlines = 0;
  std::size_t pixels = 0;
  const auto require = [](std::size_t count, std::size_t limit, const char* what) {
    if (count > limit) fail(ErrorCode::limit_exceeded, what, ": ", count, ", expected at most ", limit);
  };
  for (const LidcReading& reading : annotations.readings) {
    for (const LidcNodule& nodule : reading.nodules) {
      marks += nodule.is_contoured() ? 1 : 0;
      outlines += nodule.contours.size();
      for (const LidcContour& contour : nodule.contours) pixels += outline_cost(contour.points);
    }
  }
  require(marks, kMaxLidcMarks, "contoured nodules");
  require(outlines, kMaxLidcOutlines, "outlines");
  require(pixels, kMaxLidcFilledPixels, "pixels in the boxes round the outlines");
}

/// Sets that grow together: each element points towards the least of its set.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }
  std::size_t first_of(std::size_t element) {
    while (parent_[element] != element) element = parent_[element] = parent_[parent_[element]];
    return element;
  }
  void unite(std::size_t a, std::size_t b) {
    const auto [low, high] = std::minmax({first_of(a), first_of(b)});
    parent_[high] = low;
  }

 private:
  std::vector<std::size_t> parent_;
};

std::optional<double> median(std::vector<int> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2.0;
}

void summarize(const LidcAnnotations& annotations, LidcNoduleGroup& group) {
  std::set<std::size_t> readers;
  for (const LidcMark mark : group.marks) readers.insert(mark.reading);
  group.readers = readers.size();
  group.malignancy = median_lidc_rating(annotations, group.marks, &LidcCharacteristics::malignancy);
}

}  // namespace

void LidcGroupingOptions::validate() const {
  if (!(min_overlap >= 0 && min_overlap < 1)) {
    fail(ErrorCode::invalid_argument, "min_overlap is ", min_overlap, ", expected 0 to below 1");
  }
}

std::vector<LidcNoduleGroup> group_lidc_nodules(const LidcAnnotations& annotations,
                                                const LidcGroupingOptions& options) {
  options.validate();
  if (annotations.of_radiograph) return {};
  require_few(annotations);
  std::vector<LidcMark> marks;
  std::vector<Volume> volumes;
  SliceNumbers slices;
  for (std::size_t r = 0; r < annotations.readings.size(); ++r) {
    const std::vector<LidcNodule>& nodules = annotations.readings[r].nodules;
    for (std::size_t n = 0; n < nodules.size(); ++n) {
      if (!nodules[n].is_contoured()) continue;
      marks.push_back({r, n});
      volumes.push_back(volume_of(nodules[n], slices));
    }
  }
  DisjointSets sets(marks.size());
  for (std::size_t a = 0; a < marks.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const bool same_reader = marks[a].reading == marks[b].reading;
      if (!same_reader && overlap(volumes[a], volumes[b], options.min_overlap)) sets.unite(a, b);
    }
  }
  std::map<std::size_t, LidcNoduleGroup> groups;
  for (std::size_t mark = 0; mark < marks.size(); ++mark)
    groups[sets.first_of(mark)].marks.push_back(marks[mark]);
  std::vector<LidcNoduleGroup> ordered;
  for (auto& [first, group] : groups) {
    summarize(annotations, group);
    ordered.push_back(std::move(group));
  }
  return ordered;
}

std::optional<double> median_lidc_rating(const LidcAnnotations& annotations, std::span<const LidcMark> marks,
                                         int LidcCharacteristics::*rating) {
  std::map<std::size_t, int> votes;  // by reading; 0: not rated
  for (const LidcMark mark : marks) {
    int& vote = votes[mark.reading];
    vote = std::max(vote, annotations.readings[mark.reading].nodules[mark.nodule].characteristics.*rating);
  }
  std::vector<int> ratings;
  for (const auto& [reading, vote] : votes) {
    if (vote > 0) ratings.push_back(vote);
  }
  return median(std::move(ratings));
}

LidcMalignancy malignancy_class(const std::optional<double>& median) noexcept {
  if (!median) return LidcMalignancy::unrated;
  if (*median == 3) return LidcMalignancy::undecided;
  return *median < 3 ? LidcMalignancy::benign : LidcMalignancy::malignant;
}

}  // namespace medretrieval::imaging
