#include "imaging/import_source.hpp"

#include <sys/stat.h>

#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "base/concat.hpp"
#include "imaging/import_groups.hpp"

namespace medretrieval::imaging {

namespace fs = std::filesystem;

namespace {

constexpr int kDeepestFolder = 64;

class Walk {
 public:
  SourceState state;

  void visit(const fs::path& folder, const std::string& name, int depth) {
    struct stat status {};
    if (depth > kDeepestFolder || ::stat(folder.c_str(), &status) != 0) return;
    if (!visited_.emplace(status.st_dev, status.st_ino).second) return;  // a link back up would never end
    std::error_code error;
    auto entry = fs::directory_iterator(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string inner = name + "/" + entry->path().filename().string();
      if (::stat(entry->path().c_str(), &status) != 0) continue;
      if (S_ISDIR(status.st_mode)) visit(entry->path(), inner, depth + 1);
      if (S_ISREG(status.st_mode)) add(inner, status);
    }
  }

 private:
  void add(const std::string& name, const struct stat& status) {
    const Fingerprint one = fingerprint_of(
        detail::concat(name, '\0', status.st_size, ' ', status.st_mtim.tv_sec, ' ', status.st_mtim.tv_nsec));
    ++state.files;
    state.bytes += static_cast<std::uint64_t>(status.st_size);
    state.fingerprint.high += one.high;  // sums, so that the order does not matter
    state.fingerprint.low += one.low;
  }

  std::set<std::pair<dev_t, ino_t>> visited_;
};

}  // namespace

SourceState source_state(const fs::path& root) {
  Walk walk;
  walk.visit(root, "", 0);
  return walk.state;
}

}  // namespace medretrieval::imaging
