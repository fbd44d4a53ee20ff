// Writes which libraries there are: the tool that runs on the building machine.
#include <fstream>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

int main(int argc, char** argv) {
  const std::vector<std::string> names(argv + 2, argv + argc);
  std::ofstream(argv[1]) << absl::StrCat("Abseil ", ABSL_LTS_RELEASE_VERSION, ": ",
                                         absl::StrJoin(names, ", "), "\n");
}
