"""How the shipped weights were made: from which data, under which licences, and how well they do.

`python -m training NAME --data DIR --out DIR` trains one part again.
"""

import os

# Set before numpy is read: beside other work its threads wait for each other, and a fit takes six times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
