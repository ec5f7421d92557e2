#include "augmentation_options.hpp"

namespace medretrieval::cli {

std::vector<CLI::Option*> add_augmentation_options(CLI::App& command,
                                                   imaging::AugmentationOptions& augmentation) {
  return {command.add_option("--rotation", augmentation.rotation_degrees, "Degrees either way, at most")
              ->capture_default_str(),
          command.add_option("--shift", augmentation.shift_pixels, "Pixels either way, at most")
              ->capture_default_str(),
          command.add_flag("--flip-horizontal,!--no-flip-horizontal", augmentation.flip_horizontal,
                           "Mirror half of the copies left to right (on unless refused)"),
          command.add_flag("--flip-vertical,!--no-flip-vertical", augmentation.flip_vertical,
                           "Mirror half of the copies top to bottom (on unless refused)")};
}

}  // namespace medretrieval::cli
