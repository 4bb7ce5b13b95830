# SPDX-License-Identifier: Apache-2.0
"""Two GiB each way with flat memory."""
import harness
from proxy_e2e import flow


class Flow(flow(2048)):
    pass


if __name__ == '__main__':
    harness.main()
