#include "imaging/datasets/lidc_series.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "imaging/datasets/folder_files.hpp"
#include "imaging/datasets/lidc_slice.hpp"

namespace medretrieval::imaging::datasets {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostFrames = 16;  // of one series, so that comparing with all takes bounded time

bool is_xml(const fs::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".xml" || extension == ".XML";
}

/// Slices of one series that fit each other.
struct Stack {
  SliceFrame frame;
  std::optional<Date> date;
  std::vector<SeriesSlice> slices;
};

/// Gathers slices by series, in the order of the folders and names.
class SeriesCollector {
 public:
  SeriesCollector(const LidcFolders& found, RecordSink& sink) : found_(found), sink_(sink) {}

  void take(LookedAt looked, std::uint32_t folder) {
    if (!looked.kind.empty()) return sink_.skip(looked.kind, looked.what);
    if (!looked.slice) return;
    FoundSlice& slice = *looked.slice;
    if (!found_.annotations.of_series(slice.series)) {
      unread_.insert(slice.series);
      return;
    }
    for (const std::string_view kind : looked.refused) sink_.note(kind, looked.what);
    slice.slice.folder = folder;
    std::vector<Stack>& stacks = by_uid_[slice.series];
    const auto fitting = std::find_if(stacks.begin(), stacks.end(), [&](const Stack& stack) {
      return same_frame(stack.frame, slice.frame);
    });
    if (fitting != stacks.end()) {
      fitting->slices.push_back(std::move(slice.slice));
    } else if (stacks.size() < kMostFrames) {
      stacks.push_back({std::move(slice.frame), slice.date, {std::move(slice.slice)}});
    } else {
      sink_.skip("other_frame", looked.what);
    }
  }

  std::vector<CtSeries> finish() {
    for (const std::string& uid : unread_) sink_.skip("series_without_annotation", uid);
    std::vector<CtSeries> all;
    for (auto& [uid, stacks] : by_uid_) {
      const auto largest = std::max_element(stacks.begin(), stacks.end(), [](const Stack& a, const Stack& b) {
        return a.slices.size() < b.slices.size();
      });
      for (const Stack& stack : stacks) {
        if (&stack != &*largest) skip_stack(stack, largest->frame);
      }
      all.push_back({uid, std::move(largest->frame), largest->date, sorted(std::move(largest->slices))});
    }
    return all;
  }

 private:
  std::string place(const SeriesSlice& slice) const {
    return (found_.folders[slice.folder] / slice.file).string();
  }

  void skip_stack(const Stack& stack, SliceFrame largest) {
    largest.orientation = stack.frame.orientation;
    const bool is_turned = same_frame(stack.frame, largest);  // and differs in nothing else
    for (const SeriesSlice& slice : stack.slices) {
      sink_.skip(is_turned ? "other_orientation" : "other_frame",
                 place(slice) + (is_turned ? "" : ": patient, study, size or spacing differ in the series"));
    }
  }

  /// Without copies.
  std::vector<SeriesSlice> sorted(std::vector<SeriesSlice> slices) {
    std::set<std::string> seen;
    std::erase_if(slices, [&](const SeriesSlice& slice) {
      if (seen.insert(slice.sop_uid).second) return false;
      sink_.skip("same_image_twice", place(slice));
      return true;
    });
    const auto key = [](const SeriesSlice& slice) {
      return std::pair<double, std::string_view>(
          slice.along.value_or(-std::numeric_limits<double>::infinity()), slice.sop_uid);
    };
    std::sort(slices.begin(), slices.end(),
              [&](const SeriesSlice& a, const SeriesSlice& b) { return key(a) < key(b); });
    return slices;
  }

  const LidcFolders& found_;
  RecordSink& sink_;
  std::map<std::string, std::vector<Stack>> by_uid_;
  std::set<std::string> unread_;
};

}  // namespace

LidcFolders find_annotations(const fs::path& root, RecordSink& sink) {
  LidcFolders found;
  walk_folders(root, sink, [&](const fs::path& folder, const std::vector<std::string>& files) {
    found.folders.push_back(folder);
    for (const std::string& name : files) {
      if (is_xml(name)) found.annotations.add(folder / name, sink);
    }
  });
  return found;
}

std::vector<CtSeries> read_ct_series(const LidcFolders& found, RecordSink& sink) {
  SeriesCollector collector(found, sink);
  for (std::uint32_t folder = 0; folder < found.folders.size(); ++folder) {
    const fs::path& path = found.folders[folder];
    const std::vector<std::string> files = read_folder(path).files;  // unreadable ones are counted already
    read_in_order(
        files.size(), sink.threads(), [&](std::size_t i) { return look_at_slice(path / files[i]); },
        [&](std::size_t, LookedAt looked) { collector.take(std::move(looked), folder); });
  }
  return collector.finish();
}

void AnnotationFiles::add(const fs::path& file, RecordSink& sink) {
  LidcAnnotations annotations;
  try {
    annotations = read_lidc_annotations(file);
  } catch (const Error& error) {
    return sink.skip("unreadable_annotation", error.what());
  }
  if (annotations.of_radiograph) return sink.skip("reading_of_radiograph", file.string());
  const auto [entry, added] = by_series_.try_emplace(annotations.series_uid, file);
  if (added) return count(annotations);
  sink.skip("second_annotation", file.string() + ": the series has " + entry->second.string());
}

void AnnotationFiles::count(const LidcAnnotations& annotations) {
  for (const LidcReading& reading : annotations.readings) {
    for (const LidcNodule& nodule : reading.nodules) {
      if (!nodule.is_contoured()) continue;
      ++marks_;
      outlines_ += nodule.contours.size();
    }
  }
}

std::optional<fs::path> AnnotationFiles::of_series(const std::string& uid) const {
  const auto found = by_series_.find(uid);
  return found == by_series_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace medretrieval::imaging::datasets
