#include "imaging/datasets/lidc_nodules.hpp"

#include <algorithm>
#include <map>

#include "imaging/lidc_outline.hpp"

namespace medretrieval::imaging::datasets {

namespace {

double area(const LidcContour& outline) {
  return outline_area(outline.points);
}

/// Index of the slice with the largest outline, the first of equal ones.
std::size_t middle_of(const std::vector<NoduleSlice>& slices) {
  const auto smaller = [](const NoduleSlice& a, const NoduleSlice& b) {
    return area(a.outline) < area(b.outline);
  };
  return static_cast<std::size_t>(std::max_element(slices.begin(), slices.end(), smaller) - slices.begin());
}

}  // namespace

FoundNodule find_nodule(const LidcAnnotations& annotations, const LidcNoduleGroup& group,
                        const CtSeries& series) {
  const std::vector<LidcSlice> slices(series.slices.begin(), series.slices.end());
  FoundNodule found;
  std::map<std::size_t, LidcContour> largest;
  for (const LidcMark mark : group.marks) {
    for (const LidcContour& contour : annotations.readings[mark.reading].nodules[mark.nodule].contours) {
      require_inside(contour, series.frame.columns, series.frame.rows);
      if (!contour.inclusion) continue;
      const auto slice = find_lidc_slice(contour, slices);
      if (!slice) {
        ++found.missing;
        continue;
      }
      const auto [entry, added] = largest.try_emplace(*slice, contour);
      if (!added && area(contour) > area(entry->second)) entry->second = contour;
    }
  }
  for (auto& [slice, outline] : largest) found.slices.push_back({slice, std::move(outline)});
  return found;
}

std::vector<NoduleSlice> choose_slices(const std::vector<NoduleSlice>& slices, SliceChoice choice,
                                       std::size_t series_slices) {
  if (choice == SliceChoice::all) return slices;
  const NoduleSlice& middle = slices[middle_of(slices)];
  if (choice == SliceChoice::middle) return {middle};
  std::vector<NoduleSlice> chosen;
  const std::size_t first = middle.slice == 0 ? 0 : middle.slice - 1;
  for (std::size_t slice = first; slice <= middle.slice + 1 && slice < series_slices; ++slice) {
    const auto own = std::find_if(slices.begin(), slices.end(),
                                  [&](const NoduleSlice& one) { return one.slice == slice; });
    chosen.push_back({slice, own == slices.end() ? middle.outline : own->outline});
  }
  return chosen;
}

std::size_t longest_side(const LidcContour& outline) {
  const auto size = outline_box(outline.points).size();
  return static_cast<std::size_t>(std::max(size.width, size.height));
}

}  // namespace medretrieval::imaging::datasets
