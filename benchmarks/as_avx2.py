"""Run a benchmark as on a processor that has AVX2 and nothing wider, as most laptops have.

    python benchmarks/as_avx2.py benchmarks/wavenet_speed.py --undisturbed

On a processor with AVX-512 this tells what that is worth, in the same minutes; peers in PyTorch and XLA follow suit.
"""

import os
import sys

FEATURES = (
    "64bit cmov cx8 cx16 fxsr mmx sse sse2 sse3 ssse3 sse4.1 sse4.2 popcnt xsave avx f16c fma avx2 bmi bmi2 lzcnt movbe"
)
LIMITS = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": ",".join(f"+{feature}" for feature in FEATURES.split()),
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


def main() -> None:
    """Become that benchmark."""
    if not sys.argv[1:]:
        sys.exit(__doc__)
    os.execve(sys.executable, [sys.executable, *sys.argv[1:]], os.environ | LIMITS)


if __name__ == "__main__":
    main()
