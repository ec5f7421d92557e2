# Shared by the scripts of this folder: what a bare Debian 12 needs, and the build. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

build_packages=(cmake ninja-build g++ pkg-config libeigen3-dev nlohmann-json3-dev libxxhash-dev
  libopencv-dev libdcmtk-dev libcsv-dev libpugixml-dev libpng-dev libjpeg-dev libtiff-dev zlib1g-dev libopenjp2-7-dev
  libssl-dev libcli11-dev libspdlog-dev libtorch-dev libopenblas-dev ccache)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev python3 python3-dev python3-venv)
check_packages=(clang-format-14 clang-tidy-14 doxygen)
tsan_packages=(clang-14 libclang-rt-14-dev libomp-14-dev)
fuzz_packages=(clang-14 libclang-rt-14-dev libomp-14-dev)
neon_packages=(g++-aarch64-linux-gnu qemu-user googletest)

# What a build compiled, the Python package and the tests of the installed package need not compile again.
export CMAKE_CXX_COMPILER_LAUNCHER=ccache

say() { printf '== %s\n' "$*" >&2; }

# need_packages PACKAGE...: installs those that are missing, and says which.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local apt=(apt-get)
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "these Debian packages are missing, and there is no sudo: ${missing[*]}"; exit 1; }
    apt=(sudo apt-get)
  fi
  command -v apt-get >/dev/null || { say "needed (names of Debian 12): ${missing[*]}"; exit 1; }
  say "installing with apt: ${missing[*]}"
  "${apt[@]}" update -qq
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]: configures once, then builds what changed.
build() {
  local preset=$1
  shift
  [ -f "$root/build/$preset/build.ninja" ] || cmake -S "$root" --preset "$preset" >/dev/null
  local target arguments=()
  for target in "$@"; do arguments+=(--target "$target"); done
  (cd "$root" && cmake --build --preset "$preset" -j "$jobs" "${arguments[@]}")
}
