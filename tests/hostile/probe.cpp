// Reads one hostile file under the limits that every reader keeps: 2 s of CPU time and 1 GiB of memory. A
// reader that passes them is killed or throws std::bad_alloc. usage: hostile_probe READER FILE Prints what
// came of it in one line: "read" or "refused CODE MESSAGE", behind seconds and peak memory in MiB.
#include <sys/resource.h>

#include <iostream>
#include <medretrieval/imaging/chest_boxes.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <stdexcept>
#include <string>

using namespace medretrieval;
using namespace medretrieval::imaging;
namespace fs = std::filesystem;

namespace {

constexpr rlim_t kSeconds = 2;
constexpr rlim_t kBytes = rlim_t{1} << 30;

class Sink final : public RecordSink {
 public:
  void expect(std::size_t) override {}
  void add(DatasetRecord record) override { record.load ? record.load() : load_source(record.source); }
  void skip(std::string_view, const std::string& what) override {
    throw Error(ErrorCode::corrupt, "left out: " + what);
  }
};

void read(const std::string& reader, const fs::path& file) {
  if (reader == "image") {
    load_image(file);
  } else if (reader == "volume") {
    read_meta_image(file);
  } else if (reader == "lidc") {
    group_lidc_nodules(read_lidc_annotations(file));
  } else if (reader == "manifest") {
    read_manifest(file.parent_path(), file);
  } else if (reader == "boxes") {
    read_chest_boxes(file);
  } else {
    Sink sink;
    read_dataset(reader, file.parent_path(), {}, sink);
  }
}

void limit(int resource, rlim_t most) {
  const rlimit both{most, most};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0)
    throw std::runtime_error("setrlimit failed");
}

std::string cost() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return std::to_string(seconds(used.ru_utime) + seconds(used.ru_stime)) + " " +
         std::to_string(used.ru_maxrss / 1024);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  limit(RLIMIT_CPU, kSeconds);
  limit(RLIMIT_DATA, kBytes);
  limit(RLIMIT_CORE, 0);
  std::string outcome = "read";
  try {
    read(arguments[1], arguments[2]);
  } catch (const Error& error) {
    outcome = "refused " + std::to_string(static_cast<int>(error.code())) + " " + error.what();
  }
  std::cout << cost() << " " << outcome << "\n";
  return 0;
}
