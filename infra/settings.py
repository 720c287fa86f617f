"""`python -m infra.settings`: infra/settings.json, the settings that Terraform passes on, with their bounds.

Made from the model that validates them in the functions, so that a name or a bound can't differ:
Terraform reads the file and refuses at the plan what a function would refuse at its start.
"""

import json
import sys
from typing import Any

from shared.config import Settings

ONE_MACHINE = {"google", "home", "callback_secret", "clock", "workers"}
"""Fields that mean nothing where every function is a process of its own, without a disk."""
SAID = (
    "type",
    "exclusiveMinimum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "enum",
    "default",
)
"""What of JSON Schema the model uses. Terraform knows these, and a test that there are no others."""


def settings() -> dict[str, dict[str, Any]]:
    """The settings of an instance in the cloud: by name, what the model says of them."""
    properties = Settings.model_json_schema()["properties"]
    return {
        name: {key: described[key] for key in SAID if key in described}
        for name, described in sorted(properties.items())
        if name not in ONE_MACHINE
    }


def text() -> str:
    """The file as it is committed."""
    return json.dumps(settings(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
