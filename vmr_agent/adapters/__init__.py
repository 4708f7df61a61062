"""The machinery: one file for each outside package, its one door into the house.

No package behind these doors may report home unless the user's environment says so. This has to
stand here: most of them read it when they are imported.
"""

import os

TELEMETRY_OFF = {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, which otherwise keeps an id in the home folder
    "PYANNOTE_METRICS_ENABLED": "0",
}

for _name, _value in TELEMETRY_OFF.items():
    os.environ.setdefault(_name, _value)
