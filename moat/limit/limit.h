// SPDX-License-Identifier: Apache-2.0
#pragma once

// Practice 5: rate limits and brute force. All of the room.
#include "moat/limit/client_address.h"
#include "moat/limit/fields.h"
#include "moat/limit/login_guard.h"
#include "moat/limit/policy.h"
#include "moat/limit/rate_limiter.h"
#include "moat/limit/table.h"
