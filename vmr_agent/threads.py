"""No threads that libraries start by themselves, in processes of our own.

Every core has work already while a film is indexed, and the helpers of numpy's matrix products turn
for a while after each: 6 % of the time of ``full`` on two cores.
"""

ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What the environment must say before numpy is imported."""
