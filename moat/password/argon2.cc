// SPDX-License-Identifier: Apache-2.0
#include <argon2.h>
#include <string.h>
#include <sys/mman.h>

#include <limits>

#include "moat/password/internal/workspace.h"
#include "moat/password/phc.h"

namespace moat::password {
namespace internal {
namespace {

// libargon2's callbacks carry no context, so the one in use is found through the thread.
thread_local Workspaces* current = nullptr;

int allocate(std::uint8_t** memory, std::size_t bytes) {
  *memory = current->acquire(bytes);
  return *memory != nullptr ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

// libargon2 has wiped the block when it calls this (WorkspaceIsWipedAfterAHash tests it).
void release_block(std::uint8_t* memory, std::size_t bytes) { current->give_back(memory, bytes); }

argon2_type library_type(Argon2Type type) {
  switch (type) {
    case Argon2Type::d:
      return Argon2_d;
    case Argon2Type::i:
      return Argon2_i;
    case Argon2Type::id:
      return Argon2_id;
  }
  return Argon2_id;
}

std::uint8_t* bytes_of(std::string_view text) {
  // The context takes pointers to non-const; without its clearing flags the library only reads.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

bool fits(std::string_view text) {
  return text.size() <= std::numeric_limits<std::uint32_t>::max();
}

}  // namespace

std::uint8_t* Workspaces::acquire(std::size_t bytes) {
  if (bytes == block_bytes_) {
    for (auto& slot : slots_)
      if (auto* block = slot.exchange(nullptr, std::memory_order_acquire)) return block;
  }
  // Populating at once is a fraction of the cost of one page fault for each page.
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (block == MAP_FAILED) return nullptr;
  madvise(block, bytes, MADV_DONTDUMP);  // no core dump shall hold it
  return static_cast<std::uint8_t*>(block);
}

void Workspaces::give_back(std::uint8_t* block, std::size_t bytes) {
  if (bytes == block_bytes_) {
    for (auto& slot : slots_) {
      std::uint8_t* empty = nullptr;
      if (slot.compare_exchange_strong(empty, block, std::memory_order_release,
                                       std::memory_order_relaxed))
        return;
    }
  }
  munmap(block, bytes);
}

void Workspaces::release() {
  for (auto& slot : slots_)
    if (auto* block = slot.exchange(nullptr, std::memory_order_acquire))
      munmap(block, block_bytes_);
}

Result<std::string, Refusal> argon2_in(Workspaces& workspaces, const Argon2Input& input) {
  if (!fits(input.password) || !fits(input.salt) || !fits(input.secret) ||
      !fits(input.associated_data) || input.tag_bytes > 1024)
    return Error{Refusal::malformed};
  std::string tag(input.tag_bytes, '\0');
  argon2_context context{};
  context.out = bytes_of(tag);
  context.outlen = static_cast<std::uint32_t>(tag.size());
  context.pwd = bytes_of(input.password);
  context.pwdlen = static_cast<std::uint32_t>(input.password.size());
  context.salt = bytes_of(input.salt);
  context.saltlen = static_cast<std::uint32_t>(input.salt.size());
  context.secret = bytes_of(input.secret);
  context.secretlen = static_cast<std::uint32_t>(input.secret.size());
  context.ad = bytes_of(input.associated_data);
  context.adlen = static_cast<std::uint32_t>(input.associated_data.size());
  context.t_cost = input.iterations;
  context.m_cost = input.memory_kib;
  context.lanes = input.lanes;
  context.threads = 1;  // no thread is started: the caller decides about those
  context.version = input.version;
  context.allocate_cbk = allocate;
  context.free_cbk = release_block;
  if (input.version != ARGON2_VERSION_10 && input.version != ARGON2_VERSION_13)
    return Error{Refusal::unsupported};

  current = &workspaces;
  const int code = argon2_ctx(&context, library_type(input.type));
  current = nullptr;
  if (code == ARGON2_OK) return tag;
  return Error{code == ARGON2_MEMORY_ALLOCATION_ERROR ? Refusal::out_of_memory
                                                      : Refusal::malformed};
}

}  // namespace internal

Result<std::string, Refusal> argon2(const Argon2Input& input) {
  internal::Workspaces none(0);
  return internal::argon2_in(none, input);
}

}  // namespace moat::password
