// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/env/problem.h"
#include "moat/env/settings.h"

namespace moat::sources {

// file_reader reads regular files of at most `max_bytes`, following no symbolic link at the end of
// the path unless the link belongs to root or this user and its folder can be written by them only
// (which is how Kubernetes mounts secrets). Never blocks on a pipe or a device.
env::Reader file_reader(std::size_t max_bytes = 1048576);

// Who may read a file of secrets beside its owner. Container runtimes mount theirs readable by all;
// elsewhere that is a leak.
enum class Readers { owner_only, allow_all };

// read_secret_file gives a file's bytes, a newline at the end dropped. Refused: a mode that lets
// anyone but the owner write it or (by default) read it, another owner than this user or root,
// anything but a regular file, an empty file.
[[nodiscard]] Result<Secret, env::Problem> read_secret_file(const std::string& path,
                                                            Readers readers = Readers::owner_only);

// process_environment copies the environment. Call it once, early in main().
env::Environment process_environment();
// scrub_environment overwrites and removes variables, so that neither children nor
// /proc/PID/environ show them. Only before any thread starts.
void scrub_environment(std::span<const std::string_view> names);
// The same for every variable whose name says that it is a secret (env::names_secret); returns how
// many.
std::size_t scrub_secrets();

// load_dotenv is dotenv.config() with the rules of moat/env: `path` and its layers (env::layers)
// below the process environment. No file is put into the environment.
//   auto settings = moat::sources::load_dotenv(".env");
//   auto key = settings->secret("JWT_SECRET");
[[nodiscard]] Result<env::Settings, env::Problem> load_dotenv(const std::string& path = ".env",
                                                              std::string_view profile = {});
[[nodiscard]] Result<env::Settings, env::Problem> load_dotenv(const env::LoadOptions& options);

}  // namespace moat::sources
